//! Files and records that are made to keep the checker or the mapping busy: as large as the limits let them be, and
//! each of a shape for which something would have to be compared with everything else.

use std::fmt::Write as _;

use mapping_engine::{Check, CheckedMapping, Problems, Schemas};
use sync_types::{LinkId, Mapper, Property, PropertyKind, Value};

use super::corpus::at_once;
use super::support::{people, record, schema, text};

/// Many items with commas between them.
fn many(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(",")
}

fn check(what: &str, text: &str) -> Result<CheckedMapping, Problems> {
    at_once(what, || Check::new("mapping.toml", text).run())
}

fn links(count: usize, content: impl Fn(usize) -> String) -> String {
    let mut text = String::from("[mapping]\nname = 'x'\n");
    for link in 0..count {
        let content = content(link);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "[[links]]\nname = 'l{link}'\ncollection = 'c'\nobject = 'contacts'\nsync_key = 'k'\n{content}"
        );
    }
    text
}

#[test]
fn associations_that_all_wait_for_each_other() {
    let one = |from: usize, n: usize| {
        let to = (from + n + 1) % 200;
        format!("{{ name = 'a{from}_{n}', to = 'l{to}', key = 'k', parent_first = true }}")
    };
    let text = links(200, |link| {
        format!("fields = [{{ from = 'a', to = 'b' }}]\nassociations = [{}]", many(150, |n| one(link, n)))
    });
    assert!(check("circles", &text).is_err());
}

#[test]
fn associations_with_links_that_are_not_there() {
    let text = links(300, |link| {
        let one = |n: usize| format!("{{ name = 'a{link}_{n}', to = 'links{n}', key = 'k' }}");
        format!("fields = [{{ from = 'a', to = 'b' }}]\nassociations = [{}]", many(150, one))
    });
    assert!(check("unknown links", &text).is_err());
}

#[test]
fn a_property_that_everything_writes() {
    let text = links(100, |_| format!("fields = [{}]", many(1_000, |_| "{from='a',to='b'}".to_owned())));
    assert!(check("one property", &text).is_err());
}

#[test]
fn more_pipelines_and_stages_than_any_portal_has() {
    let pipelines: String = (0..30_000)
        .map(|n| format!("[pipelines.p{n}]\nobject='deals'\nid='{n}'\nstages={{a='1'}}\n"))
        .collect();
    assert!(check("pipelines", &(people("fields = [{ from = 'a', to = 'b' }]") + &pipelines)).is_err());
    let stages = many(30_000, |n| format!("s{n}='{n}'"));
    let words = many(30_000, |n| format!("w{n}='s{n}'"));
    let text = format!(
        "{}[pipelines.p]\nobject='contacts'\nid='1'\nstages={{{stages}}}\n[picklists.w]\npipeline='p'\nmap={{{words}}}\n",
        people("fields = [{ from = 'a', to = 'b', transform = { picklist = 'w' } }]")
    );
    assert!(check("stages", &text).is_err());
}

#[test]
fn tables_of_words_that_are_long_both_ways() {
    let words = many(20_000, |n| format!("w{n}='o{n}'"));
    let back = many(20_000, |n| format!("o{n}='w{n}'"));
    let text = format!(
        "{}[picklists.w]\nmap={{{words}}}\nback={{{back}}}\n",
        people("direction = 'both'\nfields = [{ from = 'a', to = 'b', transform = { picklist = 'w' } }]")
    );
    let options: Vec<String> = (0..5_000).map(|n| format!("o{}", n * 7)).collect();
    let property = Property { options, ..Property::new("b", PropertyKind::Option) };
    let hubspot = [schema("contacts", vec![property])];
    let schemas = Schemas { hubspot: Some(&hubspot), ..Schemas::default() };
    let checked = at_once("words", || Check::new("mapping.toml", &text).schemas(schemas).run());
    assert!(checked.is_err(), "most of what the table gives is no option");
    assert!(check("words of an unknown property", &text).is_ok());
}

#[test]
fn paths_in_great_numbers() {
    let text = links(60, |_| {
        let concat = |field: usize| {
            format!("{{ to = 'p{field}', concat = [{}] }}", many(1_000, |n| format!("'p{field}_{n}'")))
        };
        format!("fields = [{}]", many(5, concat))
    });
    assert!(check("paths", &text).is_ok());
    let marked = many(1_000, |n| format!("'secret{n}'"));
    let text =
        format!("{text}[never_leaves_source]\nc = [{marked}]\n'*' = [{}]\n", marked.replace("secret", "s"));
    assert!(check("marked paths", &text).is_ok());
}

