//! The reference of transforms and expressions holds what it says: every form is accepted, every example gives what
//! stands behind its arrow, and the way back is as the table tells.

use mapping_engine::{Check, CheckedMapping, Functions, Problems, Schemas, ValueKind, transforms};
use sync_types::{LinkId, Mapper, PropertyKind, Schema, Value};

use super::support::{record, schema};

const REFERENCE: &str = include_str!("../../docs/transforms.md");

/// One row of a table of transforms.
struct Row {
    forms: Vec<&'static str>,
    takes: &'static str,
    gives: &'static str,
    given: &'static str,
    wanted: &'static str,
    back: &'static str,
}

/// The texts in back quotes.
fn code(cell: &'static str) -> Vec<&'static str> {
    cell.split('`').skip(1).step_by(2).collect()
}

fn rows() -> Vec<Row> {
    let lines = REFERENCE.lines().filter(|line| line.starts_with("| `") && line.matches(" | ").count() == 4);
    lines
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let (takes, gives) = cells[1].split_once(" → ").unwrap();
            let (given, wanted) = cells[3].split_once(" → ").unwrap();
            let bare = |text: &'static str| {
                text.strip_prefix('`').and_then(|text| text.strip_suffix('`')).unwrap_or("")
            };
            Row {
                forms: code(cells[0]),
                takes,
                gives,
                given: bare(given),
                wanted: bare(wanted),
                back: cells[4],
            }
        })
        .collect()
}

/// The name of a form: `{ round = 2 }` is `round`.
fn name(form: &str) -> &str {
    form.trim_start_matches(['{', ' ']).split([' ', '=']).next().unwrap()
}

fn functions() -> Functions {
    let same = |value: &Value| Ok(value.clone());
    Functions::new()
        .with_both("shop_number", ValueKind::Any, ValueKind::Any, same, same)
        .with_key("people", &b"a secret key"[..])
}

/// A mapping with one field that has this transform and no other, in both directions if asked.
fn mapping(row: &Row, form: &str, both: bool, source: &[Schema]) -> Result<CheckedMapping, Problems> {
    let transform = if form.starts_with('{') { form.to_owned() } else { format!("\"{form}\"") };
    let kind = match row.gives {
        "list" => "options",
        "any" if row.wanted.contains(';') => "options",
        "date-time" | "number" | "boolean" | "date" => row.gives,
        _ => "text",
    };
    let text = format!(
        "[mapping]\nname = 'x'\nregion = 'DE'\nzone = 'Europe/Berlin'\n[[links]]\nname = 'l'\ncollection = 'c'\n\
         object = 'deals'\nsync_key = 'k'\n{}\nfields = [{{ from = 'x', to = 'y', kind = '{kind}', transform = \
         [{transform}] }}]\n[picklists.status]\nmap = {{ aktiv = 'active' }}\n[lookups.territories]\nkey = 'zip'\n\
         value = 'name'\ncsv = '''zip,name\n80,South\n10,North\n'''\n[rates.ecb]\nbase = 'EUR'\n\
         rows = [{{ on = 2026-01-01, USD = 1.08 }}]\n",
        if both { "direction = 'both'" } else { "" }
    );
    let schemas = Schemas { source: Some(source), hubspot: None };
    Check::new("example", &text).schemas(schemas).functions(&functions()).run()
}

fn source(row: &Row) -> Vec<Schema> {
    let kind = match row.takes {
        "number" => PropertyKind::Number,
        "boolean" => PropertyKind::Bool,
        "date-time" => PropertyKind::DateTime,
        "list" => PropertyKind::Options,
        "any" => PropertyKind::Json,
        _ => PropertyKind::Text,
    };
    let column = |name: &str, kind| sync_types::Property::new(name, kind);
    let country = column("country", PropertyKind::Text);
    vec![schema("c", vec![column("x", kind), column("other", kind), country])]
}

fn value(row: &Row) -> Value {
    let given = row.given;
    match row.takes {
        "number" => Value::Number(given.parse().unwrap()),
        "boolean" => Value::Bool(given == "true"),
        "date-time" => Value::DateTime(given.parse().unwrap()),
        "list" | "any" if given.contains(';') => Value::List(given.split(';').map(Value::text).collect()),
        _ => Value::text(given),
    }
}

