//! The transforms that bring a column's values into a property, as the mapping file writes them.

use sync_types::PropertyKind;

use super::evidence::{Evidence, Form, NumberForm};
use super::target::{Target, option_of};
use crate::draft::Chain;
use crate::standard::Meaning;
use crate::toml_text::{list, quoted};

impl Chain {
    fn of(steps: &[&str]) -> Chain {
        Chain { steps: steps.iter().map(|step| (*step).to_owned()).collect(), ..Chain::default() }
    }

    fn leaving_bad(self) -> Chain {
        Chain { leave_bad: true, ..self }
    }
}

/// The kind that a new property for such values should have.
pub(crate) fn natural_kind(form: &Form) -> PropertyKind {
    match form {
        Form::Number(_) => PropertyKind::Number,
        Form::Bool { .. } => PropertyKind::Bool,
        Form::Date(_) => PropertyKind::Date,
        Form::DateTime(_) => PropertyKind::DateTime,
        Form::Choice(_) => PropertyKind::Option,
        Form::Choices { .. } => PropertyKind::Options,
        // Options that nobody knows cannot be made.
        Form::Typed(PropertyKind::Option | PropertyKind::Options | PropertyKind::Json) => PropertyKind::Text,
        Form::Typed(kind) => *kind,
        Form::Unseen | Form::Email | Form::Url | Form::Domain | Form::Phone { .. } | Form::Text { .. } => {
            PropertyKind::Text
        }
    }
}

/// The transforms from values of this form to the property; `None`: there are none.
pub(crate) fn chain(evidence: &Evidence, target: &Target, zone: Option<&str>) -> Option<Chain> {
    let mut chain = match target.kind {
        PropertyKind::Text => text(evidence, target.meaning, zone),
        PropertyKind::Number => number(&evidence.form)?,
        PropertyKind::Bool => boolean(&evidence.form)?,
        PropertyKind::Date => date(&evidence.form, zone)?,
        PropertyKind::DateTime => date_time(&evidence.form)?,
        PropertyKind::Option | PropertyKind::Options => choice(&evidence.form, target)?,
        _ => return None,
    };
    if evidence.unfit > 0 {
        chain.doubts.push(format!("{} of {} values look different", evidence.unfit, evidence.seen));
        chain.leave_bad = true;
    }
    chain.doubts.extend(evidence.doubts.iter().cloned());
    Some(chain)
}

fn text(evidence: &Evidence, meaning: Meaning, zone: Option<&str>) -> Chain {
    match (meaning, &evidence.form) {
        (Meaning::Email, _) | (Meaning::Plain, Form::Email) => Chain::of(&["\"email\""]),
        (Meaning::Phone, form) | (Meaning::Plain, form @ Form::Phone { .. }) => {
            let mut steps = Chain::of(&["\"phone\""]).leaving_bad();
            if matches!(form, Form::Typed(PropertyKind::Number)) {
                steps.steps.insert(0, "\"text\"".to_owned());
            }
            steps
        }
        (Meaning::Domain, _) => Chain::of(&["\"domain\""]).leaving_bad(),
        (Meaning::Url, _) | (Meaning::Plain, Form::Url) => Chain::of(&["\"url\""]).leaving_bad(),
        // A day in a property of text is written as HubSpot writes days.
        (Meaning::Plain, form @ (Form::Date(_) | Form::DateTime(_))) => {
            let mut chain = date(form, zone).unwrap_or_default();
            if *form != Form::Date(vec!["%Y-%m-%d"]) {
                chain.steps.push("{ format_date = \"%Y-%m-%d\" }".to_owned());
            } else {
                chain.steps.clear();
            }
            chain
        }
        (_, Form::Typed(PropertyKind::Options)) => Chain::of(&["\"join\""]),
        (_, Form::Typed(kind)) if *kind != PropertyKind::Text => Chain::of(&["\"text\""]),
        (Meaning::Name, _) => Chain::of(&["\"collapse_spaces\""]),
        (_, Form::Text { spaces: true } | Form::Unseen) => Chain::of(&["\"trim\""]),
        _ => Chain::default(),
    }
}

fn number(form: &Form) -> Option<Chain> {
    match form {
        Form::Typed(PropertyKind::Number) => Some(Chain::default()),
        Form::Unseen => Some(Chain::of(&["\"number\""])),
        Form::Number(written) => Some(Chain::of(&[&number_step(written)])),
        _ => None,
    }
}

