//! Renewals: when, how often, and what is left when something goes wrong in the middle.

use std::sync::Arc;

use futures_util::future::join_all;
use http_transport::{Clock as _, TokenError, TokenProvider as _, TokioClock};
use oauth::{GrantStatus, NoToken, PortalTokens, Reason};
use secrecy::{ExposeSecret as _, SecretString};

use crate::server::{Bench, Does, PORTAL, START, cookie, state};

async fn get(tokens: &PortalTokens) -> String {
    tokens.get().await.unwrap().expose_secret().to_owned()
}

async fn why(tokens: &PortalTokens) -> Reason {
    match tokens.get().await {
        Err(NoToken::NeedsReauthorisation { reason, .. }) => reason,
        other => panic!("expected a stop, got {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_five_minutes_ahead_and_not_before() {
    let bench = Bench::installed().await;
    let tokens = bench.tokens("one");
    assert_eq!(get(&tokens).await, "canary-access-1");
    bench.pass(1_499).await;
    assert_eq!(get(&tokens).await, "canary-access-1");
    assert_eq!(bench.server.calls(), 0);
    bench.pass(1).await;
    assert_eq!(get(&tokens).await, "canary-access-2");
    assert_eq!(get(&tokens).await, "canary-access-2");
    assert_eq!(bench.server.grants("refresh_token"), 1);
}

#[tokio::test(start_paused = true)]
async fn many_tasks_of_many_processes_make_one_renewal() {
    for does in [Does::Answer, Does::Slowly(20)] {
        let bench = Bench::installed().await;
        bench.pass(1_800).await;
        bench.server.change(|inside| inside.script.push_back(does));
        // Providers share nothing but the store, as processes do.
        let processes: Vec<PortalTokens> = (0..4).map(|n| bench.tokens(&format!("process {n}"))).collect();
        let asked = (0..50).map(|task| get(&processes[task % 4]));
        let got = join_all(asked).await;
        assert!(got.iter().all(|token| token == "canary-access-2"), "{does:?}: {got:?}");
        assert_eq!(bench.server.grants("refresh_token"), 1, "{does:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_renewal_while_the_present_token_lives() {
    let bench = Bench::installed().await;
    let (one, other) = (bench.tokens("one"), bench.tokens("other"));
    assert_eq!((get(&one).await, get(&other).await), ("canary-access-1".into(), "canary-access-1".into()));
    bench.pass(1_500).await;
    bench.server.change(|inside| inside.script.push_back(Does::Slowly(20)));
    let renewal = {
        let one = one.clone();
        tokio::spawn(async move { get(&one).await })
    };
    bench.pass(1).await;
    // In the same process and in another one.
    assert_eq!(get(&one).await, "canary-access-1");
    assert_eq!(get(&other).await, "canary-access-1");
    assert_eq!(renewal.await.unwrap(), "canary-access-2");
    bench.pass(2).await;
    assert_eq!(get(&other).await, "canary-access-2");
    assert_eq!(bench.server.grants("refresh_token"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_does_not_take_the_answer_with_it() {
    let bench = Bench::installed().await;
    bench.server.change(|inside| {
        inside.rotates = true;
        inside.script.push_back(Does::Slowly(10));
    });
    bench.pass(1_800).await;
    let tokens = bench.tokens("one");
    tokio::select! {
        _ = tokens.get() => panic!("too early"),
        () = bench.pass(1) => {}
    }
    bench.pass(10).await;
    assert_eq!(get(&tokens).await, "canary-access-2");
    let (grant, _) = bench.grants.load("app", PORTAL).await.unwrap().unwrap();
    assert_eq!(grant.refreshing(), None);
    assert_eq!(bench.server.grants("refresh_token"), 1);
}

#[tokio::test(start_paused = true)]
async fn while_the_server_is_down_the_present_token_serves_and_the_server_has_peace() {
    let bench = Bench::installed().await;
    let tokens = bench.tokens("one");
    bench.pass(1_500).await;
    bench.server.change(|inside| inside.script = std::iter::repeat_n(Does::Status(503), 1_000).collect());
    // The first look at the store is still to come, so nothing is held yet; it is usable nevertheless.
    get(&bench.tokens("two")).await;
    while bench.clock.now().as_second() < START + 1_795 {
        assert_eq!(get(&tokens).await, "canary-access-1");
        bench.pass(1).await;
    }
    let asked = bench.server.calls();
    assert!((4..60).contains(&asked), "{asked} calls");
    bench.pass(20).await;
    let unavailable = tokens.token().await.unwrap_err();
    assert!(matches!(unavailable, TokenError::Unavailable(Some(_))), "{unavailable:?}");
    bench.server.change(|inside| inside.script.clear());
    bench.pass(60).await;
    assert_eq!(get(&tokens).await, "canary-access-2");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_asked_for_again_and_a_rotating_server_ends_it_with_the_reason() {
    let bench = Bench::installed().await;
    bench.pass(1_800).await;
    bench.server.change(|inside| inside.script.push_back(Does::LoseAnswer));
    assert_eq!(get(&bench.tokens("one")).await, "canary-access-3");

    let bench = Bench::installed().await;
    bench.pass(1_800).await;
    bench.server.change(|inside| {
        inside.rotates = true;
        inside.script.push_back(Does::LoseAnswer);
    });
    assert!(matches!(why(&bench.tokens("one")).await, Reason::InterruptedRefresh { .. }));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

#[test]
fn a_process_that_died_between_answer_and_store_is_recovered_from_or_named() {
    for rotates in [false, true] {
        let first = runtime();
        let mut bench = first.block_on(async {
            let bench = Bench::installed().await;
            bench.pass(1_800).await;
            bench.server.change(|inside| {
                inside.rotates = rotates;
                inside.script.push_back(Does::Hang);
            });
            let tokens = bench.tokens("doomed");
            tokio::select! {
                _ = tokens.get() => panic!("it must hang"),
                () = bench.pass(1) => {}
            }
            bench
        });
        // Killed: whatever it had in memory is gone, its lease and its note are not.
        drop(first);
        let second = runtime();
        second.block_on(async {
            let killed_at = START + 1_801;
            bench.clock = TokioClock::starting_at(jiff::Timestamp::from_second(killed_at).unwrap());
            let (grant, _) = bench.grants.load("app", PORTAL).await.unwrap().unwrap();
            let note = grant.refreshing().unwrap().clone();
            assert_eq!((note.since.as_second(), note.by.as_str()), (START + 1_800, "doomed"));

            let heir = bench.tokens("heir");
            let outcome = heir.get().await;
            let waited = bench.clock.now().as_second() - killed_at;
            assert!(waited > 100, "the lease was not waited for: {waited} s");
            if rotates {
                let error = outcome.unwrap_err();
                assert!(error.to_string().contains("Open the install page"), "{error}");
                let NoToken::NeedsReauthorisation { reason, .. } = error else { panic!("{error}") };
                assert_eq!(reason, Reason::InterruptedRefresh { since: note.since });
            } else {
                assert_eq!(outcome.unwrap().expose_secret(), "canary-access-3");
            }
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_revoked_grant_stops_its_portal_until_it_is_installed_again() {
    let bench = Bench::installed().await;
    let tokens = bench.tokens("one");
    bench.pass(1_800).await;
    bench.server.change(|inside| inside.refresh = None);
    assert_eq!(why(&tokens).await, Reason::Revoked { code: Some("BAD_REFRESH_TOKEN".to_owned()) });
    let calls = bench.server.calls();
    for _ in 0..20 {
        bench.pass(10).await;
        assert!(matches!(tokens.token().await, Err(TokenError::Revoked)));
    }
    assert_eq!(bench.server.calls(), calls, "a stopped portal asks nothing of the server");
    let stored = tokens.status().await.unwrap().unwrap();
    assert!(matches!(stored.status(), GrantStatus::NeedsReauthorisation { .. }));

    let begun = bench.installer().begin(Some(PORTAL)).await.unwrap();
    let query = format!("code={}&state={}", bench.server.code(), state(&begun.url));
    let callback = oauth::Callback { query: &query, cookies: Some(&cookie(&begun.set_cookie)) };
    assert!(bench.installer().complete(callback).await.unwrap().again);
    assert_eq!(get(&tokens).await, "canary-access-2");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_client_secret_stops_nothing() {
    let bench = Bench::installed().await;
    bench.pass(1_800).await;
    let scopes = oauth::WantedScopes::default();
    let app = oauth::App::new("app", &"rotated-away".into(), "https://kit.example/callback", scopes).unwrap();
    let clock = Arc::new(bench.clock.clone());
    let endpoint = bench.endpoint_of(app);
    let tokens = PortalTokens::new(endpoint, bench.grants.clone(), bench.store.clone(), clock, PORTAL, "one");
    let error = tokens.get().await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("check client id, client secret"), "{cause}");
    assert_eq!(tokens.status().await.unwrap().unwrap().status(), &GrantStatus::Active);
    assert_eq!(get(&bench.tokens("with the right one")).await, "canary-access-2");
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_answers_with_another_portals_token_is_not_used() {
    let bench = Bench::installed().await;
    bench.pass(1_800).await;
    bench.server.change(|inside| inside.hub = 8);
    let found = oauth::PortalId(8);
    assert_eq!(why(&bench.tokens("one")).await, Reason::WrongPortal { found });
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_healed_once_and_then_left() {
    let bench = Bench::installed().await;
    let tokens = bench.tokens("one");
    let first = tokens.token().await.unwrap();
    let healed = join_all((0..10).map(|_| tokens.rejected(&first))).await;
    assert_eq!(healed, [true; 10]);
    assert_eq!(bench.server.grants("refresh_token"), 1);
    assert!(tokens.rejected(&first).await, "an old token is no news");
    let second = tokens.token().await.unwrap();
    assert_eq!(second.expose_secret(), "canary-access-2");
    assert!(!tokens.rejected(&second).await, "renewing did not help, so it will not");
    assert_eq!(bench.server.grants("refresh_token"), 1);
    bench.pass(61).await;
    assert!(tokens.rejected(&second).await);
    assert_eq!(get(&tokens).await, "canary-access-3");
}

#[tokio::test(start_paused = true)]
async fn a_healing_that_failed_is_tried_again_later() {
    let bench = Bench::installed().await;
    let tokens = bench.tokens("one");
    let first = tokens.token().await.unwrap();
    bench.server.change(|inside| inside.script = std::iter::repeat_n(Does::Down, 3).collect());
    assert!(!tokens.rejected(&first).await);
    assert!(!tokens.rejected(&first).await, "the server is left alone for a while");
    assert_eq!(bench.server.calls(), 3);
    bench.pass(2).await;
    assert!(tokens.rejected(&first).await);
    assert_eq!(get(&tokens).await, "canary-access-2");
}

#[tokio::test(start_paused = true)]
async fn a_token_refused_in_one_process_is_renewed_once_for_all() {
    let bench = Bench::installed().await;
    let processes: Vec<PortalTokens> = (0..4).map(|n| bench.tokens(&format!("process {n}"))).collect();
    let stale: Vec<SecretString> =
        join_all(processes.iter().map(PortalTokens::get)).await.into_iter().map(Result::unwrap).collect();
    let healed = join_all(processes.iter().zip(&stale).map(|(tokens, token)| tokens.rejected(token))).await;
    assert_eq!(healed, [true; 4]);
    for tokens in &processes {
        assert_eq!(get(tokens).await, "canary-access-2");
    }
    assert_eq!(bench.server.grants("refresh_token"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_portal_that_never_installed_is_told_so() {
    let bench = Bench::new();
    let tokens = bench.tokens("one");
    assert!(matches!(tokens.get().await, Err(NoToken::NotInstalled(PORTAL))));
    assert!(matches!(tokens.token().await, Err(TokenError::Revoked)));
    assert_eq!(bench.server.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn app_tokens_are_made_once_for_all_callers_and_renewed_ahead() {
    let bench = Bench::new();
    let clock = Arc::new(bench.clock.clone());
    let scopes = oauth::WantedScopes::required(["developer.webhooks_journal.read"]);
    let tokens = oauth::AppTokens::new(bench.endpoint(), clock, &scopes);
    let got = join_all((0..20).map(|_| tokens.get())).await;
    assert!(got.iter().all(|token| token.as_ref().unwrap().expose_secret() == "canary-access-1"));
    assert_eq!(bench.server.grants("client_credentials"), 1);
    assert_eq!(bench.server.inside.lock().unwrap().calls[0].1["scope"], "developer.webhooks_journal.read");
    bench.pass(1_500).await;
    bench.server.change(|inside| inside.script.push_back(Does::Down));
    assert_eq!(tokens.get().await.unwrap().expose_secret(), "canary-access-1");
    let renewed = tokens.token().await.unwrap();
    assert_eq!(renewed.expose_secret(), "canary-access-2");
    assert!(!tokens.rejected(&renewed).await, "a token this young is not refused for its age");
    bench.pass(61).await;
    let third = tokens.token().await.unwrap();
    bench.pass(61).await;
    assert!(tokens.rejected(&third).await);
    assert_eq!(tokens.get().await.unwrap().expose_secret(), "canary-access-4");
}
