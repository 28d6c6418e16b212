//! What the file says of directions, scopes, environments and consent, as the engine is told it.

use mapping_engine::{Check, CheckedMapping, Needs, Owner, Pipeline, Portal, Schemas, Stage, check};
use sync_types::{Conflict, Direction, LinkId, Mapper, OnDelete, OnDeleteConflict, Sensitivity, Value};

use super::support::{checked, map, number, people};

fn two_way(content: &str) -> String {
    people(&format!("direction = 'both'\n{content}"))
}

#[test]
fn a_link_tells_the_engine_its_policies() {
    let text = two_way(
        "match = ['email', { property = 'lastname', evidence = 'weak' }]
         creates = 'hubspot'
         conflict = 'newest'
         on_exit = 'ask'
         on_delete = { source = 'delete', hubspot = 'ask', conflict = 'edit' }
         hubspot_scope = { field = 'hs_lead_status', not_in = ['BAD'] }
         fields = [
           { from = 'mail', to = 'email', sensitivity = 'sensitive' },
           { from = 'name', to = 'lastname', conflict = 'filled', overwrite = false },
           { from = 'n', to = 'n', transform = 'number', kind = 'number', conflict = 'furthest', ratchet = true, when_empty = 'ignore' },
           { from = 'score', to = 'score', direction = 'from-hubspot', sensitivity = 'public' },
           { value = 'x', to = 'origin' },
         ]",
    );
    let mapping = checked(&text);
    let link = &mapping.links()[0];
    assert_eq!((&link.match_on, &link.propose_on), (&vec![0], &vec![1]));
    assert_eq!((link.direction, link.creates_right, link.creates_left), (Direction::Both, true, false));
    assert_eq!(
        (link.on_left_delete, link.on_right_delete, link.on_delete_conflict, link.on_scope_exit),
        (OnDelete::Delete, OnDelete::Ask, OnDeleteConflict::Edit, OnDelete::Ask)
    );
    assert_eq!(link.right_reads, ["hs_lead_status".into()]);
    let told: Vec<_> = link
        .properties
        .iter()
        .map(|p| (p.direction, p.conflict, p.ratchet, p.overwrite, p.sensitivity))
        .collect();
    use Sensitivity::{Personal, Public, Sensitive};
    assert_eq!(
        told,
        [
            (Direction::Both, Conflict::Newest, false, true, Sensitive),
            (Direction::Both, Conflict::Filled, false, false, Personal),
            (Direction::Both, Conflict::Furthest, true, true, Personal),
            (Direction::ToLeft, Conflict::Right, false, true, Public),
            (Direction::ToRight, Conflict::Left, false, true, Personal),
        ]
    );
}

#[test]
fn what_is_not_said_is_the_safe_thing() {
    let mapping = checked(&people("fields = [{ from = 'mail', to = 'email' }]"));
    let link = &mapping.links()[0];
    assert_eq!((link.direction, link.creates_right, link.creates_left), (Direction::ToRight, true, false));
    assert_eq!(
        (link.on_left_delete, link.on_right_delete, link.on_delete_conflict, link.on_scope_exit),
        (OnDelete::Keep, OnDelete::Keep, OnDeleteConflict::Ask, OnDelete::Keep)
    );
    let both = checked(&two_way("fields = [{ from = 'mail', to = 'email' }]"));
    let link = &both.links()[0];
    assert_eq!((link.creates_right, link.creates_left), (true, true));
    assert_eq!(link.properties[0].conflict, Conflict::Ask);
}