fn number_step(written: &NumberForm) -> String {
    let mut arguments = Vec::new();
    if written.decimal_comma {
        arguments.push("decimal = \",\"".to_owned());
    }
    if let Some(group) = written.group {
        arguments.push(format!("group = {}", quoted(&group.to_string())));
    }
    if !written.strip.is_empty() {
        arguments.push(format!("strip = {}", list(&written.strip)));
    }
    if arguments.is_empty() {
        "\"number\"".to_owned()
    } else {
        format!("{{ number = {{ {} }} }}", arguments.join(", "))
    }
}

fn boolean(form: &Form) -> Option<Chain> {
    // What the transform knows without being told.
    let usual = ["true", "yes", "y", "1", "false", "no", "n", "0"];
    match form {
        Form::Typed(PropertyKind::Bool) => Some(Chain::default()),
        Form::Unseen => Some(Chain::of(&["\"boolean\""])),
        Form::Bool { yes, no } => {
            let plain = yes.iter().chain(no).all(|word| usual.contains(&word.to_lowercase().as_str()));
            let step = if plain {
                "\"boolean\"".to_owned()
            } else {
                format!("{{ boolean = {{ true = {}, false = {} }} }}", list(yes), list(no))
            };
            Some(Chain::of(&[&step]))
        }
        _ => None,
    }
}

fn date_step(formats: &[&str]) -> String {
    if formats == ["%Y-%m-%d"] { "\"date\"".to_owned() } else { format!("{{ date = {} }}", list(formats)) }
}

fn date_time_step(formats: &[&str]) -> String {
    if formats.is_empty() {
        "\"date_time\"".to_owned()
    } else {
        format!("{{ date_time = {{ formats = {} }} }}", list(formats))
    }
}

fn date(form: &Form, zone: Option<&str>) -> Option<Chain> {
    let to_date = if zone.is_some() { "\"to_date\"".to_owned() } else { "{ to_date = \"UTC\" }".to_owned() };
    match form {
        Form::Typed(PropertyKind::Date) => Some(Chain::default()),
        Form::Typed(PropertyKind::DateTime) => Some(Chain::of(&[&to_date])),
        Form::Unseen => Some(Chain::of(&["\"date\""])),
        Form::Date(formats) => Some(Chain::of(&[&date_step(formats)])),
        Form::DateTime(formats) => Some(Chain::of(&[&date_time_step(formats), &to_date])),
        _ => None,
    }
}

fn date_time(form: &Form) -> Option<Chain> {
    match form {
        Form::Typed(PropertyKind::DateTime) => Some(Chain::default()),
        Form::Typed(PropertyKind::Date) | Form::Unseen => Some(Chain::of(&["\"date_time\""])),
        Form::Date(formats) => Some(Chain::of(&[&date_step(formats), "\"date_time\""])),
        Form::DateTime(formats) => Some(Chain::of(&[&date_time_step(formats)])),
        _ => None,
    }
}

/// The table of words has its name put in by whoever writes the file.
fn choice(form: &Form, target: &Target) -> Option<Chain> {
    let (split, words) = match form {
        Form::Choice(words) => (None, words),
        Form::Choices { separator, words } if target.kind == PropertyKind::Options => {
            (Some(separator), words)
        }
        Form::Unseen | Form::Typed(PropertyKind::Option) if target.kind == PropertyKind::Option => {
            let mut chain = Chain::of(&["\"trim\""]).leaving_bad();
            chain.doubts.push("which word of the source is which option?".to_owned());
            return Some(chain);
        }
        _ => return None,
    };
    let mut chain = Chain::default().leaving_bad();
    match split {
        Some(';') => chain.steps.push("\"split\"".to_owned()),
        Some(separator) => chain.steps.push(format!("{{ split = {} }}", quoted(&separator.to_string()))),
        // A single word is a list of one.
        None if target.kind == PropertyKind::Options => chain.steps.push("\"split\"".to_owned()),
        None => {}
    }
    let option = |word: &String| option_of(word, &target.options).map(str::to_owned);
    chain.picklist = words.iter().map(|word| (word.clone(), option(word))).collect();
    let open = chain.picklist.iter().filter(|(_, option)| option.is_none()).count();
    if open > 0 {
        chain.doubts.push(format!("{open} of {} words have no option yet", words.len()));
    }
    Some(chain)
}
