//! Credentials, scopes and request limits.

use std::collections::BTreeSet;
use std::time::Duration;

use hubspot_sandbox::{Credential, CredentialKind, Limits, PortalConfig, Scopes, Tier};
use serde_json::{Value, json};

use crate::support::{Answer, Bench, CONTACTS, TOKEN, config, seconds};

fn limited(tier: Tier) -> PortalConfig {
    let mut config = config();
    config.tier = tier;
    config.limits = Limits::ByTier;
    config
}

fn header(answer: &Answer, name: &str) -> Option<u32> {
    answer.headers.get(name).map(|value| value.to_str().unwrap().parse().unwrap())
}

#[test]
fn the_burst_of_each_tier_and_credential() {
    for (tier, kind, max, daily) in [
        (Tier::Free, CredentialKind::PrivateApp, 100, Some(250_000)),
        (Tier::Starter, CredentialKind::ServiceKey, 100, Some(250_000)),
        (Tier::Professional, CredentialKind::PrivateApp, 190, Some(625_000)),
        (Tier::Enterprise, CredentialKind::ServiceKey, 190, Some(1_000_000)),
        (Tier::Enterprise, CredentialKind::OAuth, 110, None),
    ] {
        let mut config = limited(tier);
        config.credentials[0].kind = kind;
        let mut bench = Bench::with(config);
        for n in 1..=max {
            let answer = bench.get(CONTACTS);
            assert_eq!(answer.status, 200);
            assert_eq!(header(&answer, "x-hubspot-ratelimit-max"), Some(max));
            assert_eq!(header(&answer, "x-hubspot-ratelimit-remaining"), Some(max - n));
            assert_eq!(header(&answer, "x-hubspot-ratelimit-interval-milliseconds"), Some(10_000));
            assert_eq!(header(&answer, "x-hubspot-ratelimit-daily-remaining"), daily.map(|daily| daily - n));
        }
        let refused = bench.get(CONTACTS);
        assert_eq!(refused.status, 429);
        assert_eq!(refused.body["policyName"], "TEN_SECONDLY_ROLLING");
        assert_eq!(refused.body["message"], "You have reached your ten_secondly_rolling limit.");
        assert_eq!(refused.body["errorType"], "RATE_LIMIT");
    }
}

#[test]
fn each_call_frees_its_place_ten_seconds_after_itself() {
    let mut bench = Bench::with(limited(Tier::Free));
    for _ in 0..60 {
        assert_eq!(bench.get(CONTACTS).status, 200);
    }
    bench.advance(seconds(4));
    for _ in 0..40 {
        assert_eq!(bench.get(CONTACTS).status, 200);
    }
    bench.advance(Duration::from_millis(5_999));
    assert_eq!(bench.get(CONTACTS).status, 429);
    bench.advance(Duration::from_millis(1));
    for _ in 0..60 {
        assert_eq!(bench.get(CONTACTS).status, 200);
    }
    assert_eq!(bench.get(CONTACTS).status, 429);
}

#[test]
fn apps_have_windows_of_their_own_and_share_the_day() {
    let mut config = limited(Tier::Free);
    let mut other = Credential::private_app("another");
    other.app_id = 2;
    config.credentials.push(other);
    let mut bench = Bench::with(config);
    for _ in 0..100 {
        bench.get(CONTACTS);
    }
    assert_eq!(bench.get(CONTACTS).status, 429);
    let answer = Answer::from(bench.reply_as("another", "GET", CONTACTS, &Value::Null));
    assert_eq!(answer.status, 200);
    assert_eq!(header(&answer, "x-hubspot-ratelimit-daily-remaining"), Some(250_000 - 101));
}

#[test]
fn search_has_a_second_of_its_own_and_no_headers() {
    let mut bench = Bench::with(limited(Tier::Free));
    let path = format!("{CONTACTS}/search");
    for _ in 0..5 {
        let answer = bench.call("POST", &path, json!({}));
        assert_eq!(answer.status, 200);
        assert!(answer.headers.keys().all(|name| !name.as_str().contains("ratelimit")));
    }
    let refused = bench.call("POST", &path, json!({}));
    assert_eq!((refused.status, &refused.body["policyName"]), (429, &json!("SECONDLY")));
    assert_eq!(header(&bench.get(CONTACTS), "x-hubspot-ratelimit-remaining"), Some(99));
    bench.advance(seconds(1));
    assert_eq!(bench.call("POST", &path, json!({})).status, 200);
}

