//! An app of ours and a portal: install, use, renewal, uninstall, in virtual time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_transport::{Clock, TokenProvider, TokioClock};
use hubspot_client::{Client, CreateRow, ErrorKind, Limits, ObjectType, RawRequest};
use hubspot_sandbox::{Portal, PortalConfig};
use oauth::{AppTokens, GrantStatus, InstallError, NoToken, Reason, WantedScopes};
use workspace_tests::connected::{APP_ID, Connected, JOURNAL_SCOPE, PORTAL, registered};
use workspace_tests::{PortalTransport, TOKEN};

const URL: &str = "http://localhost";

struct Bench {
    _folder: tempfile::TempDir,
    portal: Arc<Mutex<Portal>>,
    clock: Arc<dyn Clock>,
    connected: Connected,
    transport: Arc<PortalTransport>,
}

impl Bench {
    fn new(version: &str, rotates: bool) -> Bench {
        let mut portal = Portal::new(PortalConfig::new(TOKEN));
        portal.add_app(registered(rotates));
        let portal = Arc::new(Mutex::new(portal));
        let clock: Arc<dyn Clock> =
            Arc::new(TokioClock::starting_at("2026-11-21T10:00:00Z".parse().unwrap()));
        let transport = Arc::new(PortalTransport::new(portal.clone(), clock.clone()));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens.db");
        let connected = Connected::open(&file, URL, version, transport.clone(), clock.clone()).unwrap();
        Bench { _folder: folder, portal, clock, connected, transport }
    }

    /// A client whose credential is the installed app's.
    fn client(&self, holder: &str) -> Client {
        self.client_of(Arc::new(self.connected.tokens(holder)))
    }

    fn client_of(&self, tokens: Arc<dyn TokenProvider>) -> Client {
        Client::builder(URL)
            .transport(self.transport.clone())
            .clock(self.clock.clone())
            .limits(Limits::oauth())
            .token_provider(tokens)
            .build()
            .unwrap()
    }

    fn calls(&self, operation: &str) -> usize {
        self.portal.lock().unwrap().requests().filter(|request| request.operation == operation).count()
    }
}

