//! The fields and associations of one link.

use sync_types::Value;

use super::aside::{End, set_aside};
use super::{
    Chain, Column, Evidence, FieldDraft, Fit, Form, LinkDraft, Meaning, PropertyKind, Request, Schema, Seen,
    Source, Target, chain, draft, fit, names, natural_kind, object_schema, standard, targets,
};
use crate::toml_text::quoted;

/// Fills a link in.
pub(super) fn fill(
    link: &mut LinkDraft,
    seen: &Seen<'_>,
    ends: &[End],
    request: Request<'_>,
    hubspot: &[Schema],
) {
    let standard = standard::object(&link.object);
    let targets = targets(standard, object_schema(&link.object, hubspot));
    let mut columns: Vec<(&Column, &Evidence)> =
        seen.columns.iter().map(|(column, evidence)| (*column, evidence)).collect();
    columns.retain(|(column, evidence)| match set_aside(link, column, evidence, ends) {
        Some(reason) => {
            link.unmapped.push((column.path.clone(), reason));
            false
        }
        None => true,
    });
    let chosen = assign(&columns, seen, &targets);
    for ((column, evidence), choice) in columns.iter().zip(chosen) {
        let field = match choice {
            Some((target, found)) => known_property(column, evidence, target, &found, request),
            None => None,
        };
        match field.or_else(|| new_property(link, column, evidence, &targets, request)) {
            Some(field) => link.fields.push(field),
            None => {
                link.unmapped
                    .push((column.path.clone(), format!("no property holds it: {}", evidence.words())));
            }
        }
    }
    if link.object == "contacts" {
        split_full_name(link);
    }
    fill_required(link);
    let recognised =
        standard.and_then(|object| object.recognised_by).filter(|property| link.writes(property));
    link.match_on = recognised.map(str::to_owned).into_iter().collect();
    ask(link, seen);
    ask_of_phones(link, seen, request);
}

/// Asks what only a person knows.
fn ask(link: &mut LinkDraft, seen: &Seen<'_>) {
    let mut ask = |question: &str| link.questions.push(question.to_owned());
    if link.key.is_none() {
        let sampled = seen.columns.iter().any(|(column, _)| !column.samples.is_empty());
        if sampled && !seen.columns.iter().any(|(_, evidence)| evidence.distinct) {
            ask(
                "no column is different in every row: ask for one that identifies a row, or make one by a query",
            );
        } else {
            ask("which column identifies a row? name it in the settings");
        }
    }
    if ["employee", "staff", "user"].iter().any(|word| seen.words.iter().any(|known| known == word)) {
        ask("are these people customers, or the users who own records in HubSpot? Users are no contacts");
    }
    let person = |path: &str| {
        let words = names::words(path);
        words.iter().any(|word| word == "contact") && words.len() > 1
    };
    if link.object == "companies" && seen.columns.iter().any(|(column, _)| person(&column.path)) {
        ask("the table names a person too: give the same collection a second link, to contacts");
    }
}

/// Numbers without a country code are those of the row's country, or all of one.
fn ask_of_phones(link: &mut LinkDraft, seen: &Seen<'_>, request: Request<'_>) {
    let is_phone = |column: &Column| {
        let of_column = |field: &&FieldDraft| field.source.only_column() == Some(column.path.as_str());
        let phone = |field: &FieldDraft| field.chain.steps.iter().any(|step| step == "\"phone\"");
        link.live().filter(of_column).any(phone)
    };
    let phones: Vec<&Column> =
        seen.columns.iter().map(|(column, _)| *column).filter(|column| is_phone(column)).collect();
    let has_code = |value: &Value| {
        value.as_text().is_none_or(|text| text.trim().starts_with('+') || text.trim().starts_with("00"))
    };
    let national = phones.iter().any(|column| column.filled().any(|value| !has_code(value)));
    let phones = !phones.is_empty();
    let of_country = |path: &str| {
        link.live().any(|field| field.to == "country" && field.source.only_column() == Some(path))
    };
    let countries = seen.columns.iter().find(|(column, _)| of_country(&column.path));
    let several = countries.is_some_and(|(column, _)| {
        let mut filled = column.filled();
        let first = filled.next();
        filled.any(|other| Some(other) != first)
    });
    if national
        && several
        && let Some((country, _)) = countries
    {
        // The row says of which country its numbers are.
        let by_row = format!("{{ phone = {{ region_field = {} }} }}", quoted(&country.path));
        for step in link.fields.iter_mut().flat_map(|field| &mut field.chain.steps) {
            if step == "\"phone\"" {
                step.clone_from(&by_row);
            }
        }
        return;
    }
    match request.region {
        None if phones && (national || seen.columns.iter().all(|(column, _)| column.samples.is_empty())) => {
            let question = "in which country are telephone numbers without a country code? set `region`";
            link.questions.push(question.to_owned());
        }
        _ => {}
    }
}

