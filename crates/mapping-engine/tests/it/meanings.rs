//! What keys mean where two of them meet, and where a name can be written in several ways.

use mapping_engine::{Check, CheckedMapping, Portal, Problems, Schemas, check};
use sync_types::{LinkId, Mapper, Property, PropertyKind, Value};

use super::support::{checked, map, number, people, record, schema};

fn codes(outcome: Result<CheckedMapping, Problems>) -> Vec<&'static str> {
    match outcome {
        Ok(mapping) => mapping.warnings().list().iter().map(|problem| problem.code).collect(),
        Err(problems) => problems.list().iter().map(|problem| problem.code).collect(),
    }
}

/// Deals with these fields.
fn deals(object: &str, fields: &str) -> String {
    format!(
        "[mapping]\nname = 'x'\n[[links]]\nname = 'l'\ncollection = 'c'\nobject = '{object}'\nsync_key = 'k'\n\
         fields = [{fields}]\n"
    )
}

#[test]
fn a_required_value_is_required_even_where_bad_ones_are_left_out() {
    let mapping = checked(&people(
        "fields = [{ from = 'mail', to = 'email', transform = 'email', required = true, on_bad = 'leave' }]",
    ));
    assert_eq!(map(&mapping, &[("mail", Value::Null)]), Err(vec!["required-empty email mail".into()]));
    assert_eq!(map(&mapping, &[("other", Value::Null)]), Err(vec!["not-fetched email mail".into()]));
    assert_eq!(map(&mapping, &[("mail", "nobody".into())]).unwrap().skipped[0].code, "bad-email");
}

#[test]
fn what_a_sensitive_field_reads_is_shown_nowhere() {
    let secret = "S3cr3t";
    for (sensitive, other) in [
        ("from = 'ssn'", "from = 'x', transform = { coalesce = ['ssn'] }"),
        ("from = 'x', transform = { coalesce = ['ssn'] }", "from = 'ssn'"),
        ("from = 'person.ssn'", "from = 'person', transform = 'write_json'"),
        ("from = 'person', transform = 'write_json'", "from = 'person.ssn'"),
        ("expression = 'ssn + \"\"'", "template = '{ssn}'"),
    ] {
        let mapping = checked(&people(&format!(
            "fields = [{{ {sensitive}, to = 'a', sensitivity = 'sensitive' }}, {{ {other}, to = 'b' }}]"
        )));
        let person = Value::Object(vec![("ssn".into(), secret.into())]);
        let record = record(&[("ssn", secret.into()), ("person", person), ("x", Value::Null)]);
        let shown = mapping.explain(LinkId(0), &record).unwrap().to_string();
        assert!(!shown.contains(secret), "{sensitive} and {other}: {shown}");
    }
    let marked = people(
        "never_leaves_source = 'ssn'\ndirection = 'both'\n\
         fields = [{ from = 'mail', to = 'a' }, { from = 'ssn', to = 'b', direction = 'from-hubspot' }]",
    );
    let shown = checked(&marked).explain(LinkId(0), &record(&[("ssn", secret.into()), ("mail", "m".into())]));
    let shown = shown.unwrap().to_string();
    assert!(shown.contains("= m") && !shown.contains(secret), "what stays at home is not shown: {shown}");
}

#[test]
fn an_association_by_a_sensitive_column_is_not_shown() {
    let mapping = checked(&people(
        "fields = [{ from = 'ssn', to = 'a', sensitivity = 'sensitive' }]\n\
         associations = [{ name = 'boss', to = 'people', key = 'ssn' }, { name = 'team', to = 'people', key = 't' }]",
    ));
    let record = record(&[("ssn", "S3cr3t".into()), ("t", "T7".into())]);
    let shown = mapping.explain(LinkId(0), &record).unwrap().to_string();
    assert!(shown.contains("team -> T7") && !shown.contains("S3cr3t"), "{shown}");
}

#[test]
fn a_table_stands_in_one_file() {
    let main = |rest: &str| {
        format!("include = 'more.toml'\n{}{rest}", people("fields = [{ from = 'a', to = 'b' }]"))
    };
    for table in [
        "[picklists.t]\nmap = { a = 'b' }\n",
        "[lookups.t]\ncsv = 'k,v'\nkey = 'k'\nvalue = 'v'\n",
        "[rates.t]\nbase = 'EUR'\nrows = []\n",
        "[pipelines.t]\nobject = 'deals'\nid = '1'\nstages = {}\n",
        "[environments.t]\nportal = 1\n",
    ] {
        let outcome = Check::new("m", &main(table)).files(&|_: &str| Ok(table.to_owned())).run();
        assert!(codes(outcome).contains(&"duplicate-name"), "{table}");
        let alone = Check::new("m", &main("")).files(&|_: &str| Ok(table.to_owned())).run();
        assert!(!codes(alone).contains(&"duplicate-name"), "{table}");
    }
}

