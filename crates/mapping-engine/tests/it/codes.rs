//! Codes of policies: directions, environments, privacy, order, consent. Each with its nearest clean neighbour.

use mapping_engine::{Owner, Pipeline, Stage};
use sync_types::{Property, PropertyKind, Schema};

use super::support::{people, schema, text};

/// Another collection and two object types, for mappings of several links.
pub(super) fn more_source() -> Vec<Schema> {
    let mut locked = text("locked");
    locked.read_only = true;
    let mut wanted = text("wanted");
    wanted.required = true;
    vec![
        schema("staff", vec![text("id"), text("mail"), text("boss"), text("iban"), locked]),
        schema("strict", vec![text("id"), wanted]),
    ]
}

pub(super) fn more_hubspot() -> Vec<Schema> {
    let option = |name: &str, options: &[&str]| {
        let mut property = Property::new(name, PropertyKind::Option);
        property.options = options.iter().map(|option| (*option).to_owned()).collect();
        property
    };
    let mut wanted = text("must");
    wanted.required = true;
    vec![
        schema(
            "deals",
            vec![
                text("dealname"),
                option("pipeline", &["default", "p2"]),
                option("dealstage", &["s1", "s2", "s3"]),
                Property::new("hubspot_owner_id", PropertyKind::Option),
            ],
        ),
        schema("tickets", vec![text("subject"), wanted]),
        schema("companies", vec![text("name"), option("lifecyclestage", &["lead", "customer"])]),
    ]
}

pub(super) fn pipelines() -> Vec<Pipeline> {
    let stage = |id: &str, label: &str| Stage { id: id.into(), label: label.into() };
    let pipeline = |id: &str, label: &str, stages| Pipeline {
        object: String::from("deals"),
        id: id.into(),
        label: label.into(),
        stages,
    };
    vec![
        pipeline("default", "Sales", vec![stage("s1", "Open"), stage("s2", "Won")]),
        pipeline("p2", "Service", vec![stage("s3", "New")]),
    ]
}

pub(super) fn owners() -> Vec<Owner> {
    let owner = |id: &str, email: &str, archived| Owner { id: id.into(), email: email.into(), archived };
    vec![owner("71", "Mia@shop.example", false), owner("72", "old@shop.example", true)]
}

/// The files beside the mapping.
pub(super) fn file(path: &str) -> Result<String, String> {
    match path {
        "more.toml" => Ok(String::from("[picklists.unused]\nmap = { a = 'b' }\n")),
        "circle.toml" => Ok(String::from("include = ['circle.toml']\n")),
        "sub/part.toml" => Ok(String::from("include = 'deep.toml'\n")),
        "sub/deep.toml" => Ok(String::from("[never_leaves_source]\npeople = ['state']\n")),
        "regions.csv" => Ok(String::from("code,region\nDE,North\nAT,South\n")),
        "twice.csv" => Ok(String::from("code,region\nDE,North\nDE,South\n")),
        "ragged.csv" => Ok(String::from("code,region\nDE\n")),
        _ => Err(String::from("there is no such file")),
    }
}

fn field(content: &str) -> String {
    people(&format!("[[links.fields]]\n{content}"))
}

/// A two-way link from people to contacts with these fields.
fn both(fields: &str) -> String {
    people(&format!("direction = 'both'\nfields = [{fields}]"))
}

/// A link from staff to deals with these fields.
fn deals(fields: &str, rest: &str) -> String {
    format!(
        "[mapping]\nname = 'shop'\n[[links]]\nname = 'orders'\ncollection = 'staff'\nobject = 'deals'\nsync_key = 'k'\n\
         fields = [{fields}]\n{rest}\n"
    )
}

/// As [`deals`], with the sales pipeline by label.
fn sales(fields: &str) -> String {
    deals(
        fields,
        "[pipelines.sales]\nobject = 'deals'\nlabel = 'Sales'\nstages = { open = { label = 'open ' }, won = 's2' }",
    )
}

