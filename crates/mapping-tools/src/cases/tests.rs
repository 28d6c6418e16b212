//! Cases pass, fail readably, are blessed without losing a comment, and are refused when they are no cases.

use mapping_engine::{CheckedMapping, Schemas, check};

use super::CaseFile;

const MAPPING: &str = r#"
[mapping]
name = "acme"

[[links]]
name = "people"
collection = "people"
object = "contacts"
sync_key = "acme_key"
scope = { field = "active", not_in = ["no"] }
fields = [
  { from = "mail", to = "email", transform = ["email"] },
  { from = "city", to = "city" },
  { from = "since", to = "since", transform = ["date"], kind = "date", create = { label = "Since" } },
  { from = "points", to = "points", transform = ["number"], kind = "number", create = { label = "Points" } },
  { from = "phone", to = "phone", transform = [{ phone = "DE" }], on_bad = "leave" },
]
associations = [{ name = "boss", to = "people", key = "boss" }]
"#;

const CASES: &str = r#"# Ours.
[[cases]]
name = "good" # stays
link = "people"
record = { active = "yes", mail = "Ada@Example.com", since = "2024-02-29", points = "12.50", boss = "3" }
[cases.expect.properties]
email = "ada@example.com"
since = 2024-02-29
points = 12.5
[cases.expect.associations]
boss = ["3"]

[[cases]]
name = "left out and emptied"
link = "people"
record = { active = "", city = "", phone = "none", boss = "" }
expect = { properties = { city = "" }, left_out = ["phone bad-phone"] }

[[cases]]
name = "elsewhere"
link = "people"
record = { active = "no" }
expect = { out_of_scope = true }

[[cases]]
name = "refused"
link = "people"
record = { active = "", mail = "nobody", boss = "" }
expect = { refused = ["email bad-email"] }
"#;

fn mapping() -> CheckedMapping {
    check("mapping.toml", MAPPING, Schemas::default()).unwrap()
}

#[test]
fn cases_that_are_as_expected_pass() {
    let outcomes = CaseFile::read(CASES).unwrap().run(&mapping());
    let failed: Vec<String> =
        outcomes.iter().filter(|outcome| !outcome.passed()).map(ToString::to_string).collect();
    assert_eq!((outcomes.len(), failed), (4, Vec::new()));
}

#[test]
fn a_difference_reads_like_a_diff() {
    let text =
        CASES.replace("email = \"ada@example.com\"", "email = \"ada@example.org\"\njobtitle = \"Countess\"");
    let text = text.replace("refused = [\"email bad-email\"]", "properties = { email = \"\" }");
    let outcomes = CaseFile::read(&text).unwrap().run(&mapping());
    let told: Vec<String> = outcomes.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    ✗ good (people)
        email
          - ada@example.org
          + ada@example.com
        jobtitle
          - Countess
    ✓ left out and emptied (people)
    ✓ elsewhere (people)
    ✗ refused (people)
        refused
          + email bad-email
        email
          - (empty)
    ");
}

#[test]
fn blessing_writes_what_was_found_and_keeps_the_rest() {
    let text = CASES
        .replace("ada@example.com\"\nsince", "wrong\"\nsince")
        .replace("expect = { out_of_scope = true }", "");
    let mut cases = CaseFile::read(&text).unwrap();
    assert_eq!(cases.bless(&mapping()), ["good", "elsewhere"]);
    assert!(cases.run(&mapping()).iter().all(super::CaseOutcome::passed));
    let blessed = cases.to_toml();
    assert!(blessed.starts_with("# Ours.") && blessed.contains("# stays"), "{blessed}");
    let mut again = CaseFile::read(&blessed).unwrap();
    assert!(again.run(&mapping()).iter().all(super::CaseOutcome::passed), "{blessed}");
    assert_eq!(again.bless(&mapping()), Vec::<String>::new());
    assert_eq!(again.to_toml(), blessed);
}

