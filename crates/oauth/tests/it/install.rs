//! The install: what is accepted, and everything that is not.

use oauth::{App, Callback, GrantStatus, InstallError, Installer, PortalId, WantedScopes};
use secrecy::SecretString;

use crate::server::{Bench, Does, PORTAL, SECRET, cookie, state};

async fn complete(
    installer: &Installer,
    query: &str,
    cookies: Option<&str>,
) -> Result<oauth::Installed, InstallError> {
    installer.complete(Callback { query, cookies }).await
}

#[tokio::test(start_paused = true)]
async fn a_consent_becomes_a_stored_grant() {
    let bench = Bench::new();
    let begun = bench.installer().begin(None).await.unwrap();
    assert!(begun.url.starts_with("https://app.example/oauth/authorize?client_id=app&"));
    assert!(begun.set_cookie.contains("; Secure") && begun.set_cookie.starts_with("__Host-install-"));

    let query = format!("code={}&state={}", bench.server.code(), state(&begun.url));
    let installed = complete(&bench.installer(), &query, Some(&cookie(&begun.set_cookie))).await.unwrap();
    assert_eq!((installed.portal, installed.again, installed.app_id), (PORTAL, false, Some(99)));
    assert!(installed.scopes.suffices());

    let (grant, _) = bench.grants.load("app", PORTAL).await.unwrap().unwrap();
    assert_eq!(grant.status(), &GrantStatus::Active);
    assert_eq!(bench.grants.portals("app").await.unwrap(), [PORTAL]);
    let inside = bench.server.inside.lock().unwrap();
    let (path, form) = &inside.calls[0];
    assert_eq!(path, "/oauth/2026-03/token");
    assert_eq!(form["redirect_uri"], "https://kit.example/callback");
    assert_eq!(form["code_verifier"].len(), 43);
    assert_eq!(inside.calls[1].0, "/oauth/2026-03/token/introspect");
}

#[tokio::test(start_paused = true)]
async fn a_portal_that_the_first_answer_leaves_out_is_asked_for() {
    let bench = Bench::new();
    bench.server.change(|inside| inside.says_whose = false);
    let begun = bench.installer().begin(Some(PORTAL)).await.unwrap();
    assert!(begun.url.starts_with("https://app.example/oauth/7/authorize?"));
    let query = format!("code={}&state={}", bench.server.code(), state(&begun.url));
    let installed = complete(&bench.installer(), &query, Some(&cookie(&begun.set_cookie))).await.unwrap();
    assert_eq!(installed.portal, PORTAL);
    assert!(installed.scopes.missing_optional.is_empty());
}

/// One way of getting a callback wrong.
type Wrong = fn(state: &str, code: &str, cookie: &str) -> (String, Option<String>);

