//! Layers and checks of settings, as a table of what is said and what comes of it.

use secrecy::ExposeSecret;

use super::*;

const CSV: &str = "[source]\nkind = \"csv\"\nfolder = \"data\"\n";

fn load(file: &str, environment: &[(&str, &str)], assignments: &[&str]) -> Result<Settings, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    std::fs::write(&path, file).unwrap();
    let assignments: Vec<String> = assignments.iter().map(|text| (*text).to_owned()).collect();
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let loaded = Settings::load(&Sources {
        portal: None,
        built_in: CSV,
        file: Some(&path),
        environment: environment.iter().map(own).collect(),
        assignments: &assignments,
    });
    let shown = folder.path().display().to_string();
    loaded.map_err(|failure| failure.to_string().replace(&shown, ""))
}

#[test]
fn later_layers_win() {
    let share = |file: &str, environment: &[(&str, &str)], flags: &[&str]| {
        load(file, environment, flags).unwrap().hubspot.share
    };
    let file = "[hubspot]\nshare = 0.25";
    let environment = [("KIT_HUBSPOT_SHARE", "0.5"), ("HOME", "elsewhere"), ("KIT_SHARED_DATA", "x")];
    assert_eq!(share("", &[], &[]), 1.0);
    assert_eq!(share(file, &[], &[]), 0.25);
    assert_eq!(share(file, &environment, &[]), 0.5);
    assert_eq!(share(file, &environment, &["hubspot.share=0.75"]), 0.75);
    assert_eq!(share(file, &environment, &["hubspot.share=0.75", "hubspot.share=1"]), 1.0);
}

