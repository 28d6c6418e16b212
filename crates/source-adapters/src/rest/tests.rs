//! The reader of descriptions: every mistake at once, and the reference's own examples.

use super::Description;
use super::problem::Problem;

/// Code and line of every problem.
fn problems(text: &str) -> Vec<(&'static str, usize)> {
    match Description::parse("x.toml", text) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.list().map(|Problem { code, line, .. }| (*code, *line)).collect(),
    }
}

/// The blocks of TOML in the reference.
fn blocks() -> Vec<&'static str> {
    let after = super::FORMAT.split("```toml\n").skip(1);
    after.map(|rest| rest.split("```").next().unwrap_or_default()).collect()
}

#[test]
fn the_examples_of_the_reference_are_sound() {
    let blocks = blocks();
    assert_eq!(blocks.len(), 6);
    let whole = blocks[0];
    let description = Description::parse("example", whole).unwrap();
    assert_eq!((description.name(), description.secrets()), ("shop", vec!["SHOP_TOKEN"]));
    assert!(description.is_written("customers"));
    let without = |table: &str| {
        let start = whole.find(table).unwrap();
        let end = whole[start + 1..].find("\n[").map_or(whole.len(), |end| start + 1 + end);
        format!("{}{}", &whole[..start], &whole[end..])
    };
    let environments =
        without("[variables]").replace("base_url = \"https://{tenant}.shop.example/api/v2\"", "");
    for text in [
        format!("{environments}\n{}", blocks[1]),
        format!("{}\n{}", without("[auth]"), blocks[2]),
        format!("{whole}\n{}", blocks[3]),
        format!("{}\n{}", without("[collections.customers.create]"), blocks[4]),
        format!("{whole}\n{}", blocks[5]),
    ] {
        assert_eq!(problems(&text), [], "{:?}\n{text}", Description::parse("x", &text).err());
    }
}

#[test]
fn every_mistake_is_told_with_its_line() {
    let text = r#"[api]
name = "x"
base_url = "https://{tennant}.example"
timeout = "soon"
[variables]
tenant = "a"
[auth]
kind = "bearer"
token = "in clear"
[limits]
per_secnd = 5
[[errors.when]]
equals = "x"
means = "odd"
[[maintenance]]
from = "25:00"
to = "04:00"
zone = "Europe/Nowhere"
[collections.a]
key = "id"
fields = { name = "txt" }
[collections.a.list]
path = "customers"
records = "/data"
paging = { kind = "cursor", parameter = "/after", next = "/next" }
[collections.a.create]
path = "/a"
id = "/id"
[collections.a.delete]
path = "/a/../b"
[collections.b]
key = "/id"
list = { path = "/b/{id}", records = "/data", paging = { kind = "page", parameter = "p", size = { parameter = "n" } } }
since = { path = "/b", records = "/data", paging = { kind = "none" }, overlap = "2d", range_max = "1d" }
"#;
    let found = problems(text);
    let expected = [
        ("unknown-place", 3),
        ("bad-duration", 4),
        ("secret-in-clear", 9),
        ("unknown-key", 11),
        ("missing-key", 12),
        ("unknown-word", 14),
        ("bad-time", 16),
        ("unknown-zone", 18),
        ("missing-key", 19),
        ("bad-pointer", 20),
        ("unknown-word", 21),
        ("bad-path", 23),
        ("not-repeatable", 26),
        ("bad-path", 30),
        ("missing-key", 31),
        ("unknown-place", 33),
        ("missing-key", 33),
        ("missing-place", 34),
        ("missing-place", 34),
        ("no-progress", 34),
    ];
    for problem in expected {
        assert!(found.contains(&problem), "{problem:?} is not among {found:#?}");
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    let shown = Description::parse("x.toml", text).unwrap_err().to_string();
    for words in ["x.toml:11:1", "did you mean `per_second`?", "per_secnd = 5", "did you mean `tenant`?"] {
        assert!(shown.contains(words), "{words} in {shown}");
    }
    assert!(!shown.contains("in clear\""), "{shown}");
}

#[test]
fn more_limits_than_can_be_kept_are_refused() {
    let collection = |number: usize| {
        format!(
            "[collections.c{number}]\nkey = '/id'\nlist = {{ path = '/c', records = '', paging = {{ kind = 'none' }}, \
             limits = {{ per_second = 1, per_day = 9 }} }}\n"
        )
    };
    let text = |count: usize| {
        let all: String = (0..count).map(collection).collect();
        format!(
            "[api]\nname = 'x'\nbase_url = 'https://x.example'\n[limits]\nper_second = 1\nper_hour = 2\n{all}"
        )
    };
    assert_eq!(problems(&text(15)), []);
    assert_eq!(problems(&text(16)), [("too-many", 1)]);
    let misplaced = text(1).replace("per_day = 9", "concurrent = 9");
    assert_eq!(problems(&misplaced), [("no-meaning", 9)]);
}

#[test]
fn what_is_no_description_is_refused_and_nothing_panics() {
    for text in
        ["", "= 1", "[api]", "api = 1\ncollections = 2", "[collections]\nx = 1", "[[api]]\n[auth]\nkind = 3"]
    {
        assert!(!problems(text).is_empty(), "{text}");
    }
}
