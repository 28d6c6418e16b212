//! Each transform by a table: what it gives, and the code with which it refuses.

use sync_types::Value;

use crate::flow::Flow;
use crate::format;
use crate::functions::Functions;
use crate::plan::Reader;
use crate::step::Step;
use crate::steps::currency::RateTable;
use crate::steps::lookup::{Columns, Lookup};
use crate::steps::privacy::Hash;

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
            ("15.07.26", "2026-07-15"), // not the year 26
            ("31.04.2026", "!bad-date"),
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
fn affixes_are_put_and_taken_away() {
    table("{ strip_prefix = 'C-' }", &[("C-C-1", "C-1"), ("c-1", "c-1"), ("C-", "(empty)")]);
    table("{ strip_suffix = '.0' }", &[("17.0", "17"), ("17.00", "17.00")]);
    table("{ pad = 4 }", &[("17", "0017"), ("12345", "12345"), (" 7 ", "0007"), (" ", "(empty)")]);
    table("{ pad = { chars = 3, with = 'ä' } }", &[("x", "ääx")]);
    table("{ empty_if = ['N/A', 'übrig'] }", &[(" n/a", "(empty)"), ("ÜBRIG", "(empty)"), ("n", "n")]);
    table("'nfkc'", &[("ﬁ", "fi"), ("Ａ", "A"), ("abc", "abc")]);
}

#[test]
fn names_are_taken_apart() {
    let table_of = |name: &str| {
        ["title", "first", "middle", "last", "suffix"]
            .map(|part| run(&format!("{{ name_part = '{part}' }}"), Value::text(name)).replace("(empty)", ""))
            .join("|")
    };
    let names = [
        ("Ada King", "|Ada||King|"),
        ("King, Ada", "|Ada||King|"),
        ("Dr. Ada M. King", "Dr.|Ada|M.|King|"),
        ("Prof. Dr. King, Ada Mary", "|Ada|Mary|Prof. Dr. King|"),
        ("Ludwig van Beethoven", "|Ludwig||van Beethoven|"),
        ("van Beethoven, Ludwig", "|Ludwig||van Beethoven|"),
        ("Ada King, PhD", "|Ada||King|PhD"),
        ("Martin Luther King Jr.", "|Martin|Luther|King|Jr."),
        ("King", "|||King|"),
        ("Frau King", "Frau|||King|"),
        (",", "||||"),
        ("Dr.", "Dr.||||"),
        ("Jr.", "||||Jr."),
        ("de", "|||de|"),
    ];
    for (name, parts) in names {
        assert_eq!(table_of(name), parts, "{name}");
    }
}

#[test]
fn places_languages_and_currencies_get_their_codes() {
    table(
        "'country'",
        &[
            ("de", "DE"),
            ("DEU", "DE"),
            ("276", "DE"),
            ("United Kingdom", "GB"),
            ("UK", "GB"),
            ("USA", "US"),
            ("United States of America", "US"),
            ("The Netherlands", "NL"),
            ("Czech Republic", "CZ"),
            ("Atlantis", "!bad-country"),
            ("D", "!bad-country"),
        ],
    );
    table("{ country = 'name' }", &[("KR", "Republic of Korea"), ("de", "Germany")]);
    table("{ country = 'numeric' }", &[("Afghanistan", "004")]);
    table(
        "{ region = { country = 'US', to = 'code' } }",
        &[("texas", "TX"), ("US-ny", "NY"), ("Ulm", "!bad-region")],
    );
    table("{ region = { country = 'DE', to = 'name' } }", &[("by", "Bayern"), ("THÜRINGEN", "Thüringen")]);
    table(
        "'language'",
        &[
            ("German", "de"),
            ("deu", "de"),
            ("EN", "en"),
            ("zh-Hans", "zh-hans"),
            ("xx", "!bad-language"),
            ("de fr", "!bad-language"),
        ],
    );
    table("{ language = 'name' }", &[("pt_BR", "Portuguese")]);
    table("'currency_code'", &[(" eur", "EUR"), ("€", "!bad-currency"), ("EURO", "!bad-currency")]);
}

