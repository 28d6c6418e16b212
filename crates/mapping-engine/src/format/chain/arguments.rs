//! The arguments of transforms that are more than a word or a number.

use rust_decimal::Decimal;
use toml::de::DeValue;

use super::{UNITS_OF_TIME, bad, example, read_formats, read_marks, read_zone};
use crate::document::{At, Node, Table, count, text, texts, wrong_type};
use crate::format::{Context, scalar};
use crate::step::{Convert, Given, ItemPlace, Side, Step};
use crate::steps::json::Pointer;
use crate::steps::name::PARTS;
use crate::steps::place::{self, COUNTRY_FORMS, LANGUAGE_FORMS, REGION_FORMS};
use crate::steps::privacy::{Hash, Mask};
use crate::steps::unit::{self, Conversion};
use crate::steps::write::{DateFormat, NumberFormat};
use crate::steps::{currency, date};

/// Reads the argument of a transform of this name.
pub(super) fn read(name: &str, node: Node<'_>, context: &mut Context) -> Option<Step> {
    match name {
        "prefix" | "suffix" | "strip_prefix" | "strip_suffix" => read_affix(name, node, context),
        "pad" => read_pad(node, context),
        "empty_if" => {
            let words: Vec<String> = texts(node, &mut context.report)
                .into_iter()
                .map(|word| word.value.trim().to_lowercase())
                .collect();
            Some(Step::EmptyIf(words.into()))
        }
        "name_part" => {
            let word = text(node, &mut context.report)?;
            context.choice(&word, &PARTS).map(Step::NamePart)
        }
        "country" => {
            let (to, from) = read_forms("`country`", node, &COUNTRY_FORMS, context)?;
            Some(Step::Country { to, from })
        }
        "language" => {
            let (to, from) = read_forms("`language`", node, &LANGUAGE_FORMS, context)?;
            Some(Step::Language { to, from })
        }
        "region" => read_region(node, context),
        "hash" => read_hash(node, context),
        "mask" => read_mask(node, context),
        "lookup" => read_lookup(node, context),
        "item" => read_item(node, context),
        "pointer" => {
            let pointer = text(node, &mut context.report)?;
            match Pointer::parse(&pointer.value) {
                Some(pointer) => Some(Step::Pointer(pointer)),
                None => bad(
                    context,
                    &pointer.span,
                    "a JSON pointer begins with `/`".to_owned(),
                    example("pointer"),
                ),
            }
        }
        "coalesce" => {
            let paths = texts(node, &mut context.report);
            Some(Step::Coalesce(paths.into_iter().map(|path| Side::new(path.value)).collect()))
        }
        "format_number" => read_format_number(node, context),
        "multiply" => {
            let factor = scalar(node, &mut context.report)?;
            match factor.value {
                sync_types::Value::Number(factor) if factor != Decimal::ZERO => Some(Step::Multiply(factor)),
                _ => bad(
                    context,
                    &factor.span,
                    "a factor is a number other than 0".to_owned(),
                    example("multiply"),
                ),
            }
        }
        "unit" => read_unit(node, context),
        "convert" => read_convert(node, context),
        "format_boolean" => {
            let mut table = Table::of("`format_boolean`", node, &mut context.report)?;
            let yes = table.require_text("true", &mut context.report);
            let no = table.require_text("false", &mut context.report);
            let span = table.span().clone();
            table.finish(&mut context.report);
            let (yes, no) = (yes?.value, no?.value);
            if yes.is_empty() || no.is_empty() || yes.to_lowercase() == no.to_lowercase() {
                return bad(
                    context,
                    &span,
                    "the two words are the same or empty".to_owned(),
                    example("format_boolean"),
                );
            }
            Some(Step::FormatBoolean { yes: yes.into(), no: no.into() })
        }
        "to_unix_time" => {
            let word = text(node, &mut context.report)?;
            context.choice(&word, &UNITS_OF_TIME).map(Step::ToUnixTime)
        }
        "format_date" => read_format_date(node, context),
        other => bad(context, &node.span(), format!("`{other}` takes no such argument"), example(other)),
    }
}

