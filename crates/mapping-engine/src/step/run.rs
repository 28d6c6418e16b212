//! Runs one step on one value.

use std::borrow::Cow;

use rust_decimal::{Decimal, RoundingStrategy};
use sync_types::Value;

use super::{Step, scalar_text};
use crate::flow::{Failure, Flow, Ty};
use crate::plan::Reader;
use crate::steps::number::exact_product;
use crate::steps::{currency, date, email, json, name, place, text, web};

impl Step {
    /// Runs the step in place: most steps are from text to text, and move nothing else.
    pub(crate) fn apply<'a>(&'a self, flow: &mut Flow<'a>, reader: &dyn Reader<'a>) -> Result<(), Failure> {
        if let Flow::Text(text) = flow
            && self.works_on_items()
        {
            let done = self.run_text(std::mem::take(text), reader)?;
            if done.is_empty() {
                *flow = Flow::Null
            } else {
                *text = done
            }
            return Ok(());
        }
        *flow = self.run(std::mem::replace(flow, Flow::Null), reader)?;
        Ok(())
    }

    /// Runs the step. Empty stays empty, but for `default` and `coalesce`.
    pub(crate) fn run<'a>(&'a self, flow: Flow<'a>, reader: &dyn Reader<'a>) -> Result<Flow<'a>, Failure> {
        match (self, flow) {
            (Step::Default(value), Flow::Null) => Ok(Flow::owned(value.clone())),
            (Step::Default(_), flow) => Ok(flow),
            (Step::Coalesce(sides), Flow::Null) => first_filled(sides, reader),
            (Step::Coalesce(_), flow) => Ok(flow),
            (_, Flow::Null) => Ok(Flow::Null),
            (step, Flow::Text(text)) if step.works_on_items() => Ok(Flow::text(self.run_text(text, reader)?)),
            (Step::Split(separator), Flow::Text(text)) => Ok(split(&text, separator)),
            (Step::Join(separator), Flow::Other(Value::List(items))) => join(&items, separator),
            (Step::Join(_), flow @ Flow::Text(_)) => Ok(flow),
            (Step::Item(place), Flow::Other(Value::List(items))) => Ok(item(items, *place)),
            (Step::ParseJson, Flow::Text(text)) => json::parse(&text).map(Flow::owned),
            (Step::WriteJson, flow) => Ok(Flow::text(Cow::Owned(json::write(&flow.into_value())))),
            (Step::Pointer(pointer), Flow::Other(value)) => Ok(Flow::owned(pointer.of(value))),
            (Step::Function(function), flow) => {
                let found = flow.kind_name();
                let value = flow.into_value();
                if function.takes != Ty::Any && Ty::of_value(&value) != function.takes {
                    return Err(Failure::bad_type(function.name, function.takes, found));
                }
                function.run(&value).map(Flow::owned)
            }
            (Step::ToText, flow) => to_text(flow),
            (Step::Number(rule), Flow::Text(text)) => rule.parse(&text).map(decimal),
            (Step::Number(_), flow @ Flow::Other(Value::Number(_))) => Ok(flow),
            (Step::FormatNumber(format), Flow::Other(Value::Number(value))) => {
                Ok(Flow::text(Cow::Owned(format.write(value))))
            }
            (Step::Round(places), Flow::Other(Value::Number(value))) => {
                Ok(decimal(value.round_dp_with_strategy(*places, RoundingStrategy::MidpointAwayFromZero)))
            }
            (Step::Multiply(factor), Flow::Other(Value::Number(value))) => {
                match exact_product(value, *factor) {
                    Some(value) => Ok(decimal(value)),
                    None => Err(Failure::new(
                        "bad-number",
                        "the product has more digits than an exact decimal of 28 digits holds",
                        "correct the number at the source",
                    )),
                }
            }
            (Step::Unit(conversion), Flow::Other(Value::Number(value))) => conversion.run(value).map(decimal),
            (Step::Convert(convert), Flow::Other(Value::Number(value))) => {
                convert.run(value, reader).map(decimal)
            }
            (Step::Boolean(words), flow) => words.read(&flow).map(|value| Flow::Other(Value::Bool(value))),
            (Step::FormatBoolean { yes, no }, Flow::Other(Value::Bool(value))) => {
                Ok(Flow::text(Cow::Borrowed(if value { yes } else { no })))
            }
            (Step::Date(formats), Flow::Text(text)) => {
                date::parse_date(&text, formats).map(|date| Flow::Other(Value::Date(date)))
            }
            (Step::Date(_), flow @ Flow::Other(Value::Date(_))) => Ok(flow),
            (Step::DateTime(rule), Flow::Text(text)) => rule.parse(&text).map(instant),
            (Step::DateTime(rule), Flow::Other(Value::Date(date))) => rule.midnight(date).map(instant),
            (Step::DateTime(_), flow @ Flow::Other(Value::DateTime(_))) => Ok(flow),
            (Step::UnixTime(unit), Flow::Other(Value::Number(value))) => unit.read(value).map(instant),
            (Step::UnixTime(unit), Flow::Text(text)) => unit.parse(&text).map(instant),
            (Step::ToDate(zone), Flow::Other(Value::DateTime(value))) => {
                Ok(Flow::Other(Value::Date(zone.to_datetime(value).date())))
            }
            (Step::ToUnixTime(unit), Flow::Other(Value::DateTime(value))) => Ok(decimal(unit.write(value))),
            (Step::FormatDate(format), Flow::Other(Value::Date(value))) => {
                Ok(Flow::text(Cow::Owned(format.day(value)?)))
            }
            (Step::FormatDate(format), Flow::Other(Value::DateTime(value))) => {
                Ok(Flow::text(Cow::Owned(format.moment(value)?)))
            }
            (_, Flow::Other(Value::List(items))) => self.run_items(items, reader),
            (_, flow) => Err(self.refuse(flow.kind_name())),
        }
    }

    fn refuse(&self, found: &str) -> Failure {
        let wanted = match self.gives(Ty::Bool) {
            Err(wanted) => wanted,
            Ok(_) => Ty::Text,
        };
        Failure::bad_type(self.name(), wanted, found)
    }

    /// Runs a text-to-text step.
    fn run_text<'a>(&self, text: Cow<'a, str>, reader: &dyn Reader<'a>) -> Result<Cow<'a, str>, Failure> {
        match self {
            Step::Trim => Ok(text::trim(text)),
            Step::CollapseSpaces => Ok(text::collapse_spaces(text)),
            Step::Lower => Ok(text::lower(text)),
            Step::Upper => Ok(text::upper(text)),
            Step::Title => Ok(text::title(text)),
            Step::Nfc => Ok(text::nfc(text)),
            Step::Nfkc => Ok(text::nfkc(text)),
            Step::Prefix(prefix) => Ok(Cow::Owned([&**prefix, &*text].concat())),
            Step::Suffix(suffix) => Ok(Cow::Owned([&*text, &**suffix].concat())),
            Step::StripPrefix(prefix) => {
                Ok(text::part(text, |text| text.strip_prefix(&**prefix).unwrap_or(text)))
            }
            Step::StripSuffix(suffix) => {
                Ok(text::part(text, |text| text.strip_suffix(&**suffix).unwrap_or(text)))
            }
            Step::Pad { chars, with } => Ok(text::pad(text, *chars, *with)),
            Step::EmptyIf(words) => Ok(text::empty_if(text, words)),
            Step::NamePart(part) => Ok(Cow::Owned(name::part(&text, *part))),
            Step::Country { to, .. } => place::country(&text, *to).map(Cow::Owned),
            Step::Region { regions, to, .. } => place::region(&text, regions, *to).map(Cow::Borrowed),
            Step::Language { to, .. } => place::language(&text, *to).map(Cow::Owned),
            Step::CurrencyCode => currency::code(&text).map(Cow::Borrowed),
            Step::Hash(hash) => Ok(Cow::Owned(hash.of(&text))),
            Step::Mask(mask) => Ok(Cow::Owned(mask.of(&text))),
            Step::Lookup(table) => table.translate(text),
            Step::Email => email::email(text),
            Step::Domain => web::domain(text),
            Step::Url => web::url(text),
            Step::Phone(rule) => rule.read(text, reader),
            Step::Replace { find, with } => Ok(text::replace(text, find, with)),
            Step::Extract(pattern) => pattern.extract(text),
            Step::MaxLength { chars, cut } => text::max_length(text, *chars, *cut),
            Step::Picklist(table) => table.translate(text),
            _ => Err(self.refuse("text")),
        }
    }

    /// Runs a text-to-text step on every item of a list; items that become empty are dropped.
    fn run_items<'a>(&self, items: Vec<Value>, reader: &dyn Reader<'a>) -> Result<Flow<'a>, Failure> {
        if !self.works_on_items() {
            return Err(self.refuse("list"));
        }
        let mut done = Vec::with_capacity(items.len());
        for item in items {
            match item {
                Value::Text(text) => {
                    let text = self.run_text(Cow::Owned(text.into()), reader)?;
                    if !text.is_empty() {
                        done.push(Value::Text(text.into()));
                    }
                }
                Value::Null => {}
                other => return Err(self.refuse(other.kind_name())),
            }
        }
        Ok(list(done))
    }
}

