//! Records through a mapping: values, empties, bad values, scope, associations.

use sync_types::{EdgeKind, EdgeRuleId, ExternalId, LinkId, Mapper, Value};

use super::support::{checked, map, number, people, record};

fn field(content: &str) -> String {
    people(&format!("[[links.fields]]\n{content}"))
}

/// The value of one field for one value of the column `x`.
fn one(content: &str, value: impl Into<Value>) -> Result<Option<Value>, Vec<String>> {
    map(&checked(&field(content)), &[("x", value.into())]).map(|mut mapped| mapped.values.remove(0))
}

#[test]
fn a_value_begins_at_a_path_several_paths_a_template_or_a_constant() {
    let columns = [
        ("first", Value::text("Ada")),
        ("middle", Value::Null),
        ("last", Value::text("King")),
        ("n", number("7.50")),
        ("a.b", Value::text("dotted")),
        (
            "address",
            Value::Object(vec![
                ("city".into(), "Bonn".into()),
                ("tags".into(), Value::List(vec!["x".into()])),
            ]),
        ),
    ];
    let table = [
        ("from = 'first'", Some("Ada")),
        ("from = ['middle', 'last']", Some("King")),
        ("from = ['middle']", None),
        ("from = 'a.b'", Some("dotted")),
        ("from = 'address.city'", Some("Bonn")),
        ("from = 'address.tags.0'", Some("x")),
        ("from = 'address.tags.1'", None),
        ("from = 'address.street'", None),
        ("concat = ['first', 'middle', 'last']", Some("Ada King")),
        ("concat = ['first', 'last']\nseparator = ', '", Some("Ada, King")),
        ("concat = ['middle']", None),
        ("template = '{last} ({n}) {{x}}'", Some("King (7.5) {x}")),
        ("template = 'no {middle}'", None),
        ("value = 'always'", Some("always")),
    ];
    for (content, wanted) in table {
        let mapping = checked(&field(&format!("{content}\nto = 'p'")));
        let mapped = map(&mapping, &columns).unwrap();
        assert_eq!(mapped.values, [Some(wanted.map_or(Value::Null, Value::from))], "{content}");
    }
}

#[test]
fn an_empty_value_clears_is_ignored_defaulted_or_refused() {
    let table = [
        ("", Ok(Some(Value::Null))),
        ("when_empty = 'clear'", Ok(Some(Value::Null))),
        ("when_empty = 'ignore'", Ok(None)),
        ("when_empty = { default = 'z' }", Ok(Some(Value::text("z")))),
        ("required = true\nwhen_empty = { default = 'z' }", Ok(Some(Value::text("z")))),
        ("required = true", Err(vec![String::from("required-empty p x")])),
    ];
    for (content, wanted) in table {
        for empty in [Value::Null, Value::Text("".into()), Value::text("  ")] {
            let content = format!("from = 'x'\nto = 'p'\ntransform = 'trim'\n{content}");
            assert_eq!(one(&content, empty), wanted, "{content}");
        }
    }
}

#[test]
fn what_was_not_fetched_is_left_alone_and_never_cleared() {
    for content in
        ["from = 'gone'", "from = ['x', 'gone']", "template = '{x}{gone}'", "concat = ['x', 'gone']"]
    {
        assert_eq!(one(&format!("{content}\nto = 'p'"), Value::Null), Ok(None), "{content}");
    }
    let found = one("from = ['x', 'gone']\nto = 'p'", "there");
    assert_eq!(found, Ok(Some(Value::text("there"))), "a value that is there does not need the other");
    let missing = one("from = 'gone'\nto = 'p'\nrequired = true", Value::Null);
    assert_eq!(missing, Err(vec![String::from("not-fetched p gone")]));
}

