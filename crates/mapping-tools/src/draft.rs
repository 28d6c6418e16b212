//! A mapping file in the making: what is to stand in it, how sure that is, and the checker's verdict on it.

mod write;

use mapping_engine::{CheckedMapping, Problems, Schemas};
use sync_types::{PropertyKind, Schema};

pub(crate) use write::sync_key;

/// Below this a field is a guess, and says so to whoever reads the mapping.
const LIKELY: f64 = 0.65;
/// From here on nobody needs to look twice.
const SURE: f64 = 0.85;

/// A whole file.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    /// The engagement's name.
    pub(crate) name: &'a str,
    /// What the file opens with, as a comment.
    pub(crate) opening: &'a str,
    /// What separates the columns of the source's files, where that is no comma.
    pub(crate) delimiter: Option<char>,
    pub(crate) region: Option<&'a str>,
    pub(crate) zone: Option<&'a str>,
    pub(crate) links: Vec<LinkDraft>,
}

/// One link.
#[derive(Debug, Default)]
pub(crate) struct LinkDraft {
    pub(crate) name: String,
    pub(crate) collection: String,
    pub(crate) object: String,
    /// Why it is this object type.
    pub(crate) reason: String,
    /// Labels of a custom object, one and several.
    pub(crate) custom: Option<(String, String)>,
    /// The column that identifies a row.
    pub(crate) key: Option<String>,
    pub(crate) match_on: Vec<String>,
    pub(crate) fields: Vec<FieldDraft>,
    pub(crate) associations: Vec<AssociationDraft>,
    /// Columns that become nothing, and why.
    pub(crate) unmapped: Vec<(String, String)>,
    pub(crate) questions: Vec<String>,
}

/// One field.
#[derive(Debug)]
pub(crate) struct FieldDraft {
    pub(crate) source: Source,
    pub(crate) to: String,
    pub(crate) kind: PropertyKind,
    pub(crate) chain: Chain,
    pub(crate) required: bool,
    /// Keys that go into the file as they are: name and TOML value.
    pub(crate) keys: Vec<(&'static str, String)>,
    /// Label and description of a property that `init` makes.
    pub(crate) create: Option<(String, Option<String>)>,
    /// From 0 to 1; `None`: somebody said so.
    pub(crate) confidence: Option<f64>,
    pub(crate) reason: String,
    /// What people said of it.
    pub(crate) note: Option<String>,
    /// Why the checker would refuse the field.
    pub(crate) dropped: Option<String>,
}

/// Where a field's value begins.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Source {
    Columns(Vec<String>),
    Concat(Vec<String>),
    Template(String),
    Constant(String),
}

/// A field's transforms and what goes with them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Chain {
    /// Each as TOML.
    pub(crate) steps: Vec<String>,
    /// A value that is refused does not keep the record back.
    pub(crate) leave_bad: bool,
    /// Words of the source and the options they become; the last step translates by them.
    pub(crate) picklist: Vec<(String, Option<String>)>,
    /// What a person should look at.
    pub(crate) doubts: Vec<String>,
}

/// One association.
#[derive(Debug)]
pub(crate) struct AssociationDraft {
    pub(crate) name: String,
    pub(crate) to: String,
    pub(crate) key: String,
    pub(crate) primary: bool,
    pub(crate) reason: String,
}

impl Source {
    pub(crate) fn column(path: impl Into<String>) -> Source {
        Source::Columns(vec![path.into()])
    }

    pub(crate) fn shown(&self) -> String {
        match self {
            Source::Columns(paths) => paths.join(", "),
            Source::Concat(paths) => paths.join(" + "),
            Source::Template(text) | Source::Constant(text) => format!("({text})"),
        }
    }

    /// The one column that the value comes from.
    pub(crate) fn only_column(&self) -> Option<&str> {
        match self {
            Source::Columns(paths) if paths.len() == 1 => paths.first().map(String::as_str),
            _ => None,
        }
    }
}

impl FieldDraft {
    /// A field of which no more is known than where it comes from and goes to.
    pub(crate) fn new(source: Source, to: impl Into<String>, kind: PropertyKind) -> FieldDraft {
        FieldDraft {
            source,
            to: to.into(),
            kind,
            chain: Chain::default(),
            required: false,
            keys: Vec::new(),
            create: None,
            confidence: None,
            reason: String::new(),
            note: None,
            dropped: None,
        }
    }

