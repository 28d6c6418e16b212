//! Each transform by a table: what it gives, and the code with which it refuses.

use sync_types::Value;

use crate::flow::Flow;
use crate::format;
use crate::functions::Functions;
use crate::plan::Reader;
use crate::step::Step;

/// The step that a mapping file would have for this.
fn step(transform: &str) -> Step {
    let file = format!(
        "[mapping]\nname = 'x'\nregion = 'DE'\nzone = 'Europe/Berlin'\n[[links]]\nname = 'l'\ncollection = 'c'\n\
         object = 'contacts'\nfields = [{{ from = 'x', to = 'x', transform = [{transform}] }}]\n\
         [picklists.p]\nignore_case = true\nmap = {{ Rot = 'red', 'grün' = 'green' }}\n"
    );
    let (doc, problems) = format::read_alone(&file, &Functions::new());
    assert!(!problems.has_errors(), "{problems}");
    doc.unwrap().links.remove(0).fields.remove(0).chain.remove(0).value
}

/// A record without paths.
struct NoPaths;

impl<'r> Reader<'r> for NoPaths {
    fn value(&self, _path: usize) -> Option<&'r Value> {
        None
    }
}

/// Runs a transform; the value is shown in clear, a refusal by its code.
fn run(transform: &str, value: Value) -> String {
    let step = step(transform);
    match step.run(Flow::owned(value), &NoPaths) {
        Ok(flow) => flow.into_value().reveal().to_string(),
        Err(failure) => {
            assert!(!failure.reason.is_empty() && !failure.remedy.is_empty());
            format!("!{}", failure.code)
        }
    }
}

fn table(transform: &str, rows: &[(&str, &str)]) {
    for (given, wanted) in rows {
        assert_eq!(run(transform, Value::text(*given)), *wanted, "{transform} of {given:?}");
    }
}

#[test]
fn text_is_tidied() {
    table("'trim'", &[(" a b\t\u{a0}", "a b"), ("\u{feff}a\u{200b}", "a"), (" ", "(empty)"), ("a", "a")]);
    table("'collapse_spaces'", &[(" a \t b\n\nc ", "a b c"), ("a b", "a b"), ("a\u{a0}b", "a b")]);
    table("'lower'", &[("ÄBC", "äbc"), ("abc", "abc")]);
    table("'upper'", &[("straße", "STRASSE"), ("ABC", "ABC")]);
    table(
        "'title'",
        &[
            ("ANNA-LENA O'NEIL", "Anna-Lena O'neil"),
            ("van der berg 2b", "Van Der Berg 2b"),
            ("Ärger", "Ärger"),
        ],
    );
    table("'nfc'", &[("e\u{301}", "é"), ("é", "é")]);
    table("{ replace = { find = '_', with = ' ' } }", &[("a_b__c", "a b  c"), ("abc", "abc")]);
    table("{ extract = '(\\d+)-x' }", &[("a 12-x 13-x", "12"), ("12", "!no-match")]);
    table("{ extract = '\\d+' }", &[("a 12", "12")]);
    table("{ max_length = 3 }", &[("äöü", "äöü"), ("äöüß", "!too-long")]);
    table(
        "{ max_length = { chars = 3, over = 'cut' } }",
        &[("äöüß", "äöü"), ("ab cd", "ab"), ("abc", "abc")],
    );
}

#[test]
fn emails_are_normalised_and_impossible_ones_refused() {
    let long = format!("{}@example.com", "a".repeat(65));
    table(
        "'email'",
        &[
            (" Ada.King+x@Example.COM ", "ada.king+x@example.com"),
            ("mailto:ada@example.com", "ada@example.com"),
            ("MAILTO: ada@example.com", "ada@example.com"),
            ("ada@bücher.de", "ada@xn--bcher-kva.de"),
            ("o'neil@a-b.co", "o'neil@a-b.co"),
            ("  ", "(empty)"),
            ("ada", "!bad-email"),
            ("ada@", "!bad-email"),
            ("@example.com", "!bad-email"),
            ("ada@localhost", "!bad-email"),
            ("ada@192.168.0.1", "!bad-email"),
            ("ada@exa mple.com", "!bad-email"),
            ("ada@-a.com", "!bad-email"),
            ("ada@a..com", "!bad-email"),
            ("a..b@example.com", "!bad-email"),
            (".a@example.com", "!bad-email"),
            ("a b@example.com", "!bad-email"),
            ("a@b@example.com", "!bad-email"),
            ("ä@example.com", "!bad-email"),
            ("a@example.com, b@example.com", "!bad-email"),
            ("a@example.com;b@example.com", "!bad-email"),
            (&long, "!bad-email"),
        ],
    );
}