#[test]
fn associations_tell_their_direction_and_cardinality() {
    let text = two_way(
        "fields = [{ from = 'mail', to = 'email' }]
         associations = [
           { name = 'boss', to = 'people', key = 'boss', single = true },
           { name = 'main', to = 'people', key = 'main', kind = 'primary', direction = 'to-hubspot', parent_first = true },
           { name = 'peers', to = 'people', key = 'peers', transform = 'split', direction = 'to-hubspot' },
         ]",
    );
    let mapping = checked(&text);
    let told: Vec<_> =
        mapping.edge_rules().iter().map(|rule| (rule.direction, rule.single, rule.parent_first)).collect();
    assert_eq!(
        told,
        [
            (Direction::Both, true, false),
            (Direction::ToRight, true, true),
            (Direction::ToRight, false, false)
        ]
    );
    let boss = sync_types::ExternalId::new("17");
    let back = mapping.back_edge(sync_types::EdgeRuleId(0), Some(&boss)).unwrap();
    assert_eq!((&*back[0].path, &back[0].value), ("boss", &Value::text("17")));
    assert!(mapping.back_edge(sync_types::EdgeRuleId(1), Some(&boss)).unwrap().is_empty());
}

#[test]
fn values_come_back_in_the_sources_words() {
    let text = two_way(
        "fields = [
           { from = 'state', to = 'stage', transform = { picklist = 'p' }, kind = 'option', create = { label = 'S' } },
           { from = 'limit', to = 'limit', transform = { number = { decimal = ',', group = '.' } }, kind = 'number' },
           { from = 'mail', to = 'email', direction = 'to-hubspot' },
         ]
         [picklists.p]
         map = { aktiv = 'active', A = 'active', ruhend = 'dormant' }
         back = { active = 'A' }",
    );
    let mapping = checked(&text);
    let back = |property: usize, value: Value| {
        let fields = mapping.back(LinkId(0), property, &value).unwrap();
        fields.into_iter().map(|field| (field.path.to_string(), field.value)).collect::<Vec<_>>()
    };
    assert_eq!(back(0, "active".into()), [(String::from("state"), Value::text("A"))]);
    assert_eq!(back(0, "dormant".into()), [(String::from("state"), Value::text("ruhend"))]);
    assert_eq!(back(1, number("1234.5")), [(String::from("limit"), Value::text("1234,5"))]);
    assert_eq!(back(2, "a@b.example".into()), [], "this one goes to HubSpot only");
}

#[test]
fn two_way_fields_are_tried_on_sample_records_too() {
    let text = two_way("fields = [{ template = '{street} / {town}', to = 'address' }]");
    let row = |street: &str| super::support::record(&[("street", street.into()), ("town", "Bonn".into())]);
    let check = |street: &str| {
        let records = [row(street)];
        Check::new("m", &text).samples(&[("people", &records)]).run().map(drop)
    };
    assert_eq!(check("Am Markt 1"), Ok(()));
    let problems = check("Tor 3 / Hof 2").unwrap_err();
    assert_eq!(problems.list()[0].code, "no-round-trip");
    assert!(!problems.to_string().contains("Hof"), "a record's value is in no message: {problems}");
}

#[test]
fn a_consent_only_moves_towards_the_opt_out() {
    let text = two_way(
        "fields = [{ from = 'mail', to = 'email' }]
         [[links.consents]]
         name = 'news'
         from = 'newsletter'
         to = 'news_consent'
         implied = ['customer']
         express = ['yes', 'double']
         withdrawn = ['no']
         subscription = 'Newsletter'
         basis = 'consent-with-notice'
         explanation = 'Box 3'",
    );
    let mapping = checked(&text);
    let property = &mapping.links()[0].properties[1];
    assert!(property.ratchet);
    assert_eq!(property.conflict, Conflict::Furthest);
    let order: Vec<_> = property.order.iter().map(|value| value.reveal().to_string()).collect();
    assert_eq!(order, ["implied", "express", "withdrawn"], "states that have words");
    let consent = &mapping.consents()[0];
    assert_eq!((consent.link, consent.property, consent.name.as_str()), (LinkId(0), 1, "news"));
    assert_eq!(consent.basis.as_deref(), Some("CONSENT_WITH_NOTICE"));
    for (word, state) in
        [(" Double ", Some(Some("express"))), ("NO", Some(Some("withdrawn"))), ("", Some(None)), ("?", None)]
    {
        let mapped = map(&mapping, &[("mail", Value::Null), ("newsletter", word.into())]);
        let found =
            mapped.ok().map(|mapped| mapped.values[1].clone().map(|value| value.reveal().to_string()));
        assert_eq!(found, state.map(|state| state.map(str::to_owned)), "{word:?}");
    }
    let back = mapping.back(LinkId(0), 1, &"express".into()).unwrap();
    assert_eq!(back[0].value, "yes".into(), "the first word of a state is written");
    let reworded = checked(&text.replace("Box 3", "Box 4"));
    assert_eq!(reworded.fingerprint(), mapping.fingerprint(), "no record is mapped differently");
    let options = &mapping.requirements().objects[0].properties[2].options;
    assert_eq!(options.len(), 3);
}