#[test]
fn all_bad_values_of_a_record_are_told_and_the_chosen_ones_left_out() {
    let mapping = checked(&people(
        "fields = [
           { from = 'mail', to = 'email', transform = 'email' },
           { from = 'day', to = 'day', transform = 'date' },
           { from = 'tel', to = 'phone', transform = 'phone', on_bad = 'leave' },
         ]",
    ));
    let row =
        |mail: &str, day: &str, tel: &str| [("mail", mail.into()), ("day", day.into()), ("tel", tel.into())];
    assert_eq!(
        map(&mapping, &row("nobody", "31.2.26", "none")),
        Err(vec![String::from("bad-email email mail"), String::from("bad-date day day")])
    );
    let mapped = map(&mapping, &row("A@b.de", "2026-02-28", "none")).unwrap();
    assert_eq!(
        mapped.values,
        [Some("a@b.de".into()), Some(Value::Date(jiff::civil::date(2026, 2, 28))), None]
    );
    assert_eq!(mapped.skipped.len(), 1);
    assert_eq!(mapped.skipped[0].code, "bad-phone");
}

#[test]
fn no_problem_holds_the_value() {
    let secret = "S3cr3t-Wert";
    for transform in [
        "'email'",
        "'date'",
        "'phone'",
        "'number'",
        "'boolean'",
        "'url'",
        "'date_time'",
        "{ max_length = 3 }",
    ] {
        let mapping = checked(&field(&format!("from = 'x'\nto = 'p'\ntransform = [{transform}]")));
        let value = if transform == "'url'" { format!("://{secret} ") } else { secret.to_owned() };
        let error = mapping.map(LinkId(0), &record(&[("x", value.into())])).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(secret), "{transform}: {error}");
    }
}

#[test]
fn a_record_out_of_scope_wants_nothing_and_has_no_problems() {
    let table = [
        ("{ field = 'x', equals = 'yes' }", "yes", true),
        ("{ field = 'x', equals = 'yes' }", "no", false),
        ("{ field = 'x', in = ['a', 'b'] }", "b", true),
        ("{ field = 'x', in = [1, 2] }", "2", true),
        ("{ field = 'x', in = [1, 2] }", "3", false),
        ("{ field = 'x', not_in = ['a'] }", "", true),
        ("{ field = 'x', not_in = ['a'] }", "a", false),
        ("{ field = 'x', present = true }", "", false),
        ("{ field = 'x', present = false }", "", true),
        ("[{ field = 'x', present = true }, { field = 'x', not_in = ['b'] }]", "b", false),
        ("[{ field = 'x', present = true }, { field = 'x', not_in = ['b'] }]", "c", true),
    ];
    for (scope, value, inside) in table {
        let text = people(&format!(
            "scope = {scope}\nfields = [{{ from = 'mail', to = 'email', transform = 'email' }}]"
        ));
        let mapped = map(&checked(&text), &[("x", value.into()), ("mail", "bad".into())]);
        match mapped {
            Ok(mapped) => assert!(!inside && !mapped.in_scope && mapped.values == [None], "{scope} {value}"),
            Err(problems) => assert!(inside && problems == ["bad-email email mail"], "{scope} {value}"),
        }
    }
    let text = people("scope = { field = 'gone', present = true }\nfields = [{ from = 'x', to = 'p' }]");
    assert_eq!(
        map(&checked(&text), &[("x", "a".into())]),
        Err(vec![String::from("not-fetched (scope) gone")])
    );
}

const TWO_LINKS: &str = "
[[links.associations]]
name = 'employer'
to = 'customers'
key = 'customer'
kind = 'primary'
[[links.associations]]
name = 'billing'
to = 'customers'
key = 'pays'
transform = ['split']
label = 'Billing contact'
inverse = 'Billed customer'
when = { field = 'role', equals = 'billing' }
[[links.fields]]
from = 'x'
to = 'p'
[[links]]
name = 'customers'
collection = 'customers'
object = 'companies'
sync_key = 'shop_key'
fields = [{ from = 'name', to = 'name' }]
";