/// The same mapping in two environments, of which this one is chosen by the first line.
fn environments(first: &str, fields: &str) -> String {
    format!(
        "# {first}\n{}",
        deals(
            fields,
            "[pipelines.sales]\nobject = 'deals'\nstages = { open = {} }\n\
             [environments.live]\nportal = 1\n[environments.live.pipelines.sales]\nid = 'default'\nstages = { open = 's1' }\n\
             [environments.trial]\nportal = 2\n[environments.trial.pipelines.sales]\nid = '900'\nstages = { open = '901' }"
        )
        .replace("{ open = {} }", "{ open = { } }")
    )
}

/// Code, a file with the problem, the nearest file without it.
pub(super) fn table() -> Vec<(&'static str, String, String)> {
    let mut rows = joined();
    rows.extend(environment_rows());
    rows.extend(direction_rows());
    rows.extend(policy_rows());
    rows.extend(privacy_rows());
    rows
}

/// Several files, lookups and tables.
fn joined() -> Vec<(&'static str, String, String)> {
    let mail = "fields = [{ from = 'mail', to = 'email' }]";
    let include = |path: &str| format!("include = ['{path}']\n{}", people(mail));
    let lookup = |keys: &str, step: &str| {
        format!(
            "{}\n[lookups.regions]\n{keys}\n",
            field(&format!("from = 'name'\nto = 'lastname'\ntransform = [{step}]"))
        )
    };
    let good = "file = 'regions.csv'\nkey = 'code'\nvalue = 'region'";
    let used = "{ lookup = 'regions' }";
    let fine = lookup(good, used);
    let picklist = |keys: &str| {
        format!(
            "{}\n[picklists.p]\n{keys}\n",
            field("from = 'state'\nto = 'stage'\ntransform = [{ picklist = 'p' }]")
        )
    };
    vec![
        ("bad-include", include("none.toml"), include("sub/part.toml")),
        ("bad-include", include("../more.toml"), include("sub/part.toml")),
        ("bad-include", include("/etc/passwd"), include("./sub/part.toml")),
        ("bad-include", include("circle.toml"), include("sub/part.toml")),
        ("unused-picklist", include("more.toml"), include("sub/part.toml")),
        ("bad-table", lookup(&good.replace("regions", "none"), used), fine.clone()),
        ("bad-table", lookup(&good.replace("regions", "../regions"), used), fine.clone()),
        ("bad-table", lookup(&good.replace("regions", "twice"), used), fine.clone()),
        ("bad-table", lookup(&good.replace("regions", "ragged"), used), fine.clone()),
        ("bad-table", lookup(&good.replace("'code'", "'kode'"), used), fine.clone()),
        ("bad-table", lookup(&format!("{good}\ndelimiter = 'x'"), used), fine.clone()),
        ("unknown-lookup", lookup(good, "{ lookup = 'region' }"), fine.clone()),
        ("unused-lookup", lookup(good, "'trim'"), fine),
        (
            "unused-rates",
            deals("{ from = 'mail', to = 'dealname' }", "[rates.r]\nbase = 'EUR'\nrows = []\n"),
            deals("{ from = 'mail', to = 'dealname' }", ""),
        ),
        (
            "bad-picklist",
            picklist("map = { on = 'lead', off = 'customer' }\nback = { lead = 'off' }"),
            picklist("map = { on = 'lead', off = 'lead' }\nback = { lead = 'off' }"),
        ),
        (
            "bad-picklist",
            picklist("by_email = true\nmap = { on = 'lead', off = 'customer' }"),
            picklist("map = { on = 'lead', off = 'customer' }"),
        ),
    ]
}

