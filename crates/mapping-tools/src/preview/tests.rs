//! What a preview shows, and what it must not.

use mapping_engine::{Schemas, check};

use super::*;
use crate::values::record;

const MAPPING: &str = r#"
[mapping]
name = "acme"

[[links]]
name = "people"
collection = "people"
object = "contacts"
sync_key = "acme_key"
scope = { field = "active", equals = "yes" }
fields = [
  { from = "mail", to = "email", transform = ["trim", "email"] },
  { concat = ["first", "last"], to = "full_name", kind = "text", create = { label = "Name" } },
  { from = "phone", to = "phone", transform = ["phone"], on_bad = "leave" },
  { from = "city", to = "city", when_empty = "ignore" },
]
associations = [{ name = "boss", to = "people", key = "boss" }]
"#;

fn shown(columns: &[(&str, &str)]) -> Preview {
    let mapping = check("mapping.toml", MAPPING, Schemas::default()).unwrap();
    let columns = columns.iter().map(|(name, value)| ((*name).to_owned(), Value::text(*value)));
    preview(&mapping, LinkId(0), &record("7", columns)).unwrap()
}

#[test]
fn before_each_step_and_after_stand_side_by_side() {
    let preview = shown(&[
        ("active", "yes"),
        ("mail", " Ada@Example.com"),
        ("first", "Ada"),
        ("last", "Lovelace"),
        ("phone", "none"),
        ("city", ""),
        ("boss", "3"),
    ]);
    insta::assert_snapshot!(preview.to_text(120));
    insta::assert_json_snapshot!("one_field_as_json", preview.to_json()["fields"][0]);
}

#[test]
fn a_record_outside_the_scope_and_a_refused_one_say_so() {
    let out = shown(&[("active", "no"), ("mail", "a@b.example"), ("boss", "")]);
    assert!(!out.in_scope && out.to_string().contains("out of scope"));
    let refused = shown(&[("active", "yes"), ("mail", "nobody"), ("boss", "")]);
    assert!(refused.to_string().contains("refused: email: "), "{refused}");
}

#[test]
fn what_is_sensitive_is_shown_nowhere_not_even_in_a_neighbouring_field() {
    let text = MAPPING.replace(
        "{ from = \"city\"",
        "{ from = \"iban\", to = \"iban\", kind = \"text\", sensitivity = \"sensitive\", create = { label = \"IBAN\" } },\n  \
         { template = \"{first}: {iban}\", to = \"note\", kind = \"text\", create = { label = \"Note\" } },\n  \
         { from = \"city\"",
    );
    let mapping =
        check("mapping.toml", &text, Schemas::default()).unwrap_or_else(|problems| panic!("{problems}"));
    let columns =
        [("active", "yes"), ("mail", "a@b.example"), ("first", "Ada"), ("iban", "DE02 1203"), ("boss", "")];
    let columns = columns.map(|(name, value)| (name.to_owned(), Value::text(value)));
    let preview = preview(&mapping, LinkId(0), &record("7", columns)).unwrap();
    let told = format!("{}{}{preview:?}", preview.to_text(120), preview.to_json());
    assert!(!told.contains("1203"), "{told}");
    assert!(told.contains("a@b.example"), "the rest stays readable: {told}");
    let masked: Vec<&str> =
        preview.fields.iter().filter(|field| field.masked).map(|field| field.property.as_str()).collect();
    assert_eq!(masked, ["iban", "note"]);
}