#[test]
fn associations_name_the_other_records_and_parents_come_first() {
    let mapping = checked(&people(TWO_LINKS));
    let names: Vec<_> = mapping.links().iter().map(|link| link.name.as_str()).collect();
    assert_eq!(names, ["customers", "people"]);
    let rules: Vec<_> =
        mapping.edge_rules().iter().map(|rule| (rule.from, rule.to, rule.kind.clone())).collect();
    assert_eq!(
        rules,
        [
            (LinkId(1), LinkId(0), EdgeKind::Primary),
            (LinkId(1), LinkId(0), EdgeKind::Label(String::from("Billing contact")))
        ]
    );
    let edges = |customer: Value, pays: &str, role: &str| {
        let columns =
            [("x", Value::Null), ("customer", customer), ("pays", pays.into()), ("role", role.into())];
        mapping.map(LinkId(1), &record(&columns)).unwrap().edges
    };
    let edge = |rule, id: &str| (EdgeRuleId(rule), ExternalId::new(id));
    assert_eq!(edges(number("12.0"), "", "billing"), [edge(0, "12")]);
    assert_eq!(edges("A7".into(), "3; 4;3", "billing"), [edge(0, "A7"), edge(1, "3"), edge(1, "4")]);
    assert_eq!(edges(Value::Null, "3", "other"), []);
    let required = people(&TWO_LINKS.replace("kind = 'primary'", "required = true"));
    let columns =
        [("x", Value::Null), ("customer", Value::Null), ("pays", Value::Null), ("role", Value::Null)];
    let error = checked(&required).map(LinkId(1), &record(&columns)).unwrap_err();
    assert_eq!(error.problems[0].code, "required-empty");
}

#[test]
fn links_in_a_circle_keep_the_order_of_the_file() {
    let text = people(
        "fields = [{ from = 'x', to = 'p' }]
         associations = [{ name = 'boss', to = 'people', key = 'x' }, { name = 'of', to = 'b', key = 'x' }]
         [[links]]
         name = 'b'
         collection = 'b'
         object = 'companies'
         sync_key = 'k'
         fields = [{ from = 'x', to = 'p' }]
         associations = [{ name = 'owner', to = 'people', key = 'x' }]",
    );
    let mapping = checked(&text);
    assert_eq!(mapping.links()[0].name, "people");
    assert_eq!(mapping.edge_rules().len(), 3);
}

#[test]
fn pages_of_other_shapes_are_mapped_by_name() {
    let mapping = checked(&field("from = 'x'\nto = 'p'"));
    for columns in [
        vec![("x", "1".into()), ("y", "2".into())],
        vec![("y", Value::text("2")), ("x", "1".into())],
        vec![("z", Value::text("3")), ("y", "2".into()), ("x", "1".into())],
    ] {
        assert_eq!(map(&mapping, &columns).unwrap().values, [Some("1".into())]);
    }
    assert_eq!(map(&mapping, &[("y", "2".into())]).unwrap().values, [None]);
}

#[test]
fn the_fingerprint_changes_with_the_meaning_and_not_with_the_writing() {
    let base = "from = 'x'\nto = 'p'\ntransform = ['trim', { max_length = 5 }]";
    let print = |content: &str| checked(&field(content)).fingerprint();
    let same = [
        "to = 'p' # a comment\nfrom = \"x\"\n\ntransform = [ 'trim' , {max_length=5} ]",
        "from = 'x'\nto = 'p'\ntransform = ['trim', { max_length = 5 }]\nnote = 'words'",
    ];
    for content in same {
        assert_eq!(print(content), print(base), "{content}");
    }
    let other = [
        "from = 'y'\nto = 'p'\ntransform = ['trim', { max_length = 5 }]",
        "from = 'x'\nto = 'p'\ntransform = [{ max_length = 5 }, 'trim']",
        "from = 'x'\nto = 'p'\ntransform = ['trim', { max_length = 6 }]",
        "from = 'x'\nto = 'p'\ntransform = ['trim', { max_length = 5 }]\nwhen_empty = 'ignore'",
        "from = 'x'\nto = 'p'\ntransform = ['trim', { max_length = 5 }]\nrequired = true",
        "from = 'x'\nto = 'p'\ntransform = ['trim', { max_length = 5 }]\nkind = 'option'",
    ];
    for content in other {
        assert_ne!(print(content), print(base), "{content}");
    }
}