/// Ids of portals: pipelines, stages, owners, environments.
fn environment_rows() -> Vec<(&'static str, String, String)> {
    let named = "{ pipeline = 'sales', to = 'pipeline' }, { stage = 'sales.won', to = 'dealstage' }";
    let owner = |map: &str| {
        deals(
            "{ from = 'boss', to = 'hubspot_owner_id', transform = [{ picklist = 'rep' }] }",
            &format!("[picklists.rep]\nowners = true\n{map}"),
        )
    };
    let live = |fields: &str| environments("environment: live", fields);
    let by_names = "{ pipeline = 'sales', to = 'pipeline' }, { stage = 'sales.open', to = 'dealstage' }";
    vec![
        ("unknown-environment", environments("environment: test", by_names), live(by_names)),
        ("unknown-environment", environments("portal: 3", by_names), environments("portal: 1", by_names)),
        (
            "wrong-environment",
            environments("environment: live portal: 2", by_names),
            environments("environment: live portal: 1", by_names),
        ),
        (
            "wrong-environment",
            live("{ value = '900', to = 'pipeline' }, { stage = 'sales.open', to = 'dealstage' }"),
            live(by_names),
        ),
        ("unresolved-id", environments("", by_names), live(by_names)),
        ("unresolved-id", sales(named).replace("'Sales'", "'Selling'"), sales(named)),
        ("unresolved-id", sales(named).replace("'s2'", "'s9'"), sales(named)),
        ("unresolved-id", owner("map = { m = 'mia@x.example' }"), owner("map = { m = 'mia@shop.example' }")),
        ("archived-owner", owner("map = { m = 'old@shop.example' }"), owner("by_email = true")),
        ("unknown-pipeline", sales(&named.replace("'sales'", "'selling'")), sales(named)),
        ("unknown-stage", sales(&named.replace("sales.won", "sales.lost")), sales(named)),
        ("unknown-stage", sales(&named.replace("sales.won", "won")), sales(named)),
        ("unused-pipeline", sales("{ from = 'id', to = 'dealname' }"), sales(named)),
        ("stage-without-pipeline", sales("{ stage = 'sales.won', to = 'dealstage' }"), sales(named)),
        (
            "wrong-pipeline",
            sales("{ pipeline = 'sales', to = 'pipeline' }, { value = 's3', to = 'dealstage' }"),
            sales("{ pipeline = 'sales', to = 'pipeline' }, { value = 's1', to = 'dealstage' }"),
        ),
        (
            "unknown-property",
            environments("environment: live", by_names)
                + "[environments.live.properties.deals]\ndealnam = 'd'\n",
            environments("environment: live", by_names).replace(" = 'pipeline' }", " = 'line' }")
                + "[environments.live.properties.deals]\nline = 'pipeline'\n",
        ),
        ("duplicate-name", live(by_names).replace("portal = 2", "portal = 1"), live(by_names)),
    ]
}

