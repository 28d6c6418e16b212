//! `transform = [...]`: names and arguments to steps.

mod arguments;

use jiff::tz::TimeZone;
use toml::de::DeValue;

use super::{Context, scalar};
use crate::document::{At, Node, Table, count, text, texts, wrong_type};
use crate::functions::Functions;
use crate::problem::Span;
use crate::step::{Side, Step};
use crate::steps::boolean::BoolWords;
use crate::steps::date::{self, DateTimeRule, UnixUnit};
use crate::steps::number::NumberRule;
use crate::steps::pattern::Pattern;
use crate::steps::phone::PhoneRule;
use crate::steps::place::{CountryForm, LanguageForm};
use crate::steps::privacy::{Hash, Mask};
use crate::steps::write::NumberFormat;

const UNITS_OF_TIME: [(&str, UnixUnit); 2] =
    [("seconds", UnixUnit::Seconds), ("milliseconds", UnixUnit::Milliseconds)];

/// Every transform: its name, and how it is written with an argument, in the order of the reference.
pub(crate) const TRANSFORMS: [(&str, &str); 53] = [
    ("trim", ""),
    ("collapse_spaces", ""),
    ("lower", ""),
    ("upper", ""),
    ("title", ""),
    ("nfc", ""),
    ("nfkc", ""),
    ("replace", "{ replace = { find = \"_\", with = \" \" } }"),
    ("extract", "{ extract = '(\\d+)' }"),
    ("max_length", "{ max_length = 100 } or { max_length = { chars = 100, over = \"cut\" } }"),
    ("prefix", "{ prefix = \"C-\" }"),
    ("suffix", "{ suffix = \" GmbH\" }"),
    ("strip_prefix", "{ strip_prefix = \"C-\" }"),
    ("strip_suffix", "{ strip_suffix = \" GmbH\" }"),
    ("pad", "{ pad = 8 } or { pad = { chars = 8, with = \"0\" } }"),
    ("empty_if", "{ empty_if = [\"n/a\", \"-\"] }"),
    ("email", ""),
    ("domain", ""),
    ("url", ""),
    (
        "phone",
        "{ phone = \"DE\" } or { phone = { region_field = \"country\", region = \"DE\", extension = \"drop\" } }",
    ),
    ("name_part", "{ name_part = \"last\" }"),
    ("country", "{ country = \"alpha-2\" } or { country = { to = \"alpha-2\", from = \"name\" } }"),
    ("region", "{ region = { country = \"US\", to = \"code\" } }"),
    ("language", "{ language = \"code\" } or { language = { to = \"code\", from = \"name\" } }"),
    ("currency_code", ""),
    ("hash", "{ hash = \"sha-256\" } or { hash = { key = \"people\" } }"),
    ("mask", "{ mask = { last = 4 } }"),
    ("picklist", "{ picklist = \"status\" }"),
    ("lookup", "{ lookup = \"territories\" }"),
    ("split", "{ split = \";\" }"),
    ("join", "{ join = \", \" }"),
    ("item", "{ item = 0 } or { item = \"last\" }"),
    ("parse_json", ""),
    ("write_json", ""),
    ("pointer", "{ pointer = \"/lines/0/sku\" }"),
    ("default", "{ default = \"unknown\" }"),
    ("coalesce", "{ coalesce = [\"private_email\"] }"),
    ("text", ""),
    ("number", "{ number = { decimal = \",\", group = \".\", strip = [\"€\"] } }"),
    ("format_number", "{ format_number = { decimal = \",\", group = \".\", places = 2 } }"),
    ("round", "{ round = 2 }"),
    ("multiply", "{ multiply = 0.01 }"),
    ("unit", "{ unit = { from = \"lb\", to = \"kg\", places = 3 } }"),
    ("convert", "{ convert = { rates = \"ecb\", from_field = \"currency\", to = \"EUR\" } }"),
    ("boolean", "{ boolean = { true = [\"ja\"], false = [\"nein\"] } }"),
    ("format_boolean", "{ format_boolean = { true = \"ja\", false = \"nein\" } }"),
    ("date", "{ date = [\"%d.%m.%Y\"] }"),
    (
        "date_time",
        "{ date_time = [\"%d.%m.%Y %H:%M\"] } or { date_time = { formats = [\"…\"], zone = \"Europe/Berlin\" } }",
    ),
    ("unix_time", "{ unix_time = \"seconds\" }"),
    ("to_unix_time", "{ to_unix_time = \"seconds\" }"),
    ("to_date", "{ to_date = \"Europe/Berlin\" }"),
    ("format_date", "{ format_date = \"%d.%m.%Y\" } or { format_date = { format = \"…\", zone = \"…\" } }"),
    ("function", "{ function = \"name\" }"),
];

