//! Which property a column might become, and how much speaks for it.

use sync_types::{PropertyKind, Schema};

use super::evidence::{Evidence, Form};
use super::table::Column;
use crate::names;
use crate::standard::{Meaning, StandardObject};

/// A property that a column may be mapped to.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) kind: PropertyKind,
    pub(crate) meaning: Meaning,
    /// Value and label.
    pub(crate) options: Vec<(String, String)>,
    /// The names by which it is known, as words.
    called: Vec<Vec<String>>,
}

impl Target {
    /// A property that is yet to be made.
    pub(crate) fn new_property(
        name: &str,
        label: &str,
        kind: PropertyKind,
        meaning: Meaning,
        options: Vec<(String, String)>,
    ) -> Target {
        Target { name: name.to_owned(), label: label.to_owned(), kind, meaning, options, called: Vec::new() }
    }
}

/// How well a column fits a property, from 0 to 1, and why.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fit {
    pub(crate) confidence: f64,
    pub(crate) reason: String,
}

/// Words that mean something else together with any other word.
const GENERAL: [&str; 10] =
    ["name", "title", "date", "type", "status", "value", "description", "number", "note", "code"];

/// Less than this is no suggestion.
pub(crate) const CONFIDENCE_MIN: f64 = 0.5;

/// The properties of an object type that may be written: what the portal says where it is known, with what is known
/// by heart of the standard ones.
pub(crate) fn targets(standard: Option<&StandardObject>, portal: Option<&Schema>) -> Vec<Target> {
    let by_heart = standard.map(|object| object.properties).unwrap_or_default();
    let known = by_heart.iter().map(|property| Target {
        name: property.name.to_owned(),
        label: property.label.to_owned(),
        kind: property.kind,
        meaning: property.meaning,
        options: property
            .options
            .iter()
            .map(|(value, label)| ((*value).to_owned(), (*label).to_owned()))
            .collect(),
        called: property.called.iter().map(|name| names::words(name)).collect(),
    });
    let Some(portal) = portal else { return known.collect() };
    let mut targets: Vec<Target> = Vec::new();
    for target in known {
        let Some(found) = portal.property(&target.name).filter(|found| !found.read_only) else { continue };
        // The portal's own options count; labels of those that are known by heart help to recognise them.
        let label = |value: &String| {
            let by_heart = target.options.iter().find(|(known, _)| known == value);
            by_heart.map_or_else(|| names::label(value), |(_, label)| label.clone())
        };
        let options = found.options.iter().map(|value| (value.clone(), label(value))).collect();
        targets.push(Target { kind: found.kind, options, ..target.clone() });
    }
    for property in &portal.properties {
        let name = property.name.as_str();
        // HubSpot's own bookkeeping is not what a column of a customer's means.
        let own = property.read_only || name.starts_with("hs_") || name.starts_with("hubspot_");
        if !own && !targets.iter().any(|target| target.name == name) {
            targets.push(Target {
                name: name.to_owned(),
                label: names::label(name),
                kind: property.kind,
                meaning: Meaning::Plain,
                options: property.options.iter().map(|value| (value.clone(), names::label(value))).collect(),
                called: vec![names::words(name)],
            });
        }
    }
    targets
}

/// The words of a column's name without those that only repeat the table's: `customer_name` of customers is a name.
pub(crate) fn column_words(column: &str, table: &[String]) -> Vec<String> {
    let words = names::words(column);
    let own: Vec<String> = words.iter().filter(|word| !table.contains(word)).cloned().collect();
    if own.is_empty() { words } else { own }
}