#[test]
fn every_country_comes_back_from_every_form() {
    for code in 'A'..='Z' {
        for other in 'A'..='Z' {
            let alpha2 = format!("{code}{other}");
            if run("'country'", Value::text(alpha2.as_str())) != alpha2 {
                continue;
            }
            for form in ["alpha-3", "numeric", "name"] {
                let written = run(&format!("{{ country = '{form}' }}"), Value::text(alpha2.as_str()));
                assert_eq!(run("'country'", Value::text(written.as_str())), alpha2, "{written}");
            }
        }
    }
}

#[test]
fn numbers_are_written_multiplied_and_converted() {
    let number = |text: &str| Value::Number(text.parse().unwrap());
    let format = "{ format_number = { decimal = ',', group = '.', places = 2 } }";
    for (given, wanted) in
        [("1234567.5", "1.234.567,50"), ("-999", "-999,00"), ("0.125", "0,125"), ("100", "100,00")]
    {
        assert_eq!(run(format, number(given)), wanted);
    }
    assert_eq!(run("{ multiply = 0.01 }", number("1999")), "19.99");
    assert_eq!(run("{ multiply = 10 }", number("79228162514264337593543950335")), "!bad-number");
    let units = [
        ("lb", "kg", "1", "0.453592"),
        ("in", "cm", "1", "2.54"),
        ("mi", "km", "26.2", "42.164813"),
        ("acre", "m2", "1", "4046.856422"),
        ("gal-us", "l", "1", "3.785412"),
        ("d", "ms", "1", "86400000"),
        ("kmh", "mps", "36", "10"),
        ("f", "c", "212", "100"),
        ("c", "f", "-40", "-40"),
        ("c", "k", "0", "273.15"),
    ];
    for (from, to, given, wanted) in units {
        let transform = format!("{{ unit = {{ from = '{from}', to = '{to}' }} }}");
        assert_eq!(run(&transform, number(given)), wanted, "{from} {to}");
    }
    assert_eq!(run("{ format_boolean = { true = 'ja', false = 'nein' } }", Value::Bool(false)), "nein");
    let day = Value::Date(jiff::civil::date(2026, 7, 5));
    assert_eq!(run("{ format_date = '%-d.%-m.%Y' }", day.clone()), "5.7.2026");
    assert_eq!(run("{ format_date = '%H:%M' }", day), "!bad-date");
    let moment = Value::DateTime("2026-07-14T22:00:00Z".parse().unwrap());
    assert_eq!(run("{ format_date = { format = '%H:%M', zone = 'Asia/Kolkata' } }", moment), "03:30");
}

#[test]
fn hashes_and_masks_tell_no_more_than_they_say() {
    let hashed = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    table("'hash'", &[("abc", hashed)]);
    let keyed = Hash::keyed(b"Jefe").unwrap();
    let rfc4231 = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    assert_eq!(keyed.of("what do ya want for nothing?"), rfc4231);
    assert_eq!(format!("{keyed:?}"), "Hash(keyed)");
    assert!(Hash::keyed(b"").is_none());
    table(
        "{ mask = { first = 2, last = 2 } }",
        &[("12345678", "12****78"), ("1234567", "*******"), ("äöüß", "****")],
    );
    table("{ mask = { last = 1, mark = '•' } }", &[("ab", "•b"), ("a", "•")]);
}

