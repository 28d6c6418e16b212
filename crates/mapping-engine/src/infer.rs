//! A schema from sample rows, for sources that do not describe themselves, with how far each column can be trusted.

use std::collections::BTreeSet;

use jiff::civil::Date;
use rust_decimal::Decimal;
use sync_types::{Property, PropertyKind, Record, Schema, Value};

/// Most different texts that count as a list of options.
const OPTIONS_MAX: usize = 20;

/// How often each option has to stand in the sample, on average.
const OPTION_REPEATS_MIN: usize = 3;

/// What sample rows say of a collection.
#[derive(Clone, Debug, PartialEq)]
pub struct Inferred {
    /// The collection. A property's kind is what its values are, which for a file of text is text; its options are
    /// those that were seen.
    pub schema: Schema,
    /// How many rows were looked at.
    pub rows: usize,
    /// What is known of each property, in the order of the schema.
    pub columns: Vec<InferredColumn>,
}

/// What sample rows say of one column.
#[derive(Clone, Debug, PartialEq)]
pub struct InferredColumn {
    /// The column's name.
    pub name: String,
    /// What its values mean, which may be more than what they are: texts that are all dates look like dates.
    pub looks_like: PropertyKind,
    /// The chance that the next value looks like that too, from 0 to 1: (n + 1) / (n + 2) after n values without an
    /// exception, as the rule of succession has it; a half where no value was seen.
    pub confidence: f64,
    /// In how many rows it had a value.
    pub filled: usize,
    /// Whether it had a value in every row, and no two the same.
    pub distinct: bool,
    /// Why it looks like that, for people, without a value.
    pub reason: String,
}

/// What was seen of one column so far.
#[derive(Default)]
struct Seen<'a> {
    filled: usize,
    kinds: BTreeSet<&'static str>,
    /// Looks that every value so far had.
    number: bool,
    boolean: bool,
    date: bool,
    date_time: bool,
    texts: BTreeSet<&'a str>,
    others: BTreeSet<String>,
    repeated: bool,
}

/// Infers a collection's schema from sample rows: every column that some row has, in the order in which they appear.
#[must_use]
pub fn schema(collection: &str, rows: &[Record]) -> Inferred {
    let mut names: Vec<&str> = Vec::new();
    for name in rows.iter().flat_map(|row| row.shape().names()) {
        // Rows of one page share their shape, so that this is short.
        if !names.contains(&&**name) {
            names.push(name);
        }
    }
    let mut schema = Schema { name: collection.to_owned(), properties: Vec::new() };
    let mut columns = Vec::new();
    for name in names {
        let values = rows.iter().filter_map(|row| match row.get(name) {
            sync_types::Seen::Value(value) if !is_empty(value) => Some(value),
            _ => None,
        });
        let seen = Seen::of(values);
        let (property, column) = seen.judge(name, rows.len());
        schema.properties.push(property);
        columns.push(column);
    }
    Inferred { schema, rows: rows.len(), columns }
}

impl<'a> Seen<'a> {
    fn of(values: impl Iterator<Item = &'a Value>) -> Seen<'a> {
        let mut seen = Seen { number: true, boolean: true, date: true, date_time: true, ..Seen::default() };
        for value in values {
            seen.filled += 1;
            seen.kinds.insert(value.kind_name());
            if let Value::Text(text) = value {
                let text = text.trim();
                seen.number &= looks_like_number(text);
                seen.boolean &= looks_like_boolean(text);
                seen.date &= looks_like_date(text);
                seen.date_time &= looks_like_date_time(text);
                seen.repeated |= !seen.texts.insert(text);
            } else {
                // Only whether it stood there before matters of other kinds.
                seen.repeated |= !seen.others.insert(value.reveal().to_string());
            }
        }
        seen
    }

    /// The kinds of values are certain; what they mean is not.
    fn judge(self, name: &str, rows: usize) -> (Property, InferredColumn) {
        let mut kinds = self.kinds.iter().copied();
        let kind = match (kinds.next(), kinds.next()) {
            (Some("text"), None) => PropertyKind::Text,
            (Some("number"), None) => PropertyKind::Number,
            (Some("boolean"), None) => PropertyKind::Bool,
            (Some("date"), None) => PropertyKind::Date,
            (Some("date-time"), None) => PropertyKind::DateTime,
            // A column without values may hold anything.
            _ => PropertyKind::Json,
        };
        let few = self.texts.len() <= OPTIONS_MAX && self.filled >= self.texts.len() * OPTION_REPEATS_MIN;
        let (looks_like, reason) = match kind {
            PropertyKind::Json if self.filled == 0 => (kind, String::from("no row has a value")),
            PropertyKind::Json => (kind, String::from("its values are nested, or of several kinds")),
            PropertyKind::Text if self.boolean => {
                (PropertyKind::Bool, all(self.filled, "are words for yes or no"))
            }
            PropertyKind::Text if self.number => (PropertyKind::Number, all(self.filled, "are numbers")),
            PropertyKind::Text if self.date => (PropertyKind::Date, all(self.filled, "are days")),
            PropertyKind::Text if self.date_time => (PropertyKind::DateTime, all(self.filled, "are times")),
            PropertyKind::Text if few => {
                let count = self.texts.len();
                (PropertyKind::Option, format!("its {} values are {count} different ones", self.filled))
            }
            PropertyKind::Text => (kind, all(self.filled, "are texts of no other form")),
            kind => (kind, format!("the source gives {} values of this kind", self.filled)),
        };
        let mut property = Property::new(name, kind);
        if looks_like == PropertyKind::Option {
            property.kind = PropertyKind::Option;
            property.options = self.texts.iter().map(|text| (*text).to_owned()).collect();
        }
        let distinct = !self.repeated && self.filled == rows && rows > 1;
        property.unique = distinct;
        let column = InferredColumn {
            name: name.to_owned(),
            looks_like,
            confidence: succession(self.filled),
            filled: self.filled,
            distinct,
            reason,
        };
        (property, column)
    }
}

fn all(count: usize, what: &str) -> String {
    format!("all {count} values {what}")
}

/// The rule of succession after so many values without an exception.
fn succession(count: usize) -> f64 {
    // More than 2^32 sample rows are not told apart.
    let count = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    (count + 1.0) / (count + 2.0)
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_text().is_some_and(|text| text.trim().is_empty())
}

/// A leading zero makes a key or a code, not a number.
fn looks_like_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let coded =
        digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.") && !digits.starts_with("0,");
    let plain = digits.replacen(',', ".", 1);
    !coded && digits.starts_with(|c: char| c.is_ascii_digit()) && Decimal::from_str_exact(&plain).is_ok()
}

fn looks_like_boolean(text: &str) -> bool {
    let words = ["true", "false", "yes", "no", "y", "n", "ja", "nein", "oui", "non", "0", "1"];
    words.contains(&text.to_lowercase().as_str())
}

fn looks_like_date(text: &str) -> bool {
    let formats = ["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y"];
    formats.iter().any(|format| Date::strptime(format, text).is_ok())
}

fn looks_like_date_time(text: &str) -> bool {
    text.parse::<jiff::Timestamp>().is_ok()
        || (text.len() > 10 && text.parse::<jiff::civil::DateTime>().is_ok())
}
