//! The laws on generated values: for every transform that has a way back, and for chains of them.

use std::cell::Cell;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::BoxedStrategy;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};
use rust_decimal::Decimal;
use sync_types::{ExternalId, ObjectType, PropertyKind, Record, Shape, Value};

use super::prove;
use crate::flow::Ty;
use crate::format::{self, OnBad};
use crate::functions::{Functions, Refusal, ValueKind};
use crate::inverse::compile;
use crate::path::{Path, Paths};
use crate::plan::{EmptyPlan, FieldPlan, LinkPlan, PlaceCache, SourcePlan, TemplatePlan};
use crate::property::{Form, Limits, TEXT_CHARS_MAX};
use crate::step::Step;

const CASES: u32 = 10_000;

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        max_global_rejects: cases * 50,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(7),
        ..Config::default()
    })
}

/// The chain that a mapping file would have for this.
pub(crate) fn chain(transforms: &str) -> Vec<Step> {
    let file = format!(
        "[mapping]\nname = 'x'\nregion = 'DE'\nzone = 'Europe/Berlin'\n[[links]]\nname = 'l'\ncollection = 'c'\n\
         object = 'contacts'\nfields = [{{ from = 'x', to = 'x', transform = [{transforms}] }}]\n\
         [picklists.p]\nignore_case = true\nmap = {{ Rot = 'red', 'grün' = 'green', Blau = 'blue' }}\n\
         [lookups.l]\ncsv = '''nr,name\n1,one\n2,two\n3,three\n'''\nkey = 'nr'\nvalue = 'name'\n"
    );
    let text = |change: fn(&str) -> String| {
        move |value: &Value| match value.as_text() {
            Some(text) => Ok(Value::text(change(text))),
            None => Err(Refusal::new("no text", "give text")),
        }
    };
    let reverse: fn(&str) -> String = |text| text.chars().rev().collect();
    let functions = Functions::new().with_both(
        "reversed",
        ValueKind::Text,
        ValueKind::Text,
        text(reverse),
        text(reverse),
    );
    let (doc, problems) = format::read_alone(&file, &functions);
    assert!(!problems.has_errors(), "{problems}");
    doc.unwrap().links.remove(0).fields.remove(0).chain.into_iter().map(|step| step.value).collect()
}

/// What the chain gives from a start.
fn end(steps: &[Step], start: Ty) -> Option<Ty> {
    steps.iter().try_fold(start, |kind, step| step.gives(kind).ok())
}

/// A link of one field with this chain and source, and its way back if it has one.
struct Field {
    link: LinkPlan,
}

impl Field {
    fn new(source: SourcePlan, paths: &[&str], steps: Vec<Step>, start: Ty) -> Result<Field, String> {
        let kind = end(&steps, start).ok_or("the kinds do not fit")?.natural_kind();
        let object = ObjectType::from("contacts");
        let limits =
            Limits { kind, form: Form::of(&object, "x", kind), length_max: TEXT_CHARS_MAX, options: None };
        let mut field = FieldPlan {
            property: String::from("x"),
            source,
            steps,
            when_empty: EmptyPlan::Clear,
            on_bad: OnBad::Reject,
            required: false,
            limits,
            back: None,
        };
        let back = compile(&field, start).map_err(|reason| reason.reason.into_owned())?;
        let mut link = LinkPlan {
            paths: Paths::of(paths),
            scope: Vec::new(),
            fields: Vec::new(),
            edges: Vec::new(),
            places: PlaceCache::default(),
            secret: crate::path::Marked::default(),
        };
        prove(&link, &field, &back, &[], &[]).map_err(|counterexample| counterexample.to_string())?;
        field.back = Some(back);
        link.fields.push(field);
        Ok(Field { link })
    }

    fn forward(&self, values: &[Value]) -> Option<Value> {
        let shape = Shape::new(self.link.paths.iter().map(|path| path.text.as_str()));
        let record = Record::new(ExternalId::new("1"), shape, values.to_vec());
        self.link
            .run_field(&self.link.fields[0], &record, &self.link.places(record.shape()), None)
            .ok()
            .flatten()
    }

    /// What is left in the source after the value was brought back to an empty record.
    fn back(&self, value: &Value) -> Option<Vec<Value>> {
        let written = self.link.back(0, value).ok()?;
        let of = |path: &Path| {
            written.iter().find(|field| *field.path == *path.text).map(|field| field.value.clone())
        };
        Some(self.link.paths.iter().map(|path| of(path).unwrap_or(Value::Null)).collect())
    }