#[test]
fn each_mistake_names_place_and_remedy() {
    for (file, environment, flags, place, remedy) in [
        (
            "[hubspot]\n\ntokn = \"x\"",
            &[][..],
            &[][..],
            "/settings.toml line 3: there is no setting `hubspot.tokn`",
            "did you mean `hubspot.token`?",
        ),
        ("hubspot = 3", &[], &[], "line 1: there is no setting `hubspot`", "--help"),
        ("[source\n", &[], &[], "/settings.toml line 1:", "correct the line"),
        ("[log]\nlevel = [1]", &[], &[], "line 2: `log.level` must be one text or number", "error, warn"),
        (
            "[source]\nkind = \"oracle\"",
            &[],
            &[],
            "line 2: `source.kind` must be csv or files or sqlite or postgres or rest or own",
            "`source.kind` is",
        ),
        ("[source]\nkind = \"files\"", &[], &[], "`source.file` is not set", "describes the dropped files"),
        (
            "[source]\nkind = \"files\"\nfile = \"f.toml\"\nwrite = true",
            &[],
            &[],
            "`source.write` must be false",
            "flow to it",
        ),
        ("", &[], &["serve.listen=8080"], "`serve.listen` must be an address with a port", "default 127"),
        (
            "",
            &[],
            &["hubspot.settle_ms=5s"],
            "`hubspot.settle_ms` must be a whole number",
            "without an answer",
        ),
        ("", &[], &["hubspot.settle_ms=600001"], "`hubspot.settle_ms` must be at most", "default 5000"),
        ("", &[], &["serve.every=0"], "`serve.every` must be from 1 to 86400", "nothing is heard"),
        ("", &[], &["serve.sweep=daily"], "`serve.sweep` must be a whole number", "0: never"),
        ("[blackout.night]\nfrom = \"22:00\"", &[], &[], "`blackout.night.to` is not set", "time of day"),
        ("[blackout.night]\nfrom = \"10 pm\"", &[], &[], "`blackout.night.from` must be a time", "22:00"),
        (
            "[blackout.night]\nfrom = \"22:00\"\nto = \"06:00\"\nzone = \"Berlin\"",
            &[],
            &[],
            "`blackout.night.zone` must be a time zone",
            "Europe/Berlin",
        ),
        ("[blackout.night]\ndays = \"weekend\"", &[], &[], "`blackout.night.days` must be days", "mon-fri"),
        ("[blackout.night]\nside = \"left\"", &[], &[], "`blackout.night.side` must be hubspot", "in peace"),
        ("[blackout.night]\nlane = \"slow\"", &[], &[], "`blackout.night.lane` must be live", "not made"),
        ("", &[], &["source.rescan=daily"], "`source.rescan` must be a whole number", "all is read once"),
        ("", &[], &["webhooks.repair=1"], "`webhooks.repair` must be from 10", "was not told"),
        ("", &[], &["webhooks.feed=webhook"], "`webhooks.feed` must be auto or journal or push", "heard of"),
        ("", &[], &["webhooks.feed=push"], "needs `webhooks.target_url`", "how changes"),
        ("", &[], &["webhooks.feed=journal"], "needs `hubspot.credential = oauth`", "how changes"),
        ("", &[], &["webhooks.app_id=acme"], "`webhooks.app_id` must be the number", "number of the app"),
        (
            "",
            &[],
            &["webhooks.target_url=http://sync.example.com/webhooks"],
            "`webhooks.target_url` `http://sync.example.com/webhooks`: HubSpot calls https",
            "to the letter",
        ),
        (
            "",
            &[],
            &["webhooks.target_url=https://sync.example.com/webhooks"],
            "`webhooks.client_secret` is not set",
            "KIT_WEBHOOKS_CLIENT_SECRET",
        ),
        ("[source]\nkind = \"postgres\"", &[], &[], "`source.server` is not set", "postgres://user@host"),
        (
            "[source.collections.orders]\ndeleted = \"gone\"",
            &[],
            &[],
            "line 2: `source.collections.orders.deleted` does not go",
            "PostgreSQL",
        ),
        (
            "[source]\npassword_file = \"gone\"",
            &[],
            &[],
            "line 2: the secret file /gone cannot be read",
            "may read it",
        ),
        ("[source]\nkind = \"sqlite\"", &[], &[], "`source.file` is not set", "the SQLite file"),
        (
            "[source]\nwrite = true",
            &[],
            &[],
            "line 2: `source.write` must be false: such files are only read",
            "whether the source may be written",
        ),
        ("", &[], &["source.write=yes"], "`source.write` must be true or false", "flow to it"),
        (
            "[source]\ndelimiter = \"::\"",
            &[],
            &[],
            "line 2: `source.delimiter` must be one ASCII",
            "separates",
        ),
        (
            "[source.collections.orders]\nquery = \"x\"",
            &[],
            &[],
            "line 2: `source.collections.orders.query` does not go",
            "SQL",
        ),
        (
            "",
            &[("KIT_HUBSPOT_TOKN", "x")],
            &[],
            "KIT_HUBSPOT_TOKN is no setting",
            "did you mean KIT_HUBSPOT_TOKEN?",
        ),
        ("", &[("KIT_WEATHER", "x")], &[], "KIT_WEATHER is no setting", "unset it"),
        (
            "",
            &[("KIT_HUBSPOT_SHARE", "0")],
            &[],
            "KIT_HUBSPOT_SHARE: `hubspot.share` must be above 0",
            "share of the call",
        ),
        (
            "",
            &[("KIT_HUBSPOT_PORTAL", "acme")],
            &[],
            "`hubspot.portal` must be a portal id",
            "another one is refused",
        ),
        (
            "",
            &[("KIT_HUBSPOT_URL", "http://api.hubapi.com")],
            &[],
            "`hubspot.url` must start with https://",
            "default https",
        ),
        (
            "",
            &[("KIT_HUBSPOT_URL", "http://localhost.example.com")],
            &[],
            "`hubspot.url` must start with https://",
            "default https",
        ),
        (
            "",
            &[("KIT_HUBSPOT_URL", "http://127.0.0.1@example.com")],
            &[],
            "`hubspot.url` must start with https://",
            "default https",
        ),
        (
            "",
            &[("KIT_HUBSPOT_TOKEN", "a b")],
            &[],
            "KIT_HUBSPOT_TOKEN: the token is empty or holds spaces",
            "copy it again",
        ),
        (
            "[hubspot]\ntoken_file = \"gone\"",
            &[],
            &[],
            "line 2: the token file /gone cannot be read",
            "may read the file",
        ),
        ("", &[], &["hubspot.share"], "--set: there is no `=`", "hubspot.share=0.5"),
        (
            "",
            &[],
            &["hubspot.live_reserve=51"],
            "--set hubspot.live_reserve: `hubspot.live_reserve` must be at most 50",
            "kept for",
        ),
        ("", &[], &["colour=red"], "--set colour: there is no setting `colour`", "--help"),
    ] {
        let failure = load(file, environment, flags).unwrap_err();
        assert!(failure.contains(place), "place of: {failure}");
        let (_, told) = failure.split_once("what to do: ").unwrap_or_else(|| panic!("no remedy: {failure}"));
        assert!(told.contains(remedy), "remedy of: {failure}");
    }
}

#[test]
fn a_missing_settings_file_is_named() {
    let path = Path::new("no/such/settings.toml");
    let sources = Sources { built_in: CSV, file: Some(path), ..Sources::default() };
    let failure = Settings::load(&sources).unwrap_err().to_string();
    assert!(failure.starts_with("settings file no/such/settings.toml cannot be read\n"), "{failure}");
}

#[test]
fn paths_in_a_file_are_meant_from_the_file_and_those_of_flags_from_here() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    std::fs::write(&path, "[state]\nfile = \"state/a.db\"").unwrap();
    let flags = ["mapping.file=m.toml".to_owned()];
    let sources = Sources { built_in: CSV, file: Some(&path), assignments: &flags, ..Sources::default() };
    let settings = Settings::load(&sources).unwrap();
    assert_eq!(settings.state, folder.path().join("state/a.db"));
    assert_eq!(settings.mapping.as_deref(), Some(Path::new("m.toml")));
    assert!(
        matches!(&settings.source.kind, SourceKind::Csv { folder, delimiter: b',', latin1: false } if folder == Path::new("data"))
    );
}

