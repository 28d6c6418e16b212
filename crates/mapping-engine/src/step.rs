//! One transform, compiled: its name, what it takes and gives, and how it runs.

mod run;

use std::borrow::Cow;
use std::sync::Arc;

use rust_decimal::Decimal;
use sync_types::Value;

use crate::flow::Ty;
use crate::functions::Function;
use crate::steps::{
    boolean, currency, date, json, lookup, name, number, pattern, phone, picklist, place, privacy, unit,
    write,
};

/// A transform with its arguments.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Trim,
    CollapseSpaces,
    Lower,
    Upper,
    Title,
    Nfc,
    Nfkc,
    Replace { find: Box<str>, with: Box<str> },
    Extract(Box<pattern::Pattern>),
    MaxLength { chars: usize, cut: bool },
    Prefix(Box<str>),
    Suffix(Box<str>),
    StripPrefix(Box<str>),
    StripSuffix(Box<str>),
    Pad { chars: usize, with: char },
    EmptyIf(Arc<[String]>),
    Email,
    Domain,
    Url,
    Phone(phone::PhoneRule),
    NamePart(name::NamePart),
    Country { to: place::CountryForm, from: Option<place::CountryForm> },
    Region { regions: place::Regions, to: place::RegionForm, from: Option<place::RegionForm> },
    Language { to: place::LanguageForm, from: Option<place::LanguageForm> },
    CurrencyCode,
    Hash(privacy::Hash),
    Mask(privacy::Mask),
    Picklist(Arc<picklist::Picklist>),
    Lookup(Arc<lookup::Lookup>),
    Split(Box<str>),
    Join(Box<str>),
    Item(ItemPlace),
    ParseJson,
    WriteJson,
    Pointer(json::Pointer),
    Default(Value),
    Coalesce(Vec<Side>),
    ToText,
    Number(number::NumberRule),
    FormatNumber(write::NumberFormat),
    Round(u32),
    Multiply(Decimal),
    Unit(unit::Conversion),
    Convert(Box<Convert>),
    Boolean(boolean::BoolWords),
    FormatBoolean { yes: Box<str>, no: Box<str> },
    Date(Arc<[String]>),
    DateTime(date::DateTimeRule),
    UnixTime(date::UnixUnit),
    ToUnixTime(date::UnixUnit),
    ToDate(jiff::tz::TimeZone),
    FormatDate(write::DateFormat),
    Function(Function),
}

/// Another path of the record that a step reads beside the value it works on.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    pub(crate) path: Box<str>,
    /// Its place among the link's paths, which the checker settles.
    pub(crate) place: usize,
}

impl Side {
    pub(crate) fn new(path: impl Into<Box<str>>) -> Side {
        Side { path: path.into(), place: usize::MAX }
    }
}

/// Which item of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ItemPlace {
    At(usize),
    Last,
}

/// Money in another currency.
#[derive(Clone, Debug)]
pub(crate) struct Convert {
    pub(crate) rates: Arc<currency::RateTable>,
    pub(crate) from: Given<Box<str>>,
    pub(crate) to: Given<Box<str>>,
    /// The day whose rate counts; without one, the last rate.
    pub(crate) on: Option<Given<jiff::civil::Date>>,
    pub(crate) places: Option<u32>,
}

/// An argument that the file gives, or another path of the record.
#[derive(Clone, Debug)]
pub(crate) enum Given<T> {
    File(T),
    Record(Side),
}

