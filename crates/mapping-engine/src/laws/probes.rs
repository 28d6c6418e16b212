//! Values that tell transforms apart: usual ones and those at boundaries.

use jiff::Timestamp;
use jiff::civil::date;
use rust_decimal::Decimal;
use sync_types::{PropertyKind, Value};

use crate::property::Limits;
use crate::step::Step;

/// Values that people write in HubSpot every day, and that therefore have to come back. Text is not among them: what
/// a text property may hold is known to the chain alone.
pub(super) fn ordinary(kind: PropertyKind) -> Vec<Value> {
    match kind {
        PropertyKind::Number => [0, 1, -1, 42, 1_000, 1_000_000].into_iter().map(Value::from).collect(),
        PropertyKind::Bool => vec![Value::Bool(true), Value::Bool(false)],
        PropertyKind::Date => days().map(Value::Date).collect(),
        PropertyKind::DateTime => moments().map(Value::DateTime).collect(),
        _ => Vec::new(),
    }
}

/// What a source may hold, for a chain of these steps.
pub(super) fn source(steps: &[Step], limits: &Limits) -> Vec<Value> {
    let mut values: Vec<Value> = TEXTS.iter().map(|text| Value::text(*text)).collect();
    values.push(Value::Null);
    values.extend([0_i64, 1, -1, 7, 1_753_970_000, 1_753_970_000_000].into_iter().map(Value::from));
    values.extend(
        ["0.5", "-12.345", "0.1", "79228162514264337593543950335", "1e-3"]
            .iter()
            .filter_map(|text| Decimal::from_str_exact(text).ok().map(Value::Number)),
    );
    values.extend([true, false].map(Value::Bool));
    values.extend(days().map(Value::Date));
    values.extend(moments().map(Value::DateTime));
    values.push(Value::List(vec![Value::text("b"), Value::text("a")]));
    values.push(Value::List(Vec::new()));
    values.extend(limits.options.iter().flatten().map(|option| Value::text(&**option)));
    for step in steps {
        match step {
            Step::Picklist(table) => values.extend(table.words.iter().map(|(word, _)| Value::text(&**word))),
            Step::Lookup(table) => values.extend(table.pairs().take(64).map(|(key, _)| Value::text(key))),
            Step::Date(formats) => {
                for format in formats.iter() {
                    values.extend(
                        days()
                            .filter_map(|day| jiff::fmt::strtime::format(format, day).ok().map(Value::from)),
                    );
                }
            }
            Step::DateTime(rule) => {
                let zone = rule.zone.clone().unwrap_or(jiff::tz::TimeZone::UTC);
                for format in &rule.formats {
                    values.extend(moments().filter_map(|moment| {
                        jiff::fmt::strtime::format(format, &moment.to_zoned(zone.clone()))
                            .ok()
                            .map(Value::from)
                    }));
                }
            }
            Step::Boolean(words) => {
                values.extend(words.yes.iter().chain(&words.no).map(|word| Value::text(word.as_str())));
            }
            _ => {}
        }
    }
    // What a transform does to a text, it does to each item of a list.
    let lists: Vec<Value> = values
        .iter()
        .filter(|value| value.as_text().is_some())
        .map(|text| Value::List(vec![text.clone()]))
        .collect();
    values.extend(lists);
    values
}

fn days() -> impl Iterator<Item = jiff::civil::Date> {
    [(1900, 1, 1), (1969, 12, 31), (1970, 1, 1), (2000, 2, 29), (2026, 3, 29), (2068, 12, 31), (2099, 10, 25)]
        .into_iter()
        .map(|(year, month, day)| date(year, month, day))
}

/// Whole minutes, as people set them, in winter and summer and around the turn of a year.
fn moments() -> impl Iterator<Item = Timestamp> {
    [-1_577_923_260, 0, 951_782_340, 1_753_963_200, 1_782_902_700, 1_798_761_540, 4_102_401_600]
        .into_iter()
        .filter_map(|second| Timestamp::from_second(second).ok())
}

const TEXTS: [&str; 49] = [
    "a",
    "A b",
    " Ada  King ",
    "O'Neil",
    "Straße",
    "STRASSE",
    "İstanbul",
    "ΑΣ",
    "e\u{301}",
    "ﬁn",
    "a;b",
    "b, a",
    "a,b",
    "a|b;c",
    "a\u{a0}b",
    "x\r\ny",
    "0",
    "007",
    "1",
    "12.50",
    "-0.5",
    "1,5",
    "1.234,56",
    "1,234.56",
    "true",
    "no",
    "Ja",
    "ada@example.com",
    " Ada.King@Example.COM",
    "https://www.Example.com/a?b#c",
    "example.co.uk",
    "+49 30 1234567",
    "030 / 123 45-67",
    "2026-07-15",
    "15.07.2026",
    "2026-07-15T12:30:00Z",
    "DE",
    "EUR",
    "Germany",
    "DEU",
    "German",
    "https://a.de",
    "0301234",
    " ",
    " ;",
    "C-C-1 ",
    "- x -",
    "\u{200b}a\u{feff} ",
    "1753970000",
];
