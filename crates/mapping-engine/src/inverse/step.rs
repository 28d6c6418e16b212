//! How each transform is undone.

use rust_decimal::Decimal;

use super::Inverse;
use crate::flow::Ty;
use crate::step::Step;
use crate::steps::place::LanguageForm;
use crate::steps::write::{DateFormat, NumberFormat};
use crate::steps::{date, number};

impl Step {
    /// How the step is undone where it takes values of this kind.
    pub(crate) fn inverse(&self, taken: Ty) -> Inverse {
        match self {
            // One writing out of several of the same meaning: its own inverse.
            Step::Trim
            | Step::CollapseSpaces
            | Step::Lower
            | Step::Upper
            | Step::Title
            | Step::Nfc
            | Step::Nfkc
            | Step::Pad { .. }
            | Step::EmptyIf(_)
            | Step::CurrencyCode
            | Step::Country { from: None, .. }
            | Step::Region { from: None, .. }
            | Step::Language { to: LanguageForm::Code, from: None }
            | Step::Email
            | Step::Domain
            | Step::Url
            | Step::Phone(_) => Inverse::NormalForm(Vec::new()),
            Step::MaxLength { cut: false, .. } => Inverse::Exact(Vec::new()),
            Step::MaxLength { cut: true, .. } => Inverse::None("what is cut off is lost".into()),
            Step::Country { to, from: Some(from) } => {
                Inverse::NormalForm(vec![Step::Country { to: *from, from: Some(*to) }])
            }
            Step::Region { regions, to, from: Some(from) } => {
                Inverse::NormalForm(vec![Step::Region { regions, to: *from, from: Some(*to) }])
            }
            Step::Language { to: LanguageForm::Code, from: Some(from) } => {
                Inverse::NormalForm(vec![Step::Language { to: *from, from: Some(LanguageForm::Code) }])
            }
            Step::Language { to: LanguageForm::Name, .. } => {
                Inverse::None("the region of a language, as in `pt-br`, is lost".into())
            }
            Step::Prefix(prefix) => Inverse::Exact(vec![Step::StripPrefix(prefix.clone())]),
            Step::Suffix(suffix) => Inverse::Exact(vec![Step::StripSuffix(suffix.clone())]),
            Step::StripPrefix(prefix) => Inverse::NormalForm(vec![Step::Prefix(prefix.clone())]),
            Step::StripSuffix(suffix) => Inverse::NormalForm(vec![Step::Suffix(suffix.clone())]),
            Step::NamePart(_) => Inverse::None("the other parts of the name are lost".into()),
            Step::Item(_) => Inverse::None("the other items are lost".into()),
            Step::Pointer(_) => Inverse::None("the rest of the nested value is lost".into()),
            Step::Hash(_) => Inverse::None("a hash cannot be undone".into()),
            Step::Mask(_) => Inverse::None("what is masked is lost".into()),
            Step::Coalesce(_) => Inverse::None("which of the paths the value came from is lost".into()),
            Step::Convert(_) => Inverse::None("rates change, and the rounding loses digits".into()),
            Step::ParseJson if taken == Ty::Text => Inverse::NormalForm(vec![Step::WriteJson]),
            Step::ParseJson => Inverse::None("it is not known whether the source holds text".into()),
            Step::WriteJson => Inverse::NormalForm(vec![Step::ParseJson]),
            Step::Lookup(table) => match table.inverse() {
                Ok(back) => Inverse::NormalForm(vec![Step::Lookup(back.into())]),
                Err(reason) => Inverse::None(reason.into()),
            },
            Step::Multiply(factor) => match Decimal::ONE.checked_div(*factor) {
                Some(inverse) if inverse.checked_mul(*factor) == Some(Decimal::ONE) => {
                    Inverse::Exact(vec![Step::Multiply(inverse)])
                }
                _ => Inverse::None("no decimal number undoes this factor exactly".into()),
            },
            Step::Unit(conversion) => Inverse::NormalForm(vec![Step::Unit(conversion.inverse())]),
            Step::Function(function) => match function.inverse() {
                Some(back) => Inverse::NormalForm(vec![Step::Function(back)]),
                None => Inverse::None(
                    format!("the function `{}` is registered without an inverse", function.name).into(),
                ),
            },
            Step::Replace { .. } => {
                Inverse::None("what was replaced cannot be told from what was there before".into())
            }
            Step::Extract(_) => Inverse::None("what stands around the extracted text is lost".into()),
            Step::Default(_) => Inverse::None("an empty value cannot be told from the default".into()),
            Step::Round(_) => Inverse::None("the digits that are rounded away are lost".into()),
            Step::ToDate(_) => Inverse::None("the time of day is lost".into()),
            Step::Picklist(table) => match table.inverse() {
                Ok(back) => Inverse::NormalForm(vec![Step::Picklist(back.into())]),
                Err(reason) => Inverse::None(reason.into()),
            },
            Step::Split(separator) => Inverse::NormalForm(vec![Step::Join(separator.clone())]),
            Step::Join(_) if taken == Ty::Text => Inverse::Exact(Vec::new()),
            Step::Join(_) if taken == Ty::Any => {
                Inverse::None("it is not known whether the source holds a list or text".into())
            }
            Step::Join(separator) if separator.trim().is_empty() => {
                Inverse::None("spaces alone do not tell where one item ends".into())
            }
            Step::Join(separator) => Inverse::NormalForm(vec![Step::Split(separator.clone())]),
            Step::ToText => Inverse::NormalForm(match taken {
                Ty::Number => vec![Step::Number(number::NumberRule::default())],
                Ty::Bool => vec![Step::Boolean(crate::steps::boolean::BoolWords::default())],
                Ty::Date => vec![Step::Date(Vec::new().into())],
                Ty::DateTime => vec![Step::DateTime(date::DateTimeRule { formats: Vec::new(), zone: None })],
                Ty::Text | Ty::List | Ty::Any => Vec::new(),
            }),
            Step::Number(rule) => match taken {
                Ty::Number => Inverse::Exact(Vec::new()),
                Ty::Any if rule.is_plain() => Inverse::NormalForm(Vec::new()),
                _ => Inverse::NormalForm(vec![Step::FormatNumber(NumberFormat::of(rule))]),
            },
            Step::FormatNumber(format) => Inverse::NormalForm(vec![Step::Number(format.rule())]),
            Step::Boolean(words) => match taken {
                Ty::Bool => Inverse::Exact(Vec::new()),
                Ty::Number => Inverse::Exact(vec![
                    Step::FormatBoolean { yes: "1".into(), no: "0".into() },
                    Step::Number(number::NumberRule::default()),
                ]),
                Ty::Any if words.is_plain() => Inverse::NormalForm(Vec::new()),
                _ => match (words.yes.first(), words.no.first()) {
                    (Some(yes), Some(no)) => Inverse::NormalForm(vec![Step::FormatBoolean {
                        yes: yes.as_str().into(),
                        no: no.as_str().into(),
                    }]),
                    _ => Inverse::None("it has no words to write".into()),
                },
            },
            Step::FormatBoolean { yes, no } => {
                Inverse::Exact(vec![Step::Boolean(crate::steps::boolean::BoolWords {
                    yes: vec![yes.to_lowercase()],
                    no: vec![no.to_lowercase()],
                })])
            }
            Step::Date(formats) => match taken {
                Ty::Date => Inverse::Exact(Vec::new()),
                Ty::Any if formats.is_empty() => Inverse::NormalForm(Vec::new()),
                _ if formats.is_empty() => Inverse::NormalForm(vec![Step::ToText]),
                _ => match date::writable_date_format(formats) {
                    Some(format) => {
                        Inverse::NormalForm(vec![Step::FormatDate(DateFormat { format, zone: None })])
                    }
                    None => Inverse::None(
                        "none of its formats writes every day so that it reads the same day".into(),
                    ),
                },
            },
            Step::DateTime(rule) => match taken {
                Ty::DateTime => Inverse::Exact(Vec::new()),
                Ty::Date => Inverse::None("a date has no place for a time of day".into()),
                Ty::Any if rule.formats.is_empty() => Inverse::NormalForm(Vec::new()),
                _ if rule.formats.is_empty() => Inverse::NormalForm(vec![Step::ToText]),
                _ => match rule.writable_format() {
                    Some(format) => Inverse::NormalForm(vec![Step::FormatDate(DateFormat {
                        format,
                        zone: Some(rule.zone.clone().unwrap_or(jiff::tz::TimeZone::UTC)),
                    })]),
                    None => Inverse::None(
                        "none of its formats writes every minute so that it reads the same".into(),
                    ),
                },
            },
            Step::FormatDate(format) => match (taken, &format.zone) {
                (Ty::DateTime, zone) => {
                    let rule =
                        date::DateTimeRule { formats: vec![format.format.clone()], zone: zone.clone() };
                    match rule.writable_format() {
                        Some(_) => Inverse::NormalForm(vec![Step::DateTime(rule)]),
                        None => Inverse::None("the format leaves a part of the moment out".into()),
                    }
                }
                (Ty::Date, _) => {
                    let formats = [format.format.clone()];
                    match date::writable_date_format(&formats) {
                        Some(_) => Inverse::NormalForm(vec![Step::Date(formats.to_vec().into())]),
                        None => Inverse::None("the format leaves a part of the date out".into()),
                    }
                }
                _ => Inverse::None("it is not known whether the source holds days or moments".into()),
            },
            Step::UnixTime(unit) => match taken {
                Ty::Text => Inverse::NormalForm(vec![Step::ToUnixTime(*unit), Step::ToText]),
                _ => Inverse::NormalForm(vec![Step::ToUnixTime(*unit)]),
            },
            Step::ToUnixTime(unit) => Inverse::NormalForm(vec![Step::UnixTime(*unit)]),
        }
    }
}