/// Every transform's name, in the order of the reference; functions of the engagement's own not among them.
pub fn transforms() -> impl Iterator<Item = &'static str> + Clone {
    TRANSFORMS.iter().map(|(name, _)| *name)
}

fn names(functions: &Functions) -> impl Iterator<Item = &'static str> + Clone {
    transforms().chain(functions.names())
}

fn known(name: &str) -> bool {
    TRANSFORMS.iter().any(|(known, _)| *known == name)
}

/// Most transforms of a chain.
const STEPS_MAX: usize = 100;

/// Most formats of a date or date-time.
const FORMATS_MAX: usize = 20;

pub(super) fn read_chain(node: Node<'_>, context: &mut Context) -> Vec<At<Step>> {
    match node.get_ref() {
        DeValue::Array(items) if items.len() > STEPS_MAX => {
            let reason = format!("a value goes through at most {STEPS_MAX} transforms");
            context.report.error("too-many", &node.span(), reason, "write a function of your own for it");
            Vec::new()
        }
        DeValue::Array(items) => items.iter().filter_map(|item| read_step(item, context)).collect(),
        DeValue::String(_) | DeValue::Table(_) => read_step(node, context).into_iter().collect(),
        _ => {
            wrong_type(node, "a list of transforms", &mut context.report);
            Vec::new()
        }
    }
}

/// A name, or a table with the name as its only key and the arguments as its value.
fn read_step(node: Node<'_>, context: &mut Context) -> Option<At<Step>> {
    let span = node.span();
    let (name, argument) = match node.get_ref() {
        DeValue::String(_) => (text(node, &mut context.report)?, None),
        DeValue::Table(_) => {
            let mut entries = Table::of("a transform", node, &mut context.report)?.take_all();
            if entries.len() != 1 {
                context.report.error(
                    "bad-argument",
                    &span,
                    format!("a transform is a table with one key, its name, not {}", entries.len()),
                    "write one table for each transform: `[{ max_length = 100 }, { phone = \"DE\" }]`",
                );
                return None;
            }
            let (name, argument) = entries.pop()?;
            (At { value: name.value.to_owned(), span: name.span }, Some(argument))
        }
        _ => {
            wrong_type(node, "a transform's name or a table", &mut context.report);
            return None;
        }
    };
    let value = match argument {
        None => bare(&name, context)?,
        Some(argument) => with_argument(&name, argument, context)?,
    };
    Some(At { value, span })
}