/// Which way values go, and what comes back.
fn direction_rows() -> Vec<(&'static str, String, String)> {
    let name = "{ from = 'name', to = 'lastname' }";
    let staff = |rest: &str| {
        people(&format!("{rest}\nfields = [{{ from = 'mail', to = 'email' }}]"))
            .replace("collection = 'people'", "collection = 'staff'")
    };
    let strict = |rest: &str| {
        format!(
            "[mapping]\nname = 'x'\n[[links]]\nname = 'l'\ncollection = 'strict'\nobject = 'contacts'\nsync_key = 'k'\n{rest}\n"
        )
    };
    let edge = |keys: &str| {
        staff("direction = 'both'")
            + &format!("associations = [{{ name = 'boss', to = 'people', key = 'boss', {keys} }}]\n")
    };
    let circle = |first: bool| {
        format!(
            "{}\n[[links.associations]]\nname = 'a'\nto = 'firms'\nkey = 'id'\nparent_first = true\n[[links]]\n\
             name = 'firms'\ncollection = 'staff'\nobject = 'companies'\nsync_key = 'k'\nfields = [{{ from = 'id', to = 'name' }}]\n\
             associations = [{{ name = 'b', to = 'people', key = 'boss', parent_first = {first} }}]\n",
            people("fields = [{ from = 'mail', to = 'email' }]")
        )
    };
    vec![
        (
            "bad-direction",
            people("fields = [{ from = 'name', to = 'lastname', direction = 'both' }]"),
            both(name),
        ),
        (
            "bad-direction",
            both("{ value = 'x', to = 'lastname', direction = 'both' }"),
            both("{ value = 'x', to = 'lastname' }"),
        ),
        (
            "bad-direction",
            people(&format!("creates = 'both'\nfields = [{name}]")),
            people(&format!("creates = 'none'\nfields = [{name}]")),
        ),
        (
            "bad-direction",
            people(&format!("on_delete = {{ hubspot = 'delete' }}\nfields = [{name}]")),
            people(&format!("direction = 'both'\non_delete = {{ hubspot = 'delete' }}\nfields = [{name}]")),
        ),
        (
            "bad-direction",
            people(&format!("hubspot_scope = \"stage == 'lead'\"\nfields = [{name}]")),
            people(&format!(
                "direction = 'from-hubspot'\nhubspot_scope = \"stage == 'lead'\"\nfields = [{name}]"
            )),
        ),
        (
            "bad-direction",
            edge("single = true")
                .replace("direction = 'both'\n", "")
                .replace("single = true", "direction = 'both'"),
            edge("single = true"),
        ),
        (
            "duplicate-target",
            both("{ from = 'name', to = 'lastname' }, { from = 'name', to = 'email' }"),
            both(
                "{ from = 'name', to = 'lastname' }, { from = 'name', to = 'email', direction = 'to-hubspot' }",
            ),
        ),
        (
            "not-two-way",
            both("{ from = 'name', to = 'lastname', transform = [{ extract = '(x)' }] }"),
            both("{ from = 'name', to = 'lastname', transform = ['trim'] }"),
        ),
        (
            "not-two-way",
            both("{ from = 'name', to = 'lastname', when_empty = { default = 'x' } }"),
            both("{ from = 'name', to = 'lastname', when_empty = 'ignore' }"),
        ),
        (
            "no-round-trip",
            both("{ from = 'name', to = 'stage', transform = ['upper'] }"),
            both("{ from = 'name', to = 'stage', transform = ['lower'] }"),
        ),
        (
            "picklist-not-total",
            both("{ from = 'state', to = 'stage', transform = [{ picklist = 'p' }] }")
                + "[picklists.p]\nmap = { on = 'lead', off = 'lead' }\nback = { lead = 'on' }\n",
            both("{ from = 'state', to = 'stage', transform = [{ picklist = 'p' }] }")
                + "[picklists.p]\nmap = { on = 'lead', off = 'customer' }\n",
        ),
        ("association-not-two-way", edge("single = false"), edge("single = true")),
        (
            "association-not-two-way",
            edge("single = true, when = { field = 'mail', present = true }"),
            edge("single = true"),
        ),
        (
            "association-not-two-way",
            edge("single = true, transform = [{ extract = '(x)' }]"),
            edge("single = true, transform = ['trim']"),
        ),
        (
            "bad-association",
            edge("kind = 'primary', transform = ['split'], direction = 'to-hubspot'"),
            edge("transform = ['split'], direction = 'to-hubspot'"),
        ),
        (
            "bad-association",
            edge("kind = 'primary', single = false"),
            edge("kind = 'primary', single = true"),
        ),
        ("parent-circle", circle(true), circle(false)),
        (
            "read-only-column",
            staff("direction = 'both'").replace("from = 'mail'", "from = 'locked'"),
            staff("direction = 'both'"),
        ),
        (
            "missing-required",
            strict("direction = 'from-hubspot'\nfields = [{ from = 'id', to = 'email' }]"),
            strict("direction = 'from-hubspot'\nfields = [{ from = 'wanted', to = 'email' }]"),
        ),
        (
            "missing-required",
            strict("fields = [{ from = 'id', to = 'subject' }]").replace("'contacts'", "'tickets'"),
            strict("creates = 'none'\nfields = [{ from = 'id', to = 'subject' }]")
                .replace("'contacts'", "'tickets'"),
        ),
        (
            "read-only-property",
            both("{ from = 'mail', to = 'hs_object_id' }"),
            people("direction = 'from-hubspot'\nfields = [{ from = 'mail', to = 'email' }]"),
        ),
    ]
}

