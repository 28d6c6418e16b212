//! An engagement whose credential is an installed app, against a sandbox on a socket.

use bytes::Bytes;
use hubspot_sandbox::{OAuthApp, Portal, PortalConfig, Server};
use oauth::{Callback, Installer};

use super::*;
use crate::settings::Sources;
use crate::wiring;

const REDIRECT: &str = "http://localhost:3000/oauth/callback";
const MASTER_KEY: &str = "dGhlIG1hc3RlciBrZXkgb2YgdGVzdHMsIDMyIGJ5dGU=";

fn settings(url: &str, tokens: &str, change: &[(&str, &str)]) -> Settings {
    let mut assignments = vec![
        ("source.kind", "csv"),
        ("source.folder", "data"),
        ("hubspot.url", url),
        ("hubspot.credential", "oauth"),
        ("hubspot.portal", "51234567"),
        ("oauth.client_id", "client"),
        ("oauth.client_secret", "secret"),
        ("oauth.redirect_url", REDIRECT),
        ("oauth.consent_url", url),
        ("oauth.scopes", "oauth crm.objects.contacts.read"),
        ("oauth.tokens_file", tokens),
        ("oauth.master_key", MASTER_KEY),
    ];
    assignments.extend_from_slice(change);
    let assignments: Vec<String> = assignments.iter().map(|(key, value)| format!("{key}={value}")).collect();
    Settings::load(&Sources { assignments: &assignments, ..Sources::default() }).unwrap()
}

/// Consents as a person in a browser does, and completes the install.
async fn install(settings: &Settings) {
    let oauth = settings.oauth.as_ref().unwrap();
    let clock = wiring::clock();
    let store = Arc::new(SqliteTokenStore::open(&oauth.tokens).unwrap());
    let grants = Arc::new(grants(oauth, store.clone()).unwrap());
    let endpoint = Arc::new(endpoint(&settings.hubspot.url, oauth, clock.clone()).unwrap());
    let installer = Installer::new(endpoint, grants, store, clock);
    let begun = installer.begin(None).await.unwrap();
    let pressed = http::Request::post(&begun.url).body(Bytes::from_static(b"answer=allow")).unwrap();
    let answer = ReqwestTransport::builder().build().unwrap().send(pressed).await.unwrap();
    let (_, query) = answer.headers()["location"].to_str().unwrap().split_once('?').unwrap();
    let cookies = begun.set_cookie.split(';').next();
    installer.complete(Callback { query, cookies }).await.unwrap();
}

#[tokio::test]
async fn an_installed_app_is_the_credential_until_it_is_taken_out() {
    let mut portal = Portal::new(PortalConfig::new("static-token"));
    portal.add_app(OAuthApp::new(77, "client", "secret", REDIRECT, &["crm.objects.contacts.read"]));
    let server = Server::start("127.0.0.1:0".parse().unwrap(), portal).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens.db");
    let settings = settings(&server.url(), tokens.to_str().unwrap(), &[]);

    let connect = async || wiring::portal(&wiring::client(&settings).unwrap(), &settings).await;
    let before = connect().await.unwrap_err().to_string();
    assert!(before.contains("open the install page"), "{before}");
    install(&settings).await;
    assert_eq!(connect().await.unwrap(), "51234567");
    server.portal().lock().unwrap().uninstall_app(77);
    let after = connect().await.unwrap_err().to_string();
    assert!(after.contains("open the install page"), "{after}");
    server.stop().await;
}

#[tokio::test]
async fn a_master_key_is_changed_without_a_new_install() {
    let mut portal = Portal::new(PortalConfig::new("static-token"));
    portal.add_app(OAuthApp::new(77, "client", "secret", REDIRECT, &["crm.objects.contacts.read"]));
    let server = Server::start("127.0.0.1:0".parse().unwrap(), portal).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens.db");
    let tokens = tokens.to_str().unwrap();
    let with = |change: &[(&str, &str)]| settings(&server.url(), tokens, change);
    install(&with(&[])).await;
    let connect = async |settings: &Settings| {
        wiring::portal(&wiring::client(settings).unwrap(), settings)
            .await
            .map_err(|failure| failure.to_string())
    };
    const OTHER_KEY: &str = "YW5vdGhlciBtYXN0ZXIga2V5IG9mIDMyIGJ5dGVzISE=";
    let present = [("oauth.master_key", OTHER_KEY), ("oauth.key_id", "2")];
    let problem = connect(&with(&present)).await.unwrap_err();
    assert!(problem.contains("former key"), "{problem}");

    let both = with(&[present[0], present[1], ("oauth.former_key", MASTER_KEY)]);
    assert_eq!(connect(&both).await.unwrap(), "51234567", "the former key opens what it sealed");
    assert_eq!(rotate(both.oauth.as_ref().unwrap()).await.unwrap(), 1);
    assert_eq!(rotate(both.oauth.as_ref().unwrap()).await.unwrap(), 0);
    assert_eq!(connect(&with(&present)).await.unwrap(), "51234567", "and is needed no more");
    server.stop().await;
}

#[test]
fn settings_that_cannot_work_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens.db");
    let url = "http://127.0.0.1:1";
    for (change, says) in [
        (("oauth.master_key", "short"), "`oauth.master_key` or `oauth.key_id`"),
        (("oauth.key_id", "a b"), "`oauth.master_key` or `oauth.key_id`"),
        (("oauth.redirect_url", "http://example.com/cb"), "the redirect address must be"),
        (("oauth.consent_url", "http://example.com"), "every OAuth endpoint must be"),
        (("oauth.tokens_file", "no/such/folder/tokens.db"), "cannot be opened or made"),
    ] {
        let settings = settings(url, tokens.to_str().unwrap(), &[change]);
        let failure = provider(&settings, wiring::clock()).unwrap_err().to_string();
        assert!(failure.contains(says), "{change:?}: {failure}");
    }
    let mut settings = settings(url, tokens.to_str().unwrap(), &[]);
    settings.hubspot.portal = None;
    let failure = provider(&settings, wiring::clock()).unwrap_err().to_string();
    assert!(failure.contains("`hubspot.portal` is not set"), "{failure}");
    assert!(!format!("{settings:?}").contains(MASTER_KEY));
}