#[test]
fn hubspots_records_belong_by_conditions_or_an_expression() {
    let scoped = |scope: &str| {
        checked(&two_way(&format!("hubspot_scope = {scope}\nfields = [{{ from = 'mail', to = 'email' }}]")))
    };
    // The canonical value of `email`, then what is read beside.
    let cases = [("'VIP'", true), ("'OLD'", false)];
    for (status, inside) in cases {
        let status = Value::text(status.trim_matches('\''));
        for scope in [
            "{ field = 'status', not_in = ['OLD'] }",
            "[{ field = 'status', present = true }, { field = 'status', equals = 'VIP' }]",
            "\"status == 'VIP' && email != ''\"",
        ] {
            let mapping = scoped(scope);
            assert_eq!(mapping.links()[0].right_reads, ["status".into()], "{scope}");
            let shown = ["a@b.example".into(), status.clone()];
            assert_eq!(mapping.right_in_scope(LinkId(0), &shown), inside, "{scope}");
        }
    }
    let open = checked(&two_way("fields = [{ from = 'mail', to = 'email' }]"));
    assert!(open.right_in_scope(LinkId(0), &[Value::Null]));
    let lists = scoped("{ field = 'tags', equals = 'a' }");
    let tags = Value::List(vec!["b".into(), "a".into()]);
    assert!(lists.right_in_scope(LinkId(0), &[Value::Null, tags]), "one item of a list is enough");
}

#[test]
fn computed_values_and_scopes_read_the_record() {
    let mapping = checked(&people(
        "scope = \"number(amount) > 10\"\nfields = [{ expression = \"first + ' ' + last\", to = 'full' }]",
    ));
    let row =
        |amount: &str| [("amount", amount.into()), ("first", "Ada".into()), ("last", Value::text("King"))];
    assert_eq!(map(&mapping, &row("11")).unwrap().values, [Some("Ada King".into())]);
    assert!(!map(&mapping, &row("9")).unwrap().in_scope);
}

const ORDERS: &str = "
[mapping]
name = 'shop'
[[links]]
name = 'orders'
collection = 'orders'
object = 'deals'
sync_key = 'k'
fields = [
  { pipeline = 'sales', to = 'pipeline' },
  { from = 'state', to = 'dealstage', transform = { picklist = 'stage' } },
  { from = 'rep', to = 'hubspot_owner_id', transform = { picklist = 'rep' } },
  { from = 'margin', to = 'margin' },
]
[pipelines.sales]
object = 'deals'
label = 'Sales'
stages = { open = { label = 'Open' }, won = { label = 'Won' } }
[picklists.stage]
pipeline = 'sales'
map = { offen = 'open', bezahlt = 'won' }
[picklists.rep]
owners = true
by_email = true
map = { MM = 'mia@shop.example' }
default = 'team@shop.example'
";

