//! An authorization server in memory, and everything of ours around it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_transport::{Clock, TokioClock, Transport, TransportError};
use oauth::{
    App, Endpoints, Entropy, Grants, Installer, KeyId, Keys, MasterKey, MemoryStore, NoEntropy, PortalId,
    PortalTokens, TokenEndpoint, WantedScopes,
};
use secrecy::SecretString;

pub(crate) const PORTAL: PortalId = PortalId(7);
pub(crate) const SECRET: &str = "canary-client-secret";
pub(crate) const START: i64 = 1_790_000_000;

/// What the server does with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Does {
    Answer,
    /// Does its work, and the answer is lost.
    LoseAnswer,
    /// Is not reached.
    Down,
    /// Answers with this status and an empty body.
    Status(u16),
    /// Answers after so many seconds.
    Slowly(u64),
    /// Does its work, and never answers.
    Hang,
}

/// The server's state. Tokens are `canary-access-N` and `canary-refresh-N`.
#[derive(Debug)]
pub(crate) struct Inside {
    pub(crate) rotates: bool,
    pub(crate) hub: u64,
    pub(crate) introspected_hub: Option<u64>,
    pub(crate) scopes: Vec<&'static str>,
    pub(crate) says_whose: bool,
    pub(crate) life: u64,
    pub(crate) script: VecDeque<Does>,
    /// Form bodies by path, in order.
    pub(crate) calls: Vec<(String, BTreeMap<String, String>)>,
    codes: Vec<String>,
    pub(crate) refresh: Option<String>,
    made: u64,
}

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) inside: Mutex<Inside>,
    clock: TokioClock,
}

impl Server {
    pub(crate) fn change(&self, change: impl FnOnce(&mut Inside)) {
        change(&mut self.inside.lock().unwrap());
    }

    /// A code as the consent page gives it.
    pub(crate) fn code(&self) -> String {
        let mut inside = self.inside.lock().unwrap();
        let code = format!("code-{}", inside.codes.len());
        inside.codes.push(code.clone());
        code
    }

    pub(crate) fn calls(&self) -> usize {
        self.inside.lock().unwrap().calls.len()
    }

    pub(crate) fn grants(&self, kind: &str) -> usize {
        let inside = self.inside.lock().unwrap();
        inside
            .calls
            .iter()
            .filter(|(_, form)| form.get("grant_type").is_some_and(|given| given == kind))
            .count()
    }
}