/// Who wins, what moves forward, who owns.
fn policy_rows() -> Vec<(&'static str, String, String)> {
    let stage = |rest: &str| {
        both(&format!("{{ from = 'state', to = 'stage', transform = [{{ picklist = 'p' }}], {rest} }}"))
            + "[picklists.p]\nmap = { on = 'lead', off = 'customer' }\n"
    };
    let life = |rest: &str| {
        format!(
            "[mapping]\nname = 'x'\n[[links]]\nname = 'l'\ncollection = 'people'\nobject = 'companies'\nsync_key = 'k'\n\
             fields = [{{ from = 'state', to = 'lifecyclestage', transform = [{{ picklist = 'p' }}], {rest} }}]\n\
             [picklists.p]\nmap = {{ on = 'lead', off = 'customer' }}\n"
        )
    };
    let forward = "ratchet = true, order = ['lead', 'customer']";
    let consent = |rest: &str| {
        people(&format!("[[links.consents]]\nname = 'news'\nfrom = 'name'\nto = 'news_consent'\n{rest}"))
    };
    let two = |key: &str, rest: &str| {
        format!(
            "{}\n[[links]]\nname = 'staff'\ncollection = 'staff'\nobject = 'contacts'\nsync_key = '{key}'\n\
             fields = [{{ from = 'mail', to = 'email'{rest} }}]\n",
            people("fields = [{ from = 'mail', to = 'email' }]")
        )
    };
    vec![
        (
            "bad-conflict",
            field("from = 'mail'\nto = 'email'\nconflict = 'newest'"),
            both("{ from = 'mail', to = 'email', conflict = 'newest' }"),
        ),
        (
            "bad-conflict",
            people("conflict = 'newest'\nfields = [{ from = 'mail', to = 'email' }]"),
            people("direction = 'both'\nconflict = 'newest'\nfields = [{ from = 'mail', to = 'email' }]"),
        ),
        (
            "bad-order",
            stage("conflict = 'furthest'"),
            stage("conflict = 'furthest', order = ['lead', 'customer']"),
        ),
        (
            "bad-order",
            stage("conflict = 'furthest', order = ['lead']"),
            stage("conflict = 'furthest', order = ['customer', 'lead']"),
        ),
        (
            "bad-order",
            stage("conflict = 'furthest', order = ['lead', 'customer', 'lead']"),
            stage("conflict = 'furthest', order = ['lead', 'customer']"),
        ),
        (
            "bad-order",
            stage("conflict = 'furthest', order = ['lead', 'customer', 'lost']"),
            stage("conflict = 'furthest', order = ['lead', 'customer']"),
        ),
        (
            "bad-order",
            stage("order = ['lead', 'customer']"),
            stage("order = ['lead', 'customer'], ratchet = true, when_empty = 'ignore'"),
        ),
        ("moves-back", life("when_empty = 'ignore'"), life(&format!("when_empty = 'ignore', {forward}"))),
        ("moves-back", life(forward), life(&format!("required = true, {forward}"))),
        ("bad-consent", consent("express = ['yes']"), consent("express = ['yes']\nwithdrawn = ['no']")),
        ("bad-consent", consent("withdrawn = ['no']"), consent("implied = ['yes']\nwithdrawn = ['no']")),
        (
            "bad-consent",
            consent("express = ['yes']\nwithdrawn = ['no']\nsubscription = 'News'"),
            consent(
                "express = ['yes']\nwithdrawn = ['no']\nsubscription = 'News'\nbasis = 'consent-with-notice'\nexplanation = 'Box 3'",
            ),
        ),
        (
            "duplicate-name",
            consent("express = ['yes', 'no']\nwithdrawn = ['no']"),
            consent("express = ['yes']\nwithdrawn = ['no']"),
        ),
        ("contested-property", two("staff_key", ""), two("staff_key", ", overwrite = false")),
        ("contested-property", two("staff_key", ""), two("shop_key", "")),
        (
            "weak-match",
            people("match = ['lastname']\nfields = [{ from = 'name', to = 'lastname' }]"),
            people(
                "match = [{ property = 'lastname', evidence = 'weak' }]\nfields = [{ from = 'name', to = 'lastname' }]",
            ),
        ),
    ]
}