fn bare(name: &At<String>, context: &mut Context) -> Option<Step> {
    Some(match name.value.as_str() {
        "trim" => Step::Trim,
        "collapse_spaces" => Step::CollapseSpaces,
        "lower" => Step::Lower,
        "upper" => Step::Upper,
        "title" => Step::Title,
        "nfc" => Step::Nfc,
        "nfkc" => Step::Nfkc,
        "currency_code" => Step::CurrencyCode,
        "country" => Step::Country { to: CountryForm::Alpha2, from: None },
        "language" => Step::Language { to: LanguageForm::Code, from: None },
        "hash" => Step::Hash(Hash::plain()),
        "mask" => Step::Mask(Mask { first: 0, last: 0, mark: '*' }),
        "parse_json" => Step::ParseJson,
        "write_json" => Step::WriteJson,
        "format_number" => Step::FormatNumber(NumberFormat { decimal: '.', group: None, places: 0 }),
        "format_boolean" => Step::FormatBoolean { yes: "true".into(), no: "false".into() },
        "to_unix_time" => Step::ToUnixTime(UnixUnit::Milliseconds),
        "email" => Step::Email,
        "domain" => Step::Domain,
        "url" => Step::Url,
        "phone" => Step::Phone(PhoneRule { region: context.region, ..PhoneRule::default() }),
        "text" => Step::ToText,
        "number" => Step::Number(NumberRule::default()),
        "round" => Step::Round(0),
        "boolean" => Step::Boolean(BoolWords::default()),
        "date" => Step::Date(Vec::new().into()),
        "date_time" => Step::DateTime(DateTimeRule { formats: Vec::new(), zone: context.zone.clone() }),
        "to_date" if context.zone.is_some() => Step::ToDate(context.zone.clone()?),
        "split" => Step::Split(";".into()),
        "join" => Step::Join(", ".into()),
        needs if known(needs) => {
            return bad(context, &name.span, format!("`{needs}` needs an argument"), example(needs));
        }
        own => return registered(own, &name.span, context),
    })
}

fn with_argument(name: &At<String>, node: Node<'_>, context: &mut Context) -> Option<Step> {
    match name.value.as_str() {
        "replace" => {
            let mut table = Table::of("`replace`", node, &mut context.report)?;
            let find = table.require_text("find", &mut context.report);
            let with = table.require_text("with", &mut context.report);
            table.finish(&mut context.report);
            let find = find?;
            if find.value.is_empty() {
                return bad(context, &find.span, "nothing to find".to_owned(), example("replace"));
            }
            Some(Step::Replace { find: find.value.into(), with: with?.value.into() })
        }
        "extract" => {
            let pattern = text(node, &mut context.report)?;
            match Pattern::compile(&pattern.value) {
                Ok(pattern) => Some(Step::Extract(Box::new(pattern))),
                Err(reason) => bad(
                    context,
                    &pattern.span,
                    format!("not a regular expression: {reason}"),
                    example("extract"),
                ),
            }
        }
        "max_length" => read_max_length(node, context),
        "phone" => read_phone(node, context),
        "number" => read_number(node, context),
        "round" => {
            let places = count(node, &mut context.report)?;
            if places.value > 28 {
                return bad(
                    context,
                    &places.span,
                    "a number has at most 28 places".to_owned(),
                    example("round"),
                );
            }
            Some(Step::Round(places.value))
        }
        "boolean" => {
            let mut table = Table::of("`boolean`", node, &mut context.report)?;
            let mut words = |key| {
                let words = table.texts(key, &mut context.report).unwrap_or_default();
                words.into_iter().map(|word| word.value.to_lowercase()).collect::<Vec<_>>()
            };
            let (yes, no) = (words("true"), words("false"));
            let span = table.span().clone();
            table.finish(&mut context.report);
            if yes.is_empty() || no.is_empty() || yes.iter().any(|word| no.contains(word)) {
                let reason = "`boolean` needs words for true and other words for false".to_owned();
                return bad(context, &span, reason, example("boolean"));
            }
            Some(Step::Boolean(BoolWords { yes, no }))
        }
        "date" => {
            let formats = read_formats(texts(node, &mut context.report), date::bad_date_format, context)?;
            Some(Step::Date(formats.into()))
        }
        "date_time" => {
            let (formats, zone) = if let DeValue::Table(_) = node.get_ref() {
                let mut table = Table::of("`date_time`", node, &mut context.report)?;
                let formats = table.texts("formats", &mut context.report).unwrap_or_default();
                let zone = table.text("zone", &mut context.report);
                table.finish(&mut context.report);
                (formats, zone)
            } else {
                (texts(node, &mut context.report), None)
            };
            let formats = read_formats(formats, date::bad_date_time_format, context)?;
            let zone = read_zone(zone, context)?;
            Some(Step::DateTime(DateTimeRule { formats, zone }))
        }
        "unix_time" => {
            let word = text(node, &mut context.report)?;
            context.choice(&word, &UNITS_OF_TIME).map(Step::UnixTime)
        }
        "to_date" => {
            let name = text(node, &mut context.report)?;
            context.zone(&name).map(Step::ToDate)
        }
        "picklist" => {
            let name = text(node, &mut context.report)?;
            if let Some(table) = context.picklists.get(&name.value) {
                context.used_picklists.insert(name.value);
                return Some(Step::Picklist(table.clone()));
            }
            let known = context.picklists.keys().map(String::as_str);
            let remedy =
                context.report.suggest(&name.value, known, &format!("add `[picklists.{}]`", name.value));
            context.report.error(
                "unknown-picklist",
                &name.span,
                format!("there is no picklist `{}`", name.value),
                remedy,
            );
            None
        }
        "split" | "join" => {
            let separator = text(node, &mut context.report)?;
            if separator.value.is_empty() && name.value == "split" {
                return bad(context, &separator.span, "the separator is empty".to_owned(), example("split"));
            }
            let separator = separator.value.into_boxed_str();
            Some(if name.value == "split" { Step::Split(separator) } else { Step::Join(separator) })
        }
        "default" => scalar(node, &mut context.report).map(|value| Step::Default(value.value)),
        "function" => {
            let name = text(node, &mut context.report)?;
            registered(&name.value, &name.span, context)
        }
        plain if known(plain) && example_of(plain).is_empty() => {
            bad(context, &node.span(), format!("`{plain}` takes no argument"), format!("write \"{plain}\""))
        }
        other if known(other) => arguments::read(other, node, context),
        own if context.functions.find(own).is_some() => bad(
            context,
            &node.span(),
            format!("the function `{own}` takes no argument"),
            format!("write \"{own}\""),
        ),
        own => registered(own, &name.span, context),
    }
}