#[test]
fn object_types_are_the_same_by_any_of_their_names() {
    for name in ["deals", "deal", "0-3", "Deals"] {
        let text = deals(
            name,
            "{ from = 'n', to = 'dealname' }, { pipeline = 'p', to = 'pipeline' }, { stage = 'p.s', to = 'dealstage' }",
        ) + "[pipelines.p]\nobject = '0-3'\nid = '1'\nstages = { s = '2' }\n";
        let mapping = checked(&text);
        assert_eq!(mapping.links()[0].object.as_str(), "deals");
        assert_eq!(codes(check("m", &text, Schemas::default())), Vec::<&str>::new(), "{name}");
    }
    let two = |sync_key: &str| {
        "[mapping]\nname = 'x'\n".to_owned()
            + &["contacts", "0-1"].map(|object| {
                let key = if object == "0-1" { sync_key } else { "k" };
                format!(
                    "[[links]]\nname = 'l{object}'\ncollection = 'c'\nobject = '{object}'\nsync_key = '{key}'\n\
                     fields = [{{ from = 'm', to = 'email' }}]\n"
                )
            })
            .concat()
    };
    assert_eq!(codes(check("m", &two("other"), Schemas::default())), ["contested-property"]);
    assert_eq!(codes(check("m", &two("k"), Schemas::default())), Vec::<&str>::new());
    assert_eq!(checked(&two("k")).requirements().objects.len(), 1);
    assert_eq!(checked(&deals("2-17", "{ from = 'a', to = 'b' }")).links()[0].object.as_str(), "2-17");
}

#[test]
fn only_a_portal_can_tell_whether_a_deals_date_of_creation_may_be_written() {
    let of = |object: &str| {
        codes(check("m", &deals(object, "{ from = 'a', to = 'createdate' }"), Schemas::default()))
    };
    assert_eq!(of("contacts"), ["read-only-property"]);
    assert_eq!(of("deals"), Vec::<&str>::new());
}

#[test]
fn a_property_has_its_environments_name_in_an_expression_too() {
    let text = people(
        "direction = 'both'\nhubspot_scope = \"status == 'VIP' && tier == 1\"\nfields = [{ from = 'tier', to = 'tier', transform = 'number' }]",
    ) + "[environments.live]\nportal = 1\nproperties.contacts = { status = 'status_live', tier = 'tier_live' }\n";
    let portal = Portal { id: Some(1), ..Portal::default() };
    let mapping = Check::new("m", &text).portal(portal).run().unwrap_or_else(|problems| panic!("{problems}"));
    let link = &mapping.links()[0];
    assert_eq!(
        (link.properties[0].name.as_str(), &link.right_reads[..]),
        ("tier_live", &["status_live".into()][..])
    );
    assert!(mapping.right_in_scope(LinkId(0), &[number("1"), "VIP".into()]));
    assert!(!mapping.right_in_scope(LinkId(0), &[number("2"), "VIP".into()]));
}

#[test]
fn a_product_is_exact_or_refused() {
    let mapping = checked(&people(
        "fields = [{ from = 'a', to = 'b', kind = 'number', transform = ['number', { multiply = 0.3 }] }]",
    ));
    let times =
        |text: &str| map(&mapping, &[("a", text.into())]).map(|mapped| mapped.values[0].clone().unwrap());
    assert_eq!(times("0.2"), Ok(number("0.06")));
    assert_eq!(times("10"), Ok(number("3")));
    assert_eq!(times("-79228162514264337593543950330"), Ok(number("-23768448754279301278063185099")));
    for lossy in
        ["0.0000000000000000000000000001", "7.9228162514264337593543950335", "79228162514264337593543950335"]
    {
        assert_eq!(times(lossy), Err(vec!["bad-number b a".into()]), "{lossy}");
    }
}

#[test]
fn a_tables_own_name_is_no_key_of_the_format() {
    let print = |rate: &str| {
        checked(&(people(
            "fields = [{ from = 'a', to = 'b', transform = ['number', { convert = { rates = 'version', from = 'USD', to = 'EUR' } }] }]",
        ) + &format!("[rates.version]\nbase = 'EUR'\nrows = [{{ on = 2026-01-01, USD = {rate} }}]\n")))
        .fingerprint()
    };
    assert_ne!(print("1.1"), print("1.2"));
}

#[test]
fn rates_are_used_and_stand_once() {
    let rows = |rows: &str| {
        let used = people(
            "fields = [{ from = 'a', to = 'b', transform = ['number', { convert = { rates = 'r', from = 'USD', to = 'EUR' } }] }]",
        );
        codes(check(
            "m",
            &(used + &format!("[rates.r]\nbase = 'EUR'\nrows = [{rows}]\n")),
            Schemas::default(),
        ))
    };
    assert_eq!(rows("{ on = 2026-01-01, USD = 1.1 }, { on = 2026-01-02, USD = 1.2 }"), Vec::<&str>::new());
    assert_eq!(rows("{ on = 2026-01-01, USD = 1.1 }, { on = 2026-01-01, USD = 1.2 }"), ["bad-table"]);
    let unused = people("fields = [{ from = 'a', to = 'b' }]") + "[rates.r]\nbase = 'EUR'\nrows = []\n";
    assert_eq!(codes(check("m", &unused, Schemas::default())), ["unused-rates"]);
}