#[tokio::test(start_paused = true)]
async fn a_wrong_callback_is_refused_before_any_call() {
    let wrong: &[(&str, Wrong)] = &[
        ("no query", |_, _, c| (String::new(), Some(c.to_owned()))),
        ("no state", |_, code, c| (format!("code={code}"), Some(c.to_owned()))),
        ("empty state", |_, code, c| (format!("code={code}&state="), Some(c.to_owned()))),
        ("strange state", |_, code, c| (format!("code={code}&state=guessed"), Some(c.to_owned()))),
        ("state cut", |s, code, c| (format!("code={code}&state={}", &s[..42]), Some(c.to_owned()))),
        ("state in other case", |s, code, c| {
            (format!("code={code}&state={}", s.to_lowercase()), Some(c.to_owned()))
        }),
        ("state twice", |s, code, c| (format!("code={code}&state={s}&state={s}"), Some(c.to_owned()))),
        ("code twice", |s, code, c| (format!("code={code}&code=other&state={s}"), Some(c.to_owned()))),
        ("no code", |s, _, c| (format!("state={s}"), Some(c.to_owned()))),
        ("empty code", |s, _, c| (format!("state={s}&code="), Some(c.to_owned()))),
        ("code and error", |s, code, c| {
            (format!("state={s}&code={code}&error=access_denied"), Some(c.to_owned()))
        }),
        ("too long", |s, _, c| (format!("state={s}&code={}", "x".repeat(9_000)), Some(c.to_owned()))),
        ("denied", |s, _, c| (format!("state={s}&error=access_denied"), Some(c.to_owned()))),
        ("no cookie", |s, code, _| (format!("code={code}&state={s}"), None)),
        ("empty cookies", |s, code, _| (format!("code={code}&state={s}"), Some(String::new()))),
        ("cookie of other name", |s, code, c| (format!("code={code}&state={s}"), Some(format!("x{c}")))),
        ("cookie of other value", |s, code, c| {
            let (name, _) = c.split_once('=').unwrap();
            (format!("code={code}&state={s}"), Some(format!("{name}=guessed")))
        }),
        ("cookie cut", |s, code, c| (format!("code={code}&state={s}"), Some(c[..c.len() - 1].to_owned()))),
        ("two cookies", |s, code, c| (format!("code={code}&state={s}"), Some(format!("{c}; {c}")))),
        ("the state as cookie", |s, code, c| {
            let (name, _) = c.split_once('=').unwrap();
            (format!("code={code}&state={s}"), Some(format!("{name}={s}")))
        }),
    ];
    for (name, make) in wrong {
        let bench = Bench::new();
        let begun = bench.installer().begin(None).await.unwrap();
        let (query, cookies) = make(&state(&begun.url), &bench.server.code(), &cookie(&begun.set_cookie));
        let refused = complete(&bench.installer(), &query, cookies.as_deref()).await;
        assert!(refused.is_err(), "{name}");
        assert_eq!(bench.server.calls(), 0, "{name}");
        assert!(bench.grants.portals("app").await.unwrap().is_empty(), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_state_works_once_whatever_came_of_it() {
    let bench = Bench::new();
    let begun = bench.installer().begin(None).await.unwrap();
    let (state, cookie) = (state(&begun.url), cookie(&begun.set_cookie));
    let query = format!("code={}&state={state}", bench.server.code());
    let stolen = complete(&bench.installer(), &query, None).await.unwrap_err();
    assert!(matches!(stolen, InstallError::OtherBrowser));
    let late = complete(&bench.installer(), &query, Some(&cookie)).await.unwrap_err();
    assert!(matches!(late, InstallError::Unknown), "{late}");
    assert_eq!(bench.server.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn of_many_callbacks_with_one_state_one_goes_through() {
    let bench = Bench::new();
    let begun = bench.installer().begin(None).await.unwrap();
    let query = format!("code={}&state={}", bench.server.code(), state(&begun.url));
    let cookie = cookie(&begun.set_cookie);
    let installers: Vec<Installer> = (0..20).map(|_| bench.installer()).collect();
    let all = installers.iter().map(|installer| complete(installer, &query, Some(&cookie)));
    let outcomes = futures_util::future::join_all(all).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(bench.server.grants("authorization_code"), 1);
}

#[tokio::test(start_paused = true)]
async fn ten_minutes_are_enough_and_the_eleventh_is_too_late() {
    for (seconds, accepted) in [(599, true), (600, false)] {
        let bench = Bench::new();
        let begun = bench.installer().begin(None).await.unwrap();
        bench.pass(seconds).await;
        let query = format!("code={}&state={}", bench.server.code(), state(&begun.url));
        let outcome = complete(&bench.installer(), &query, Some(&cookie(&begun.set_cookie))).await;
        assert_eq!(outcome.is_ok(), accepted, "{seconds} s");
    }
}

#[tokio::test(start_paused = true)]
async fn the_browser_of_another_install_is_another_browser() {
    let bench = Bench::new();
    // The attacker's install, whose link the victim opens: the victim has a cookie of its own only.
    let attackers = bench.installer().begin(None).await.unwrap();
    let victims = bench.installer().begin(None).await.unwrap();
    let query = format!("code={}&state={}", bench.server.code(), state(&attackers.url));
    let refused = complete(&bench.installer(), &query, Some(&cookie(&victims.set_cookie))).await;
    assert!(matches!(refused, Err(InstallError::OtherBrowser)));
    assert_eq!(bench.server.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn settings_that_changed_meanwhile_are_noticed() {
    let bench = Bench::new();
    let begun = bench.installer().begin(None).await.unwrap();
    let other =
        App::new("app", &SecretString::from(SECRET), "https://kit.example/new", WantedScopes::default());
    let clock = std::sync::Arc::new(bench.clock.clone());
    let endpoint = bench.endpoint_of(other.unwrap());
    let installer = Installer::new(endpoint, bench.grants.clone(), bench.store.clone(), clock);
    let query = format!("code={}&state={}", bench.server.code(), state(&begun.url));
    let refused = complete(&installer, &query, Some(&cookie(&begun.set_cookie))).await;
    assert!(matches!(refused, Err(InstallError::SettingsChanged)));
    assert_eq!(bench.server.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn tokens_of_another_portal_or_with_too_few_scopes_are_not_kept() {
    let install = async |bench: &Bench, portal: Option<PortalId>| {
        let begun = bench.installer().begin(portal).await.unwrap();
        let query = format!("code={}&state={}", bench.server.code(), state(&begun.url));
        complete(&bench.installer(), &query, Some(&cookie(&begun.set_cookie))).await
    };
    let bench = Bench::new();
    let other = install(&bench, Some(PortalId(8))).await.unwrap_err();
    assert!(matches!(other, InstallError::OtherPortal { expected: PortalId(8), found: PORTAL }), "{other}");

    bench.server.change(|inside| inside.introspected_hub = Some(9));
    let two_faced = install(&bench, None).await.unwrap_err();
    assert!(matches!(two_faced, InstallError::OtherPortal { .. }), "{two_faced}");

    bench.server.change(|inside| {
        inside.introspected_hub = None;
        inside.scopes = vec!["oauth"];
    });
    let poor = install(&bench, None).await.unwrap_err();
    assert_eq!(poor.to_string(), "required scopes were not granted: crm.objects.contacts.read");
    assert!(bench.grants.portals("app").await.unwrap().is_empty());
    // Nothing was revoked: it could be the very token of a portal that is rightly connected.
    assert!(bench.server.inside.lock().unwrap().calls.iter().all(|(path, _)| !path.contains("revoke")));
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_not_expected_leaves_the_store_as_it_was() {
    for is_known in [false, true] {
        let bench = if is_known { Bench::installed().await } else { Bench::new() };
        let before = bench.grants.load("app", PORTAL).await.unwrap().map(|(_, revision)| revision);
        let installer = bench.installer().only([PortalId(8), PortalId(9)]);
        let begun = installer.begin(None).await.unwrap();
        let query = format!("code={}&state={}", bench.server.code(), state(&begun.url));
        let refused = complete(&installer, &query, Some(&cookie(&begun.set_cookie))).await.unwrap_err();
        assert!(matches!(refused, InstallError::UnexpectedPortal(PORTAL)), "{refused}");
        // Another program may keep that portal in the same store.
        let after = bench.grants.load("app", PORTAL).await.unwrap().map(|(_, revision)| revision);
        assert_eq!(after, before);
    }
}

#[tokio::test(start_paused = true)]
async fn a_code_is_sent_once_even_if_the_answer_is_lost() {
    for does in [Does::LoseAnswer, Does::Down, Does::Status(500), Does::Status(429), Does::Hang] {
        let bench = Bench::new();
        let begun = bench.installer().begin(None).await.unwrap();
        bench.server.change(|inside| inside.script.push_back(does));
        let query = format!("code={}&state={}", bench.server.code(), state(&begun.url));
        let failed = complete(&bench.installer(), &query, Some(&cookie(&begun.set_cookie))).await;
        assert!(matches!(failed, Err(InstallError::Exchange(_))), "{does:?}");
        assert_eq!(bench.server.calls(), 1, "{does:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_spent_code_is_no_new_grant() {
    let bench = Bench::installed().await;
    let begun = bench.installer().begin(None).await.unwrap();
    let query = format!("code=code-0&state={}", state(&begun.url));
    let refused = complete(&bench.installer(), &query, Some(&cookie(&begun.set_cookie))).await.unwrap_err();
    assert!(matches!(refused, InstallError::Exchange(_)));
    let (grant, _) = bench.grants.load("app", PORTAL).await.unwrap().unwrap();
    assert_eq!(grant.status(), &GrantStatus::Active);
}

#[tokio::test(start_paused = true)]
async fn too_many_begun_installs_are_refused_until_old_ones_are_void() {
    let bench = Bench::new();
    let installer = bench.installer();
    for _ in 0..10_000 {
        installer.begin(None).await.unwrap();
    }
    assert!(matches!(installer.begin(None).await, Err(InstallError::Store(_))));
    bench.pass(600).await;
    assert!(installer.begin(None).await.is_ok());
}
