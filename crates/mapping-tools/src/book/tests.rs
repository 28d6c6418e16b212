//! A small book in both writings, and that nothing in a mapping can break out of its page.

use mapping_engine::{Schemas, check};

use super::*;

const MAPPING: &str = r#"
[mapping]
name = "acme"
version = 3
description = "Customers of the <old> system"
region = "DE"

[[links]]
name = "people"
collection = "people"
object = "contacts"
sync_key = "acme_key"
match = ["email"]
scope = { field = "active", equals = "yes" }
fields = [
  { from = "mail", to = "email", transform = ["trim", "email"], required = true },
  { concat = ["first", "last"], to = "full_name", kind = "text", create = { label = "Name | whole" }, note = "to decide: split?" },
  { from = "group", to = "tier", transform = [{ picklist = "tier" }], kind = "option", on_bad = "leave", create = { label = "Tier" } },
  { from = "city", to = "city", when_empty = "ignore", note = "Sales fills in `city` by hand" },
]
associations = [{ name = "boss", to = "people", key = "boss", label = "Boss", inverse = "Reports" }]

[picklists.tier]
map = { "A|B" = "gold", C = "silver" }
"#;

fn book(text: &str) -> Book {
    let mapping =
        check("mapping.toml", text, Schemas::default()).unwrap_or_else(|problems| panic!("{problems}"));
    Book::of(&mapping)
}

#[test]
fn the_book_in_markdown() {
    insta::assert_snapshot!(book(MAPPING).to_markdown());
}

#[test]
fn the_book_in_html() {
    let html = book(MAPPING).to_html().unwrap();
    // The head is the same for every book.
    let body = html.split_once("<body>").unwrap().1;
    insta::assert_snapshot!(body);
}

#[test]
fn what_the_checker_warns_of_is_an_open_question() {
    let markdown = book(&format!("{MAPPING}\n[picklists.unused]\nmap = {{ x = \"y\" }}\n")).to_markdown();
    let questions =
        markdown.split("## Open questions").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
    assert!(questions.contains("`unused`"), "{markdown}");
}

#[test]
fn what_people_write_stays_text() {
    let hostile = MAPPING.replace("to decide: split?", "</td><script>alert(1)</script>|\\n# Title?");
    let book = book(&hostile);
    let html = book.to_html().unwrap();
    assert!(!html.contains("<script>"), "{html}");
    let markdown = book.to_markdown();
    assert!(!markdown.contains("<script>") && !markdown.contains("\n# Title"), "{markdown}");
}

#[test]
fn the_same_mapping_gives_the_same_book() {
    let (one, other) = (book(MAPPING), book(MAPPING));
    assert_eq!(one.to_markdown(), other.to_markdown());
    assert_eq!(one.to_html().unwrap(), other.to_html().unwrap());
}

/// Texts of a mapping that the book says in words of its own.
const IN_WORDS: [&str; 13] = [
    "transform",
    "kind",
    "direction",
    "conflict",
    "when_empty",
    "on_bad",
    "first_contact",
    "creates",
    "on_exit",
    "on_delete",
    "sensitivity",
    "csv",
    "evidence",
];

fn leaves(key: &str, value: &toml::Value, found: &mut Vec<String>) {
    match value {
        _ if IN_WORDS.contains(&key) => {}
        toml::Value::Table(table) => table.iter().for_each(|(key, value)| leaves(key, value, found)),
        toml::Value::Array(items) => items.iter().for_each(|item| leaves(key, item, found)),
        toml::Value::String(text) => found.push(text.clone()),
        _ => {}
    }
}

/// Every mapping of the reference and of the examples: what people wrote into it stands in its book.
#[test]
fn the_book_says_everything_that_the_mapping_says() {
    let here = env!("CARGO_MANIFEST_DIR");
    let read = |path: &str| std::fs::read_to_string(format!("{here}/{path}")).unwrap();
    let reference = read("../mapping-engine/docs/format.md");
    let examples = reference.split("```toml").skip(1).filter_map(|part| part.split("```").next());
    let mut mappings: Vec<String> = examples.map(str::to_owned).collect();
    mappings
        .extend(["wholesale", "music-shop"].map(|name| read(&format!("../../examples/{name}/mapping.toml"))));
    let mut books = 0;
    for text in mappings {
        // Those that need files or functions of their own are not tried here.
        let Ok(mapping) = check("mapping.toml", &text, Schemas::default()) else { continue };
        books += 1;
        let markdown = Book::of(&mapping).to_markdown();
        let plain = markdown.replace("&lt;", "<").replace('\\', "");
        let mut said = Vec::new();
        leaves("", &toml::Value::Table(text.parse().unwrap()), &mut said);
        for text in said {
            let line = text.replace(['\n', '\t'], " ");
            assert!(plain.contains(line.trim()), "`{text}` is not in the book:\n{markdown}");
        }
    }
    assert!(books > 10, "{books} mappings were tried");
}