    fn canonical(&self, value: Value) -> Value {
        let field = &self.link.fields[0];
        self.link.respelled(field, field.limits.form.canonical(value))
    }

    /// What the source holds comes back to something that maps to the same value. Whether the value was taken.
    fn comes_back(&self, values: &[Value]) -> Result<bool, TestCaseError> {
        let Some(shown) = self.forward(values) else { return Ok(false) };
        prop_assert_eq!(&self.canonical(shown.clone()), &shown, "mapped values are in the compared writing");
        let Some(back) = self.back(&shown) else {
            return Err(TestCaseError::fail(format!("no way back for {}", shown.reveal())));
        };
        let again = self.forward(&back);
        prop_assert!(again.as_ref() == Some(&shown), "{} came back as another value", shown.reveal());
        Ok(true)
    }

    /// The compared writing is idempotent, and what comes back from the right maps to the same.
    fn keeps_the_right(&self, shown: Value) -> Result<(), TestCaseError> {
        let once = self.canonical(shown);
        prop_assert_eq!(&self.canonical(once.clone()), &once, "canonical values are idempotent");
        if let Some(back) = self.back(&once) {
            prop_assert!(
                self.forward(&back).as_ref() == Some(&once),
                "{} is another value in the source",
                once.reveal()
            );
        }
        Ok(())
    }
}

fn texts(pattern: &'static str) -> BoxedStrategy<Value> {
    proptest::string::string_regex(pattern).unwrap().prop_map(Value::text).boxed()
}

fn words(words: &'static [&'static str]) -> BoxedStrategy<Value> {
    proptest::sample::select(words).prop_map(Value::text).boxed()
}

fn decimals() -> BoxedStrategy<Value> {
    (-1_000_000_000_000_i64..1_000_000_000_000, 0_u32..6)
        .prop_map(|(digits, places)| Value::Number(Decimal::new(digits, places)))
        .boxed()
}