#[test]
fn domains_and_urls_are_normalised() {
    table(
        "'domain'",
        &[
            ("https://www.Example.com:8080/a?b#c", "example.com"),
            ("www.example.co.uk", "example.co.uk"),
            ("ada@mail.example.com", "mail.example.com"),
            ("example.com.", "example.com"),
            ("//example.com", "!bad-domain"),
            ("bücher.de", "xn--bcher-kva.de"),
            ("www.de", "www.de"),
            ("example", "!bad-domain"),
            ("n/a", "!bad-domain"),
            ("10.0.0.1", "!bad-domain"),
        ],
    );
    table(
        "'url'",
        &[
            ("Example.com", "https://example.com/"),
            ("HTTP://example.com/A b", "http://example.com/A%20b"),
            ("ftp://example.com", "!bad-url"),
            ("javascript:alert(1)", "!bad-url"),
            ("n/a", "!bad-url"),
            ("not a url", "!bad-url"),
        ],
    );
}

#[test]
fn telephone_numbers_get_one_writing() {
    table(
        "'phone'",
        &[
            ("030 / 123 45-67", "+49301234567"),
            ("+49 (0)30 1234567", "+49301234567"),
            ("0049 30 1234567", "+49301234567"),
            ("(030) 1234567", "+49301234567"),
            ("+1 415-555-2671", "+14155552671"),
            ("tel:+14155552671", "+14155552671"),
            ("+49301234567", "+49301234567"),
            ("030 1234567 ext. 12", "!bad-phone"),
            ("030 1234567 x12", "!bad-phone"),
            ("none", "!bad-phone"),
            ("12", "!bad-phone"),
            ("+0123456789", "!bad-phone"),
            ("+1234567890123456", "!bad-phone"),
        ],
    );
    table(
        "{ phone = { region = 'US', extension = 'drop' } }",
        &[
            ("(415) 555-2671 x12", "+14155552671"),
            ("1 415 555 2671", "+14155552671"),
            ("555-2671", "!bad-phone"),
        ],
    );
    table("{ phone = 'IT' }", &[("06 1234 5678", "+390612345678")]);
    table("{ phone = 'HU' }", &[("06 1 234 5678", "+3612345678")]);
    table("{ phone = 'FR' }", &[("01 23 45 67 89", "+33123456789"), ("0800", "!bad-phone")]);
}

#[test]
fn numbers_are_exact_and_never_guessed() {
    table(
        "'number'",
        &[
            ("12.50", "12.5"),
            (" -3 ", "-3"),
            ("+7", "7"),
            ("0.1", "0.1"),
            ("1,234", "!bad-number"),
            ("1e3", "!bad-number"),
            ("12.", "!bad-number"),
            (".5", "!bad-number"),
            ("--1", "!bad-number"),
            ("1.2.3", "!bad-number"),
            ("NaN", "!bad-number"),
            ("", "(empty)"),
            ("123456789012345678901234567890", "!bad-number"),
        ],
    );
    table(
        "{ number = { decimal = ',', group = '.', strip = ['€', 'EUR'] } }",
        &[
            ("1.234.567,89 €", "1234567.89"),
            ("€ 5", "5"),
            ("EUR 12,5", "12.5"),
            ("1234,5", "1234.5"),
            ("12.34", "!bad-number"),
            ("1.2345", "!bad-number"),
            ("1,5,0", "!bad-number"),
        ],
    );
    table("{ number = { group = ' ' } }", &[("1 234.5", "1234.5")]);
    assert_eq!(run("{ round = 2 }", Value::Number("2.345".parse().unwrap())), "2.35");
    assert_eq!(run("'round'", Value::Number("-2.5".parse().unwrap())), "-3");
    assert_eq!(run("{ round = 2 }", Value::text("2.345")), "!bad-type");
}

#[test]
fn truth_has_declared_words() {
    table("'boolean'", &[("Yes", "true"), (" 0 ", "false"), ("TRUE", "true"), ("ja", "!bad-boolean")]);
    table(
        "{ boolean = { true = ['Ja'], false = ['Nein', 'übrig'] } }",
        &[("JA", "true"), ("Übrig", "false"), ("yes", "!bad-boolean")],
    );
    assert_eq!(run("'boolean'", Value::from(1)), "true");
    assert_eq!(run("'boolean'", Value::from(2)), "!bad-boolean");
}

