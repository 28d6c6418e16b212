//! Every code of the checker: a file that has the problem, and the nearest one that has not.

use std::collections::BTreeSet;

use mapping_engine::{Check, Portal, Problems, Schemas, Severity, check, explain_code};
use sync_types::{Property, PropertyKind, Schema};

use super::codes;
use super::support::{people, schema, text};

fn source() -> Vec<Schema> {
    let mut state = Property::new("state", PropertyKind::Option);
    state.options = vec![String::from("on"), String::from("off")];
    let amount = Property::new("amount", PropertyKind::Number);
    let mut all = vec![schema("people", vec![text("id"), text("mail"), text("name"), state, amount])];
    all.extend(codes::more_source());
    all
}

fn hubspot() -> Vec<Schema> {
    let mut key = text("taken_key");
    key.unique = false;
    let mut made = text("good_key");
    made.unique = true;
    let mut created = Property::new("createdate", PropertyKind::DateTime);
    created.read_only = true;
    let mut stage = Property::new("stage", PropertyKind::Option);
    stage.options = vec![String::from("lead"), String::from("customer")];
    let revenue = Property::new("revenue", PropertyKind::Number);
    let mut all =
        vec![schema("contacts", vec![text("email"), text("lastname"), key, made, created, stage, revenue])];
    all.extend(codes::more_hubspot());
    all
}

/// The codes of a file's problems. Its first line may be `# environment: NAME portal: ID`.
fn problems(file: &str) -> Vec<String> {
    let (source, hubspot) = (source(), hubspot());
    let (pipelines, owners) = (codes::pipelines(), codes::owners());
    let first = file.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or_default();
    let said = |word: &str| first.split_once(word)?.1.split_whitespace().next();
    // A mapping with environments gives its ids itself.
    let alone = file.contains("[environments");
    let mut check = Check::new("mapping.toml", file)
        .files(&codes::file)
        .schemas(Schemas { source: Some(&source), hubspot: Some(&hubspot) })
        .portal(Portal {
            id: said("portal:").map(|id| id.parse().unwrap()),
            pipelines: (!alone).then_some(&pipelines),
            owners: Some(&owners),
        });
    if let Some(name) = said("environment:") {
        check = check.environment(name);
    }
    let found = match check.run() {
        Ok(mapping) => mapping.warnings().clone(),
        Err(problems) => problems,
    };
    found.list().iter().map(|problem| problem.code.to_owned()).collect()
}

fn field(content: &str) -> String {
    people(&format!("[[links.fields]]\n{content}"))
}