impl super::Convert {
    fn run<'a>(&'a self, amount: Decimal, reader: &dyn Reader<'a>) -> Result<Decimal, Failure> {
        let code = |given: &'a super::Given<Box<str>>| match given {
            super::Given::File(code) => Ok(&**code),
            super::Given::Record(side) => currency::code(side.value(reader)?.as_text().unwrap_or_default()),
        };
        let day = match &self.on {
            None => None,
            Some(super::Given::File(day)) => Some(*day),
            Some(super::Given::Record(side)) => match side.value(reader)? {
                Value::Date(day) => Some(*day),
                Value::DateTime(moment) => Some(jiff::tz::Offset::UTC.to_datetime(*moment).date()),
                Value::Text(text) => Some(date::parse_date(text, &[])?),
                Value::Null => None,
                other => return Err(Failure::bad_type("convert", Ty::Date, other.kind_name())),
            },
        };
        self.rates.convert(amount, code(&self.from)?, code(&self.to)?, day, self.places)
    }
}

impl super::Side {
    /// The value beside the one that the step works on.
    pub(crate) fn value<'r>(&self, reader: &dyn Reader<'r>) -> Result<&'r Value, Failure> {
        reader.value(self.place).ok_or_else(|| {
            Failure::new(
                "not-fetched",
                format!("the record was read without the column `{}`", self.path),
                "check that the column is still there at the source",
            )
        })
    }
}