fn read_max_length(node: Node<'_>, context: &mut Context) -> Option<Step> {
    if let DeValue::Integer(_) = node.get_ref() {
        let chars = count(node, &mut context.report)?.value as usize;
        return Some(Step::MaxLength { chars, cut: false });
    }
    let mut table = Table::of("`max_length`", node, &mut context.report)?;
    let chars = table.count("chars", &mut context.report);
    if chars.is_none() {
        table.missing("chars", &mut context.report);
    }
    let over = table.text("over", &mut context.report);
    table.finish(&mut context.report);
    let cut = match over {
        Some(word) => context.choice(&word, &[("reject", false), ("cut", true)])?,
        None => false,
    };
    Some(Step::MaxLength { chars: chars?.value as usize, cut })
}

fn read_phone(node: Node<'_>, context: &mut Context) -> Option<Step> {
    if let DeValue::String(_) = node.get_ref() {
        let code = text(node, &mut context.report)?;
        let region = context.region(&code)?;
        return Some(Step::Phone(PhoneRule { region: Some(region), ..PhoneRule::default() }));
    }
    let mut table = Table::of("`phone`", node, &mut context.report)?;
    let code = table.text("region", &mut context.report);
    let field = table.text("region_field", &mut context.report);
    let extension = table.text("extension", &mut context.report);
    table.finish(&mut context.report);
    let region = match code {
        Some(code) => Some(context.region(&code)?),
        None => context.region,
    };
    let drop_extension = match extension {
        Some(word) => context.choice(&word, &[("reject", false), ("drop", true)])?,
        None => false,
    };
    let field = field.map(|path| Side::new(path.value));
    Some(Step::Phone(PhoneRule { region, field, drop_extension }))
}

