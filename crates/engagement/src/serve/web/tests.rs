//! What a stranger can reach, and what comes of it.

use http_body_util::BodyExt as _;
use http_transport::TokioClock;
use jiff::Timestamp;
use secrecy::SecretString;
use source_adapters::rest::{Description, RestOptions, WebhookVerifier};
use webhooks::{Endpoint, Inbox as _, SqliteInbox, Verifier, sign_v3};

use super::*;
use crate::credential;
use crate::serve::PortalState;
use crate::settings::Sources;

const BASE: &[(&str, &str)] = &[
    ("source.kind", "csv"),
    ("source.folder", "data"),
    ("hubspot.url", "http://127.0.0.1:9"),
    ("hubspot.credential", "oauth"),
    ("hubspot.portal", "33"),
    ("oauth.client_id", "client"),
    ("oauth.client_secret", "secret"),
    ("oauth.redirect_url", "https://sync.example.com/oauth/callback"),
    ("oauth.consent_url", "https://app.hubspot.com"),
    ("oauth.scopes", "oauth crm.objects.contacts.read"),
    ("oauth.master_key", "dGhlIG1hc3RlciBrZXkgb2YgdGVzdHMsIDMyIGJ5dGU="),
    ("webhooks.target_url", TARGET),
];

const TARGET: &str = "https://sync.example.com/webhooks";

fn settings(tokens: &str, change: &[(&str, &str)]) -> Settings {
    let own = [("oauth.tokens_file", tokens)];
    let all = BASE.iter().chain(change).chain(&own);
    let assignments: Vec<String> = all.map(|(key, value)| format!("{key}={value}")).collect();
    Settings::load(&Sources { assignments: &assignments, ..Sources::default() }).unwrap()
}

struct World {
    _folder: tempfile::TempDir,
    web: Web,
    inbox: Arc<SqliteInbox>,
    board: Arc<Board>,
    stop: watch::Sender<bool>,
}