fn first_filled<'a>(sides: &'a [super::Side], reader: &dyn Reader<'a>) -> Result<Flow<'a>, Failure> {
    for side in sides {
        let flow = Flow::borrowed(side.value(reader)?);
        if !flow.is_null() {
            return Ok(flow);
        }
    }
    Ok(Flow::Null)
}

fn item<'a>(mut items: Vec<Value>, place: super::ItemPlace) -> Flow<'a> {
    let place = match place {
        super::ItemPlace::At(place) => place,
        super::ItemPlace::Last => items.len().saturating_sub(1),
    };
    if place < items.len() { Flow::owned(items.swap_remove(place)) } else { Flow::Null }
}

fn decimal<'a>(value: Decimal) -> Flow<'a> {
    Flow::Other(Value::Number(value))
}

fn instant<'a>(value: jiff::Timestamp) -> Flow<'a> {
    Flow::Other(Value::DateTime(value))
}

fn list<'a>(items: Vec<Value>) -> Flow<'a> {
    if items.is_empty() { Flow::Null } else { Flow::Other(Value::List(items)) }
}

fn split<'a>(text: &str, separator: &str) -> Flow<'a> {
    let parts = text.split(separator).map(str::trim).filter(|part| !part.is_empty());
    list(parts.map(|part| Value::Text(part.into())).collect())
}

/// An item that holds the separator counts as several, so that splitting the text again gives the same text.
fn join<'a>(items: &[Value], separator: &str) -> Result<Flow<'a>, Failure> {
    let mut text = String::new();
    let mut push = |part: &str| {
        let part = part.trim();
        if !part.is_empty() {
            if !text.is_empty() {
                text.push_str(separator);
            }
            text.push_str(part);
        }
    };
    for item in items {
        let item = scalar_text(item)
            .ok_or_else(|| Failure::bad_type("join", Ty::List, "a list that holds lists or objects"))?;
        if separator.is_empty() {
            push(&item);
        } else {
            item.split(separator).for_each(&mut push);
        }
    }
    Ok(Flow::text(Cow::Owned(text)))
}

fn to_text(flow: Flow<'_>) -> Result<Flow<'_>, Failure> {
    match flow {
        Flow::Other(value) => match scalar_text(&value) {
            Some(text) => Ok(Flow::text(Cow::Owned(text.into_owned()))),
            None => Err(Failure::bad_type("text", Ty::Text, value.kind_name())),
        },
        flow => Ok(flow),
    }
}