/// How well a column fits a property.
pub(crate) fn fit(column: &Column, table: &[String], evidence: &Evidence, target: &Target) -> Option<Fit> {
    let whole = names::words(&column.path);
    let own = column_words(&column.path, table);
    let label = column.label.as_deref().map(names::words);
    let spellings = [Some(&whole), Some(&own), label.as_ref()];
    let like = |called: &Vec<String>| {
        let alike = |words: &Vec<String>| {
            let likeness = names::likeness(words, called);
            // `ship_name` is a name, but hardly that of the order.
            let general = called.len() == 1 && called.iter().all(|word| GENERAL.contains(&word.as_str()));
            if general && likeness < 1.0 { likeness * 0.6 } else { likeness }
        };
        spellings.iter().flatten().map(|words| alike(words)).fold(0.0, f64::max)
    };
    let named = target.called.iter().map(like).fold(0.0, f64::max);
    let (factor, told) = evidence_factor(evidence, target)?;
    let looks = match (target.meaning, &evidence.form) {
        // An address says what it is, whatever its column is called.
        (Meaning::Email, Form::Email) => 0.7,
        _ => 0.0,
    };
    let confidence = (0.95 * named * factor).max(looks).min(0.99);
    let boosted = if told && named > 0.0 { (confidence + 0.04).min(0.99) } else { confidence };
    if boosted < CONFIDENCE_MIN {
        return None;
    }
    let name = if named >= 1.0 {
        format!("named like `{}`", target.label)
    } else if named >= 0.4 {
        format!("named nearly like `{}`", target.label)
    } else {
        "the values say so".to_owned()
    };
    Some(Fit { confidence: boosted, reason: format!("{name}; {}", evidence.words()) })
}

/// What the values do to a resemblance of names, and whether they speak for it. `None`: they rule it out.
fn evidence_factor(evidence: &Evidence, target: &Target) -> Option<(f64, bool)> {
    use PropertyKind::{Bool, Date, DateTime, Number, Option, Options, Text};
    let unseen = matches!(evidence.form, Form::Unseen);
    if unseen {
        return Some((0.9, false));
    }
    let factor = match (target.meaning, &evidence.form) {
        (Meaning::Email, Form::Email) | (Meaning::Phone, Form::Phone { .. }) => (1.0, true),
        (Meaning::Url, Form::Url | Form::Domain) | (Meaning::Domain, Form::Url | Form::Domain) => (1.0, true),
        (Meaning::Email | Meaning::Domain, _) => (0.4, false),
        (Meaning::Phone, Form::Text { .. } | Form::Number(_) | Form::Typed(Text)) => (0.8, false),
        (Meaning::Phone | Meaning::Url, _) => (0.5, false),
        (_, form) => match (target.kind, form) {
            (Number, Form::Number(_) | Form::Typed(Number))
            | (Bool, Form::Bool { .. } | Form::Typed(Bool))
            | (Date | DateTime, Form::Date(_) | Form::DateTime(_) | Form::Typed(Date | DateTime)) => {
                (1.0, true)
            }
            // Only the words of a choice can be an option, and only if some are known.
            (Option | Options, Form::Choice(words) | Form::Choices { words, .. }) => {
                let known = words.iter().filter(|word| option_of(word, &target.options).is_some()).count();
                if known == 0 {
                    return None;
                }
                (0.6 + 0.4 * known as f64 / words.len().max(1) as f64, known == words.len())
            }
            (Number | Bool | Date | DateTime | Option | Options, _) => return None,
            (Text, Form::Typed(PropertyKind::Json | Options)) => return None,
            // A date or a yes in a text property is a sign of another meaning.
            (Text, Form::Date(_) | Form::DateTime(_) | Form::Bool { .. })
                if !target.name.contains("birth") =>
            {
                (0.6, false)
            }
            (Text, Form::Email | Form::Url | Form::Phone { .. }) => (0.5, false),
            _ => (1.0, false),
        },
    };
    Some(factor)
}

/// The option that a word of the source means, if one does.
pub(crate) fn option_of<'o>(word: &str, options: &'o [(String, String)]) -> Option<&'o str> {
    let words = names::words(word);
    let like = |option: &(String, String)| {
        names::likeness(&words, &names::words(&option.0))
            .max(names::likeness(&words, &names::words(&option.1)))
    };
    let best =
        options.iter().map(|option| (like(option), option)).max_by(|one, other| one.0.total_cmp(&other.0));
    best.filter(|(likeness, _)| *likeness >= 0.8).map(|(_, option)| option.0.as_str())
}