impl World {
    /// A site that keeps these portals.
    fn keeping(portals: &[u64]) -> World {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(&folder.path().join("tokens.db").display().to_string(), &[]);
        let clock: Arc<dyn http_transport::Clock> = Arc::new(TokioClock::starting_at(now()));
        let board = Arc::new(Board::default());
        let (stop, stopped) = watch::channel(false);
        let mut site = Site::new("acme", &settings, board.clone(), stopped).unwrap();
        let oauth = settings.oauth.as_ref().unwrap();
        let ids = portals.iter().copied().map(PortalId);
        site.installer = Some(credential::installer(&settings, oauth, ids, clock.clone()).unwrap());
        site.portals = portals.iter().map(|id| (PortalId(*id), watch::channel(0).0)).collect();
        let inbox = Arc::new(SqliteInbox::in_memory().unwrap());
        let verifier = Verifier::new(vec![SecretString::from("secret")]);
        site.receiver = Some(Receiver::new(Endpoint::at(TARGET).unwrap(), verifier, inbox.clone(), clock));
        World { _folder: folder, web: Web::new(site), inbox, board, stop }
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Response<Bytes> {
        let answer = self.web.clone().call(request).await.unwrap();
        let (head, body) = answer.into_parts();
        Response::from_parts(head, body.collect().await.unwrap().to_bytes())
    }

    async fn get(&self, target: &str) -> Response<Bytes> {
        self.send(Request::get(target).body(Full::default()).unwrap()).await
    }

    /// Where a GET leads.
    async fn leads(&self, target: &str) -> String {
        let answer = self.get(target).await;
        answer.headers().get(LOCATION).map_or_else(String::new, |to| to.to_str().unwrap().to_owned())
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

#[tokio::test]
async fn a_signed_webhook_waits_in_the_inbox_and_any_other_is_turned_away() {
    let world = World::keeping(&[33]);
    let body = br#"[{"portalId":33,"subscriptionId":1,"occurredAt":1800000000000,"subscriptionType":"contact.creation","objectId":5}]"#;
    let signed = |secret: &str, host: &str| {
        let headers = sign_v3(&SecretString::from(secret), "POST", TARGET, body, now());
        Request::post("/webhooks")
            .header("host", host)
            .header("x-hubspot-signature-v3", headers.signature)
            .header("x-hubspot-request-timestamp", headers.timestamp)
            .body(Full::from(&body[..]))
            .unwrap()
    };
    for (secret, host, status) in [
        ("forged", "sync.example.com", 401),
        ("secret", "evil.example.com", 421),
        ("secret", "sync.example.com", 200),
    ] {
        assert_eq!(world.send(signed(secret, host)).await.status().as_u16(), status, "{secret} {host}");
    }
    assert_eq!(world.inbox.take(webhooks::PortalId(33), 10).await.unwrap().len(), 1);
    assert_eq!(world.get("/webhooks").await.status(), 405);
    let post = Request::post("/install").body(Full::default()).unwrap();
    assert_eq!(world.send(post).await.status(), 405, "pages are only looked at");
}

#[tokio::test]
async fn an_install_is_for_the_portals_of_the_settings_only() {
    let one = World::keeping(&[33]);
    let to = one.leads("/install").await;
    assert!(to.starts_with("https://app.hubspot.com/oauth/33/authorize?client_id=client&"), "{to}");
    let cookie = one.get("/install").await.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    for word in ["HttpOnly", "Secure", "SameSite=Lax"] {
        assert!(cookie.contains(word), "{cookie}");
    }
    let several = World::keeping(&[33, 34]);
    assert!(several.leads("/install?portal=34").await.contains("/oauth/34/authorize?"));
    assert!(several.leads("/install").await.contains("/oauth/authorize?"));
    for stranger in ["/install?portal=35", "/install?portal=", "/install?portal=33%20"] {
        let answer = several.get(stranger).await;
        assert_eq!((answer.status().as_u16(), answer.headers().get(LOCATION)), (200, None), "{stranger}");
        assert!(String::from_utf8_lossy(answer.body()).contains("This link is for another account"));
    }
}

#[tokio::test]
async fn no_request_leads_the_browser_anywhere_else() {
    let world = World::keeping(&[33]);
    for (callback, expected) in [
        ("/oauth/callback?code=c&state=forged", "/failed/stale"),
        ("/oauth/callback?error=access_denied&state=forged", "/failed/stale"),
        ("/oauth/callback", "/failed/stale"),
        ("/oauth/callback?state=s&code=c&next=https://evil.example.com", "/failed/stale"),
    ] {
        assert_eq!(world.leads(callback).await, expected, "{callback}");
    }
    for missing in ["/failed/https:%2f%2fevil", "/admin", "//evil.example.com/"] {
        let answer = world.get(missing).await;
        assert_eq!((answer.status().as_u16(), answer.headers().get(LOCATION)), (404, None), "{missing}");
    }
    for page in ["/", "/installed", "/failed/denied", "/style.css"] {
        let answer = world.get(page).await;
        assert_eq!(answer.status(), 200, "{page}");
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{page}");
        assert_eq!(answer.headers()["cache-control"], "no-store", "{page}");
    }
}

#[tokio::test]
async fn it_is_ready_after_first_passes_and_until_it_stops() {
    let world = World::keeping(&[33]);
    world.board.note("33", PortalState::Starting);
    assert_eq!(world.get("/health").await.status(), 200);
    assert_eq!(world.get("/ready").await.status(), 503);
    world.board.note("33", PortalState::Failing);
    let ready = world.get("/ready").await;
    assert_eq!(
        (ready.status().as_u16(), &**ready.body()),
        (200, &br#"{"portals":{"failing":1},"ready":true}"#[..])
    );
    world.stop.send_replace(true);
    assert_eq!(world.get("/ready").await.status(), 503);
    assert_eq!(world.get("/health").await.status(), 200);
}

#[test]
fn paths_that_would_hide_each_other_are_refused() {
    for (change, problem) in [
        (("oauth.redirect_url", "https://sync.example.com/install"), "`oauth.redirect_url` leads to a page"),
        (("webhooks.target_url", "https://sync.example.com/ready"), "`webhooks.target_url` leads to a page"),
        (
            ("webhooks.target_url", "https://sync.example.com/failed/x"),
            "`webhooks.target_url` leads to a page",
        ),
        (("webhooks.target_url", "https://sync.example.com/oauth/callback"), "have the same path"),
    ] {
        let settings = settings("tokens.db", &[change]);
        let site = Site::new("acme", &settings, Arc::new(Board::default()), watch::channel(false).1);
        let failure = site.err().map(|failure| failure.to_string()).unwrap_or_default();
        assert!(failure.contains(problem), "{change:?}: {failure}");
    }
}

#[tokio::test]
async fn a_proved_call_of_the_source_wakes_its_own_portal_and_any_other_nobody() {
    let description = "[api]\nname = 'shop'\nbase_url = 'https://shop.example'\n\
        [collections.a]\nkey = '/id'\nlist = { path = '/a', records = '', paging = { kind = 'none' } }\n\
        [webhook]\n";
    let by_secret = "kind = 'secret'\nheader = 'X-Token'\nvalue = { secret = 'KEY' }";
    let by_body = "kind = 'hmac'\nheader = 'X-Signature'\nkey = { secret = 'KEY' }";
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(&folder.path().join("tokens.db").display().to_string(), &[]);
    let clock: Arc<dyn http_transport::Clock> = Arc::new(TokioClock::starting_at(now()));
    let board = Arc::new(Board::default());
    let mut site = Site::new("acme", &settings, board, watch::channel(false).1).unwrap();
    let mut rung = Vec::new();
    for (id, proof) in [(33, Some(by_secret)), (34, Some(by_body)), (35, None)] {
        site.portals.insert(PortalId(id), watch::channel(0).0);
        let Some(proof) = proof else { continue };
        let description = Description::parse("shop.toml", &format!("{description}{proof}")).unwrap();
        let secret = |_: &str| Some(SecretString::from("hush"));
        let verifier = WebhookVerifier::open(&description, &RestOptions::default(), &secret).unwrap();
        let sender = watch::channel(0).0;
        rung.push(sender.subscribe());
        site.bells.insert(PortalId(id), Bell::new(verifier.unwrap(), sender, clock.clone()));
    }
    let web = Web::new(site);
    let call = async |path: &str, header: (&str, &str), body: &'static [u8]| {
        let request = Request::post(path).header(header.0, header.1).body(Full::from(body)).unwrap();
        let answer = web.clone().call(request).await.unwrap();
        (answer.status().as_u16(), rung.iter().map(|rung| *rung.borrow()).collect::<Vec<u64>>())
    };
    // HMAC-SHA256 of "told" under "hush".
    let signed = ("x-signature", "bcfc1aedfc8ee1db1819ea27c229971a67b411ab3e203ce01556d8b23dd7d3af");
    let token = ("x-token", "hush");
    assert_eq!(call("/source/33", token, b"").await, (200, vec![1, 0]));
    assert_eq!(call("/source/34", signed, b"told").await, (200, vec![1, 1]));
    for (path, header, body, status) in [
        ("/source/33", ("x-token", "other"), &b""[..], 401),
        ("/source/34", signed, b"other", 401),
        ("/source/34", token, b"told", 401),
        ("/source/35", token, b"", 405),
        ("/source/36", token, b"", 405),
        ("/source", token, b"", 405),
        ("/source/33/more", token, b"", 405),
    ] {
        assert_eq!(call(path, header, body).await, (status, vec![1, 1]), "{path} {header:?}");
    }
    let large: &'static [u8] = vec![b'x'; 1024 * 1024 + 1].leak();
    assert_eq!(call("/source/34", signed, large).await, (413, vec![1, 1]));
    let get = Request::get("/source/33").header(token.0, token.1).body(Full::<Bytes>::default()).unwrap();
    assert_eq!(web.clone().call(get).await.unwrap().status(), 405);
}
