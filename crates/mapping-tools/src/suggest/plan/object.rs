//! Which object type a table is, and which column identifies its rows.

use sync_types::Schema;

use super::{Fit, Form, Seen, fit, names, targets};
use crate::standard::{OBJECTS, StandardObject};

/// Less than this, and a table is an object of its own.
const OBJECT_MIN: f64 = 0.4;
/// A table of many columns is still a table of people if this many are those of people.
const COLUMNS_ENOUGH: f64 = 5.0;

/// Properties without one of which a record of the type has no name.
const NAMING: [(&str, &str); 5] = [
    ("contacts", "firstname"),
    ("contacts", "lastname"),
    ("contacts", "email"),
    ("companies", "name"),
    ("companies", "domain"),
];

/// What a table was taken for.
pub(super) struct Guess {
    pub(super) object: String,
    pub(super) reason: String,
    pub(super) custom: Option<(String, String)>,
    pub(super) question: Option<String>,
}

/// The object type's properties in the portal.
pub(super) fn object_schema<'s>(object: &str, hubspot: &'s [Schema]) -> Option<&'s Schema> {
    hubspot.iter().find(|schema| schema.name == object)
}

pub(super) fn guess(seen: &Seen<'_>, hubspot: &[Schema]) -> Guess {
    // Of equals the first counts, so the last one that is asked.
    let scored = OBJECTS.iter().rev().map(|object| (score(seen, object, hubspot), object));
    let best = scored.max_by(|one, other| one.0.total().total_cmp(&other.0.total()));
    match best.filter(|(score, _)| score.total() >= OBJECT_MIN) {
        Some((score, object)) => {
            let reason = score.reason(object);
            let question =
                (score.total() < 0.6).then(|| format!("are these really {}? {reason}", object.name));
            Guess { object: object.name.to_owned(), reason, custom: None, question }
        }
        None => {
            let plural = names::label(&seen.table.name);
            let singular = plural.strip_suffix('s').unwrap_or(&plural).to_owned();
            Guess {
                object: names::internal_name(&seen.table.name).chars().take(36).collect(),
                reason: "it resembles no object type that HubSpot brings along".to_owned(),
                custom: Some((singular, plural)),
                question: Some(
                    "a custom object (HubSpot Enterprise), or one of HubSpot's own types after all?"
                        .to_owned(),
                ),
            }
        }
    }
}

/// What speaks for an object type.
struct Score {
    named: f64,
    columns: f64,
    matched: usize,
}

impl Score {
    fn total(&self) -> f64 {
        0.5 * self.named + 0.5 * self.columns
    }

    fn reason(&self, object: &StandardObject) -> String {
        let name = if self.named >= 0.9 { "the name says so" } else { "the columns say so" };
        let columns = if self.matched == 1 { "column fits" } else { "columns fit" };
        format!("{name}: {} {columns} {}", self.matched, object.name)
    }
}

fn score(seen: &Seen<'_>, object: &StandardObject, hubspot: &[Schema]) -> Score {
    let called = object.called.iter().map(|name| names::likeness(&seen.words, &names::words(name)));
    let targets = targets(Some(object), object_schema(object.name, hubspot));
    let mut sum = 0.0;
    let mut matched = 0;
    let mut who = false;
    for target in &targets {
        let fits =
            seen.columns.iter().filter_map(|(column, evidence)| fit(column, &seen.words, evidence, target));
        let best = fits.map(|Fit { confidence, .. }| confidence).fold(0.0, f64::max);
        // Only some properties tell what a record is; every table has a name and a date.
        let weight = match (object.name, target.name.as_str()) {
            (
                "contacts",
                "firstname" | "lastname" | "email" | "jobtitle" | "salutation" | "date_of_birth",
            ) => 1.5,
            ("companies", "domain" | "name" | "industry" | "numberofemployees" | "annualrevenue") => 1.2,
            ("deals", "dealstage" | "amount" | "closedate") => 1.5,
            ("tickets", "subject" | "hs_ticket_priority" | "hs_pipeline_stage") => 1.5,
            ("products", "hs_sku" | "price") | ("line_items", "quantity" | "price") => 1.5,
            _ => 0.4,
        };
        who |= best > 0.6 && NAMING.contains(&(object.name, target.name.as_str()));
        if best > 0.6 {
            sum += weight * best;
            matched += 1;
        }
    }
    // A telephone and a town do not make a person.
    if !who && NAMING.iter().any(|(of, _)| *of == object.name) {
        sum *= 0.5;
    }
    let wanted = COLUMNS_ENOUGH.min(seen.columns.len() as f64);
    Score { named: called.fold(0.0, f64::max), columns: (sum / wanted.max(1.0)).min(1.0), matched }
}

/// The column that identifies a row: the one that the source knows, else a distinct one that is called so.
pub(super) fn key_column(seen: &Seen<'_>) -> Option<String> {
    if seen.table.key.is_some() {
        return seen.table.key.clone();
    }
    let is_key = |words: &[String]| {
        let tail = words.last().is_some_and(|last| {
            ["id", "key", "number", "code", "uuid", "guid", "sku", "index"].contains(&last.as_str())
        });
        let own = words.iter().all(|word| {
            seen.words.contains(word)
                || ["id", "key", "number", "code", "uuid", "guid", "sku", "index"].contains(&word.as_str())
        });
        tail && own
    };
    let candidates = || {
        seen.columns.iter().filter(|(column, evidence)| {
            // A column with an empty cell or a repeated value identifies nothing.
            let whole = evidence.seen == column.samples.len();
            column.unique || column.samples.is_empty() || (evidence.distinct && whole)
        })
    };
    let words = |path: &str| names::words(path);
    candidates()
        .find(|(column, _)| is_key(&words(&column.path)))
        // `PassengerId` of a table `titanic` names something else than its table, and comes first.
        .or_else(|| {
            candidates().take(1).find(|(column, _)| {
                words(&column.path)
                    .last()
                    .is_some_and(|last| ["id", "key", "number", "code"].contains(&last.as_str()))
            })
        })
        .or_else(|| candidates().find(|(column, _)| column.unique))
        .or_else(|| candidates().find(|(_, evidence)| evidence.form == Form::Email && evidence.distinct))
        .map(|(column, _)| column.path.clone())
}