impl Step {
    /// The name in the mapping file.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Step::Trim => "trim",
            Step::CollapseSpaces => "collapse_spaces",
            Step::Lower => "lower",
            Step::Upper => "upper",
            Step::Title => "title",
            Step::Nfc => "nfc",
            Step::Nfkc => "nfkc",
            Step::Replace { .. } => "replace",
            Step::Extract(_) => "extract",
            Step::MaxLength { .. } => "max_length",
            Step::Prefix(_) => "prefix",
            Step::Suffix(_) => "suffix",
            Step::StripPrefix(_) => "strip_prefix",
            Step::StripSuffix(_) => "strip_suffix",
            Step::Pad { .. } => "pad",
            Step::EmptyIf(_) => "empty_if",
            Step::Email => "email",
            Step::Domain => "domain",
            Step::Url => "url",
            Step::Phone(_) => "phone",
            Step::NamePart(_) => "name_part",
            Step::Country { .. } => "country",
            Step::Region { .. } => "region",
            Step::Language { .. } => "language",
            Step::CurrencyCode => "currency_code",
            Step::Hash(_) => "hash",
            Step::Mask(_) => "mask",
            Step::Picklist(_) => "picklist",
            Step::Lookup(_) => "lookup",
            Step::Split(_) => "split",
            Step::Join(_) => "join",
            Step::Item(_) => "item",
            Step::ParseJson => "parse_json",
            Step::WriteJson => "write_json",
            Step::Pointer(_) => "pointer",
            Step::Default(_) => "default",
            Step::Coalesce(_) => "coalesce",
            Step::ToText => "text",
            Step::Number(_) => "number",
            Step::FormatNumber(_) => "format_number",
            Step::Round(_) => "round",
            Step::Multiply(_) => "multiply",
            Step::Unit(_) => "unit",
            Step::Convert(_) => "convert",
            Step::Boolean(_) => "boolean",
            Step::FormatBoolean { .. } => "format_boolean",
            Step::Date(_) => "date",
            Step::DateTime(_) => "date_time",
            Step::UnixTime(_) => "unix_time",
            Step::ToUnixTime(_) => "to_unix_time",
            Step::ToDate(_) => "to_date",
            Step::FormatDate(_) => "format_date",
            Step::Function(function) => function.name,
        }
    }

    /// The other paths of the record that the step reads.
    pub(crate) fn sides(&self) -> Vec<&Side> {
        match self {
            Step::Coalesce(sides) => sides.iter().collect(),
            Step::Phone(rule) => rule.field.iter().collect(),
            Step::Convert(convert) => {
                let mut sides: Vec<&Side> = Vec::new();
                for code in [&convert.from, &convert.to] {
                    if let Given::Record(side) = code {
                        sides.push(side);
                    }
                }
                if let Some(Given::Record(side)) = &convert.on {
                    sides.push(side);
                }
                sides
            }
            _ => Vec::new(),
        }
    }

    /// Settles the places of [`Step::sides`].
    pub(crate) fn bind(&mut self, mut place: impl FnMut(&str) -> usize) {
        let mut settle = |side: &mut Side| side.place = place(&side.path);
        match self {
            Step::Coalesce(sides) => sides.iter_mut().for_each(settle),
            Step::Phone(rule) => rule.field.iter_mut().for_each(settle),
            Step::Convert(convert) => {
                let Convert { from, to, on, .. } = &mut **convert;
                for code in [from, to] {
                    if let Given::Record(side) = code {
                        settle(side);
                    }
                }
                if let Some(Given::Record(side)) = on {
                    settle(side);
                }
            }
            _ => {}
        }
    }

    /// Whether the step is from text to text, and so runs on each item of a list.
    pub(crate) fn works_on_items(&self) -> bool {
        matches!(
            self,
            Step::Trim
                | Step::CollapseSpaces
                | Step::Lower
                | Step::Upper
                | Step::Title
                | Step::Nfc
                | Step::Nfkc
                | Step::Replace { .. }
                | Step::Extract(_)
                | Step::MaxLength { .. }
                | Step::Prefix(_)
                | Step::Suffix(_)
                | Step::StripPrefix(_)
                | Step::StripSuffix(_)
                | Step::Pad { .. }
                | Step::EmptyIf(_)
                | Step::Email
                | Step::Domain
                | Step::Url
                | Step::Phone(_)
                | Step::NamePart(_)
                | Step::Country { .. }
                | Step::Region { .. }
                | Step::Language { .. }
                | Step::CurrencyCode
                | Step::Hash(_)
                | Step::Mask(_)
                | Step::Picklist(_)
                | Step::Lookup(_)
        )
    }

    /// What the step gives for a value of this kind, or what it would take instead.
    pub(crate) fn gives(&self, taken: Ty) -> Result<Ty, Ty> {
        let (takes, gives): (&[Ty], Ty) = match self {
            step if step.works_on_items() => {
                // These run on every item of a list.
                return match taken {
                    Ty::Text | Ty::List | Ty::Any => Ok(taken),
                    _ => Err(Ty::Text),
                };
            }
            Step::Split(_) => (&[Ty::Text], Ty::List),
            Step::Join(_) => (&[Ty::List, Ty::Text], Ty::Text),
            Step::Item(_) => (&[Ty::List], Ty::Text),
            Step::ParseJson => (&[Ty::Text], Ty::Any),
            Step::WriteJson => return Ok(Ty::Text),
            Step::Pointer(_) => {
                return if matches!(taken, Ty::Any | Ty::List) { Ok(Ty::Any) } else { Err(Ty::Any) };
            }
            Step::Coalesce(_) => return Ok(Ty::Any),
            Step::Function(function) => {
                let fits = function.takes == Ty::Any || taken == Ty::Any || taken == function.takes;
                return if fits { Ok(function.gives) } else { Err(function.takes) };
            }
            Step::Default(value) => {
                let given = Ty::of_value(value);
                return match taken {
                    Ty::Any => Ok(Ty::Any),
                    taken if taken == given => Ok(taken),
                    taken => Err(taken),
                };
            }
            Step::ToText => (&[Ty::Text, Ty::Number, Ty::Bool, Ty::Date, Ty::DateTime], Ty::Text),
            Step::Number(_) => (&[Ty::Text, Ty::Number], Ty::Number),
            Step::FormatNumber(_) => (&[Ty::Number], Ty::Text),
            Step::Round(_) | Step::Multiply(_) | Step::Unit(_) | Step::Convert(_) => {
                (&[Ty::Number], Ty::Number)
            }
            Step::Boolean(_) => (&[Ty::Text, Ty::Number, Ty::Bool], Ty::Bool),
            Step::FormatBoolean { .. } => (&[Ty::Bool], Ty::Text),
            Step::Date(_) => (&[Ty::Text, Ty::Date], Ty::Date),
            Step::DateTime(_) => (&[Ty::Text, Ty::Date, Ty::DateTime], Ty::DateTime),
            Step::UnixTime(_) => (&[Ty::Text, Ty::Number], Ty::DateTime),
            Step::ToUnixTime(_) => (&[Ty::DateTime], Ty::Number),
            Step::ToDate(_) => (&[Ty::DateTime], Ty::Date),
            Step::FormatDate(_) => (&[Ty::Date, Ty::DateTime], Ty::Text),
            // What is left are the steps from text to text, above.
            _ => (&[Ty::Text], Ty::Text),
        };
        if taken == Ty::Any || takes.contains(&taken) {
            Ok(gives)
        } else {
            Err(takes.first().copied().unwrap_or(Ty::Any))
        }
    }
}

/// The text of a value that is no list or object; empty for [`Value::Null`].
pub(crate) fn scalar_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => Some(Cow::Borrowed("")),
        Value::Text(text) => Some(Cow::Borrowed(text)),
        Value::Bool(true) => Some(Cow::Borrowed("true")),
        Value::Bool(false) => Some(Cow::Borrowed("false")),
        Value::Number(value) => Some(Cow::Owned(value.normalize().to_string())),
        Value::Date(value) => Some(Cow::Owned(value.to_string())),
        Value::DateTime(value) => Some(Cow::Owned(value.to_string())),
        Value::List(_) | Value::Object(_) => None,
    }
}