/// Gives each column the property that it fits best and that no other column fits better.
fn assign<'t>(
    columns: &[(&Column, &Evidence)],
    seen: &Seen<'_>,
    targets: &'t [Target],
) -> Vec<Option<(&'t Target, Fit)>> {
    let mut fits: Vec<(usize, usize, Fit)> = Vec::new();
    for (at, (column, evidence)) in columns.iter().enumerate() {
        for (to, target) in targets.iter().enumerate() {
            fits.extend(fit(column, &seen.words, evidence, target).map(|fit| (at, to, fit)));
        }
    }
    // Of equals the earlier column and property.
    fits.sort_by(|one, other| {
        other.2.confidence.total_cmp(&one.2.confidence).then((one.0, one.1).cmp(&(other.0, other.1)))
    });
    let mut chosen: Vec<Option<(&Target, Fit)>> = columns.iter().map(|_| None).collect();
    let mut taken = vec![false; targets.len()];
    for (at, to, fit) in fits {
        let (Some(place), Some(used), Some(target)) =
            (chosen.get_mut(at), taken.get_mut(to), targets.get(to))
        else {
            continue;
        };
        if place.is_none() && !*used {
            *used = true;
            *place = Some((target, fit));
        }
    }
    chosen
}

fn known_property(
    column: &Column,
    evidence: &Evidence,
    target: &Target,
    found: &Fit,
    request: Request<'_>,
) -> Option<FieldDraft> {
    Some(FieldDraft {
        chain: chain(evidence, target, request.zone)?,
        confidence: Some(found.confidence),
        reason: found.reason.clone(),
        ..FieldDraft::new(Source::column(&column.path), &target.name, target.kind)
    })
}

/// A property of the customer's own.
fn new_property(
    link: &LinkDraft,
    column: &Column,
    evidence: &Evidence,
    targets: &[Target],
    request: Request<'_>,
) -> Option<FieldDraft> {
    if matches!(evidence.form, Form::Typed(PropertyKind::Json)) {
        return None;
    }
    let label = column.label.clone().unwrap_or_else(|| names::label(&column.path));
    let mut to = names::internal_name(&column.path);
    let taken = |to: &str| {
        targets.iter().any(|target| target.name == to) || link.fields.iter().any(|field| field.to == to)
    };
    if taken(&to) || to == draft::sync_key(request.name) {
        to = names::internal_name(&format!("{} {}", request.name, column.path));
    }
    if taken(&to) {
        return None;
    }
    let kind = natural_kind(&evidence.form);
    let options: Vec<(String, String)> = match &evidence.form {
        Form::Choice(words) | Form::Choices { words, .. } => {
            words.iter().map(|word| (option_value(word), word.clone())).collect()
        }
        _ => Vec::new(),
    };
    let meaning = Meaning::Plain;
    let target = Target::new_property(&to, &label, kind, meaning, options);
    let mut chain = chain(evidence, &target, request.zone)?;
    if evidence.same {
        chain.doubts.push("the same in every row that was seen: is it of use?".to_owned());
    }
    // Its options are made of the words themselves, so every word has one.
    for (word, option) in &mut chain.picklist {
        *option = Some(option_value(word));
    }
    chain.doubts.retain(|doubt| !doubt.contains("no option yet"));
    Some(FieldDraft {
        chain,
        create: Some((label, column.description.clone())),
        confidence: Some(0.7),
        reason: format!("no property of HubSpot's is called so: a new one; {}", evidence.words()),
        ..FieldDraft::new(Source::column(&column.path), to, kind)
    })
}

