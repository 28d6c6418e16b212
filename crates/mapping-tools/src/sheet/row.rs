//! One row of a sheet becomes one field, as far as it can be understood.

use sync_types::{PropertyKind, Schema};

use super::columns::{Columns, Part};
use super::phrases::{self, Phrase};
use super::{CellProblem, cell_name};
use crate::draft::{self, Chain, FieldDraft, LinkDraft, Source};
use crate::grid::{self, Grid, Row};
use crate::standard::{self, OBJECTS};
use crate::toml_text::quoted;
use crate::{kinds, names};

/// A label less alike than this is another property.
const LABEL_MIN: f64 = 0.9;

/// Reads rows into links.
pub(super) struct Reader<'h> {
    hubspot: &'h [Schema],
    pub(super) links: Vec<LinkDraft>,
    pub(super) cells: Vec<CellProblem>,
    sheet: String,
}

/// What rows further up have said, for cells that are merged or left empty below.
#[derive(Clone, Default)]
struct Above {
    table: Option<String>,
    object: Option<String>,
}

impl<'h> Reader<'h> {
    pub(super) fn new(hubspot: &'h [Schema]) -> Reader<'h> {
        Reader { hubspot, links: Vec::new(), cells: Vec::new(), sheet: String::new() }
    }

    pub(super) fn read(&mut self, sheet: &str, grid: &Grid, columns: &Columns) {
        self.sheet = sheet.to_owned();
        // Without columns for them, the sheet is called after its object or table.
        let mut above = Above { object: object_type(sheet).map(str::to_owned), table: None };
        for row in grid.rows() {
            self.row(row, columns, &mut above);
        }
    }

    /// Adds what every link needs, and gives up those without a field.
    pub(super) fn finish(mut self) -> Reader<'h> {
        for link in &mut self.links {
            let recognised = standard::object(&link.object).and_then(|object| object.recognised_by);
            if link.match_on.is_empty()
                && let Some(property) = recognised.filter(|property| link.writes(property))
            {
                link.match_on.push(property.to_owned());
            }
            if link.key.is_none() {
                link.questions.push("the sheet names no key: which column identifies a row?".to_owned());
            }
        }
        self.links.retain(|link| !link.fields.is_empty());
        self
    }

    fn tell(&mut self, row: &Row, columns: &Columns, part: Part, why: &str) {
        let text = columns.cell(row, part).unwrap_or_default().to_owned();
        let cell = match columns.place(part) {
            Some(place) => cell_name(place, row.number),
            None => format!("row {}", row.number),
        };
        self.cells.push(CellProblem { sheet: self.sheet.clone(), cell, text, why: why.to_owned() });
    }