#[test]
fn every_transform_is_in_the_reference_and_every_form_is_accepted() {
    let rows = rows();
    for transform in transforms() {
        assert!(
            rows.iter().any(|row| row.forms.iter().any(|form| name(form) == transform)),
            "`{transform}` is missing"
        );
    }
    for row in &rows {
        for form in &row.forms {
            assert!(transforms().any(|known| known == name(form)), "there is no `{form}`");
            mapping(row, form, false, &source(row)).unwrap_or_else(|problems| panic!("{problems}"));
        }
    }
}

#[test]
fn every_example_gives_what_stands_behind_its_arrow() {
    for row in rows() {
        let form = row.forms[0];
        let mapping = mapping(&row, form, false, &source(&row)).unwrap();
        let record = record(&[("x", value(&row)), ("other", Value::Null)]);
        let mapped = mapping.map(LinkId(0), &record).unwrap_or_else(|error| panic!("{form}: {error}"));
        let shown = match &mapped.values[0] {
            Some(Value::Null) | None => String::new(),
            Some(value) => value.reveal().to_string(),
        };
        assert_eq!(shown, row.wanted, "{form} of {}", row.given);
    }
}

#[test]
fn the_way_back_is_as_the_table_tells() {
    for row in rows() {
        let form = row.forms[0];
        match (row.back, mapping(&row, form, true, &source(&row))) {
            ("no", Err(problems)) => {
                let codes: Vec<&str> = problems.list().iter().map(|problem| problem.code).collect();
                let refused = |code: &&str| ["not-two-way", "no-round-trip"].contains(code);
                assert!(codes.iter().any(refused), "{form}: {problems}");
            }
            ("exact" | "normal", Ok(mapping)) => {
                let record = record(&[("x", value(&row)), ("other", Value::Null)]);
                let mapped = mapping.map(LinkId(0), &record).unwrap().values.remove(0).unwrap();
                let back =
                    mapping.back(LinkId(0), 0, &mapped).unwrap_or_else(|problem| panic!("{form}: {problem}"));
                assert_eq!(&*back[0].path, "x");
                if row.back == "exact" {
                    assert_eq!(back[0].value, value(&row), "{form}");
                }
            }
            (back, Ok(_)) => panic!("{form}: the table says {back}, but there is a way back"),
            (back, Err(problems)) => panic!("{form}: the table says {back}\n{problems}"),
        }
    }
}

#[test]
fn every_whole_mapping_of_the_reference_is_accepted() {
    let blocks: Vec<&str> =
        REFERENCE.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 2);
    for block in blocks {
        Check::new("example", block).run().unwrap_or_else(|problems| panic!("{problems}"));
    }
}

#[test]
fn every_expression_of_the_reference_gives_what_it_says() {
    let columns = [
        ("name", Value::from("Ada")),
        ("city", "Ulm".into()),
        ("empty", Value::Null),
        ("amount", Value::from(100)),
        ("active", true.into()),
        ("tags", Value::List(vec!["vip".into(), "new".into()])),
        ("day", Value::Date(jiff::civil::date(2026, 7, 15))),
        ("at", Value::DateTime("2026-07-15T12:00:00Z".parse().unwrap())),
    ];
    let rows = REFERENCE.lines().filter(|line| line.starts_with("| `") && line.matches(" | ").count() == 1);
    let mut count = 0;
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let (expression, wanted) =
            (cells[0].trim_matches('`').replace("\\|", "|"), cells[1].trim_matches('`'));
        let text = format!(
            "[mapping]\nname = 'x'\n[[links]]\nname = 'l'\ncollection = 'c'\nobject = 'deals'\nsync_key = 'k'\n\
             fields = [{{ expression = '''{expression}''', to = 'y', transform = 'write_json' }}]\n"
        );
        let mapping = Check::new("example", &text).run().unwrap_or_else(|problems| panic!("{problems}"));
        let mapped =
            mapping.map(LinkId(0), &record(&columns)).unwrap_or_else(|error| panic!("{expression}: {error}"));
        let shown = mapped.values[0].as_ref().unwrap().reveal().to_string();
        assert_eq!(shown.trim_matches('"'), wanted, "{expression}");
        count += 1;
    }
    assert!(count >= 20, "{count} expressions");
}