#[tokio::test(start_paused = true)]
async fn an_install_in_every_version_ends_in_a_client_that_works_for_days() {
    for version in ["2026-03", "2026-09", "v3", "v1"] {
        let bench = Bench::new(version, version == "v3");
        let installed = bench.connected.install().await.unwrap();
        assert_eq!((installed.portal, installed.app_id, installed.again), (PORTAL, Some(APP_ID), false));
        let client = bench.client("one");
        for _ in 0..200 {
            assert_eq!(client.account().details().await.unwrap().portal_id, PORTAL.0, "{version}");
            bench.clock.sleep(Duration::from_secs(15 * 60)).await;
        }
        // Two days of calls every quarter of an hour, and none of them met an expired token.
        assert_eq!(client.call_counts().refused, 0, "{version}");
        assert!(bench.connected.install().await.unwrap().again, "{version}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_consent_for_another_account_or_in_another_browser_is_refused() {
    let bench = Bench::new("2026-03", false);
    let installer = bench.connected.installer();
    let begun = installer.begin(Some(oauth::PortalId(999))).await.unwrap();
    assert!(bench.connected.consent(&begun.url).await.is_err(), "HubSpot itself knows better");
    // The person changes to the account at hand.
    let changed = begun.url.replace("/oauth/999/", "/oauth/");
    let query = bench.connected.consent(&changed).await.unwrap();
    let refused = bench.connected.complete(&begun, &query).await.unwrap_err();
    assert!(matches!(refused, InstallError::OtherPortal { found: PORTAL, .. }), "{refused}");

    let (one, other) = (installer.begin(None).await.unwrap(), installer.begin(None).await.unwrap());
    let query = bench.connected.consent(&one.url).await.unwrap();
    let refused = bench.connected.complete(&other, &query).await.unwrap_err();
    assert!(matches!(refused, InstallError::OtherBrowser), "{refused}");
    assert!(bench.connected.tokens("one").status().await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_401_in_the_middle_of_batches_is_healed_once_and_nothing_is_written_twice() {
    let bench = Bench::new("2026-03", true);
    bench.connected.install().await.unwrap();
    let client = bench.client("one");
    let addresses: Vec<String> = (0..1_000).map(|n| format!("person{n}@example.com")).collect();
    let write = async |batch: usize| {
        if batch == 3 {
            // As when somebody rotates the app's tokens: nothing in the process can know.
            bench.portal.lock().unwrap().expire_access_tokens(bench.clock.now(), APP_ID);
        }
        let values: Vec<[(&str, &str); 1]> =
            addresses[batch * 100..][..100].iter().map(|address| [("email", address.as_str())]).collect();
        let rows: Vec<CreateRow<'_>> =
            values.iter().map(|values| CreateRow { properties: values, associations: &[] }).collect();
        let outcome = client.objects(&ObjectType::CONTACTS).batch_create(&rows).await.unwrap();
        assert_eq!(outcome.counts().written, 100);
    };
    futures_util::future::join_all((0..10).map(write)).await;
    assert_eq!(bench.portal.lock().unwrap().record_count("contacts").unwrap(), 1_000);
    assert_eq!(bench.calls("oauth.token"), 2, "one for the code, one to heal");
}

#[tokio::test(start_paused = true)]
async fn an_app_taken_out_stops_its_portal_and_a_new_install_goes_on() {
    let bench = Bench::new("2026-03", false);
    bench.connected.install().await.unwrap();
    let client = bench.client("one");
    client.account().details().await.unwrap();
    assert!(bench.portal.lock().unwrap().uninstall_app(APP_ID));
    let error = client.account().details().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RevokedCredential, "{error}");
    let tokens = bench.connected.tokens("another");
    let NoToken::NeedsReauthorisation { reason, .. } = tokens.get().await.unwrap_err() else { panic!() };
    assert_eq!(reason, Reason::Revoked { code: Some("BAD_REFRESH_TOKEN".to_owned()) });
    bench.connected.install().await.unwrap();
    client.account().details().await.unwrap();
    assert!(tokens.token().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_closed_account_stops_its_portal_and_says_so() {
    let bench = Bench::new("2026-03", false);
    bench.connected.install().await.unwrap();
    let tokens = bench.connected.tokens("one");
    let access = tokens.token().await.unwrap();
    bench.portal.lock().unwrap().close_account(true);
    assert!(!tokens.rejected(&access).await, "there is no other token");
    let NoToken::NeedsReauthorisation { reason, .. } = tokens.get().await.unwrap_err() else { panic!() };
    assert_eq!(reason, Reason::Revoked { code: Some("BAD_HUB".to_owned()) });
    assert!(reason.to_string().contains("BAD_HUB"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn an_uninstall_from_here_takes_the_app_out_there() {
    let bench = Bench::new("2026-03", false);
    bench.connected.install().await.unwrap();
    let tokens = bench.connected.tokens("one");
    // The token at hand has just died: it is renewed for the last call.
    tokens.get().await.unwrap();
    bench.portal.lock().unwrap().expire_access_tokens(bench.clock.now(), APP_ID);
    tokens.uninstall().await.unwrap();
    assert_eq!(bench.calls("apps.uninstall"), 2, "refused, renewed, done");
    assert!(!bench.portal.lock().unwrap().uninstall_app(APP_ID), "it is out already");
    let grant = tokens.status().await.unwrap().unwrap();
    assert!(matches!(grant.status(), GrantStatus::NeedsReauthorisation { reason: Reason::Disconnected, .. }));
}

#[tokio::test(start_paused = true)]
async fn a_revoked_grant_ends_with_its_last_access_token() {
    let bench = Bench::new("2026-03", false);
    bench.connected.install().await.unwrap();
    let (tokens, other) = (bench.connected.tokens("one"), bench.client("other"));
    other.account().details().await.unwrap();
    tokens.revoke().await.unwrap();
    assert!(tokens.get().await.is_err());
    // HubSpot docs: what was given out lives on until it expires.
    other.account().details().await.unwrap();
    bench.clock.sleep(Duration::from_secs(1_800)).await;
    assert_eq!(other.account().details().await.unwrap_err().kind(), ErrorKind::RevokedCredential);
}

#[tokio::test(start_paused = true)]
async fn an_apps_own_token_opens_the_journal_and_no_portal() {
    let bench = Bench::new("2026-03", false);
    bench.connected.install().await.unwrap();
    let endpoint = bench.connected.endpoint.clone();
    let own = AppTokens::new(endpoint, bench.clock.clone(), &WantedScopes::required([JOURNAL_SCOPE]));
    let (own, portals) = (bench.client_of(Arc::new(own)), bench.client("one"));
    let get = async |client: &Client, path: &str| {
        let answer = client.raw(RawRequest::new(http::Method::GET, path)).await;
        answer.map(|_| ()).map_err(|error| error.kind())
    };
    let (journal, contacts) = ("/webhooks-journal/subscriptions/2026-03", "/crm/objects/2026-03/contacts");
    for _ in 0..3 {
        assert_eq!(get(&own, journal).await, Ok(()));
        bench.clock.sleep(Duration::from_secs(3_600)).await;
    }
    assert_eq!(get(&own, contacts).await, Err(ErrorKind::MissingScope));
    assert_eq!(get(&portals, journal).await, Err(ErrorKind::MissingScope));
    assert_eq!(get(&portals, contacts).await, Ok(()));
}