#[test]
fn collections_are_read_by_name() {
    let file = "[source.collections.orders]\nkey = \"no\"\n[source.collections.people]\nkey = \"id\"\nfile = \"p.txt\"";
    let settings = load(file, &[], &[]).unwrap();
    let keys: Vec<_> =
        settings.source.collections.iter().map(|(name, said)| (name.as_str(), said.key.as_deref())).collect();
    assert_eq!(keys, [("orders", Some("no")), ("people", Some("id"))]);
    assert_eq!(settings.source.collections["people"].file.as_deref(), Some("p.txt"));
}

#[test]
fn an_installed_app_needs_its_settings_and_reads_secrets_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "secret-of-app\n").unwrap();
    let mut flags = vec!["hubspot.credential=oauth".to_owned()];
    for (needed, more) in [
        ("`oauth.client_id` is not set", "oauth.client_id=app".to_owned()),
        ("`oauth.client_secret` is not set", format!("oauth.client_secret_file={}", file.display())),
        ("`oauth.redirect_url` is not set", "oauth.redirect_url=https://kit.example/cb".to_owned()),
        ("`oauth.scopes` is not set", "oauth.scopes=oauth tickets".to_owned()),
        ("`oauth.master_key` is not set", "oauth.master_key=secret-key".to_owned()),
    ] {
        let shown: Vec<&str> = flags.iter().map(String::as_str).collect();
        let failure = load("", &[], &shown).unwrap_err();
        assert!(failure.contains(needed), "{failure}");
        flags.push(more);
    }
    let shown: Vec<&str> = flags.iter().map(String::as_str).collect();
    let settings = load("", &[], &shown).unwrap();
    assert!(!format!("{settings:?}").contains("secret-"), "{settings:?}");
    let oauth = settings.oauth.unwrap();
    assert_eq!(oauth.client_secret.expose_secret(), "secret-of-app");
    assert_eq!((oauth.consent_url.as_str(), oauth.version.as_str()), ("https://app.hubspot.com", "2026-03"));
    assert!(load("", &[], &[]).unwrap().oauth.is_none());

    let mut former = shown.clone();
    former.push("oauth.former_key=secret-former");
    assert!(load("", &[], &former).unwrap_err().contains("are the same"));
    former.push("oauth.key_id=2026-11");
    let settings = load("", &[], &former).unwrap();
    assert!(!format!("{settings:?}").contains("secret-"), "{settings:?}");
    assert_eq!(settings.oauth.unwrap().former_key.unwrap().0, "1");
}

#[test]
fn the_token_is_trimmed_and_never_shown() {
    let settings = load("", &[("KIT_HUBSPOT_TOKEN", " pat-na1-secret \n")], &[]).unwrap();
    assert_eq!(settings.token().unwrap().expose_secret(), "pat-na1-secret");
    assert!(!format!("{settings:?}").contains("secret-"), "{settings:?}");
    assert!(!format!("{settings:?}").contains("pat-na1"), "{settings:?}");
    let absent = load("", &[], &[]).unwrap();
    assert!(absent.token().unwrap_err().to_string().contains("KIT_HUBSPOT_TOKEN"));
}

#[test]
fn what_is_said_to_a_source_of_ones_own_is_found_by_name_and_no_secret_shown() {
    let file = "[source]\nkind = \"own\"\nserver = \"postgres://u:secret-a@h/d\"\n[source.own]\nurl = \"https://crm.example\"";
    let settings = load(file, &[("KIT_SOURCE_PASSWORD", "secret-b")], &["source.own.depth=3"]).unwrap();
    assert_eq!(settings.source.own("url"), Some("https://crm.example"));
    assert_eq!((settings.source.own("depth"), settings.source.own("none")), (Some("3"), None));
    assert_eq!(settings.source.password.as_ref().unwrap().expose_secret(), "secret-b");
    let postgres = load(&file.replace("own\"", "postgres\""), &[], &[]).unwrap();
    for settings in [&settings, &postgres] {
        assert!(!format!("{settings:?} {}", settings.source.kind).contains("secret-"), "{settings:?}");
    }
}

#[test]
fn what_one_portal_says_goes_over_file_and_environment_and_not_over_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let (file, portal) = (folder.path().join("settings.toml"), folder.path().join("one.toml"));
    std::fs::write(&file, "[hubspot]\nportal = 1\nshare = 0.5\n[serve]\nevery = 30").unwrap();
    std::fs::write(&portal, "[hubspot]\nportal = 2\nshare = 0.25\n[state]\nfile = \"two.db\"").unwrap();
    let settings = Settings::load(&Sources {
        built_in: CSV,
        file: Some(&file),
        portal: Some(&portal),
        environment: vec![("KIT_HUBSPOT_PORTAL".to_owned(), "3".to_owned())],
        assignments: &["hubspot.share=1".to_owned()],
    });
    let settings = settings.unwrap();
    assert_eq!((settings.hubspot.portal, settings.hubspot.share), (Some(2), 1.0));
    assert_eq!(settings.service.every.as_secs(), 30, "the rest is the service's");
    assert_eq!(settings.state, folder.path().join("two.db"), "its paths are meant from where it is");
}