#[test]
fn association_endpoints_have_a_window_too() {
    let mut bench = Bench::with(limited(Tier::Professional));
    let path = "/crm/associations/2026-09/contacts/companies/labels";
    for _ in 0..150 {
        assert_eq!(bench.get(path).status, 200);
    }
    assert_eq!(bench.get(path).status, 429);
    assert_eq!(bench.get(CONTACTS).status, 200);
}

#[test]
fn the_day_ends_at_the_portals_midnight() {
    let mut config = limited(Tier::Free);
    config.time_zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
    config.limits =
        Limits::Custom(hubspot_sandbox::LimitTable { daily: Some(3), ..hubspot_sandbox::LimitTable::OFF });
    let mut bench = Bench::with(config);
    bench.now = "2026-11-03T04:59:59Z".parse().unwrap();
    for _ in 0..3 {
        assert_eq!(bench.get(CONTACTS).status, 200);
    }
    let refused = bench.get(CONTACTS);
    assert_eq!((refused.status, &refused.body["policyName"]), (429, &json!("DAILY")));
    bench.advance(seconds(1));
    assert_eq!(bench.get(CONTACTS).status, 200);
}

#[test]
fn somebody_else_can_hold_a_share_of_the_burst() {
    let mut bench = Bench::with(limited(Tier::Professional));
    bench.portal.set_burst_share(0.5);
    for n in 1..=95 {
        assert_eq!(header(&bench.get(CONTACTS), "x-hubspot-ratelimit-remaining"), Some(95 - n));
    }
    assert_eq!(bench.get(CONTACTS).status, 429);
}

#[test]
fn credentials_are_needed_and_can_be_revoked() {
    let mut bench = Bench::new();
    for token in ["", "wrong"] {
        let refused = Answer::from(bench.reply_as(token, "GET", CONTACTS, &Value::Null));
        assert_eq!((refused.status, &refused.body["category"]), (401, &json!("INVALID_AUTHENTICATION")));
    }
    assert!(bench.portal.revoke_credential(TOKEN));
    assert_eq!(bench.get(CONTACTS).status, 401);
}

#[test]
fn a_missing_scope_is_named_with_its_alternatives() {
    let mut bench = Bench::new();
    let scopes =
        |list: &[&str]| Scopes::Some(list.iter().map(|one| (*one).to_owned()).collect::<BTreeSet<_>>());
    bench.portal.set_scopes(TOKEN, scopes(&["crm.objects.contacts.read", "crm.objects.deals.read"]));
    for (method, path, lacking) in [
        ("POST", CONTACTS, json!(["crm.objects.contacts.write"])),
        ("GET", "/crm/v3/objects/tickets", json!(["crm.objects.tickets.read", "tickets"])),
        ("POST", "/crm/properties/2026-09/contacts", json!(["crm.schemas.contacts.write"])),
        (
            "PUT",
            "/crm/objects/2026-09/contacts/1/associations/default/companies/2",
            json!(["crm.objects.contacts.write"]),
        ),
        ("GET", "/crm/owners/2026-09", json!(["crm.objects.owners.read"])),
    ] {
        let refused = bench.ok(403, method, path, json!({}));
        assert_eq!(refused["category"], "MISSING_SCOPES");
        assert_eq!(refused["errors"][0]["context"]["requiredGranularScopes"], lacking, "{path}");
        assert!(refused["links"]["scopes"].is_string());
    }
    bench.ok(200, "GET", CONTACTS, Value::Null);
    bench.ok(200, "GET", "/crm/properties/2026-09/contacts", Value::Null);
    bench.portal.set_scopes(TOKEN, scopes(&["tickets"]));
    bench.ok(200, "GET", "/crm/v3/objects/tickets", Value::Null);
}

#[test]
fn every_answer_carries_a_correlation_id_that_errors_repeat() {
    let mut bench = Bench::new();
    let refused = bench.get(&format!("{CONTACTS}/1"));
    let header = refused.headers["x-hubspot-correlation-id"].to_str().unwrap();
    assert_eq!(refused.body["correlationId"], json!(header));
}