#[test]
fn nested_data_is_read_written_and_pointed_into() {
    let json = r#"{"b": [1, {"x/y": "z"}], "a": 0.10000000000000000000001, "n": null, "big": 1e40}"#;
    let parsed = match step("'parse_json'").run(Flow::owned(json.into()), &NoPaths) {
        Ok(flow) => flow.into_value(),
        Err(failure) => panic!("{failure:?}"),
    };
    let wanted = r#"{"b":[1,{"x/y":"z"}],"a":0.10000000000000000000001,"n":null,"big":"1e40"}"#;
    assert_eq!(run("'write_json'", parsed.clone()), wanted);
    assert_eq!(run("{ pointer = '/b/1/x~1y' }", parsed.clone()), "z");
    for nowhere in ["/b/2", "/c", "/a/0", "/b/-1", "/n/x"] {
        assert_eq!(run(&format!("{{ pointer = '{nowhere}' }}"), parsed.clone()), "(empty)");
    }
    let deep = format!("{}1{}", "[".repeat(101), "]".repeat(101));
    table(
        "'parse_json'",
        &[("{", "!bad-json"), ("1 2", "!bad-json"), (&deep, "!bad-json"), (" null ", "(empty)")],
    );
    let list = Value::List(vec!["a".into(), "b".into()]);
    assert_eq!(run("{ item = 1 }", list.clone()), "b");
    assert_eq!(run("{ item = 'last' }", list.clone()), "b");
    assert_eq!(run("{ item = 2 }", list), "(empty)");
}

#[test]
fn money_is_converted_by_the_rate_of_the_day() {
    let day = |text: &str| Some(text.parse().unwrap());
    let rates = RateTable {
        name: String::from("ecb"),
        base: String::from("EUR"),
        rates: [
            (
                "USD".into(),
                [(day("2026-01-01").unwrap(), dec("1.08")), (day("2026-07-01").unwrap(), dec("1.10"))].into(),
            ),
            ("JPY".into(), [(day("2026-01-01").unwrap(), dec("160"))].into()),
        ]
        .into(),
    };
    let convert = |amount: &str, from: &str, to: &str, on: Option<jiff::civil::Date>| {
        rates.convert(dec(amount), from, to, on, None).map_err(|failure| failure.code)
    };
    assert_eq!(convert("108", "USD", "EUR", day("2026-06-30")), Ok(dec("100")));
    assert_eq!(convert("110", "USD", "EUR", day("2026-07-01")), Ok(dec("100")));
    assert_eq!(convert("110", "USD", "EUR", None), Ok(dec("100")));
    assert_eq!(convert("1.1", "USD", "JPY", None), Ok(dec("160")), "yen have no minor unit");
    assert_eq!(convert("0.005", "EUR", "EUR", None), Ok(dec("0.01")));
    assert_eq!(convert("1", "USD", "EUR", day("2025-12-31")), Err("no-rate"));
    assert_eq!(convert("1", "GBP", "EUR", None), Err("no-rate"));
    assert_eq!(convert("79228162514264337593543950335", "EUR", "JPY", None), Err("bad-number"));
}

fn dec(text: &str) -> rust_decimal::Decimal {
    text.parse().unwrap()
}

#[test]
fn lookup_tables_are_read_whole_or_refused_with_their_line() {
    let columns = Columns { key: "nr", value: "name", delimiter: b';' };
    let read = |text: &str| Lookup::parse("t", text, columns, true, None);
    let table = read("\u{feff}name; nr\nNorth;A\n\"So;uth\";b\nEast;\nNorth;a\n").unwrap();
    assert_eq!([table.find("a"), table.find("B"), table.find("c")], [Some("North"), Some("So;uth"), None]);
    assert_eq!(table.inverse().unwrap().find("So;uth"), Some("b"));
    assert!(read("nr;name\na;X\nb;X\n").unwrap().inverse().is_err());
    let refused = [
        ("", 1, "no column `nr`"),
        ("nr,name\n", 1, "no column `nr`"),
        ("nr;name\na;X\na;Y\n", 3, "stands in the file before"),
        ("nr;name\na;X;Z\n", 2, "more or fewer values"),
    ];
    for (text, line, reason) in refused {
        let problem = read(text).unwrap_err();
        assert!(problem.line == line && problem.reason.contains(reason), "{text:?}: {problem:?}");
    }
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
