//! A first mapping from what a customer sends first: a schema, a CSV file, a JSON sample, a data dictionary.
//!
//! Every line says why it is there and how sure that is. The result passes the checker: what it would refuse stays in
//! the file as a comment with the reason. Values of records are looked at and never written, but for the words of a
//! choice, which become a picklist.

mod chain;
mod evidence;
mod plan;
mod read;
mod table;
mod target;

use serde_json::{Value as Json, json};
use sync_types::Schema;

pub use table::{Column, SAMPLES_MAX, Table};

use plan::plan_links;

use crate::draft::{Draft, LinkDraft, known_schemas};

/// What the file opens with.
const OPENING: &str = "A first mapping, to be read and corrected. Each field says how sure it is and why; what has to be \
    decided stands in a `note` or `description`, and so in the mapping book.";

/// What to suggest from.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The engagement's name.
    pub name: &'a str,
    /// What is known of the source.
    pub tables: &'a [Table],
    /// The portal's object types, where it was asked; otherwise what HubSpot brings along.
    pub hubspot: Option<&'a [Schema]>,
    /// Region of telephone numbers without a country code.
    pub region: Option<&'a str>,
    /// Zone of times without one.
    pub zone: Option<&'a str>,
}

/// A first mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    /// The mapping file.
    pub text: String,
    /// The fields, in the order of the file.
    pub fields: Vec<SuggestedField>,
    /// What a person has to decide, one sentence each.
    pub questions: Vec<String>,
    /// The key column of each table, for the settings; `None` where none was recognised. Tables whose source says it
    /// are left out.
    pub keys: Vec<(String, Option<String>)>,
    /// What separates the columns of the files, for the settings, where that is no comma. Where files differ, that of the
    /// first.
    pub delimiter: Option<char>,
}

/// One field of a first mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct SuggestedField {
    /// The link.
    pub link: String,
    /// The column, or the constant or template.
    pub from: String,
    /// The property; `None`: the column is not mapped.
    pub to: Option<String>,
    /// From 0 to 1.
    pub confidence: f64,
    /// Why.
    pub reason: String,
}

impl Suggestion {
    /// The suggestion for a machine.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let fields = self.fields.iter().map(|field| {
            json!({
                "link": field.link,
                "from": field.from,
                "to": field.to,
                "confidence": (field.confidence * 100.0).round() / 100.0,
                "reason": field.reason,
            })
        });
        let keys = self.keys.iter().map(|(table, key)| json!({ "collection": table, "key": key }));
        json!({
            "mapping": self.text,
            "fields": fields.collect::<Vec<_>>(),
            "questions": self.questions,
            "keys": keys.collect::<Vec<_>>(),
            "delimiter": self.delimiter,
        })
    }
}

/// Suggests a mapping.
///
/// # Errors
/// There is no table with a column, or what is left after dropping what the checker refuses is still refused: then
/// the problems, as text.
pub fn suggest(request: Request<'_>) -> Result<Suggestion, String> {
    if request.tables.iter().all(|table| table.columns.is_empty()) {
        return Err("there is no table with a column to map".to_owned());
    }
    let hubspot = known_schemas(request.hubspot);
    let mut links = plan_links(request, &hubspot);
    let is_keyed = |name: &str| request.tables.iter().any(|table| table.is_keyed && table.name == name);
    for link in links.iter_mut().filter(|link| is_keyed(&link.collection)) {
        link.key = None;
    }
    let delimiter = request.tables.iter().find_map(|table| table.delimiter);
    let mut draft = Draft {
        name: request.name,
        opening: OPENING,
        delimiter,
        region: request.region,
        zone: request.zone,
        links,
    };
    let text = draft.settle(&hubspot)?;
    let mut suggestion = Suggestion { delimiter, ..finish(text, &draft.links) };
    suggestion.keys.retain(|(name, _)| !is_keyed(name));
    Ok(suggestion)
}

fn finish(text: String, links: &[LinkDraft]) -> Suggestion {
    let mut fields = Vec::new();
    let mut questions = Vec::new();
    for link in links {
        questions.extend(link.questions.iter().map(|question| format!("{}: {question}", link.name)));
        for field in &link.fields {
            let to = field.dropped.is_none().then(|| field.to.clone());
            questions
                .extend(field.question().map(|question| format!("{} {}: {question}", link.name, field.to)));
            fields.push(SuggestedField {
                link: link.name.clone(),
                from: field.source.shown(),
                to,
                confidence: field.confidence.unwrap_or(1.0),
                reason: field.reason.clone(),
            });
        }
        fields.extend(link.unmapped.iter().map(|(column, reason)| SuggestedField {
            link: link.name.clone(),
            from: column.clone(),
            to: None,
            confidence: 0.0,
            reason: reason.clone(),
        }));
    }
    let keys = links.iter().map(|link| (link.collection.clone(), link.key.clone())).collect();
    Suggestion { text, fields, questions, keys, delimiter: None }
}

#[cfg(test)]
mod tests;