    fn row(&mut self, row: &Row, columns: &Columns, above: &mut Above) {
        let cell = |part| columns.cell(row, part);
        if let Some(table) = cell(Part::Table) {
            above.table = Some(table.to_owned());
        }
        if let Some(said) = cell(Part::Object) {
            above.object = Some(object_type(said).map_or_else(|| names::internal_name(said), str::to_owned));
        }
        let property = cell(Part::Property).or(cell(Part::Label));
        let source = cell(Part::Source);
        let (source, property) = match (source, property) {
            (None, None) => return,
            // A line of its own such as `Contacts` is the heading of what follows.
            (Some(heading), None) if is_heading(row) => {
                if let Some(object) = object_type(heading) {
                    above.object = Some(object.to_owned());
                    above.table = None;
                    return;
                }
                (Some(heading), None)
            }
            both => both,
        };
        let skipped = |text: Option<&str>| {
            text.is_some_and(|text| {
                let small = text.to_lowercase();
                ["-", "n/a", "na", "none", "skip", "not mapped", "do not migrate", "tbd", "?"]
                    .contains(&small.as_str())
            })
        };
        let Some(link) = self.link(row, columns, above) else { return };
        let transform = cell(Part::Transform).unwrap_or_default();
        let (phrases, open) = phrases::read(transform);
        if let Some(column) = source.filter(|_| cell(Part::Key).is_some_and(grid::is_yes))
            && let Some(link) = self.links.get_mut(link)
        {
            link.key.get_or_insert_with(|| column.to_owned());
        }
        if skipped(property) || phrases.contains(&Phrase::Skip) || never_leaves(cell(Part::Sensitivity)) {
            let why = cell(Part::Note).unwrap_or("the sheet says so").to_owned();
            if let Some(link) = self.links.get_mut(link) {
                let column = source.unwrap_or_default().to_owned();
                if property.is_some_and(|text| ["tbd", "?"].contains(&text.to_lowercase().as_str())) {
                    link.questions.push(format!("`{column}`: the sheet leaves its property open"));
                }
                link.unmapped.push((column, why));
            }
            return;
        }
        let Some(property) = property else {
            // A key may stand in the sheet for itself.
            if !cell(Part::Key).is_some_and(grid::is_yes) {
                self.tell(row, columns, Part::Source, "names no HubSpot property: the row is left out");
            }
            return;
        };
        let Some(from) = value_source(source, &phrases) else {
            self.tell(
                row,
                columns,
                Part::Property,
                "has no source field and no constant: the row is left out",
            );
            return;
        };
        for part in &open {
            self.tell(
                row,
                columns,
                Part::Transform,
                &format!("`{part}` is no transform that is known: the field goes without it"),
            );
        }
        let field = self.field(row, columns, link, from, property, &phrases, &open);
        let doubled = self.links.get(link).is_some_and(|link| link.writes(&field.to));
        if doubled {
            self.tell(
                row,
                columns,
                Part::Property,
                "is written by a row further up already: this one is left out",
            );
        } else if let Some(link) = self.links.get_mut(link) {
            if cell(Part::Match).is_some_and(grid::is_yes) {
                link.match_on.push(field.to.clone());
            }
            link.fields.push(field);
        }
    }

    /// The link that a row belongs to, made where it is new.
    fn link(&mut self, row: &Row, columns: &Columns, above: &Above) -> Option<usize> {
        let Some(object) = above.object.clone() else {
            self.tell(
                row,
                columns,
                Part::Object,
                "it is not said which HubSpot object the row is about: it is left out",
            );
            return None;
        };
        let collection = above.table.clone().unwrap_or_else(|| object.clone());
        let known = self.links.iter().position(|link| link.collection == collection && link.object == object);
        if known.is_some() {
            return known;
        }
        let custom = standard::object(&object).is_none().then(|| {
            let plural = names::label(&object);
            (plural.strip_suffix('s').unwrap_or(&plural).to_owned(), plural)
        });
        self.links.push(LinkDraft {
            name: draft::link_name(&collection),
            collection,
            object,
            reason: format!("sheet {}", self.sheet),
            custom,
            ..LinkDraft::default()
        });
        Some(self.links.len() - 1)
    }