fn read_number(node: Node<'_>, context: &mut Context) -> Option<Step> {
    let mut table = Table::of("`number`", node, &mut context.report)?;
    let decimal = table.text("decimal", &mut context.report);
    let group = table.text("group", &mut context.report);
    let strip = table.texts("strip", &mut context.report).unwrap_or_default();
    table.finish(&mut context.report);
    let (decimal, group) = read_marks(decimal, group, "number", context)?;
    let strip = strip.into_iter().map(|unit| unit.value).filter(|unit| !unit.is_empty()).collect();
    Some(Step::Number(NumberRule { decimal, group, strip }))
}

/// The decimal mark and the one between thousands, which are different ones.
fn read_marks(
    decimal: Option<At<String>>,
    group: Option<At<String>>,
    name: &str,
    context: &mut Context,
) -> Option<(char, Option<char>)> {
    let decimal = match decimal {
        Some(mark) => mark_of(&mark, name, context)?,
        None => '.',
    };
    match group {
        Some(mark) if mark.value.starts_with(decimal) => {
            bad(context, &mark.span, "`group` and `decimal` are the same mark".to_owned(), example(name))
        }
        Some(mark) => Some((decimal, Some(mark_of(&mark, name, context)?))),
        None => Some((decimal, None)),
    }
}

/// The zone that a transform names, else the mapping's.
fn read_zone(name: Option<At<String>>, context: &mut Context) -> Option<Option<TimeZone>> {
    match name {
        Some(name) => Some(Some(context.zone(&name)?)),
        None => Some(context.zone.clone()),
    }
}

/// One character that is no digit or sign.
fn mark_of(mark: &At<String>, name: &str, context: &mut Context) -> Option<char> {
    let mut chars = mark.value.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) if !c.is_alphanumeric() && c != '-' && c != '+' => Some(c),
        _ => bad(
            context,
            &mark.span,
            "a mark is one character, and no digit or sign".to_owned(),
            example(name),
        ),
    }
}

fn read_formats(
    formats: Vec<At<String>>,
    fault: fn(&str) -> Option<String>,
    context: &mut Context,
) -> Option<Vec<String>> {
    if let Some(first) = formats.get(FORMATS_MAX) {
        let reason = format!("a transform has at most {FORMATS_MAX} formats");
        context.report.error("too-many", &first.span, reason, "keep those that the source writes");
        return None;
    }
    let mut fine = true;
    for format in &formats {
        if let Some(reason) = fault(&format.value) {
            fine = false;
            bad::<()>(
                context,
                &format.span,
                format!("`{}` cannot be used as a format: {reason}", format.value),
                "use strptime codes such as `%d.%m.%Y` or `%Y-%m-%d %H:%M:%S`".to_owned(),
            );
        }
    }
    fine.then(|| formats.into_iter().map(|format| format.value).collect())
}

fn bad<T>(context: &mut Context, span: &Span, reason: String, remedy: String) -> Option<T> {
    context.report.error("bad-argument", span, reason, remedy);
    None
}

/// How a transform with an argument is written.
fn example(name: &str) -> String {
    format!("write {}", example_of(name))
}

fn example_of(name: &str) -> &'static str {
    TRANSFORMS.iter().find(|(known, _)| *known == name).map_or("", |(_, example)| *example)
}

/// A function of the engagement's own.
fn registered(name: &str, span: &Span, context: &mut Context) -> Option<Step> {
    if let Some(function) = context.functions.find(name) {
        return Some(Step::Function(function.clone()));
    }
    let remedy = context.report.suggest(
        name,
        names(&context.functions),
        "use one of the reference's, or register it as a function",
    );
    context.report.error("unknown-transform", span, format!("there is no transform `{name}`"), remedy);
    None
}