fn days() -> BoxedStrategy<Value> {
    (-30_000_i64..60_000)
        .prop_map(|days| {
            let day = jiff::civil::date(1970, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
            Value::Date(day)
        })
        .boxed()
}

fn moments() -> BoxedStrategy<Value> {
    (-2_000_000_000_000_i64..4_000_000_000_000)
        .prop_map(|millis| Value::DateTime(jiff::Timestamp::from_millisecond(millis).unwrap()))
        .boxed()
}

fn lists() -> BoxedStrategy<Value> {
    proptest::collection::vec(texts("[a-zA-Z0-9äß ]{1,6}"), 0..4).prop_map(Value::List).boxed()
}

/// Days and moments in a written form.
fn written(format: &'static str, values: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    values
        .prop_map(move |value| match value {
            Value::Date(day) => Value::from(jiff::fmt::strtime::format(format, day).unwrap()),
            Value::DateTime(moment) => {
                let zone = jiff::tz::TimeZoneDatabase::bundled().get("Europe/Berlin").unwrap();
                Value::from(jiff::fmt::strtime::format(format, &moment.to_zoned(zone)).unwrap())
            }
            other => other,
        })
        .boxed()
}

fn any_text() -> BoxedStrategy<Value> {
    prop_oneof![
        4 => texts("[a-zA-Z0-9 .,;@+/:-]{0,14}"),
        3 => texts("\\PC{0,10}"),
        2 => texts("[ \t\u{a0}]{0,2}[a-zA-ZäöüÄÖÜßéİıΣςﬁ']{1,8}[ ]{0,2}[a-z]{0,4}"),
    ]
    .boxed()
}

/// Everything at once, for chains of which it is not known what they take.
fn anything() -> BoxedStrategy<Value> {
    prop_oneof![
        3 => any_text(),
        1 => emails(),
        1 => texts("(https?://)?(www\\.)?[a-z]{2,8}\\.(de|com)(/[a-z]{0,4})?"),
        1 => phones(),
        2 => texts("-?[0-9]{1,9}([.,][0-9]{1,4})?"),
        1 => written("%d.%m.%Y", days()),
        1 => written("%Y-%m-%d", days()),
        1 => written("%d.%m.%Y %H:%M", moments()),
        1 => words(&["Rot", "grün", "blau", "1", "2", "3", "yes", "no", "ja", "nein", "DE", "Germany", "n/a", "EUR", "de"]),
        1 => decimals(),
        1 => days(),
        1 => moments(),
        1 => lists(),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => Just(Value::Null),
    ]
    .boxed()
}

fn emails() -> BoxedStrategy<Value> {
    texts("[ ]?[A-Za-z0-9]{1,8}([.+_-][a-zA-Z0-9]{1,4})?@(Bücher|[A-Za-z0-9]{1,8})\\.(com|DE|co\\.uk)")
}

fn phones() -> BoxedStrategy<Value> {
    texts("(\\+49 ?(\\(0\\))?|0049 ?|0)30[ /-]{0,2}[0-9]{3,4}[ -]?[0-9]{2,4}")
}

/// Every transform that has a way back: as the file writes it, what the source holds, and what is tried.
fn invertible() -> Vec<(&'static str, Ty, BoxedStrategy<Value>)> {
    let number = || texts("-?[0-9]{1,12}(\\.[0-9]{1,6})?");
    vec![
        ("'trim'", Ty::Text, any_text()),
        ("'collapse_spaces'", Ty::Text, any_text()),
        ("'lower'", Ty::Text, any_text()),
        ("'upper'", Ty::Text, any_text()),
        ("'title'", Ty::Text, any_text()),
        ("'nfc'", Ty::Text, any_text()),
        ("'nfkc'", Ty::Text, any_text()),
        ("{ max_length = 20 }", Ty::Text, any_text()),
        ("{ prefix = 'C-' }", Ty::Text, any_text()),
        ("{ suffix = ' GmbH' }", Ty::Text, any_text()),
        ("{ strip_prefix = 'C-' }", Ty::Text, texts("(C-){0,2}[a-zC-]{0,5}")),
        ("{ strip_suffix = '-X' }", Ty::Text, texts("[a-zX-]{0,5}(-X){0,2}")),
        ("{ pad = 6 }", Ty::Text, any_text()),
        (
            "{ empty_if = ['n/a', '-'] }",
            Ty::Text,
            prop_oneof![words(&["N/A", "-", " - "]), any_text()].boxed(),
        ),
        ("'email'", Ty::Text, emails()),
        ("'domain'", Ty::Text, texts("(https?://)?(www\\.)?[a-zA-Z0-9]{1,8}\\.(de|com)(/[a-z]{0,4})?")),
        ("'url'", Ty::Text, texts("(https?://)?[a-zA-Z0-9]{1,8}\\.(de|com)(/[ a-zA-Z0-9%ä?#&=]{0,8})?")),
        ("'phone'", Ty::Text, phones()),
        (
            "'country'",
            Ty::Text,
            words(&["DE", "Germany", "deu", "276", "UK", "United States of America", "FR", "nl", "Holland"]),
        ),
        (
            "{ country = { to = 'name', from = 'alpha-3' } }",
            Ty::Text,
            words(&["DEU", "GBR", "USA", "KOR", "CZE", "NLD", "VNM", "COD", "ALA"]),
        ),
        (
            "{ region = { country = 'US', to = 'code', from = 'name' } }",
            Ty::Text,
            words(&["Texas", "NY", "US-CA", "ohio"]),
        ),
        ("'language'", Ty::Text, words(&["de", "German", "deu", "pt_BR", "en-us", "french"])),
        (
            "{ language = { to = 'code', from = 'name' } }",
            Ty::Text,
            words(&["German", "English", "de", "fr"]),
        ),
        ("'currency_code'", Ty::Text, words(&["eur", "USD", " gbp "])),
        ("{ picklist = 'p' }", Ty::Text, words(&["Rot", "ROT", "grün", "GRÜN", "blau"])),
        ("{ lookup = 'l' }", Ty::Text, words(&["1", "2", "3"])),
        ("{ split = '|' }", Ty::Text, texts("[a-z ;,|]{0,12}")),
        ("{ join = ', ' }", Ty::List, lists()),
        (
            "'parse_json', 'write_json'",
            Ty::Text,
            texts("\\{\"a\":( ?[0-9]{1,3}(\\.[0-9])?| ?\"[a-z]{0,3}\"|\\[1, ?2\\]|null)\\}"),
        ),
        ("'text'", Ty::Number, decimals()),
        ("'text'", Ty::Date, days()),
        ("'text'", Ty::DateTime, moments()),
        ("'text'", Ty::Bool, any::<bool>().prop_map(Value::Bool).boxed()),
        ("'number'", Ty::Text, number()),
        ("'number'", Ty::Number, decimals()),
        ("'number'", Ty::Any, prop_oneof![number(), decimals()].boxed()),
        (
            "{ number = { decimal = ',', group = '.', strip = ['€'] } }",
            Ty::Text,
            texts("-?(€ ?)?[1-9][0-9]{0,2}(\\.[0-9]{3}){0,2}(,[0-9]{1,2})?"),
        ),
        ("{ format_number = { decimal = ',', group = '.', places = 2 } }", Ty::Number, decimals()),
        ("{ multiply = 0.01 }", Ty::Number, decimals()),
        ("{ unit = { from = 'lb', to = 'kg' } }", Ty::Number, decimals()),
        ("{ unit = { from = 'f', to = 'c', places = 2 } }", Ty::Number, decimals()),
        ("'boolean'", Ty::Text, words(&["yes", "No", "TRUE", "0", "1", " y "])),
        ("'boolean'", Ty::Number, prop_oneof![Just(Value::from(0)), Just(Value::from(1))].boxed()),
        ("{ boolean = { true = ['ja', 'j'], false = ['nein'] } }", Ty::Text, words(&["ja", "J", "nein"])),
        (
            "{ format_boolean = { true = 'ja', false = 'nein' } }",
            Ty::Bool,
            any::<bool>().prop_map(Value::Bool).boxed(),
        ),
        ("'date'", Ty::Text, written("%Y-%m-%d", days())),
        (
            "{ date = ['%d.%m.%Y', '%Y-%m-%d'] }",
            Ty::Text,
            prop_oneof![written("%-d.%-m.%Y", days()), written("%Y-%m-%d", days())].boxed(),
        ),
        ("{ format_date = '%d.%m.%Y' }", Ty::Date, days()),
        ("'date_time'", Ty::Text, written("%Y-%m-%dT%H:%M:%S%:z", moments())),
        ("'date_time'", Ty::DateTime, moments()),
        ("{ date_time = { formats = ['%d.%m.%Y %H:%M'] } }", Ty::Text, written("%d.%m.%Y %H:%M", moments())),
        (
            "{ date_time = { formats = ['%d.%m.%Y %H:%M:%S %z'] } }",
            Ty::Text,
            written("%d.%m.%Y %H:%M:%S %z", moments()),
        ),
        ("{ unix_time = 'seconds' }", Ty::Number, (0_i64..4_000_000_000).prop_map(Value::from).boxed()),
        ("{ unix_time = 'milliseconds' }", Ty::Text, texts("1[0-9]{12}")),
        ("{ to_unix_time = 'seconds' }", Ty::DateTime, moments()),
        ("'reversed'", Ty::Text, texts("[a-zäß]{0,8}")),
    ]
}

/// A part of the table, so that the parts run side by side.
fn laws_hold(part: usize) {
    let table = invertible();
    for (transform, start, values) in table.into_iter().skip(part).step_by(4) {
        let field = Field::new(SourcePlan::First(vec![0]), &["x"], chain(transform), start)
            .unwrap_or_else(|reason| panic!("{transform} from {start:?}: {reason}"));
        let outcome = runner(CASES).run(&values, |value| {
            prop_assume!(field.comes_back(&[value])?);
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{transform} from {start:?}: {error}"));
        let right = prop_oneof![3 => any_text(), 1 => values, 1 => anything()];
        let outcome = runner(CASES / 4).run(&right, |value| field.keeps_the_right(value));
        outcome.unwrap_or_else(|error| panic!("{transform} to {start:?}: {error}"));
    }
}

#[test]
fn every_inverse_keeps_the_laws_1() {
    laws_hold(0);
}

#[test]
fn every_inverse_keeps_the_laws_2() {
    laws_hold(1);
}

#[test]
fn every_inverse_keeps_the_laws_3() {
    laws_hold(2);
}

#[test]
fn every_inverse_keeps_the_laws_4() {
    laws_hold(3);
}

/// What chains are made of: every transform, with a way back or without.
const PIECES: [&str; 48] = [
    "'trim'",
    "'collapse_spaces'",
    "'lower'",
    "'upper'",
    "'title'",
    "'nfc'",
    "'nfkc'",
    "{ replace = { find = ' ', with = '-' } }",
    "{ extract = '[a-z]+' }",
    "{ max_length = 8 }",
    "{ max_length = { chars = 5, over = 'cut' } }",
    "{ prefix = 'C-' }",
    "{ suffix = ';' }",
    "{ strip_prefix = 'C-' }",
    "{ strip_suffix = ' ' }",
    "{ pad = 6 }",
    "{ pad = { chars = 4, with = ' ' } }",
    "{ empty_if = ['n/a', 'c-'] }",
    "'email'",
    "'domain'",
    "'url'",
    "'phone'",
    "'country'",
    "{ country = { to = 'name', from = 'alpha-2' } }",
    "'language'",
    "{ picklist = 'p' }",
    "{ lookup = 'l' }",
    "{ split = ';' }",
    "{ split = ',' }",
    "{ join = '; ' }",
    "{ join = ' ' }",
    "{ item = 0 }",
    "'parse_json'",
    "'write_json'",
    "'text'",
    "'number'",
    "{ number = { decimal = ',', group = '.' } }",
    "{ format_number = { decimal = ',', places = 2 } }",
    "'round'",
    "{ multiply = 0.5 }",
    "'boolean'",
    "'date'",
    "{ date = ['%d.%m.%Y', '%d.%m.%y'] }",
    "{ format_date = '%d.%m.%Y' }",
    "'date_time'",
    "{ date_time = { formats = ['%d.%m.%Y %H:%M'] } }",
    "{ unix_time = 'seconds' }",
    "'to_date'",
];

#[test]
fn no_generated_value_breaks_a_chain_that_is_accepted() {
    let pieces: Arc<Vec<Step>> = Arc::new(PIECES.iter().flat_map(|piece| chain(piece)).collect());
    const STARTS: [Ty; 6] = [Ty::Text, Ty::Any, Ty::Number, Ty::List, Ty::DateTime, Ty::Date];
    let chains = (proptest::collection::vec(0..pieces.len(), 1..5), proptest::sample::select(&STARTS[..]));
    let values = proptest::collection::vec(anything(), 12);
    let accepted = Cell::new(0_u32);
    let taken = Cell::new(0_u32);
    // Most chains do not fit or lose something; what counts is how many are accepted.
    let outcome = runner(16_000).run(&(chains, values), |((places, start), values)| {
        let steps: Vec<Step> = places.iter().map(|place| pieces[*place].clone()).collect();
        let names: Vec<&str> = places.iter().map(|place| PIECES[*place]).collect();
        let Ok(field) = Field::new(SourcePlan::First(vec![0]), &["x"], steps, start) else { return Ok(()) };
        accepted.set(accepted.get() + 1);
        for value in values {
            if !field.link.fields[0].back.as_ref().is_some_and(|back| back.may_start_with(&value)) {
                continue;
            }
            let shown = value.reveal().to_string();
            let outcome = field.comes_back(std::slice::from_ref(&value)).and_then(|seen| {
                taken.set(taken.get() + u32::from(seen));
                field.keeps_the_right(value)
            });
            outcome.map_err(|error| {
                TestCaseError::fail(format!("[{}] of {shown:?}: {error}", names.join(", ")))
            })?;
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    let (accepted, taken) = (accepted.get(), taken.get());
    assert!(accepted > 1_000 && taken > CASES, "{accepted} chains with {taken} values are too few");
}

#[test]
fn several_paths_come_back_where_their_values_can_be_told_apart() {
    let text = |text: &str| TemplatePlan::Text(text.to_owned());
    let template = SourcePlan::Template(vec![
        text("<"),
        TemplatePlan::Path(0),
        text(" / "),
        TemplatePlan::Path(1),
        text(">"),
    ]);
    let field = Field::new(template, &["a.b", "c"], Vec::new(), Ty::Text).unwrap();
    assert_eq!(field.back(&"<x / y>".into()), Some(vec!["x".into(), "y".into()]));
    assert_eq!(field.back(&Value::Null), Some(vec![Value::Null, Value::Null]));
    for odd in ["x / y", "<x>", "<x / y / z>", "<x / y> ", "< / >"] {
        assert_eq!(field.back(&odd.into()), None, "{odd}");
    }
    let part = || texts("[a-z ]{1,6}");
    let outcome = runner(CASES).run(&(part(), part()), |(a, b)| {
        prop_assume!(a != " ".into() && b != " ".into());
        prop_assert!(field.comes_back(&[a, b])?);
        Ok(())
    });
    outcome.unwrap();

    let concat = SourcePlan::Concat(vec![0, 1], String::from(", "));
    let field = Field::new(concat, &["a", "b"], Vec::new(), Ty::Text).unwrap();
    assert_eq!(field.back(&"x, y".into()), Some(vec!["x".into(), "y".into()]));
    assert_eq!(field.back(&"x".into()), None, "which of the two it is cannot be told");

    let first = SourcePlan::First(vec![0, 1]);
    let field = Field::new(first, &["a", "b"], Vec::new(), Ty::Text).unwrap();
    assert_eq!(field.back(&"x".into()), Some(vec!["x".into(), Value::Null]));
    assert_eq!(field.back(&Value::Null), Some(vec![Value::Null, Value::Null]));
}

#[test]
fn what_loses_something_has_no_way_back() {
    let lossy = [
        ("{ replace = { find = 'a', with = 'b' } }", "what was replaced"),
        ("{ extract = '[0-9]+' }", "what stands around"),
        ("{ max_length = { chars = 5, over = 'cut' } }", "what is cut off"),
        ("{ default = 'x' }", "cannot be told from the default"),
        ("'number', 'round'", "digits that are rounded"),
        ("'date_time', 'to_date'", "the time of day"),
        ("{ hash = 'sha-256' }", "cannot be undone"),
        ("'mask'", "what is masked"),
        ("{ name_part = 'last' }", "other parts"),
        ("'split', { item = 0 }", "other items"),
        ("'split', { join = ' ' }", "where one item ends"),
        ("'number', { multiply = 3 }", "no decimal number"),
        ("{ coalesce = ['x'] }", "which of the paths"),
        ("{ language = 'name' }", "the region of a language"),
        ("{ date = ['%d.%m.%y'] }", "none of its formats"),
        ("{ date_time = { formats = ['%d.%m.%Y'] } }", "none of its formats"),
        ("'parse_json', { pointer = '/a' }", "the rest of the nested value"),
        ("{ max_length = 8 }, 'trim'", "a length that fits here"),
        ("{ prefix = 'C-' }, 'country'", "writes the value anew"),
    ];
    for (transforms, reason) in lossy {
        let told = Field::new(SourcePlan::First(vec![0]), &["x"], chain(transforms), Ty::Text).err();
        assert!(told.as_ref().is_some_and(|told| told.contains(reason)), "{transforms}: {told:?}");
    }
    let constant = Field::new(SourcePlan::Constant("x".into()), &[], Vec::new(), Ty::Text).err();
    assert!(constant.is_some_and(|told| told.contains("a constant")));
    let blank = SourcePlan::Concat(vec![0, 1], String::from(" "));
    let blank = Field::new(blank, &["a", "b"], Vec::new(), Ty::Text).err();
    assert!(blank.is_some_and(|told| told.contains("spaces alone")));
}

#[test]
fn an_option_or_sample_without_a_way_back_is_a_counterexample() {
    let steps = chain("{ picklist = 'p' }");
    let field = Field::new(SourcePlan::First(vec![0]), &["x"], steps, Ty::Text).unwrap();
    let (plan, back) = (&field.link.fields[0], field.link.fields[0].back.as_ref().unwrap());
    let options = ["red".to_owned(), "pink".to_owned()];
    let told = prove(&field.link, plan, back, &options, &[]).unwrap_err();
    assert_eq!(told.to_string(), "`pink` in HubSpot: the value is not in the picklist `p`");
    assert!(prove(&field.link, plan, back, &options[..1], &[]).is_ok());

    let concat = SourcePlan::Concat(vec![0, 1], String::from("-"));
    let field = Field::new(concat, &["a", "b"], Vec::new(), Ty::Text).unwrap();
    let (plan, back) = (&field.link.fields[0], field.link.fields[0].back.as_ref().unwrap());
    let sample =
        |a: &str| Record::new(ExternalId::new("1"), Shape::new(["a", "b"]), vec![a.into(), "b".into()]);
    assert!(prove(&field.link, plan, back, &[], &[sample("x")]).is_ok());
    let told = prove(&field.link, plan, back, &[], &[sample("x-y")]).unwrap_err();
    assert!(told.to_string().starts_with("a value in the source: "), "{told}");
    assert_eq!(told.value, None, "samples are personal data");
    assert_eq!(plan.limits.kind, PropertyKind::Text);
}