const ENVIRONMENTS: &str = "
[environments.live]
portal = 1
pipelines.sales = { id = '10', stages = { open = '11', won = '12' } }
owners = { 'mia@shop.example' = '71', 'team@shop.example' = '70' }
[environments.trial]
portal = 2
pipelines.sales = { id = '20', stages = { open = '21', won = '22' } }
owners = { 'mia@shop.example' = '81', 'team@shop.example' = '80' }
properties.deals = { margin = 'margin_trial' }
";

/// What the mapping gives for one order, in clear.
fn order(mapping: &CheckedMapping, rep: &str) -> Vec<String> {
    let columns = [("state", "bezahlt".into()), ("rep", rep.into()), ("margin", Value::text("5"))];
    let mapped = map(mapping, &columns).unwrap();
    mapped.values.iter().map(|value| value.as_ref().unwrap().reveal().to_string()).collect()
}

fn at(text: &str, portal: u64) -> CheckedMapping {
    let portal = Portal { id: Some(portal), ..Portal::default() };
    Check::new("m", text).portal(portal).run().unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn each_environment_has_ids_of_its_own() {
    let text = format!("{ORDERS}{ENVIRONMENTS}");
    let (live, trial) = (at(&text, 1), at(&text, 2));
    assert_eq!(order(&live, "MM"), ["10", "12", "71", "5"]);
    assert_eq!(order(&trial, "Mia@shop.example"), ["20", "22", "81", "5"]);
    assert_eq!(order(&trial, "somebody"), ["20", "22", "80", "5"], "the default owner");
    assert_eq!((live.environment(), trial.environment()), (Some("live"), Some("trial")));
    let name = |mapping: &CheckedMapping| mapping.links()[0].properties[3].name.as_str().to_owned();
    assert_eq!((name(&live), name(&trial)), (String::from("margin"), String::from("margin_trial")));
    let named = Check::new("m", &text).environment("trial").run().unwrap();
    assert_eq!(named.fingerprint(), trial.fingerprint());
    assert_ne!(live.fingerprint(), trial.fingerprint());
    let other = at(&text.replace("'22'", "'23'"), 1);
    assert_eq!(live.fingerprint(), other.fingerprint(), "another environment's ids mean nothing here");
    assert_ne!(at(&text.replace("'12'", "'13'"), 1).fingerprint(), live.fingerprint());
}

#[test]
fn until_the_portal_is_known_no_environment_is_missed() {
    let text = format!("{ORDERS}{ENVIRONMENTS}")
        .replace("label = 'Sales'\n", "")
        .replace("open = { label = 'Open' }, won = { label = 'Won' }", "open = {}, won = {}");
    let open = checked(&text);
    assert_eq!((open.environment(), open.needs().pipelines.len()), (None, 1));
    assert_eq!(order(&at(&text, 1), "MM"), ["10", "12", "71", "5"]);
    let alone = text.split("[environments.live]").next().unwrap();
    let problems = check("m", alone, Schemas::default()).unwrap_err();
    assert_eq!(problems.list()[0].code, "unresolved-id", "nothing could ever tell these ids");
}

#[test]
fn ids_are_found_in_the_portal_by_label_and_address() {
    let stage = |id: &str, label: &str| Stage { id: id.into(), label: label.into() };
    let pipelines = [Pipeline {
        object: "deals".into(),
        id: "30".into(),
        label: " sales".into(),
        stages: vec![stage("31", "Open"), stage("32", "WON")],
    }];
    let owner = |id: &str, email: &str| Owner { id: id.into(), email: email.into(), archived: false };
    let owners =
        [owner("91", "Mia@Shop.example"), owner("90", "team@shop.example"), owner("92", "jo@shop.example")];
    let portal = Portal { id: None, pipelines: Some(&pipelines), owners: Some(&owners) };
    let needs = checked(ORDERS).needs().clone();
    assert_eq!((needs.pipelines, needs.owners), (vec![String::from("deals")], true));
    let mapping = Check::new("m", ORDERS).portal(portal).run().unwrap();
    assert_eq!(*mapping.needs(), Needs::default(), "all is known now");
    assert_eq!(order(&mapping, "mm"), ["30", "32", "91", "5"]);
    assert_eq!(order(&mapping, "JO@shop.example"), ["30", "32", "92", "5"]);
}

#[test]
fn an_id_that_is_not_known_yet_is_never_written() {
    let mapping = checked(ORDERS);
    let columns = [("state", "bezahlt".into()), ("rep", "MM".into()), ("margin", Value::Null)];
    assert_eq!(
        map(&mapping, &columns),
        Err(vec![
            String::from("required-empty pipeline (constant)"),
            String::from("unknown-option dealstage state"),
            String::from("unknown-option hubspot_owner_id rep"),
        ])
    );
}

#[test]
fn a_problem_of_an_included_file_is_shown_in_that_file() {
    let main = format!(
        "include = 'parts/more.toml'\n{}",
        people("fields = [{ from = 'mail', to = 'emial' , x = 1 }]")
    );
    let file = |path: &str| match path {
        "parts/more.toml" => Ok(String::from("# more\n[picklists.p]\nmap = { a = 1 }\n")),
        _ => Err(String::from("no such file")),
    };
    let problems = Check::new("conf/mapping.toml", &main).files(&file).run().unwrap_err();
    let places: Vec<_> =
        problems.list().iter().map(|p| (p.file.as_str(), p.line, p.column, p.code)).collect();
    assert_eq!(
        places,
        [
            ("conf/mapping.toml", 11, 43, "unknown-key"),
            ("conf/parts/more.toml", 2, 12, "unused-picklist"),
            ("conf/parts/more.toml", 3, 13, "wrong-type"),
        ]
    );
    let shown = problems.to_string();
    assert!(
        shown.contains(" --> conf/parts/more.toml:3:13\n  |\n3 | map = { a = 1 }\n  |             ^\n"),
        "{shown}"
    );
    assert!(shown.ends_with("conf/mapping.toml: 2 errors, 1 warning"), "{shown}");
    assert_eq!(problems.to_json()["problems"][2]["file"], "conf/parts/more.toml");
}

#[test]
fn lookup_tables_are_read_from_files_and_change_the_fingerprint() {
    let text = people("fields = [{ from = 'zip', to = 'area', transform = { lookup = 'areas' } }]")
        + "[lookups.areas]\nfile = 'areas.csv'\nkey = 'zip'\nvalue = 'area'\ndefault = ''\nignore_case = true\n";
    let with = |csv: &'static str| {
        let file = move |_: &str| Ok(csv.to_owned());
        Check::new("m", &text).files(&file).run().unwrap_or_else(|problems| panic!("{problems}"))
    };
    let mapping = with("zip,area\nN1,North\n");
    let area = |zip: &str| map(&mapping, &[("zip", zip.into())]).unwrap().values[0].clone().unwrap();
    assert_eq!(area("n1"), "North".into());
    assert_eq!(area("S9"), Value::Null);
    assert_eq!(with("zip,area\nN1,North\n\n").fingerprint(), mapping.fingerprint());
    assert_ne!(with("zip,area\nN1,Nord\n").fingerprint(), mapping.fingerprint());
    let other = text.replace("default = ''", "default = 'x'");
    let file = |_: &str| Ok(String::from("zip,area\nN1,North\n"));
    assert_ne!(Check::new("m", &other).files(&file).run().unwrap().fingerprint(), mapping.fingerprint());
}

#[test]
fn words_of_a_table_count_whatever_they_are_called() {
    let table = |option: &str| {
        checked(
            &(people("fields = [{ from = 'x', to = 'p', transform = { picklist = 't' } }]")
                + &format!("[picklists.t]\nmap = {{ note = '{option}' }}\n")),
        )
    };
    assert_ne!(table("a").fingerprint(), table("b").fingerprint());
}
