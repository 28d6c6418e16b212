//! What a column's values look like: which form nearly all of them have, and what speaks against it.

mod numbers;
mod times;

use std::collections::BTreeMap;

use sync_types::{PropertyKind, Value};

use super::table::Column;

/// Share of the values that must have a form for the column to have it.
const NEARLY_ALL: f64 = 0.9;
/// A choice has at most so many different values.
const CHOICES_MAX: usize = 16;
/// Fewer values say nothing about how they repeat.
const CHOICE_SAMPLES_MIN: usize = 8;

/// The form of a column's values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Form {
    /// No value was seen.
    Unseen,
    Email,
    Url,
    Domain,
    Phone {
        /// Whether some have no country code.
        national: bool,
    },
    Number(NumberForm),
    /// Words for yes and no.
    Bool {
        yes: Vec<String>,
        no: Vec<String>,
    },
    /// Days, by these formats.
    Date(Vec<&'static str>),
    /// Instants, by these formats; none: ISO 8601.
    DateTime(Vec<&'static str>),
    /// Few different words that repeat.
    Choice(Vec<String>),
    /// Several words each, from few different ones.
    Choices {
        separator: char,
        words: Vec<String>,
    },
    /// Anything else.
    Text {
        /// Whether some have white space that means nothing.
        spaces: bool,
    },
    /// The source itself gives values of this kind.
    Typed(PropertyKind),
}

/// How numbers are written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct NumberForm {
    pub(crate) decimal_comma: bool,
    pub(crate) group: Option<char>,
    pub(crate) strip: Vec<String>,
    /// Whether none has places behind the mark.
    pub(crate) whole: bool,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Evidence {
    pub(crate) form: Form,
    /// Values that were looked at.
    pub(crate) seen: usize,
    /// Values that do not have the form.
    pub(crate) unfit: usize,
    /// No two are the same.
    pub(crate) distinct: bool,
    /// All are the same.
    pub(crate) same: bool,
    /// What a person should look at.
    pub(crate) doubts: Vec<String>,
}

impl Evidence {
    /// The evidence in words, for a comment; without a value.
    pub(crate) fn words(&self) -> String {
        let what = match &self.form {
            Form::Unseen => return "no value was seen".to_owned(),
            Form::Typed(_) => return "typed by the source".to_owned(),
            Form::Email => "e-mail addresses",
            Form::Url => "web addresses",
            Form::Domain => "domains",
            Form::Phone { .. } => "telephone numbers",
            Form::Number(_) => "numbers",
            Form::Bool { .. } => "yes or no",
            Form::Date(_) => "dates",
            Form::DateTime(_) => "times",
            Form::Choice(words) => return format!("{} different words in {} values", words.len(), self.seen),
            Form::Choices { words, .. } => {
                return format!("lists of {} different words in {} values", words.len(), self.seen);
            }
            Form::Text { .. } => "text",
        };
        if self.unfit == 0 {
            format!("{} values, all {what}", self.seen)
        } else {
            format!("{} of {} values are {what}", self.seen - self.unfit, self.seen)
        }
    }
}

/// Whether a text has a form.
type Is = fn(&str) -> bool;

/// Looks at a column's values. `words` are those of its name, which may settle what values leave open.
pub(crate) fn look(column: &Column, words: &[String]) -> Evidence {
    let filled: Vec<&Value> = column.filled().collect();
    let texts: Vec<&str> = filled.iter().filter_map(|value| value.as_text()).map(str::trim).collect();
    let seen = filled.len();
    let different = counts(&texts).len();
    let distinct = seen > 1 && different == seen;
    let same = seen >= CHOICE_SAMPLES_MIN && different == 1;
    let mut evidence = Evidence { form: Form::Unseen, seen, unfit: 0, distinct, same, doubts: Vec::new() };
    if !column.options.is_empty() {
        evidence.form = Form::Choice(column.options.clone());
        return evidence;
    }
    // What is text to the source may still be a number or a date in writing.
    if let Some(kind) = column.kind.filter(|kind| !matches!(kind, PropertyKind::Text | PropertyKind::Json)) {
        if seen == 0 || texts.len() < seen {
            evidence.form = Form::Typed(kind);
            return evidence;
        }
    } else if texts.len() < seen {
        evidence.form = filled.first().map_or(Form::Unseen, |value| Form::Typed(kind_of(value)));
        return evidence;
    }
    if texts.is_empty() {
        return evidence;
    }
    let (form, unfit) = form(&texts, &filled, words, &mut evidence.doubts);
    evidence.form = form;
    evidence.unfit = unfit;
    evidence
}

fn kind_of(value: &Value) -> PropertyKind {
    match value {
        Value::Bool(_) => PropertyKind::Bool,
        Value::Number(_) => PropertyKind::Number,
        Value::Date(_) => PropertyKind::Date,
        Value::DateTime(_) => PropertyKind::DateTime,
        Value::List(_) => PropertyKind::Options,
        Value::Object(_) => PropertyKind::Json,
        Value::Null | Value::Text(_) => PropertyKind::Text,
    }
}

/// The first form that nearly all values have, and how many have not.
fn form(texts: &[&str], filled: &[&Value], words: &[String], doubts: &mut Vec<String>) -> (Form, usize) {
    let named = |names: &[&str]| words.iter().any(|word| names.contains(&word.as_str()));
    let unfit = |is: &dyn Fn(&str) -> bool| texts.iter().filter(|text| !is(text)).count();
    let nearly = |unfit: usize| (unfit as f64) <= (1.0 - NEARLY_ALL) * texts.len() as f64;
    let plain: [(Form, Is); 3] = [(Form::Email, is_email), (Form::Url, is_url), (Form::Domain, is_domain)];
    for (form, is) in plain {
        let unfit = unfit(&is);
        // What is called an address is one, even where every third row has it wrong.
        let called = form == Form::Email && named(&["email"]) && unfit * 3 <= texts.len();
        if nearly(unfit) || called {
            return (form, unfit);
        }
    }
    // Names such as `zip` say that digits are no quantity.
    let code = named(&["zip", "phone", "mobile", "fax", "sku", "code", "id", "iban", "number", "extension"]);
    if let Some((form, unfit)) = times::look(texts, words, doubts).filter(|(_, unfit)| {
        nearly(*unfit) || (named(&["birthdate", "date", "day"]) && *unfit * 3 <= texts.len())
    }) {
        return (form, unfit);
    }
    if let Some(form) = yes_or_no(texts) {
        return (form, 0);
    }
    let phones = |text: &str| is_phone(text, named(&["phone", "mobile", "fax"]));
    if nearly(unfit(&phones)) {
        let national = texts.iter().any(|text| !text.starts_with('+') && !text.starts_with("00"));
        return (Form::Phone { national }, unfit(&phones));
    }
    if !code && let Some((number, unfit)) = numbers::look(texts, doubts).filter(|(_, unfit)| nearly(*unfit)) {
        return (Form::Number(number), unfit);
    }
    if !code && let Some(form) = choice(texts) {
        return (form, 0);
    }
    let spaces = filled
        .iter()
        .filter_map(|value| value.as_text())
        .any(|text| text.trim() != text || text.contains("  ") || text.contains(['\t', '\u{a0}']));
    (Form::Text { spaces }, 0)
}

fn is_email(text: &str) -> bool {
    let text = text.strip_prefix("mailto:").unwrap_or(text);
    text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && host.contains('.') && !host.contains('@') && !text.contains(char::is_whitespace)
    })
}

