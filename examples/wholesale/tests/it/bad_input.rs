//! Bad input of every kind: each ends in an error or a dead letter that names place and remedy; nothing else is lost.

use std::collections::BTreeSet;

use hubspot_sandbox::{Credential, Limits, PortalConfig, Scopes};
use serde_json::Value;
use wholesale::business::Business;

use crate::shop::{Shop, TOKEN, own_mapping, ran, with_mapping};

const SOUND: Business = Business { seed: 7, people: 10, mess: false, changed: 0, complete: false };

/// Brings the business over and gives its only dead letter, after checking that all other people arrived.
fn only_letter(shop: &Shop) -> Value {
    shop.expect(0, &["init", "--yes"]);
    let applied = shop.expect(0, &["apply", "--json"]).json();
    let people = applied["links"].as_array().unwrap().iter().find(|link| link["link"] == "people").unwrap();
    assert_eq!(people["created"], 9, "{people}");
    let letters = shop.expect(0, &["dead-letters", "list", "--json"]).json();
    let letters = letters.as_array().unwrap();
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert!(!letters[0]["reason"].as_str().unwrap().is_empty());
    assert!(!letters[0]["remedy"].as_str().unwrap().is_empty());
    shop.expect(0, &["verify"]);
    letters[0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_row_is_parked_with_its_cause_and_the_others_arrive() {
    for (column, value, cause) in [
        ("first_order", "31.02.2021", "bad-date"),
        ("role", "oracle", "unknown-option"),
        ("email", "nobody(at)example.com", "bad-email"),
        ("points", "many", "bad-number"),
        ("newsletter", "perhaps", "bad-boolean"),
    ] {
        let shop = Shop::open(&SOUND).await;
        shop.set_field("data/people.csv", 4, column, value);
        let letter = only_letter(&shop);
        assert_eq!((&letter["cause"], &letter["id"]), (&cause.into(), &"P-0000005".into()), "{letter}");
        assert!(!letter["reason"].as_str().unwrap().contains(value), "a value in {letter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_over_long_value_is_refused_where_the_mapping_does_not_cut() {
    let shop = Shop::open(&SOUND).await;
    let rule = "{ max_length = { chars = 120, over = \"cut\" } }";
    with_mapping(&shop, &own_mapping().replace(rule, "{ max_length = 120 }"));
    shop.set_field("data/people.csv", 4, "job_title", &"x".repeat(121));
    assert_eq!(only_letter(&shop)["cause"], "too-long");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_row_is_named_by_file_and_line() {
    let shop = Shop::open(&SOUND).await;
    shop.edit("data/people.csv", |text| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines[5].push_str(",one column too many");
        lines.join("\n")
    });
    let letter = only_letter(&shop);
    let place = format!("{} {}", letter["place"].as_str().unwrap_or_default(), letter["reason"]);
    assert!(place.contains("people.csv"), "{letter}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_email_that_is_taken_names_the_rule() {
    let shop = Shop::open(&SOUND).await;
    let people = std::fs::read_to_string(shop.path("data/people.csv")).unwrap();
    let email = people.lines().nth(1).unwrap().split(',').nth(6).unwrap().trim().to_owned();
    shop.set_field("data/people.csv", 4, "email", &email.to_uppercase());
    let letter = only_letter(&shop);
    assert_eq!(letter["id"], "P-0000005", "{letter}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_parent_leaves_the_association_waiting() {
    let shop = Shop::open(&SOUND).await;
    shop.set_field("data/orders.csv", 0, "customer_id", "C-999999");
    shop.expect(0, &["init", "--yes"]);
    let applied = shop.expect(0, &["apply", "--json"]).json();
    let rule =
        applied["edges"].as_array().unwrap().iter().find(|rule| rule["rule"] == "ordered_for").unwrap();
    assert_eq!(rule["waiting"], 1, "{applied}");
    shop.expect(0, &["verify"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_is_gone_is_named_before_anything_is_written() {
    let shop = Shop::open(&SOUND).await;
    shop.edit("data/people.csv", |text| text.replacen("job_title", "occupation", 1));
    shop.expect(1, &["plan"]).fails_with("job_title", "unknown-column");
    shop.edit("data/people.csv", |text| text.replacen("person_id", "nr", 1));
    shop.expect(1, &["plan"]).fails_with("person_id", "people");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistyped_mapping_is_shown_with_its_line() {
    let shop = Shop::open(&SOUND).await;
    with_mapping(&shop, &own_mapping().replace("transform = [\"email\"]", "transfrom = [\"email\"]"));
    let checked = shop.expect(1, &["check"]);
    checked.fails_with("unknown-key", "did you mean `transform`?");
    assert!(checked.err.contains("mapping.toml:"), "{}", checked.err);
    with_mapping(&shop, "[[links]\n");
    shop.expect(1, &["check"]).fails_with("mapping.toml:1", "what to do");
    std::fs::write(shop.path("settings.toml"), "[mapping]\nfile = \"gone.toml\"\n").unwrap();
    shop.expect(1, &["check"]).fails_with("gone.toml cannot be read", "`mapping.file`");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_credential_says_so() {
    let mut config = PortalConfig { limits: Limits::Off, ..PortalConfig::new(TOKEN) };
    config.credentials = vec![Credential { revoked: true, ..Credential::private_app(TOKEN) }];
    let shop = Shop::with_portal(&SOUND, config).await;
    let failed = shop.run(&["plan"]);
    failed.fails_with("revoked", "KIT_HUBSPOT_TOKEN");
    assert!(!failed.err.contains(TOKEN), "{}", failed.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_scope_is_named() {
    let mut config = PortalConfig { limits: Limits::Off, ..PortalConfig::new(TOKEN) };
    let scopes = BTreeSet::from(["oauth".to_owned(), "crm.objects.contacts.read".to_owned()]);
    config.credentials = vec![Credential { scopes: Scopes::Some(scopes), ..Credential::private_app(TOKEN) }];
    let shop = Shop::with_portal(&SOUND, config).await;
    shop.expect(1, &["init"]).fails_with("scope", "crm.");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_portal_is_refused() {
    let shop = Shop::open(&SOUND).await;
    shop.run(&["plan", "--set", "hubspot.portal=42"])
        .fails_with("belongs to portal", "correct `hubspot.portal`");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrupt_state_file_is_named_and_left_alone() {
    let shop = Shop::open(&SOUND).await;
    shop.expect(0, &["init", "--yes"]);
    let state = shop.path("wholesale-state.db");
    std::fs::write(&state, "not a database, but long enough to look like one ".repeat(100)).unwrap();
    let before = std::fs::read(&state).unwrap();
    shop.run(&["plan"]).fails_with("wholesale-state.db", "");
    assert_eq!(std::fs::read(&state).unwrap(), before);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_the_run_and_the_next_one_ends_it() {
    let shop = Shop::open(&SOUND).await;
    shop.expect(0, &["init", "--yes"]);
    shop.run(&["plan", "--out", "/dev/full"]).fails_with("plan file", "free space");
    // A file-size limit stands for the full disk: the state file cannot grow beyond 64 KiB.
    let inner = shop.command(&["apply"]);
    let mut limited = std::process::Command::new("sh");
    limited.current_dir(shop.path("")).args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" apply"]);
    limited.arg(inner.get_program());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    let stopped = ran(&mut limited);
    assert_eq!(stopped.code, Some(1), "{stopped:?}");
    stopped.is_calm();
    assert!(stopped.err.contains("wholesale-state.db"), "{stopped:?}");
    // One run with room to write settles what was under way and brings over the rest.
    shop.expect(0, &["apply"]);
    shop.expect(0, &["verify"]);
}

#[test]
fn settings_that_cannot_be_are_named() {
    let shop = Shop::without_portal();
    shop.run(&["plan", "--set", "hubspot.shre=1"])
        .fails_with("hubspot.shre", "did you mean `hubspot.share`?");
    shop.run(&["plan"]).fails_with("data", "");
    std::fs::create_dir(shop.path("data")).unwrap();
    SOUND.write(&shop.path("data")).unwrap();
    shop.run(&["plan"]).fails_with("no credential", "KIT_HUBSPOT_TOKEN");
}