/// An option's internal value for a word of the source; words without a Latin letter or digit stay as they are.
fn option_value(word: &str) -> String {
    let made = names::internal_name(word);
    let bare = made.strip_prefix("p_").unwrap_or(&made);
    if bare.is_empty() || bare == "p" { word.to_owned() } else { bare.to_owned() }
}

/// People have a first and a last name in HubSpot; a source with one column for both has it taken apart.
fn split_full_name(link: &mut LinkDraft) {
    if link.writes("firstname") || link.writes("lastname") {
        return;
    }
    let full = link.fields.iter().position(|field| {
        let words = field.source.only_column().map(names::words).unwrap_or_default();
        let ends = words.last().is_some_and(|last| last == "name") && words.len() <= 2;
        field.create.is_some() && (ends || words == ["fullname"])
    });
    let Some(place) = full else { return };
    let field = link.fields.remove(place);
    let Some(path) = field.source.only_column() else { return };
    for (offset, (to, part)) in [("firstname", "first"), ("lastname", "last")].into_iter().enumerate() {
        let steps = vec![format!("{{ name_part = {part:?} }}")];
        let doubt =
            format!("`{path}` holds whole names: are they taken apart well? Look at some in a preview");
        link.fields.insert(
            place + offset,
            FieldDraft {
                chain: Chain { steps, leave_bad: true, doubts: vec![doubt], ..Chain::default() },
                confidence: Some(0.5),
                reason: "HubSpot has first and last names apart".to_owned(),
                ..FieldDraft::new(Source::column(path), to, PropertyKind::Text)
            },
        );
    }
}

/// What HubSpot wants of every record of a type, where no column gives it.
fn fill_required(link: &mut LinkDraft) {
    let constants: &[(&str, &str, PropertyKind)] = match link.object.as_str() {
        "deals" => &[
            ("pipeline", "default", PropertyKind::Option),
            ("dealstage", "appointmentscheduled", PropertyKind::Option),
        ],
        "tickets" => {
            &[("hs_pipeline", "0", PropertyKind::Option), ("hs_pipeline_stage", "1", PropertyKind::Option)]
        }
        _ => &[],
    };
    let title = match link.object.as_str() {
        "deals" => Some("dealname"),
        "tickets" => Some("subject"),
        _ => None,
    };
    let label = names::label(&link.collection);
    let singular = label.strip_suffix('s').unwrap_or(&label).to_owned();
    let key = link.key.clone();
    let mut add = |source: Source, to: &str, kind: PropertyKind, doubt: &str| {
        if !link.writes(to) {
            link.fields.push(FieldDraft {
                chain: Chain { doubts: vec![doubt.to_owned()], ..Chain::default() },
                confidence: Some(LIKELY_ENOUGH),
                reason: "HubSpot wants it of every record, and no column gives it".to_owned(),
                ..FieldDraft::new(source, to, kind)
            });
        }
    };
    for (to, value, kind) in constants {
        add(Source::Constant((*value).to_owned()), to, *kind, "is this the right pipeline and stage?");
    }
    if let (Some(title), Some(key)) = (title, key) {
        let template = format!("{singular} {{{key}}}");
        add(Source::Template(template), title, PropertyKind::Text, "what should a record be called?");
    }
}

/// Sure enough to stand in the file, not enough to go unread.
const LIKELY_ENOUGH: f64 = 0.66;