    #[expect(clippy::too_many_arguments, reason = "everything that a row says, read once")]
    fn field(
        &mut self,
        row: &Row,
        columns: &Columns,
        link: usize,
        from: Source,
        property: &str,
        phrases: &[Phrase],
        open: &[String],
    ) -> FieldDraft {
        let cell = |part| columns.cell(row, part);
        let object = self.links.get(link).map(|link| link.object.clone()).unwrap_or_default();
        let schema = self.hubspot.iter().find(|schema| schema.name == object);
        let found = find_property(&object, schema, property);
        let said_kind = cell(Part::Kind).and_then(kinds::of);
        if cell(Part::Kind).is_some() && said_kind.is_none() {
            self.tell(row, columns, Part::Kind, "is no type that is known: it is taken from the transforms");
        }
        let existing = found.as_ref().and_then(|found| schema?.property(&found.name));
        let words = cell(Part::Options).map(phrases::pairs).unwrap_or_default();
        let kind = existing.map(|existing| existing.kind).or(said_kind).unwrap_or(if words.is_empty() {
            PropertyKind::Text
        } else {
            PropertyKind::Option
        });
        let to = found.as_ref().map_or_else(|| names::internal_name(property), |found| found.name.clone());
        let mut field = FieldDraft::new(from, to, kind);
        field.reason = format!("{} row {}", self.sheet, row.number);
        field.note = cell(Part::Note).map(str::to_owned);
        field.required = cell(Part::Required).is_some_and(grid::is_yes);
        if existing.is_none() {
            let label = cell(Part::Label).unwrap_or(property);
            field.create = Some((names::label(label), None));
        }
        if let Some(likeness) = found.as_ref().map(|found| found.likeness).filter(|likeness| *likeness < 1.0)
        {
            field.confidence = Some(likeness);
            field.reason = format!("`{property}` was taken for `{}`; {}", field.to, field.reason);
            field.chain.doubts.push(format!("is `{property}` HubSpot's `{}`?", field.to));
        }
        steps(&mut field, phrases, words, existing.map(|existing| existing.options.as_slice()));
        for part in open {
            field.chain.doubts.push(format!("the sheet asks for `{part}`"));
        }
        let default = cell(Part::Default).map(str::to_owned).or_else(|| {
            phrases.iter().find_map(|phrase| match phrase {
                Phrase::Default(value) => Some(value.clone()),
                _ => None,
            })
        });
        if let Some(default) = default {
            field.keys.push(("when_empty", format!("{{ default = {} }}", quoted(&default))));
        }
        self.policy(row, columns, &mut field);
        field
    }

    /// Direction, owner and sensitivity.
    fn policy(&mut self, row: &Row, columns: &Columns, field: &mut FieldDraft) {
        let cell = |part| columns.cell(row, part).map(str::to_lowercase);
        if let Some(said) = cell(Part::Direction) {
            match direction(&said) {
                Some("to-hubspot") => {}
                Some(word) => field.keys.push(("direction", quoted(word))),
                None => self.tell(
                    row,
                    columns,
                    Part::Direction,
                    "is no direction that is known: to HubSpot is assumed",
                ),
            }
        }
        let both = field.keys.iter().any(|(key, value)| *key == "direction" && value.contains("both"));
        if let Some(said) = cell(Part::Owner).filter(|_| both) {
            let word = if said.contains("hubspot") {
                "hubspot"
            } else if ["newest", "latest", "last"].iter().any(|word| said.contains(word)) {
                "newest"
            } else {
                "source"
            };
            field.keys.push(("conflict", quoted(word)));
        }
        if let Some(said) = cell(Part::Sensitivity) {
            let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
            let word = if has(&["public", "none", "no", "low"]) && !has(&["non-public"]) {
                "public"
            } else if has(&["sensitive", "high", "secret", "confidential", "special"]) {
                "sensitive"
            } else {
                "personal"
            };
            // Personal is what is assumed of everything.
            if word != "personal" {
                field.keys.push(("sensitivity", quoted(word)));
            }
        }
    }
}

/// A property that exists, and how surely it is meant.
struct Found {
    name: String,
    likeness: f64,
}

/// A property by its internal name or by its label.
fn find_property(object: &str, schema: Option<&Schema>, said: &str) -> Option<Found> {
    if let Some(property) = schema.and_then(|schema| schema.property(said.trim())) {
        return Some(Found { name: property.name.to_string(), likeness: 1.0 });
    }
    let words = names::words(said);
    let standard = standard::object(object)?;
    let like = |called: &str| names::likeness(&words, &names::words(called));
    let scored = standard.properties.iter().rev().map(|property| {
        let called = property.called.iter().map(|called| like(called)).fold(0.0, f64::max);
        (like(property.label).max(like(property.name)).max(called * 0.98), property.name)
    });
    let best = scored.max_by(|one, other| one.0.total_cmp(&other.0))?;
    let there = schema.is_none_or(|schema| schema.property(best.1).is_some());
    (best.0 >= LABEL_MIN && there).then(|| Found { name: best.1.to_owned(), likeness: best.0 })
}