fn is_url(text: &str) -> bool {
    let small = text.to_lowercase();
    (small.starts_with("http://") || small.starts_with("https://")) && !text.contains(char::is_whitespace)
}

fn is_domain(text: &str) -> bool {
    let text = text.trim_end_matches('/');
    let fine = |c: char| c.is_alphanumeric() || c == '-';
    let parts: Vec<&str> = text.split('.').collect();
    parts.len() >= 2
        && parts.iter().all(|part| !part.is_empty() && part.chars().all(fine))
        && parts.last().is_some_and(|top| top.len() >= 2 && top.chars().all(char::is_alphabetic))
}

/// Digits with the marks that people put between them. A bare number is one only where the column says so.
fn is_phone(text: &str, named: bool) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let marks = text.contains(['+', ' ', '/', '(', '-']);
    let starts = text.starts_with(['+', '0', '(']);
    let fine = text.chars().all(|c| c.is_ascii_digit() || " +-/().x".contains(c));
    fine && (6..=15).contains(&digits) && (named || (marks && starts && digits >= 8))
}

const YES: &[&str] = &["yes", "y", "true", "t", "1", "ja", "j", "oui", "si", "on", "wahr", "x"];
const NO: &[&str] = &["no", "n", "false", "f", "0", "nein", "non", "off", "falsch", "-"];

fn yes_or_no(texts: &[&str]) -> Option<Form> {
    let found = counts(texts);
    let said = |words: &[&str]| {
        let said = found.keys().filter(|word| words.contains(&word.to_lowercase().as_str()));
        said.map(|word| (*word).to_owned()).collect::<Vec<String>>()
    };
    let (yes, no) = (said(YES), said(NO));
    let all = yes.len() + no.len() == found.len() && !yes.is_empty() && !no.is_empty();
    // Two values are too few to know that a column of noughts and ones is no count.
    (all && texts.len() >= 3).then_some(Form::Bool { yes, no })
}

fn choice(texts: &[&str]) -> Option<Form> {
    if texts.len() < CHOICE_SAMPLES_MIN {
        return None;
    }
    let repeats = |found: &BTreeMap<&str, usize>, seen: usize| {
        (2..=CHOICES_MAX).contains(&found.len())
            && found.len() * 3 <= seen
            && found.keys().all(|word| word.chars().count() <= 40)
    };
    let whole = counts(texts);
    for separator in [';', '|'] {
        let lists = texts.iter().filter(|text| text.contains(separator)).count();
        let parts: Vec<&str> = texts
            .iter()
            .flat_map(|text| text.split(separator))
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .collect();
        let found = counts(&parts);
        if lists * 5 >= texts.len() && repeats(&found, parts.len()) {
            return Some(Form::Choices { separator, words: found.into_keys().map(str::to_owned).collect() });
        }
    }
    repeats(&whole, texts.len()).then(|| Form::Choice(whole.into_keys().map(str::to_owned).collect()))
}

/// How often each text stands there, sorted by text.
fn counts<'t>(texts: &[&'t str]) -> BTreeMap<&'t str, usize> {
    let mut counts = BTreeMap::new();
    for text in texts {
        *counts.entry(*text).or_insert(0) += 1;
    }
    counts
}

#[cfg(test)]
mod tests;