/// Code, a file with the problem, the nearest file without it.
fn table() -> Vec<(&'static str, String, String)> {
    let mail = "from = 'mail'\nto = 'email'";
    let fields = "fields = [{ from = 'mail', to = 'email' }]";
    let step = |step: &str| field(&format!("{mail}\ntransform = [{step}]"));
    let object = |display: &str| {
        format!(
            "[[objects]]\nname = 'machines'\nsingular = 'M'\nplural = 'Ms'\nprimary_display = '{display}'\n"
        )
    };
    let machines = format!(
        "{}\n[[links]]\nname = 'm'\ncollection = 'people'\nobject = 'machines'\nsync_key = 'k'\nfields = [{{ from = 'name', to = 'serial', create = {{ label = 'S' }} }}]\n",
        people(fields)
    );
    let edge =
        |more: &str| people(&format!("{fields}\n[[links.associations]]\nname = 'boss'\nkey = 'id'\n{more}"));
    let table = "[picklists.p]\nmap = { on = 'lead', off = 'customer' }\n";
    let list = |map: &str| {
        format!("{}\n{}", field("from = 'state'\nto = 'stage'\ntransform = [{ picklist = 'p' }]"), map)
    };
    let convert = "'number', { convert = { rates = 'r', from = 'USD', to = 'EUR' } }";
    let lookup = "\n[lookups.l]\ncsv = 'nr,name'\nkey = 'nr'\nvalue = 'name'\n";
    let rates = "\n[rates.r]\nbase = 'EUR'\nrows = [{ on = 2026-01-01, USD = 1.08 }]\n";
    vec![
        ("bad-argument", step("{ extract = '(' }"), step("{ extract = '(x)' }")),
        ("bad-argument", step("'round'").replace("round", "picklist"), step("'trim'")),
        ("bad-argument", step("{ phone = 'XX' }"), step("{ phone = 'AT' }")),
        ("bad-argument", step("{ date = ['%d.%m'] }, 'text'"), step("{ date = ['%d.%m.%Y'] }, 'text'")),
        (
            "bad-argument",
            step("{ date_time = { formats = ['%H:%M'] } }, 'text'"),
            step("{ date_time = { formats = ['%Y-%m-%d %H:%M'] } }, 'text'"),
        ),
        (
            "bad-argument",
            step("{ date_time = { zone = 'Moon/Base' } }, 'text'"),
            step("{ date_time = { zone = 'Asia/Tokyo' } }, 'text'"),
        ),
        (
            "bad-argument",
            step("{ number = { decimal = ',', group = ',' } }, 'text'"),
            step("{ number = { decimal = ',', group = '.' } }, 'text'"),
        ),
        ("bad-argument", step("{ trim = 1 }"), step("'trim'")),
        (
            "bad-association",
            edge("to = 'people'\nkind = 'plain'\nlabel = 'Boss'"),
            edge("to = 'people'\nlabel = 'Boss'"),
        ),
        (
            "bad-association",
            edge("to = 'people'\ninverse = 'Staff'"),
            edge("to = 'people'\nlabel = 'Boss'\ninverse = 'Staff'"),
        ),
        (
            "bad-condition",
            people(&format!("scope = {{ field = 'id' }}\n{fields}")),
            people(&format!("scope = {{ field = 'id', present = true }}\n{fields}")),
        ),
        (
            "bad-default",
            field("from = 'amount'\nto = 'revenue'\nwhen_empty = { default = 'x' }"),
            field("from = 'amount'\nto = 'revenue'\nwhen_empty = { default = 1 }"),
        ),
        (
            "bad-match",
            people(&format!("match = ['lastname']\n{fields}")),
            people(&format!("match = ['email']\n{fields}")),
        ),
        ("bad-name", people(fields).replace("name = 'people'", "name = 'My people'"), people(fields)),
        (
            "bad-name",
            field("from = 'mail'\nto = 'E-Mail'\ncreate = { label = 'E' }"),
            field("from = 'mail'\nto = 'e_mail'\ncreate = { label = 'E' }"),
        ),
        ("bad-source", field("to = 'email'"), field(mail)),
        ("bad-source", field(&format!("{mail}\nvalue = 'x'")), field(mail)),
        (
            "bad-source",
            field(&format!("{mail}\nseparator = 'x'")),
            field("concat = ['mail']\nto = 'email'\nseparator = 'x'"),
        ),
        (
            "bad-table",
            step("{ lookup = 'l' }") + &lookup.replace("'nr'", "'no'"),
            step("{ lookup = 'l' }") + lookup,
        ),
        (
            "bad-table",
            step(&format!("{convert}, 'text'")) + &rates.replace("USD =", "ABC ="),
            step(&format!("{convert}, 'text'")) + rates,
        ),
        (
            "bad-template",
            field("template = '{mail'\nto = 'email'"),
            field("template = '{mail}'\nto = 'email'"),
        ),
        (
            "bad-template",
            field("template = 'x'\nto = 'email'"),
            field("template = '{{{mail}}}'\nto = 'email'"),
        ),
        (
            "bad-value",
            field(&format!("{mail}\nwhen_empty = 'nothing'")),
            field(&format!("{mail}\nwhen_empty = 'ignore'")),
        ),
        (
            "duplicate-name",
            edge("to = 'people'\n[[links.associations]]\nname = 'boss'\nkey = 'id'\nto = 'people'"),
            edge("to = 'people'\n[[links.associations]]\nname = 'b'\nkey = 'id'\nto = 'people'"),
        ),
        (
            "duplicate-name",
            list("[picklists.p]\nignore_case = true\nmap = { ON = 'lead', on = 'lead', off = 'lead' }"),
            list("[picklists.p]\nmap = { ON = 'lead', on = 'lead', off = 'lead' }"),
        ),
        (
            "duplicate-target",
            field(&format!("{mail}\n[[links.fields]]\nfrom = 'name'\nto = 'email'")),
            field(&format!("{mail}\n[[links.fields]]\nfrom = 'name'\nto = 'lastname'")),
        ),
        (
            "duplicate-target",
            people("sync_key = 'good_key'\nfields = [{ from = 'mail', to = 'good_key' }]")
                .replace("sync_key = 'shop_key'\n", ""),
            people(fields),
        ),
        ("missing-key", people(fields).replace("collection = 'people'\n", ""), people(fields)),
        ("missing-key", String::from("[mapping]\nname = 'x'"), people(fields)),
        ("missing-sync-key", people(fields).replace("sync_key = 'shop_key'\n", ""), people(fields)),
        ("no-fields", people(""), people(fields)),
        (
            "no-options",
            field("from = 'name'\nto = 'new'\nkind = 'option'\ncreate = { label = 'N' }"),
            field("from = 'name'\nto = 'new'\nkind = 'option'\ncreate = { label = 'N', options = ['a'] }"),
        ),
        ("picklist-not-total", list("[picklists.p]\nmap = { on = 'lead' }"), list(table)),
        (
            "picklist-not-total",
            list("[picklists.p]\nmap = { on = 'lead' }"),
            list("[picklists.p]\ndefault = 'lead'\nmap = { on = 'lead' }"),
        ),
        (
            "read-only-property",
            field("from = 'mail'\nto = 'createdate'\ntransform = 'date_time'"),
            field(mail),
        ),
        (
            "sync-key-not-unique",
            people(fields).replace("shop_key", "taken_key"),
            people(fields).replace("shop_key", "good_key"),
        ),
        ("syntax", people(fields) + "\nx = = 1", people(fields)),
        (
            "too-many",
            people(&format!("match = [{}]\n{fields}", "'email',".repeat(21))),
            people(&format!("match = [{}]\n{fields}", "'email',".repeat(20))),
        ),
        (
            "type-mismatch",
            field("from = 'mail'\nto = 'revenue'"),
            field("from = 'mail'\nto = 'revenue'\ntransform = 'number'"),
        ),
        (
            "type-mismatch",
            field("from = 'amount'\nto = 'email'\ntransform = 'trim'"),
            field("from = 'amount'\nto = 'email'\ntransform = ['text', 'trim']"),
        ),
        (
            "type-mismatch",
            field("from = 'mail'\nto = 'email'\nkind = 'number'\ntransform = 'number'"),
            field("from = 'mail'\nto = 'email'\nkind = 'text'"),
        ),
        (
            "unknown-collection",
            people(fields).replace("collection = 'people'", "collection = 'peple'"),
            people(fields),
        ),
        ("unknown-column", field("from = 'mial'\nto = 'email'"), field(mail)),
        (
            "unknown-column",
            field("template = '{mial}'\nto = 'email'"),
            field("template = '{mail.part}'\nto = 'email'"),
        ),
        (
            "unknown-key",
            field(&format!("{mail}\nrequire = true")),
            field(&format!("{mail}\nrequired = true")),
        ),
        ("unknown-link", edge("to = 'persons'"), edge("to = 'people'")),
        ("unknown-object", machines.clone(), machines.clone() + &object("serial")),
        ("unknown-option", list("[picklists.p]\nmap = { on = 'Lead', off = 'lead' }"), list(table)),
        ("unknown-option", field("value = 'x'\nto = 'stage'"), field("value = 'lead'\nto = 'stage'")),
        ("unknown-picklist", list(""), list(table)),
        ("unknown-lookup", step("{ lookup = 'l' }"), step("{ lookup = 'l' }") + lookup),
        ("unknown-rates", step(&format!("{convert}, 'text'")), step(&format!("{convert}, 'text'")) + rates),
        (
            "unknown-property",
            field("from = 'mail'\nto = 'emial'"),
            field("from = 'mail'\nto = 'emial'\ncreate = { label = 'E' }"),
        ),
        ("unknown-property", machines.clone() + &object("nr"), machines.clone() + &object("serial")),
        ("unknown-transform", step("'trimm'"), step("'trim'")),
        ("unused-object", people(fields) + &object("x"), machines + &object("serial")),
        ("unused-picklist", people(fields) + table, list(table)),
        ("wrong-type", field("from = 1\nto = 'email'"), field(mail)),
        (
            "wrong-type",
            field(&format!("{mail}\nrequired = 'yes'")),
            field(&format!("{mail}\nrequired = true")),
        ),
    ]
}

