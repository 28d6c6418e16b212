//! Columns that become no field: keys, associations, what is empty and what is nobody's business.

use sync_types::Value;

use super::{AssociationDraft, Column, Evidence, LinkDraft, Seen, names};
use crate::suggest::SAMPLES_MAX;

/// Words that say a value is nobody's business until somebody decides otherwise.
const SENSITIVE: &[&str] = &[
    "password",
    "passwort",
    "passwd",
    "ssn",
    "iban",
    "bic",
    "creditcard",
    "card",
    "cvv",
    "cvc",
    "salary",
    "gehalt",
    "religion",
    "health",
    "diagnosis",
    "passport",
    "taxid",
    "steuernummer",
    "secret",
    "token",
    "pin",
];

/// Words for the record above, as in `parent_id` and `reports_to`.
const ABOVE: &[&str] = &["parent", "manager", "supervisor", "boss", "report", "superior", "vorgesetzter"];

/// The other end of an association.
pub(super) struct End {
    link: String,
    object: String,
    key: Option<String>,
    words: Vec<String>,
    /// The keys that were seen.
    values: Vec<Value>,
}

/// Of so many values all but a tenth are keys of a table where the values alone tell that they are keys.
const KEYS_MISSING_MAX: f64 = 0.1;

impl End {
    /// Whether a column of a link holds keys of this table: it is called like its key, or after the table with `id`,
    /// or it names the record above in the table itself.
    fn is_named_by(&self, words: &[String], column: &Column, link: &str) -> bool {
        let Some(key) = &self.key else { return false };
        if self.link == link {
            return words.iter().any(|word| ABOVE.contains(&word.as_str())) && self.has_all_of(column);
        }
        let key_words = names::words(key);
        let own_name = key_words.len() > 1 && key_words == words;
        let after_table = words.split_last().is_some_and(|(last, rest)| {
            ["id", "key", "number", "code", "ref", "fk"].contains(&last.as_str()) && rest == self.words
        });
        let same_word = key_words.len() == 1 && column.path == *key && key_words != ["id"] && key.len() > 3;
        own_name || after_table || same_word || self.holds(words, column)
    }

    /// Whether a column's values say that they are keys of this table: some, where the column is called like the table;
    /// nearly all, where they are long or have letters, so that it is no chance.
    fn holds(&self, words: &[String], column: &Column) -> bool {
        let filled = column.filled().count();
        let missing = column.filled().filter(|value| !self.values.contains(value)).count();
        // Of a large table only some keys were seen.
        let some =
            if self.values.len() < SAMPLES_MAX { (filled - missing) * 2 > filled } else { missing < filled };
        let telling = |value: &Value| {
            value.as_text().is_some_and(|text| text.len() >= 5 || text.contains(|c: char| c.is_alphabetic()))
        };
        let nearly_all = missing as f64 <= KEYS_MISSING_MAX * filled as f64 && filled > 1;
        (words == self.words && some) || (nearly_all && column.filled().all(telling))
    }

    /// Whether every value of a column is a key of this table, as far as both were seen.
    fn has_all_of(&self, column: &Column) -> bool {
        column.filled().all(|value| self.values.contains(value))
    }

    pub(super) fn of(link: &LinkDraft, seen: &Seen<'_>) -> End {
        let key = seen.columns.iter().find(|(column, _)| link.key.as_deref() == Some(column.path.as_str()));
        End {
            link: link.name.clone(),
            object: link.object.clone(),
            key: link.key.clone(),
            words: seen.words.clone(),
            values: key.map(|(column, _)| column.samples.clone()).unwrap_or_default(),
        }
    }
}

/// Why a column becomes no field, if it does not. One that names a record of another table becomes an association.
pub(super) fn set_aside(
    link: &mut LinkDraft,
    column: &Column,
    evidence: &Evidence,
    ends: &[End],
) -> Option<String> {
    let words = names::words(&column.path);
    if link.key.as_deref() == Some(column.path.as_str()) {
        return Some("it identifies the record: the sync key is made of it".to_owned());
    }
    if words.iter().any(|word| SENSITIVE.contains(&word.as_str())) {
        link.questions.push(format!("`{}` looks sensitive: may it leave the source at all?", column.path));
        return Some("it looks sensitive".to_owned());
    }
    if !column.samples.is_empty() && evidence.seen == 0 {
        return Some(format!("empty in all of {} rows", column.samples.len()));
    }
    let end = ends.iter().find(|end| end.is_named_by(&words, column, &link.name))?;
    if (link.object.as_str(), end.object.as_str()) == ("line_items", "products") {
        // HubSpot docs: a line item is made of a product by `hs_product_id`, not by an association.
        let question =
            format!("`{}` names a product: HubSpot wants its record id in `hs_product_id`", column.path);
        link.questions.push(question);
        return Some("a line item has its product in `hs_product_id`, as a record id of HubSpot".to_owned());
    }
    let primary = matches!(
        (link.object.as_str(), end.object.as_str()),
        ("contacts" | "deals" | "tickets", "companies")
    ) && !link.associations.iter().any(|known| known.primary);
    let reason = format!("`{}` names a record of {}", column.path, end.link);
    link.associations.push(AssociationDraft {
        name: format!("{}_{}", link.name, names::internal_name(&column.path)),
        to: end.link.clone(),
        key: column.path.clone(),
        primary,
        reason,
    });
    Some(format!("it becomes the association with {}", end.link))
}