fn read_affix(name: &str, node: Node<'_>, context: &mut Context) -> Option<Step> {
    let affix = text(node, &mut context.report)?;
    if affix.value.is_empty() {
        return bad(context, &affix.span, format!("`{name}` of nothing changes nothing"), example(name));
    }
    let affix = affix.value.into_boxed_str();
    Some(match name {
        "prefix" => Step::Prefix(affix),
        "suffix" => Step::Suffix(affix),
        "strip_prefix" => Step::StripPrefix(affix),
        _ => Step::StripSuffix(affix),
    })
}

/// Longest text that `pad` makes, in characters.
const PAD_MAX: u32 = 1_000;

fn read_pad(node: Node<'_>, context: &mut Context) -> Option<Step> {
    let (chars, with) = if let DeValue::Table(_) = node.get_ref() {
        let mut table = Table::of("`pad`", node, &mut context.report)?;
        let chars = table.count("chars", &mut context.report);
        if chars.is_none() {
            table.missing("chars", &mut context.report);
        }
        let with = table.text("with", &mut context.report);
        table.finish(&mut context.report);
        (chars?, with)
    } else {
        (count(node, &mut context.report)?, None)
    };
    if chars.value > PAD_MAX {
        return bad(
            context,
            &chars.span,
            format!("a text is filled up to at most {PAD_MAX} characters"),
            example("pad"),
        );
    }
    let with = match with {
        None => '0',
        Some(with) => one_char(&with, context, "pad")?,
    };
    Some(Step::Pad { chars: chars.value as usize, with })
}

fn one_char(text: &At<String>, context: &mut Context, name: &str) -> Option<char> {
    let mut chars = text.value.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => Some(c),
        _ => bad(context, &text.span, "one character is wanted".to_owned(), example(name)),
    }
}