/// The transforms of a row.
fn steps(
    field: &mut FieldDraft,
    phrases: &[Phrase],
    words: Vec<(String, Option<String>)>,
    options: Option<&[String]>,
) {
    for phrase in phrases {
        if let Phrase::Step(step) = phrase {
            field.chain.steps.push(step.clone());
        }
    }
    if field.kind == PropertyKind::Bool
        && let Some(step) = phrases::yes_no(&words)
    {
        field.chain.steps = vec![step];
        return;
    }
    let mut chain = Chain::default();
    if matches!(field.kind, PropertyKind::Option | PropertyKind::Options) && !words.is_empty() {
        let known = options.filter(|options| !options.is_empty());
        for (word, option) in words {
            let wanted = option.unwrap_or_else(|| word.clone());
            let option = match known {
                // The portal's own writing of the option.
                Some(known) => {
                    known.iter().find(|known| names::words(known) == names::words(&wanted)).cloned()
                }
                None => Some(wanted),
            };
            chain.picklist.push((word, option));
        }
        if chain.picklist.iter().any(|(_, option)| option.is_none()) {
            chain.doubts.push("some words of the sheet are no options in HubSpot".to_owned());
        }
    } else if phrases.contains(&Phrase::Picklist) {
        chain.doubts.push("the sheet asks for a table of words and gives none".to_owned());
    }
    // What nobody asked for is still needed: text does not become a number by itself.
    let has = |name: &str| field.chain.steps.iter().any(|step| step.contains(name));
    let needed = match field.kind {
        PropertyKind::Number if !has("number") => Some("number"),
        PropertyKind::Bool if !has("boolean") => Some("boolean"),
        PropertyKind::Date if !has("date") => Some("date"),
        PropertyKind::DateTime if !has("date_time") => Some("date_time"),
        PropertyKind::Options if !has("split") => Some("split"),
        _ => None,
    };
    if let Some(name) = needed.filter(|_| !matches!(field.source, Source::Constant(_))) {
        field.chain.steps.push(format!("\"{name}\""));
    }
    field.chain.picklist = chain.picklist;
    field.chain.doubts.extend(chain.doubts);
}

/// Where a row's value begins.
fn value_source(source: Option<&str>, phrases: &[Phrase]) -> Option<Source> {
    let constant = phrases.iter().find_map(|phrase| match phrase {
        Phrase::Constant(value) => Some(Source::Constant(value.clone())),
        _ => None,
    });
    if constant.is_some() {
        return constant;
    }
    let source = source?;
    let several = |marks: &[char]| -> Vec<String> {
        source.split(marks).map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let joined = phrases.contains(&Phrase::Concat);
    if source.contains(['+', '&']) || (joined && source.contains([',', ';', '\n'])) {
        return Some(Source::Concat(several(&['+', '&', ',', ';', '\n'])));
    }
    if source.contains('\n') {
        return Some(Source::Columns(several(&['\n'])));
    }
    Some(Source::column(source))
}

/// HubSpot's object type by any of its names.
fn object_type(text: &str) -> Option<&'static str> {
    let words = names::words(text);
    let found = OBJECTS.iter().find(|object| {
        let name = names::words(object.name);
        name.concat() == words.concat()
            || words.iter().any(|word| name.len() == 1 && name.first() == Some(word))
    });
    found.map(|object| object.name)
}

/// Whether a row has one filled cell, as headings have.
fn is_heading(row: &Row) -> bool {
    row.filled() == 1
}

fn never_leaves(said: Option<&str>) -> bool {
    said.is_some_and(|said| {
        let small = said.to_lowercase();
        ["never", "do not", "must not", "stays"].iter().any(|word| small.contains(word))
    })
}

fn direction(said: &str) -> Option<&'static str> {
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if has(&["both", "bi", "two", "<->", "↔", "<>", "⇄", "2-way", "2 way"]) {
        Some("both")
    } else if has(&["from hubspot", "hubspot to", "hubspot ->", "hubspot →", "outbound", "<-", "←"]) {
        Some("from-hubspot")
    } else if has(&[
        "to hubspot",
        "-> hubspot",
        "→ hubspot",
        "one",
        "inbound",
        "->",
        "→",
        "to hs",
        "1-way",
        "import",
    ]) {
        Some("to-hubspot")
    } else {
        None
    }
}