#[test]
fn what_is_no_case_is_told_all_at_once() {
    let text = "typo = 1\n[[cases]]\nname = \"a\"\nlink = \"x\"\nrecrd = {}\n[[cases]]\nname = \"b\"\nrecord = {}\nexpect = { propertys = {} }";
    let problems = CaseFile::read(text).unwrap_err().problems;
    assert_eq!(problems.len(), 5, "{problems:#?}");
    let unknown = CaseFile::read("[[cases]]\nlink = \"peple\"\nrecord = {}").unwrap().run(&mapping());
    assert!(unknown[0].to_string().contains("no link `peple`"), "{}", unknown[0]);
}

const BOTH_WAYS: &str = r#"
[mapping]
name = "acme"

[[links]]
name = "people"
collection = "people"
object = "contacts"
sync_key = "acme_key"
direction = "both"
fields = [
  { from = "tier", to = "tier", transform = [{ picklist = "tier" }], kind = "option", create = { label = "Tier" } },
  { from = "city", to = "city", direction = "to-hubspot" },
]
[picklists.tier]
map = { A = "gold", B = "silver" }
"#;

#[test]
fn a_case_may_begin_in_hubspot() {
    let mapping =
        check("mapping.toml", BOTH_WAYS, Schemas::default()).unwrap_or_else(|problems| panic!("{problems}"));
    let cases = r#"
        [[cases]]
        name = "back"
        link = "people"
        hubspot = { tier = "gold", city = "Ulm" }
        expect = { source = { tier = "A" } }
        [[cases]]
        name = "no word for it"
        link = "people"
        hubspot = { tier = "iron" }
        "#;
    let mut cases = CaseFile::read(cases).unwrap();
    assert_eq!(cases.bless(&mapping), ["no word for it"]);
    assert!(cases.to_toml().contains("refused = [\"tier "), "{}", cases.to_toml());
    assert!(cases.run(&mapping).iter().all(super::CaseOutcome::passed));
}

#[test]
fn a_sensitive_value_is_not_shown_in_a_diff() {
    let text = MAPPING.replace("to = \"city\" }", "to = \"city\", sensitivity = \"sensitive\" }");
    let mapping =
        check("mapping.toml", &text, Schemas::default()).unwrap_or_else(|problems| panic!("{problems}"));
    let cases = "[[cases]]\nlink = \"people\"\nrecord = { active = \"\", city = \"Ulm\", boss = \"\" }\nexpect = { properties = { city = \"Bonn\" } }";
    let told = CaseFile::read(cases).unwrap().run(&mapping)[0].to_string();
    assert!(told.contains("city") && !told.contains("Ulm") && !told.contains("Bonn"), "{told}");
}

#[test]
fn what_reads_or_writes_a_sensitive_column_is_not_shown_either() {
    let text = "[mapping]\nname = \"m\"\n[[links]]\nname = \"people\"\ncollection = \"people\"\nobject = \"contacts\"\n\
        direction = \"both\"\nsync_key = \"k\"\nfields = [\n\
        { from = \"ssn\", to = \"number\", sensitivity = \"sensitive\" },\n\
        { template = \"no. {ssn}\", to = \"note\", direction = \"to-hubspot\" },\n]\n\
        associations = [{ name = \"kin\", to = \"people\", key = \"ssn\", direction = \"to-hubspot\" }]\n";
    let mapping =
        check("mapping.toml", text, Schemas::default()).unwrap_or_else(|problems| panic!("{problems}"));
    let cases = "[[cases]]\nlink = \"people\"\nrecord = { ssn = \"S3cr3t\" }\n\
        expect = { properties = { note = \"Other\" }, associations = { kin = [\"Other\"] } }\n\
        [[cases]]\nlink = \"people\"\nhubspot = { number = \"S3cr3t\" }\nexpect = { source = { ssn = \"Other\" } }\n";
    let outcomes = CaseFile::read(cases).unwrap().run(&mapping);
    for outcome in &outcomes {
        let told = outcome.to_string();
        assert!(!outcome.passed() && !told.contains("S3cr3t") && !told.contains("Other"), "{told}");
    }
    assert!(outcomes[0].to_string().contains("note") && outcomes[1].to_string().contains("ssn"));
}