#[test]
fn an_explanation_shows_each_step_in_clear() {
    let mapping = checked(&people(
        "fields = [{ from = 'mail', to = 'email', transform = ['trim', 'email'] }, { from = 'day', to = 'day', transform = 'date' }]",
    ));
    let columns = [("mail", " Ada@Example.com".into()), ("day", "soon".into())];
    let explanation = mapping.explain(LinkId(0), &record(&columns)).unwrap();
    let shown = explanation.to_string();
    assert_eq!(
        shown,
        "people 1\n  email <- mail\n    source            Ada@Example.com\n    trim             Ada@Example.com\n    \
         email            ada@example.com\n    = ada@example.com\n  day <- day\n    source           soon\n    \
         ! not a date of the form `%Y-%m-%d` [bad-date]\n      \
         help: correct it at the source, or add its format: `{ date = [\"%d.%m.%Y\"] }`\n"
    );
    assert!(!format!("{explanation:?}").contains("xample"), "Debug keeps values out of logs");
    let sensitive = checked(&people(
        "fields = [{ from = 'mail', to = 'email', transform = 'email', sensitivity = 'sensitive' }, { from = 'day', to = 'day' }, { template = 'to {mail}', to = 'note' }]",
    ));
    let shown = sensitive.explain(LinkId(0), &record(&columns)).unwrap().to_string();
    assert!(
        shown.contains("= (not shown)") && shown.contains("= soon") && !shown.contains("xample"),
        "{shown}"
    );
    assert!(mapping.explain(LinkId(9), &record(&columns)).is_none());
}

#[test]
fn requirements_name_keys_properties_options_labels_and_custom_objects() {
    let text = people(TWO_LINKS).replace(
        "[[links.fields]]\nfrom = 'x'\nto = 'p'",
        "[[links.fields]]\nfrom = 'x'\nto = 'p'\ntransform = { picklist = 'l' }\ncreate = { label = 'P' }",
    ) + "[picklists.l]\ndefault = 'z'\nmap = { a = 'A' }\nlabels = { z = 'Other' }\n\
         [[objects]]\nname = 'machines'\nsingular = 'Machine'\nplural = 'Machines'\nprimary_display = 'serial'\n\
         [[links]]\nname = 'm'\ncollection = 'm'\nobject = 'machines'\nsync_key = 'k'\n\
         fields = [{ from = 's', to = 'serial', create = { label = 'Serial' } }]\n\
         associations = [{ name = 'at', to = 'customers', key = 'c' }]\n";
    let mapping = checked(&text);
    let wanted = serde_json::to_value(mapping.requirements()).unwrap();
    let objects: Vec<_> =
        wanted["objects"].as_array().unwrap().iter().map(|o| o["object"].as_str().unwrap()).collect();
    assert_eq!(objects, ["machines", "companies", "contacts"]);
    let contacts = &wanted["objects"][2]["properties"];
    assert_eq!((&contacts[0]["name"], &contacts[0]["unique"]), (&"shop_key".into(), &true.into()));
    assert_eq!(contacts[1]["kind"], "option");
    let options = serde_json::json!([{ "value": "A", "label": "A" }, { "value": "z", "label": "Other" }]);
    assert_eq!(contacts[1]["options"], options);
    assert_eq!(wanted["objects"][0]["schema"]["associated"], serde_json::json!(["companies"]));
    assert_eq!(wanted["objects"][0]["schema"]["primary_display"], "serial");
    assert!(wanted["objects"][1]["schema"].is_null());
    let labels: Vec<_> = wanted["labels"].as_array().unwrap().iter().map(|l| l["inverse"].as_str()).collect();
    assert_eq!(labels, [None, Some("Billed customer"), None]);
}
