//! Which column of a sheet holds what, whatever it is called.

use crate::grid::{Grid, Row};
use crate::names;

/// What a column of a field-mapping sheet may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Table,
    Source,
    Object,
    Property,
    Label,
    Kind,
    Transform,
    Required,
    Direction,
    Owner,
    Options,
    Default,
    Sensitivity,
    Key,
    Match,
    Note,
}

/// The parts with their titles, the best first. A title with `hubspot` or `target` in it is the other side's.
const TITLES: &[(Part, &[&str])] = &[
    (
        Part::Table,
        &[
            "source table",
            "source object",
            "source entity",
            "source collection",
            "source file",
            "table",
            "collection",
            "entity",
            "quelltabelle",
            "tabelle",
        ],
    ),
    (
        Part::Source,
        &[
            "source field",
            "source column",
            "source field name",
            "source attribute",
            "source property",
            "source",
            "from",
            "legacy field",
            "erp field",
            "field",
            "column",
            "source name",
            "quellfeld",
            "feld",
        ],
    ),
    (
        Part::Object,
        &[
            "hubspot object",
            "target object",
            "destination object",
            "object",
            "object type",
            "hubspot object type",
            "module",
            "objekt",
            "hubspot objekt",
        ],
    ),
    (
        Part::Property,
        &[
            "hubspot internal name",
            "internal name",
            "hubspot property internal name",
            "hubspot property",
            "hubspot property name",
            "hubspot field",
            "target property",
            "target field",
            "destination field",
            "destination property",
            "property",
            "property name",
            "target",
            "to",
            "destination",
            "hubspot",
            "zielfeld",
            "hubspot feld",
            "hubspot eigenschaft",
        ],
    ),
    (Part::Label, &["hubspot label", "property label", "label", "display name", "bezeichnung hubspot"]),
    (
        Part::Kind,
        &[
            "field type",
            "property type",
            "hubspot type",
            "data type",
            "hubspot field type",
            "type",
            "format",
            "datentyp",
            "typ",
        ],
    ),
    (
        Part::Transform,
        &[
            "transformation",
            "transform",
            "transformation rule",
            "mapping rule",
            "rule",
            "transformation logic",
            "logic",
            "conversion",
            "regel",
            "umwandlung",
        ],
    ),
    (Part::Required, &["required", "mandatory", "required y n", "pflicht", "pflichtfeld"]),
    (Part::Direction, &["direction", "sync direction", "sync", "richtung", "flow"]),
    (
        Part::Owner,
        &[
            "owner",
            "master",
            "system of record",
            "source of truth",
            "wins",
            "conflict",
            "conflict rule",
            "leading system",
            "fuehrendes system",
        ],
    ),
    (
        Part::Options,
        &[
            "options",
            "values",
            "picklist",
            "picklist values",
            "picklist mapping",
            "value mapping",
            "dropdown values",
            "allowed values",
            "werte",
        ],
    ),
    (Part::Default, &["default", "default value", "fallback", "standardwert"]),
    (
        Part::Sensitivity,
        &[
            "sensitivity",
            "privacy",
            "pii",
            "gdpr",
            "classification",
            "personal data",
            "data class",
            "datenschutz",
        ],
    ),
    (
        Part::Key,
        &["key", "primary key", "unique", "identifier", "sync key", "unique identifier", "schluessel"],
    ),
    (Part::Match, &["match", "dedupe", "matching", "match key", "deduplication"]),
    (
        Part::Note,
        &[
            "notes",
            "note",
            "comments",
            "comment",
            "remarks",
            "open questions",
            "questions",
            "bemerkung",
            "kommentar",
        ],
    ),
];

/// Titles less alike than this are other titles.
const LIKENESS_MIN: f64 = 0.85;

/// Where each part stands.
#[derive(Debug)]
pub(super) struct Columns(Vec<(Part, usize)>);

impl Columns {
    /// Finds the parts in a header.
    ///
    /// # Errors
    /// It names no source field or no property.
    pub(super) fn find(grid: &Grid) -> Result<Columns, String> {
        let header: Vec<Vec<String>> = grid.header().iter().map(|title| names::words(title)).collect();
        let mut scored: Vec<(f64, usize, usize, Part)> = Vec::new();
        for (part, titles) in TITLES {
            for (rank, title) in titles.iter().enumerate() {
                let title = names::words(title);
                for (column, found) in header.iter().enumerate() {
                    let likeness =
                        if found.concat() == title.concat() { 1.0 } else { names::likeness(found, &title) };
                    if likeness >= LIKENESS_MIN {
                        scored.push((likeness, rank, column, *part));
                    }
                }
            }
        }
        // The most alike first, then the better title, then the column further left.
        scored.sort_by(|one, other| other.0.total_cmp(&one.0).then((one.1, one.2).cmp(&(other.1, other.2))));
        let mut parts: Vec<(Part, usize)> = Vec::new();
        for (_, _, column, part) in scored {
            if !parts.iter().any(|(known, place)| *known == part || *place == column) {
                parts.push((part, column));
            }
        }
        let columns = Columns(parts);
        let has = |part| columns.place(part).is_some();
        // A sheet may name properties by their labels alone.
        if !has(Part::Source) || !(has(Part::Property) || has(Part::Label)) {
            let seen: Vec<&str> =
                grid.header().iter().map(String::as_str).filter(|title| !title.is_empty()).collect();
            return Err(format!(
                "its header names no source field and HubSpot property: there is `{}`",
                seen.join("`, `")
            ));
        }
        Ok(columns)
    }

    pub(super) fn place(&self, part: Part) -> Option<usize> {
        self.0.iter().find(|(known, _)| *known == part).map(|(_, place)| *place)
    }

    /// What a row says of a part; `None` where it says nothing.
    pub(super) fn cell<'r>(&self, row: &'r Row, part: Part) -> Option<&'r str> {
        row.cell(self.place(part)?).map(str::trim).filter(|text| !text.is_empty())
    }
}
