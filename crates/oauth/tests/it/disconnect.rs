//! The ways out.

use http_transport::TokenProvider as _;
use oauth::{GrantStatus, NoToken, Reason};

use crate::server::{Bench, Does, PORTAL};

async fn is_wiped(bench: &Bench) -> bool {
    let (grant, _) = bench.grants.load("app", PORTAL).await.unwrap().unwrap();
    matches!(grant.status(), GrantStatus::NeedsReauthorisation { reason: Reason::Disconnected, .. })
}

#[tokio::test(start_paused = true)]
async fn an_uninstall_tells_hubspot_and_forgets() {
    let bench = Bench::installed().await;
    let tokens = bench.tokens("one");
    tokens.uninstall().await.unwrap();
    assert_eq!(bench.server.inside.lock().unwrap().calls[0].0, "/appinstalls/2026-03/external-install");
    assert!(is_wiped(&bench).await);
    assert!(tokens.token().await.is_err());
    // Again, and for a portal that was never there.
    tokens.uninstall().await.unwrap();
    Bench::new().tokens("two").uninstall().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_uninstall_that_hubspot_did_not_hear_of_changes_nothing() {
    let bench = Bench::installed().await;
    bench.server.change(|inside| inside.script.push_back(Does::Down));
    assert!(bench.tokens("one").uninstall().await.is_err());
    assert!(!is_wiped(&bench).await);
}

#[tokio::test(start_paused = true)]
async fn an_uninstall_with_a_token_that_has_just_died_takes_another() {
    let bench = Bench::installed().await;
    bench.server.change(|inside| inside.script.push_back(Does::Status(401)));
    bench.tokens("one").uninstall().await.unwrap();
    assert!(is_wiped(&bench).await);
    assert_eq!(bench.server.grants("refresh_token"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_revocation_takes_the_refresh_token_back() {
    let bench = Bench::installed().await;
    let tokens = bench.tokens("one");
    tokens.revoke().await.unwrap();
    assert!(is_wiped(&bench).await);
    let inside = bench.server.inside.lock().unwrap();
    let (path, form) = &inside.calls[0];
    assert_eq!(
        (path.as_str(), form["token_type_hint"].as_str()),
        ("/oauth/2026-03/token/revoke", "refresh_token")
    );
    assert_eq!(form["token"], form["refresh_token"]);
    assert_eq!(inside.refresh, None);
}

#[tokio::test(start_paused = true)]
async fn a_wiped_portal_says_what_was_done() {
    let bench = Bench::installed().await;
    let tokens = bench.tokens("one");
    tokens.revoke().await.unwrap();
    let error = tokens.get().await.unwrap_err();
    assert!(matches!(error, NoToken::NeedsReauthorisation { reason: Reason::Disconnected, .. }));
}

#[tokio::test(start_paused = true)]
async fn a_token_is_compared_with_what_is_needed_as_the_server_sees_it() {
    let bench = Bench::installed().await;
    let tokens = bench.tokens("one");
    let wanted = oauth::WantedScopes::required(["crm.objects.contacts.read", "crm.objects.deals.read"]);
    let inspected = tokens.inspect(&wanted).await.unwrap();
    assert!(inspected.token.active && inspected.is_ours);
    assert_eq!(inspected.scopes.missing.into_iter().collect::<Vec<_>>(), ["crm.objects.deals.read"]);
    assert_eq!(inspected.scopes.surplus.into_iter().collect::<Vec<_>>(), ["tickets"]);
    bench.server.change(|inside| inside.introspected_hub = Some(8));
    assert!(!tokens.inspect(&wanted).await.unwrap().is_ours);
}