#[test]
fn a_path_of_a_million_steps() {
    let path = "a.".repeat(1_000_000);
    let text = people(&format!("fields = [{{ from = '{path}a', to = 'b' }}]"));
    assert!(check("path", &text).is_err());
    let marked = people(&format!("never_leaves_source = '{path}a'\nfields = [{{ from = 'a', to = 'b' }}]"));
    assert!(check("marked path", &marked).is_err());
}

#[test]
fn formats_and_steps_in_great_numbers() {
    let formats = many(1_000, |n| format!("'%d.%m.%Y {n}'"));
    let field = |to: usize| format!("{{ from = 'a', to = 'p{to}', transform = {{ date = [{formats}] }} }}");
    assert!(check("formats", &people(&format!("direction='both'\nfields = [{}]", many(30, field)))).is_err());
    let steps = many(2_000, |_| "'trim'".to_owned());
    let field = |to: usize| format!("{{ from = 'a', to = 'p{to}', transform = [{steps}] }}");
    assert!(check("steps", &people(&format!("direction='both'\nfields = [{}]", many(100, field)))).is_err());
}

#[test]
fn a_condition_with_many_words_on_a_long_list() {
    let words = many(100_000, |n| format!("'w{n}'"));
    let text =
        people(&format!("scope = {{ field = 'a', in = [{words}] }}\nfields = [{{ from = 'a', to = 'b' }}]"));
    let mapping = check("condition", &text).unwrap_or_else(|problems| panic!("{problems}"));
    let items = (0..50_000).map(|n| Value::text(format!("v{n}"))).collect();
    let long = record(&[("a", Value::List(items))]);
    at_once("condition", || mapping.map(LinkId(0), &long)).unwrap();
}

#[test]
fn an_association_with_a_long_list_of_keys() {
    let text = people(
        "fields = [{ from = 'a', to = 'b' }]\n\
         associations = [{ name = 'a', to = 'people', key = 'keys', transform = 'split' }]",
    );
    let mapping = check("keys", &text).unwrap_or_else(|problems| panic!("{problems}"));
    let keys: String = (0..200_000).map(|n| format!("{n};")).collect();
    let long = record(&[("a", "x".into()), ("keys", Value::text(format!("{keys}7;7")))]);
    let mapped = at_once("keys", || mapping.map(LinkId(0), &long)).unwrap();
    assert_eq!(mapped.edges.len(), 200_000, "each once");
}

#[test]
fn a_pattern_that_no_quick_search_can_keep_up_with() {
    // Which of the last letters was an `a` cannot be remembered in few states.
    let letters = |length: usize| -> String {
        // Letters in no order, so that no state is ever seen again.
        (0..length as u64)
            .map(|n| if (n * n * 7919 + n * 31) % 1_000_003 % 2 == 0 { 'a' } else { 'b' })
            .collect()
    };
    let patterns = [20, 200, 900, 10_000].map(|count| format!("[ab]*a[ab]{{{count}}}[^ab]"));
    for (pattern, length) in
        patterns.iter().flat_map(|pattern| [12, 14, 16, 18, 20].map(|size| (pattern, 1 << size)))
    {
        let long = record(&[("a", Value::text(letters(length)))]);
        for field in [
            format!("from = 'a', transform = {{ extract = '{pattern}' }}"),
            format!("expression = \"a.matches(r'{pattern}')\", transform = 'write_json'"),
        ] {
            let text = people(&format!("fields = [{{ {field}, to = 'b' }}]"));
            let mapping = check("pattern", &text).unwrap_or_else(|problems| panic!("{problems}"));
            drop(at_once(&field, || mapping.map(LinkId(0), &long)));
        }
    }
}

#[test]
fn a_column_that_tens_of_thousands_misspell() {
    let columns = (0..60).map(|n| text(&format!("customer_column_{n}"))).collect();
    let source = [schema("c", columns)];
    let schemas = Schemas { source: Some(&source), ..Schemas::default() };
    let text = links(15, |_| {
        let concat = |field: usize| {
            format!("{{ to = 'p{field}', concat = [{}] }}", many(1_000, |n| format!("'customer_colum_{n}'")))
        };
        format!("fields = [{}]", many(5, concat))
    });
    assert!(at_once("columns", || Check::new("mapping.toml", &text).schemas(schemas).run()).is_err());
}