/// What must not leave, and expressions.
fn privacy_rows() -> Vec<(&'static str, String, String)> {
    let staff = |marked: &str, content: &str| {
        format!(
            "[mapping]\nname = 'x'\n[[links]]\nname = 'l'\ncollection = 'staff'\nobject = 'contacts'\nsync_key = 'k'\n\
             {marked}\n{content}\n"
        )
    };
    let marked = "never_leaves_source = ['iban']";
    let mail = "fields = [{ from = 'mail', to = 'email' }]";
    let clean = staff(marked, mail);
    let edge = |key: &str, when: &str| {
        staff(marked, &format!("{mail}\nassociations = [{{ name = 'a', to = 'l', key = '{key}'{when} }}]"))
    };
    let lookup =
        staff(marked, "fields = [{ from = 'iban', to = 'lastname', transform = [{ lookup = 'r' }] }]")
            + "[lookups.r]\nfile = 'regions.csv'\nkey = 'code'\nvalue = 'region'\n";
    let computed = |expression: &str| {
        staff(marked, &format!("fields = [{{ expression = \"{expression}\", to = 'lastname' }}]"))
    };
    let scope = |expression: &str| people(&format!("scope = \"{expression}\"\n{mail}"));
    let code = "never-leaves-source";
    vec![
        (code, clean.replace("'mail'", "'iban'"), clean.clone()),
        (code, staff(marked, "fields = [{ from = ['mail', 'iban'], to = 'email' }]"), clean.clone()),
        (code, staff(marked, "fields = [{ from = 'iban.part', to = 'email' }]"), clean.clone()),
        (code, staff(marked, "fields = [{ template = '{mail} {iban}', to = 'email' }]"), clean.clone()),
        (code, staff(marked, "fields = [{ concat = ['mail', 'iban'], to = 'email' }]"), clean.clone()),
        (code, staff(marked, "match = ['email']\nfields = [{ from = 'iban', to = 'email' }]"), clean.clone()),
        (code, lookup.clone(), lookup.replace("from = 'iban'", "from = 'mail'")),
        (code, computed("mail + iban"), computed("mail + boss")),
        (code, edge("iban", ""), edge("boss", "")),
        (
            code,
            edge("boss", ", when = { field = 'iban', present = true }"),
            edge("boss", ", when = { field = 'mail', present = true }"),
        ),
        (code, edge("boss", ", when = \"iban != ''\""), edge("boss", ", when = \"mail != ''\"")),
        (
            code,
            staff("", &clean.split("['iban']").nth(1).unwrap().replace("'mail'", "'iban'"))
                + "[never_leaves_source]\nstaff = ['iban']\n",
            staff("", mail) + "[never_leaves_source]\nstaff = ['iban']\n",
        ),
        (
            code,
            staff("", "fields = [{ from = 'iban', to = 'email' }]")
                + "[never_leaves_source]\n'*' = ['iban']\n",
            staff("", "fields = [{ from = 'iban', to = 'email', direction = 'from-hubspot' }]")
                .replace("sync_key", "direction = 'both'\nsync_key")
                + "[never_leaves_source]\n'*' = ['iban']\n",
        ),
        ("unknown-column", staff("never_leaves_source = ['ibam']", mail), clean.clone()),
        ("unknown-collection", clean.clone() + "[never_leaves_source]\nstuff = ['iban']\n", clean),
        ("bad-expression", scope("amount >"), scope("amount > 3")),
        ("bad-expression", scope("amont > 3"), scope("amount > 3")),
        ("bad-expression", scope("name + 'x'"), scope("name + 'x' == 'ax'")),
        ("bad-expression", computed("mial + boss"), computed("mail + boss")),
        (
            "bad-expression",
            scope(&format!("amount > 0{}", " && amount > 0".repeat(250))),
            scope(&format!("amount > 0{}", " && amount > 0".repeat(20))),
        ),
    ]
}