#[test]
fn days_and_instants_follow_formats_and_zones() {
    table(
        "'date'",
        &[("2026-07-15", "2026-07-15"), ("15.07.2026", "!bad-date"), ("2026-02-30", "!bad-date")],
    );
    table(
        "{ date = ['%d.%m.%Y', '%Y-%m-%d', '%d.%m.%y'] }",
        &[
            ("15.07.2026", "2026-07-15"),
            (" 5.7.2026 ", "2026-07-05"),
            ("2026-07-15", "2026-07-15"),
            ("15.07.26", "2026-07-15"), // not the year 26            ("31.04.2026", "!bad-date"),
            ("15.07.2026 12:00", "!bad-date"),
        ],
    );
    table(
        "'date_time'",
        &[
            ("2026-07-15T12:00:00Z", "2026-07-15T12:00:00Z"),
            ("2026-07-15T12:00:00+02:00", "2026-07-15T10:00:00Z"),
            ("2026-07-15 12:00:00", "2026-07-15T10:00:00Z"),
            ("yesterday", "!bad-date-time"),
        ],
    );
    let local = "{ date_time = { formats = ['%d.%m.%Y %H:%M', '%d.%m.%Y'] } }";
    table(
        local,
        &[
            ("15.01.2026 12:00", "2026-01-15T11:00:00Z"),
            ("15.07.2026 12:00", "2026-07-15T10:00:00Z"),
            ("15.07.2026", "2026-07-14T22:00:00Z"),
            ("15.07.26", "!bad-date-time"),
            // Skipped by summer time, then repeated by winter time.
            ("29.03.2026 02:30", "2026-03-29T01:30:00Z"),
            ("25.10.2026 02:30", "2026-10-25T00:30:00Z"),
        ],
    );
    table(
        "{ date_time = { formats = ['%Y-%m-%dT%H:%M:%S%z'] } }",
        &[("2026-07-15T12:00:00-0500", "2026-07-15T17:00:00Z")],
    );
    assert_eq!(run("'date_time'", Value::Date(jiff::civil::date(2026, 7, 15))), "2026-07-14T22:00:00Z");
    assert_eq!(run("'to_date'", Value::DateTime("2026-07-14T22:00:00Z".parse().unwrap())), "2026-07-15");
    assert_eq!(
        run("{ to_date = 'UTC' }", Value::DateTime("2026-07-14T22:00:00Z".parse().unwrap())),
        "2026-07-14"
    );
    table("{ unix_time = 'seconds' }", &[("1784066400", "2026-07-14T22:00:00Z"), ("x", "!bad-date-time")]);
    assert_eq!(
        run("{ unix_time = 'milliseconds' }", Value::from(1_784_066_400_500)),
        "2026-07-14T22:00:00.5Z"
    );
    assert_eq!(run("{ unix_time = 'seconds' }", Value::from(i64::MAX)), "!bad-date-time");
}

#[test]
fn lists_are_split_joined_and_translated_item_by_item() {
    table("'split'", &[("a; b;;c ", "a;b;c"), (" ; ", "(empty)")]);
    table("{ split = ', ' }", &[("a, b,c", "a;b,c")]);
    table("'join'", &[("a", "a")]);
    let list = |items: &[&str]| Value::List(items.iter().map(|item| Value::Text((*item).into())).collect());
    assert_eq!(run("{ join = '|' }", list(&["a", "b"])), "a|b");
    assert_eq!(run("{ join = '|' }", Value::List(vec![Value::Null, Value::from(1), list(&[])])), "!bad-type");
    assert_eq!(run("{ picklist = 'p' }", list(&["ROT", "grün"])), "red;green");
    assert_eq!(run("{ picklist = 'p' }", list(&["rot", "blau"])), "!unknown-option");
    table("{ picklist = 'p' }", &[("ROT", "red"), ("GRÜN", "green"), ("red", "!unknown-option")]);
    assert_eq!(run("'trim'", list(&[" a ", " "])), "a");
}

#[test]
fn kinds_are_changed_by_name_only() {
    assert_eq!(run("'text'", Value::Number("1.50".parse().unwrap())), "1.5");
    assert_eq!(run("'text'", Value::Bool(true)), "true");
    assert_eq!(run("'text'", Value::List(vec!["a".into()])), "!bad-type");
    assert_eq!(run("'trim'", Value::from(1)), "!bad-type");
    assert_eq!(run("'date'", Value::from(1)), "!bad-type");
    assert_eq!(run("{ default = 'x' }", Value::Null), "x");
    assert_eq!(run("{ default = 'x' }", "y".into()), "y");
}

#[test]
fn normalisers_change_nothing_the_second_time() {
    use proptest::prelude::*;
    let steps: Vec<Step> = [
        "'trim'",
        "'collapse_spaces'",
        "'lower'",
        "'title'",
        "'nfc'",
        "'email'",
        "'domain'",
        "'url'",
        "'phone'",
        "{ max_length = { chars = 5, over = 'cut' } }",
    ]
    .map(step)
    .to_vec();
    let config = ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() };
    let any = "\\PC{0,16}|[a-z.@ /:www+0-9()]{0,24}|[+0][0-9 /()-]{6,18}|[A-Za-z0-9]{1,8}@(WWW\\.)?[a-zA-Z0-9-]{1,6}\\.[a-z]{2,3}";
    proptest!(config, |(text in any)| {
        for step in &steps {
            let Ok(once) = step.run(Flow::owned(Value::text(text.as_str())), &NoPaths) else { continue };
            let once = once.into_value();
            let twice = step.run(Flow::borrowed(&once), &NoPaths).map(Flow::into_value).ok();
            prop_assert_eq!(twice.as_ref(), Some(&once), "{} of {:?}", step.name(), text);
        }
    });
}