/// `"form"`, or `{ to = "form", from = "form" }`.
fn read_forms<T: Copy>(
    what: &'static str,
    node: Node<'_>,
    forms: &[(&'static str, T)],
    context: &mut Context,
) -> Option<(T, Option<T>)> {
    if let DeValue::String(_) = node.get_ref() {
        let word = text(node, &mut context.report)?;
        return Some((context.choice(&word, forms)?, None));
    }
    let mut table = Table::of(what, node, &mut context.report)?;
    let to = table.require_text("to", &mut context.report);
    let from = table.text("from", &mut context.report);
    table.finish(&mut context.report);
    let to = context.choice(&to?, forms)?;
    match from {
        Some(from) => Some((to, Some(context.choice(&from, forms)?))),
        None => Some((to, None)),
    }
}

fn read_region(node: Node<'_>, context: &mut Context) -> Option<Step> {
    let mut table = Table::of("`region`", node, &mut context.report)?;
    let country = table.require_text("country", &mut context.report);
    let to = table.require_text("to", &mut context.report);
    let from = table.text("from", &mut context.report);
    table.finish(&mut context.report);
    let country = country?;
    let Some(regions) = place::regions(&country.value) else {
        let remedy = context.report.suggest(
            &country.value,
            place::countries_with_regions(),
            "use a lookup table for other countries",
        );
        return bad(
            context,
            &country.span,
            format!("the regions of `{}` are not known here", country.value),
            remedy,
        );
    };
    let to = context.choice(&to?, &REGION_FORMS)?;
    let from = match from {
        Some(from) => Some(context.choice(&from, &REGION_FORMS)?),
        None => None,
    };
    Some(Step::Region { regions, to, from })
}

fn read_hash(node: Node<'_>, context: &mut Context) -> Option<Step> {
    if let DeValue::String(_) = node.get_ref() {
        let word = text(node, &mut context.report)?;
        context.choice(&word, &[("sha-256", ())])?;
        return Some(Step::Hash(Hash::plain()));
    }
    let mut table = Table::of("`hash`", node, &mut context.report)?;
    let key = table.require_text("key", &mut context.report);
    table.finish(&mut context.report);
    let key = key?;
    match context.functions.key(&key.value).and_then(Hash::keyed) {
        Some(hash) => Some(Step::Hash(hash)),
        None => {
            let known: Vec<String> = context.functions.key_names().map(str::to_owned).collect();
            let remedy = context.report.suggest(
                &key.value,
                known.iter().map(String::as_str),
                "give it in the engagement's program with `Functions::with_key`",
            );
            bad(context, &key.span, format!("there is no key `{}`, or it is empty", key.value), remedy)
        }
    }
}

fn read_mask(node: Node<'_>, context: &mut Context) -> Option<Step> {
    let mut table = Table::of("`mask`", node, &mut context.report)?;
    let mut shown = |key| table.count(key, &mut context.report).map_or(0, |count| count.value as usize);
    let (first, last) = (shown("first"), shown("last"));
    let mark = table.text("mark", &mut context.report);
    table.finish(&mut context.report);
    let mark = match mark {
        Some(mark) => one_char(&mark, context, "mask")?,
        None => '*',
    };
    Some(Step::Mask(Mask { first, last, mark }))
}

fn read_lookup(node: Node<'_>, context: &mut Context) -> Option<Step> {
    let name = text(node, &mut context.report)?;
    context.used_lookups.insert(name.value.clone());
    if let Some(table) = context.lookups.get(&name.value) {
        return Some(Step::Lookup(table.clone()));
    }
    let remedy = context.report.suggest(
        &name.value,
        context.lookups.keys().map(String::as_str),
        &format!("add `[lookups.{}]`", name.value),
    );
    context.report.error(
        "unknown-lookup",
        &name.span,
        format!("there is no lookup table `{}`", name.value),
        remedy,
    );
    None
}

fn read_item(node: Node<'_>, context: &mut Context) -> Option<Step> {
    if let DeValue::String(_) = node.get_ref() {
        let word = text(node, &mut context.report)?;
        return context
            .choice(&word, &[("first", ItemPlace::At(0)), ("last", ItemPlace::Last)])
            .map(Step::Item);
    }
    let place = count(node, &mut context.report)?;
    Some(Step::Item(ItemPlace::At(place.value as usize)))
}

fn read_format_number(node: Node<'_>, context: &mut Context) -> Option<Step> {
    let mut table = Table::of("`format_number`", node, &mut context.report)?;
    let decimal = table.text("decimal", &mut context.report);
    let group = table.text("group", &mut context.report);
    let places = table.count("places", &mut context.report);
    table.finish(&mut context.report);
    let (decimal, group) = read_marks(decimal, group, "format_number", context)?;
    let places = match places {
        Some(places) if places.value > 28 => {
            let reason = "a number has at most 28 places".to_owned();
            return bad(context, &places.span, reason, example("format_number"));
        }
        Some(places) => places.value as usize,
        None => 0,
    };
    Some(Step::FormatNumber(NumberFormat { decimal, group, places }))
}

fn read_unit(node: Node<'_>, context: &mut Context) -> Option<Step> {
    let mut table = Table::of("`unit`", node, &mut context.report)?;
    let from = table.require_text("from", &mut context.report);
    let to = table.require_text("to", &mut context.report);
    let places = table.count("places", &mut context.report);
    let span = table.span().clone();
    table.finish(&mut context.report);
    let mut find = |name: At<String>| match unit::find(&name.value) {
        Some(unit) => Some(unit),
        None => {
            let remedy = context.report.suggest(&name.value, unit::names(), "use one of the reference's");
            bad(context, &name.span, format!("the unit `{}` is not known here", name.value), remedy)
        }
    };
    let (from, to) = (find(from?), find(to?));
    let places = match places {
        Some(places) if places.value > 9 => {
            return bad(
                context,
                &places.span,
                "a conversion has at most 9 places".to_owned(),
                example("unit"),
            );
        }
        Some(places) => places.value,
        None => 6,
    };
    match Conversion::new(from?, to?, places) {
        Some(conversion) => Some(Step::Unit(conversion)),
        None => bad(context, &span, "the two units measure different things".to_owned(), example("unit")),
    }
}

fn read_convert(node: Node<'_>, context: &mut Context) -> Option<Step> {
    let mut table = Table::of("`convert`", node, &mut context.report)?;
    let rates = table.require_text("rates", &mut context.report);
    let mut given = |file: &'static str, field: &'static str| {
        let file = table.text(file, &mut context.report);
        let field = table.text(field, &mut context.report);
        (file, field)
    };
    let (from, to) = (given("from", "from_field"), given("to", "to_field"));
    let on_field = table.text("on_field", &mut context.report);
    let on = table.take("on").and_then(|node| scalar(node, &mut context.report));
    let places = table.count("places", &mut context.report);
    let span = table.span().clone();
    table.finish(&mut context.report);
    let mut code = |(file, field): (Option<At<String>>, Option<At<String>>)| match (file, field) {
        (Some(code), None) => match currency::code(&code.value) {
            Ok(code) => Some(Given::File(code.into())),
            Err(failure) => {
                bad(context, &code.span, failure.reason.into_owned(), "write a code such as `EUR`".to_owned())
            }
        },
        (None, Some(path)) => Some(Given::Record(Side::new(path.value))),
        _ => bad(
            context,
            &span,
            "each currency is given once, by its code or by the field that holds it".to_owned(),
            example("convert"),
        ),
    };
    let (from, to) = (code(from)?, code(to)?);
    let on = match (on, on_field) {
        (None, None) => None,
        (None, Some(path)) => Some(Given::Record(Side::new(path.value))),
        (Some(At { value: sync_types::Value::Date(day), .. }), None) => Some(Given::File(day)),
        _ => {
            let reason = "`on` is one day, or `on_field` the field that holds it".to_owned();
            return bad(
                context,
                &span,
                reason,
                "write `on = 2026-01-31` or `on_field = \"ordered\"`".to_owned(),
            );
        }
    };
    let places = match places {
        Some(places) if places.value > 10 => {
            return bad(
                context,
                &places.span,
                "an amount has at most 10 places".to_owned(),
                example("convert"),
            );
        }
        places => places.map(|places| places.value),
    };
    let rates = rates?;
    context.used_rates.insert(rates.value.clone());
    let Some(found) = context.rates.get(&rates.value).cloned() else {
        let known = context.rates.keys().map(String::as_str);
        let remedy = context.report.suggest(&rates.value, known, &format!("add `[rates.{}]`", rates.value));
        context.report.error(
            "unknown-rates",
            &rates.span,
            format!("there are no rates `{}`", rates.value),
            remedy,
        );
        return None;
    };
    Some(Step::Convert(Box::new(Convert { rates: found, from, to, on, places })))
}

fn read_format_date(node: Node<'_>, context: &mut Context) -> Option<Step> {
    let (format, zone) = if let DeValue::String(_) = node.get_ref() {
        (text(node, &mut context.report)?, None)
    } else if let DeValue::Table(_) = node.get_ref() {
        let mut table = Table::of("`format_date`", node, &mut context.report)?;
        let format = table.require_text("format", &mut context.report);
        let zone = table.text("zone", &mut context.report);
        table.finish(&mut context.report);
        (format?, zone)
    } else {
        wrong_type(node, "a format, or a table with `format` and `zone`", &mut context.report);
        return None;
    };
    let zone = read_zone(zone, context)?;
    let format = read_formats(vec![format], date::bad_output_format, context)?.pop()?;
    Some(Step::FormatDate(DateFormat { format, zone }))
}