#[test]
fn every_code_fires_and_its_neighbour_is_clean() {
    let mut fired = BTreeSet::new();
    let mut wrong = String::new();
    for (code, bad, good) in table().into_iter().chain(codes::table()) {
        let found = problems(&bad);
        if !found.iter().any(|found| found == code) {
            wrong += &format!("{code} does not fire: {found:?}\n{bad}\n\n");
        }
        let found = problems(&good);
        if !found.is_empty() {
            wrong += &format!("{code}: the neighbour has {found:?}\n{good}\n\n");
        }
        fired.insert(code);
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert_eq!(fired, mapping_engine::codes().collect(), "every code that is explained has a test");
    for code in mapping_engine::codes() {
        assert!(explain_code(code).is_some_and(|text| !text.is_empty()));
    }
    assert_eq!(explain_code("no-such-code"), None);
}

fn refused(file: &str) -> Problems {
    check("mapping.toml", file, Schemas::default()).unwrap_err()
}

#[test]
fn all_problems_come_at_once_in_the_order_of_the_file() {
    let file = people(
        "match = ['name']\ncolour = 1\n[[links.fields]]\nfrom = 'x'\ntransform = ['trm', 'lowr']\n[picklists.p]\nmaps = 1",
    );
    let found = refused(&file);
    let lines: Vec<_> = found.list().iter().map(|problem| (problem.line, problem.code)).collect();
    assert_eq!(
        lines,
        [
            (11, "unknown-key"),
            (12, "missing-key"),
            (14, "unknown-transform"),
            (14, "unknown-transform"),
            (15, "missing-key"),
            (15, "unused-picklist"),
            (16, "unknown-key"),
        ],
        "and none that only follows from another"
    );
}

#[test]
fn a_problem_is_shown_with_its_line_and_marked_place() {
    let file = "[mapping]\nname = 'shop'\n[[links]]\nname = 'p'\ncollection = 'p'\nobject = 'contacts'\n\
                sync_key = 'k'\n\tmatch = [\"ä\", 'emial'] # é\nfields = [{ from = 'é', to = 'email' }]\n";
    let shown = refused(file).to_string();
    assert_eq!(
        shown,
        "error[bad-match]: records cannot be matched by `ä`, which no field of this link maps\n \
         --> mapping.toml:8:11\n  |\n8 | \tmatch = [\"ä\", 'emial'] # é\n  | \t         ^^^\n  \
         = help: map it first; there is `email`\n\n\
         error[bad-match]: records cannot be matched by `emial`, which no field of this link maps\n \
         --> mapping.toml:8:16\n  |\n8 | \tmatch = [\"ä\", 'emial'] # é\n  | \t              ^^^^^^^\n  \
         = help: did you mean `email`?\n\n\
         mapping.toml: 2 errors"
    );
}

#[test]
fn of_a_very_long_line_the_wrong_place_is_shown() {
    let note = "ä".repeat(5_000);
    let file = people(&format!("fields = [{{ from = 'x', note = '{note}', to = 'p', colour = 1 }}]"));
    let shown = refused(&file).to_string();
    assert!(shown.len() < 2_000, "{}", shown.len());
    let lines: Vec<&str> = shown.lines().collect();
    let at = lines.iter().position(|line| line.contains('^')).unwrap();
    let column = lines[at].chars().position(|c| c == '^').unwrap();
    let marked: String = lines[at - 1].chars().skip(column).take(6).collect();
    assert_eq!(marked, "colour");
}

#[test]
fn problems_are_given_to_machines_as_json() {
    let found = refused(&people("colour = 1\nfields = [{ from = 'x', to = 'p' }]"));
    assert_eq!(
        found.to_json(),
        serde_json::json!({ "file": "mapping.toml", "problems": [{
            "code": "unknown-key", "severity": "error", "file": "mapping.toml", "line": 10, "column": 1, "start": 151, "end": 157,
            "reason": "a link has no key `colour`",
            "remedy": found.list()[0].remedy,
        }] })
    );
}

#[test]
fn a_warning_alone_lets_the_mapping_pass() {
    let file = people("fields = [{ from = 'x', to = 'p' }]") + "[picklists.p]\nmap = { a = 'b' }\n";
    let mapping = check("mapping.toml", &file, Schemas::default()).unwrap();
    assert_eq!(mapping.warnings().list()[0].severity, Severity::Warning);
    assert!(mapping.warnings().to_string().ends_with("mapping.toml: 1 warning"));
}

#[test]
fn hostile_files_end_in_problems() {
    let deep = "[".repeat(5000);
    let files = [
        "",
        "\0",
        "[mapping",
        "= 1",
        "mapping = 1",
        "links = 1",
        "[[links]]",
        "[mapping]\nname = 1",
        "\u{feff}[mapping]",
        "[mapping]\nname='x'\n[[links]]\n[[links.fields]]\ntransform = [[[]], {}, 1, {a=1,b=2}]",
        "[picklists]\np = 1\n[picklists.q]\nmap = []",
        "links = [1, 'a', []]",
        "[[objects]]\n[[objects]]",
        deep.as_str(),
    ];
    for file in files {
        let found = refused(file);
        assert!(found.has_errors());
        assert!(!found.to_string().is_empty());
    }
}

/// What one file may hold is bounded, so that no file keeps the checker busy: each of these would otherwise be
/// compared with itself, item by item.
#[test]
fn enormous_files_are_refused_in_good_time() {
    let many = |item: &dyn Fn(usize) -> String| (0..60_000).map(item).collect::<Vec<_>>().join(",");
    let paths = many(&|n| format!("'p{n}'"));
    let list = many(&|n| format!("'{n}'"));
    let files = [
        people(&format!("fields = [{}]", many(&|n| format!("{{ from = 'a{n}', to = 'b{n}' }}")))),
        people(&format!("fields = [{{ from = [{paths}], to = 'x' }}]")),
        people(&format!("fields = [{{ from = 'a', to = 'x', order = [{list}], ratchet = true }}]")),
        people(&format!("match = [{list}]\nfields = [{{ from = 'a', to = 'x' }}]")),
        people(&format!(
            "scope = [{}]\nfields = [{{ from = 'a', to = 'x' }}]",
            many(&|n| format!("{{ field = 'f{n}', present = true }}"))
        )),
        people(&format!("fields = [{{ template = '{}', to = 'x' }}]", "{a}".repeat(60_000))),
        people("fields = [{ from = 'a', to = 'x' }]") + &format!("[never_leaves_source]\nx = [{paths}]\n"),
        people("fields = [{ from = 'a', to = 'x' }]") + &many(&|n| format!("\nkey{n} = 1")).replace(',', ""),
        "#".repeat(9 << 20),
    ];
    for file in &files {
        let found = refused(file);
        let codes: BTreeSet<_> = found.list().iter().map(|problem| problem.code).collect();
        assert!(codes.contains("too-many"), "{codes:?} {}", &file[..300.min(file.len())]);
        assert!(found.list().len() <= 1_001);
        assert!(found.to_string().len() < 2_000_000);
    }
}