impl Inside {
    fn answer(&mut self, path: &str, form: &BTreeMap<String, String>) -> (u16, String) {
        let given = |name: &str| form.get(name).map_or("", String::as_str);
        let refused = |status: &str| {
            (400, format!(r#"{{"error":"invalid_grant","status":"{status}","message":"no"}}"#))
        };
        if path.starts_with("/appinstalls") {
            self.refresh = None;
            return (204, String::new());
        }
        if given("client_secret") != SECRET {
            return refused("BAD_CLIENT_SECRET");
        }
        if path.ends_with("/introspect") {
            let hub = self.introspected_hub.unwrap_or(self.hub);
            let scopes = serde_json::to_string(&self.scopes).unwrap();
            return (
                200,
                format!(
                    r#"{{"active":true,"hub_id":{hub},"app_id":99,"client_id":"app","scopes":{scopes}}}"#
                ),
            );
        }
        if path.ends_with("/revoke") {
            if self.refresh.as_deref() == Some(given("token")) {
                self.refresh = None;
            }
            return (200, String::new());
        }
        match given("grant_type") {
            "authorization_code" => match self.codes.iter().position(|code| code == given("code")) {
                Some(at) => {
                    self.codes[at] = String::from("spent");
                    self.refresh = None;
                }
                None => return refused("BAD_AUTH_CODE"),
            },
            "refresh_token" if self.refresh.as_deref() != Some(given("refresh_token")) => {
                return refused("BAD_REFRESH_TOKEN");
            }
            _ => {}
        }
        self.made += 1;
        if self.rotates || self.refresh.is_none() {
            self.refresh = Some(format!("canary-refresh-{}", self.made));
        }
        let refresh = self.refresh.clone().unwrap_or_default();
        let scopes = serde_json::to_string(&self.scopes).unwrap();
        let whose = if self.says_whose {
            format!(r#","hub_id":{},"scopes":{scopes}"#, self.hub)
        } else {
            String::new()
        };
        let (made, life) = (self.made, self.life);
        let body = format!(
            r#"{{"token_type":"bearer","access_token":"canary-access-{made}","refresh_token":"{refresh}","expires_in":{life}{whose}}}"#
        );
        (200, body)
    }
}

#[async_trait]
impl Transport for Server {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let path = request.uri().path().to_owned();
        let form = url::form_urlencoded::parse(request.body()).into_owned().collect();
        let (does, (status, body)) = {
            let mut inside = self.inside.lock().unwrap();
            let does = inside.script.pop_front().unwrap_or(Does::Answer);
            let acts = !matches!(does, Does::Down | Does::Status(_));
            let answer = if acts { inside.answer(&path, &form) } else { (0, String::new()) };
            inside.calls.push((path, form));
            (does, answer)
        };
        let status = match does {
            Does::Answer => status,
            Does::LoseAnswer => return Err(TransportError::no_answer("cut")),
            Does::Down => return Err(TransportError::not_sent("down")),
            Does::Status(status) => {
                return Ok(Response::builder().status(status).body(Bytes::new()).unwrap());
            }
            Does::Slowly(seconds) => {
                self.clock.sleep(Duration::from_secs(seconds)).await;
                status
            }
            Does::Hang => std::future::pending().await,
        };
        Ok(Response::builder().status(status).body(Bytes::from(body)).unwrap())
    }
}

/// Counts up: what it gives is new each time and the same in every run.
#[derive(Debug, Default)]
pub(crate) struct Counted(Mutex<u64>);

impl Entropy for Counted {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        let mut count = self.0.lock().unwrap();
        for chunk in bytes.chunks_mut(8) {
            *count += 1;
            chunk.copy_from_slice(&count.to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// A server and an installation of ours, in one.
pub(crate) struct Bench {
    pub(crate) server: Arc<Server>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) grants: Arc<Grants>,
    pub(crate) clock: TokioClock,
}

pub(crate) fn keys() -> Keys {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(b"canary-master-key-canary-master-");
    Keys::new(KeyId::new("k1").unwrap(), MasterKey::from_base64(&SecretString::from(text)).unwrap())
}

pub(crate) fn app() -> App {
    let scopes = WantedScopes::required(["oauth", "crm.objects.contacts.read"]).with_optional(["tickets"]);
    App::new("app", &SecretString::from(SECRET), "https://kit.example/callback", scopes).unwrap()
}

impl Bench {
    pub(crate) fn new() -> Bench {
        let clock = TokioClock::starting_at(jiff::Timestamp::from_second(START).unwrap());
        let inside = Inside {
            rotates: false,
            hub: PORTAL.0,
            introspected_hub: None,
            scopes: vec!["oauth", "crm.objects.contacts.read", "tickets"],
            says_whose: true,
            life: 1_800,
            script: VecDeque::new(),
            calls: Vec::new(),
            codes: Vec::new(),
            refresh: None,
            made: 0,
        };
        let server = Arc::new(Server { inside: Mutex::new(inside), clock: clock.clone() });
        let store = Arc::new(MemoryStore::new());
        let grants = Arc::new(Grants::new(store.clone(), keys(), Arc::new(Counted::default())));
        Bench { server, store, grants, clock }
    }

    pub(crate) fn endpoint_of(&self, app: App) -> Arc<TokenEndpoint> {
        let endpoints = Endpoints::dated("2026-03", "https://api.example", "https://app.example");
        Arc::new(
            TokenEndpoint::new(self.server.clone(), endpoints, app, Arc::new(self.clock.clone())).unwrap(),
        )
    }

    pub(crate) fn endpoint(&self) -> Arc<TokenEndpoint> {
        self.endpoint_of(app())
    }

    pub(crate) fn installer(&self) -> Installer {
        Installer::new(self.endpoint(), self.grants.clone(), self.store.clone(), Arc::new(self.clock.clone()))
    }

    /// A provider as one process has it.
    pub(crate) fn tokens(&self, holder: &str) -> PortalTokens {
        let clock = Arc::new(self.clock.clone());
        PortalTokens::new(self.endpoint(), self.grants.clone(), self.store.clone(), clock, PORTAL, holder)
    }

    /// A connected portal with `canary-access-1`, good for half an hour.
    pub(crate) async fn installed() -> Bench {
        let bench = Bench::new();
        let begun = bench.installer().begin(None).await.unwrap();
        let query = format!("code={}&state={}", bench.server.code(), state(&begun.url));
        let cookie = cookie(&begun.set_cookie);
        let callback = oauth::Callback { query: &query, cookies: Some(&cookie) };
        bench.installer().complete(callback).await.unwrap();
        bench.server.change(|inside| inside.calls.clear());
        bench
    }

    pub(crate) async fn pass(&self, seconds: u64) {
        self.clock.sleep(Duration::from_secs(seconds)).await;
    }
}

/// The `state` in the address of a consent page.
pub(crate) fn state(url: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs().find(|(key, _)| key == "state").unwrap().1.into_owned()
}

/// What a browser sends back of a `Set-Cookie` header.
pub(crate) fn cookie(set: &str) -> String {
    set.split(';').next().unwrap().to_owned()
}