#[test]
fn date_times_are_written_as_dates_are() {
    for written in ["'%d.%m.%Y %H:%M'", "['%d.%m.%Y %H:%M']", "{ formats = '%d.%m.%Y %H:%M' }"] {
        let mapping = checked(&people(&format!(
            "fields = [{{ from = 'a', to = 'b', transform = {{ date_time = {written} }} }}]"
        )));
        let at = map(&mapping, &[("a", "15.07.2026 12:00".into())]).unwrap().values[0].clone().unwrap();
        assert_eq!(at.reveal().to_string(), "2026-07-15T10:00:00Z", "{written}");
    }
}

#[test]
fn a_telephone_number_is_of_the_country_in_its_record() {
    let mapping = checked(&people(
        "fields = [{ from = 'tel', to = 'phone', transform = { phone = { region_field = 'land', region = 'AT' } } }]",
    ));
    let phone = |tel: &str, land: &str| {
        map(&mapping, &[("tel", tel.into()), ("land", land.into())])
            .map(|mapped| mapped.values[0].clone().unwrap())
    };
    assert_eq!(phone("030 1234567", "Germany"), Ok("+49301234567".into()));
    assert_eq!(phone("555 123 4567", "USA"), Ok("+15551234567".into()));
    assert_eq!(phone("01 2345678", ""), Ok("+4312345678".into()), "no country: the region that is given");
    assert_eq!(phone("+33 1 23 45 67 89", "nowhere"), Ok("+33123456789".into()), "a country code is enough");
    assert_eq!(phone("030 1234567", "nowhere"), Err(vec!["bad-phone phone tel".into()]));
    assert_eq!(map(&mapping, &[("tel", "030 1234567".into())]), Err(vec!["not-fetched phone tel".into()]));
    let both = checked(&people(
        "direction = 'both'\nfields = [{ from = 'tel', to = 'phone', transform = { phone = { region_field = 'land' } } }]",
    ));
    let back = both.back(LinkId(0), 0, &"+49301234567".into()).unwrap();
    assert_eq!(back[0].value, Value::text("+49301234567"));
    let secret = people(
        "never_leaves_source = 'land'\nfields = [{ from = 'tel', to = 'phone', transform = { phone = { region_field = 'land' } } }]",
    );
    assert_eq!(codes(check("m", &secret, Schemas::default())), ["never-leaves-source"]);
}

#[test]
fn a_town_or_a_country_is_enough_to_find_what_was_meant() {
    let text = "[mapping]\nname = 'x'\nregion = 'Austria'\nzone = 'vienna'\n[[links]]\nname = 'l'\ncollection = 'c'\n\
                object = 'contacts'\nsync_key = 'k'\nfields = [{ from = 'a', to = 'b' }]\n";
    let problems = check("m", text, Schemas::default()).unwrap_err();
    let remedies: Vec<&str> = problems.list().iter().map(|problem| problem.remedy.as_str()).collect();
    assert_eq!(remedies, ["did you mean `AT`?", "did you mean `Europe/Vienna`?"]);
}

#[test]
fn what_is_known_in_part_is_held_against_kinds_alone() {
    let mut stage = Property::new("dealstage", PropertyKind::Option);
    stage.options = vec!["won".into()];
    let known = [schema("deals", vec![Property::new("amount", PropertyKind::Number), stage])];
    let of = |fields: &str, part: bool| {
        let text = deals("deals", fields);
        let check = Check::new("m", &text).schemas(Schemas { hubspot: Some(&known), ..Schemas::default() });
        codes(if part { check.hubspot_is_in_part().run() } else { check.run() })
    };
    let amount = "{ from = 'a', to = 'amount', transform = 'trim' }";
    assert_eq!(of(amount, true), Vec::<&str>::new(), "what a column holds is not known");
    let amount = "{ template = '{a}', to = 'amount' }";
    assert_eq!(of(amount, true), ["type-mismatch"]);
    let pipeline = "{ value = 'p', to = 'pipeline', kind = 'option' }";
    let stage = |id: &str| format!("{pipeline}, {{ value = '{id}', to = 'dealstage' }}");
    assert_eq!(of(&stage("won"), true), Vec::<&str>::new());
    assert_eq!(of(&stage("lost"), true), ["unknown-option"]);
    assert_eq!(of(&stage("lost"), false), ["unknown-property", "unknown-option"]);
    let checked = Check::new("m", &deals("deals", &stage("lost")))
        .schemas(Schemas { hubspot: Some(&known), ..Schemas::default() })
        .hubspot_is_in_part()
        .run();
    assert!(
        checked.unwrap().map(LinkId(0), &record(&[("a", Value::Null)])).is_ok(),
        "a warning stops no record"
    );
    let elsewhere = deals("tickets", "{ from = 'a', to = 'subject' }");
    let check = Check::new("m", &elsewhere).schemas(Schemas { hubspot: Some(&known), ..Schemas::default() });
    assert_eq!(
        (codes(check.run()), codes(check.hubspot_is_in_part().run())),
        (vec!["unknown-object"], vec![])
    );
}