    /// Whether values come back from HubSpot.
    fn goes_back(&self) -> bool {
        self.keys.iter().any(|(key, _)| *key == "direction")
    }

    /// What a person has to decide before the field can be trusted.
    pub(crate) fn question(&self) -> Option<String> {
        if let Some(why) = &self.dropped {
            return Some(format!("left out, because the checker would refuse it: {why}"));
        }
        let mut parts = self.chain.doubts.clone();
        if let Some(confidence) = self.confidence.filter(|confidence| *confidence < LIKELY) {
            parts.insert(0, format!("a guess ({confidence:.2})"));
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }

    /// How sure the field is and why, for its comment.
    fn said(&self) -> String {
        let Some(confidence) = self.confidence else { return self.reason.clone() };
        let sureness = if confidence >= SURE {
            "sure"
        } else if confidence >= LIKELY {
            "likely"
        } else {
            "guess"
        };
        format!("{sureness} ({confidence:.2}): {}.", self.reason)
    }
}

impl LinkDraft {
    pub(crate) fn live(&self) -> impl Iterator<Item = &FieldDraft> {
        self.fields.iter().filter(|field| field.dropped.is_none())
    }

    pub(crate) fn writes(&self, property: &str) -> bool {
        self.live().any(|field| field.to == property)
    }
}

/// A name that may be part of a sync key.
pub(crate) fn link_name(table: &str) -> String {
    crate::names::internal_name(table).chars().take(36).collect()
}

impl Draft<'_> {
    /// The file's text, which passes the checker: what it would refuse becomes a comment with the reason.
    ///
    /// # Errors
    /// Nothing is left, or what is left is still refused: then the problems, as text.
    pub(crate) fn settle(&mut self, hubspot: &[Schema]) -> Result<String, String> {
        self.number_doubles();
        // Each round takes something away, so the rounds are bounded by what there is.
        loop {
            if self.links.iter().all(|link| link.live().next().is_none()) {
                return Err("no column can be mapped".to_owned());
            }
            let written = write::write(self);
            let Err(problems) = checked(&written.text, hubspot) else { return Ok(written.text) };
            let mut less = false;
            for problem in problems.list() {
                let place = written.field_at(problem.line);
                let field = place.and_then(|(link, field)| self.links.get_mut(link)?.fields.get_mut(field));
                less |= field.is_some_and(|field| give_way(field, &problem.reason));
            }
            for link in &mut self.links {
                let gone: Vec<String> =
                    link.match_on.iter().filter(|property| !link.writes(property)).cloned().collect();
                less |= !gone.is_empty();
                link.match_on.retain(|property| !gone.contains(property));
            }
            if !less {
                return Err(problems.to_string());
            }
        }
    }

    /// Tables whose names differ only in their marks.
    fn number_doubles(&mut self) {
        let mut taken: Vec<String> = Vec::new();
        for link in &mut self.links {
            let wanted = link.name.clone();
            let mut number = 2;
            while taken.contains(&link.name) {
                link.name = format!("{wanted}_{number}");
                number += 1;
            }
            taken.push(link.name.clone());
        }
    }
}

/// Takes away what the checker may have stumbled over; whether there was anything left to take.
fn give_way(field: &mut FieldDraft, why: &str) -> bool {
    if field.dropped.is_some() {
        return false;
    }
    // The extras first: a field that goes one way is worth more than none.
    if field.keys.is_empty() {
        field.dropped = Some(why.to_owned());
    } else {
        let went_back = field.goes_back();
        let keys: Vec<&str> = field.keys.drain(..).map(|(key, _)| key).collect();
        let what = if went_back {
            "it goes to HubSpot only".to_owned()
        } else {
            format!("without `{}`", keys.join("`, `"))
        };
        field.chain.doubts.push(format!("{what}, because the checker says: {why}"));
    }
    true
}

fn checked(text: &str, hubspot: &[Schema]) -> Result<CheckedMapping, Problems> {
    mapping_engine::check("mapping.toml", text, Schemas { source: None, hubspot: Some(hubspot) })
}

/// What is known of HubSpot's side: the portal's own answer where there is one, and what HubSpot brings along.
pub(crate) fn known_schemas(portal: Option<&[Schema]>) -> Vec<Schema> {
    let mut schemas = portal.map(<[Schema]>::to_vec).unwrap_or_default();
    for standard in crate::standard::schemas() {
        if !schemas.iter().any(|schema| schema.name == standard.name) {
            schemas.push(standard);
        }
    }
    schemas
}
