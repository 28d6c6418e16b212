//! One request from arrival to answer: faults, credential, limits, scopes, endpoint, log.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::auth;
use crate::config::{Credential, LimitTable, Limits, PortalConfig};
use crate::context::{Answer, Ctx};
use crate::control;
use crate::dispatch::dispatch;
use crate::error::ApiError;
use crate::faults::{FaultKind, Faults, Verdict};
use crate::journal;
use crate::limits::{RateHeaders, RateLimiter, RatePolicy};
use crate::log::{LoggedRequest, RequestLog};
use crate::oauth::{self, TokenRefusal};
use crate::reply::{Delivery, Reply};
use crate::router::{NoRoute, Operation, Route, query_pairs, route};
use crate::snapshot::{self, SnapshotError};
use crate::state::{Source, State};
use crate::time::Millis;
use crate::webhooks;

/// HubSpot answers 414 somewhere between 8 and 16 kB of URL; the lower end is the stricter reading.
const MAX_URL: usize = 8_192;

/// The prefix of the control API, which knows no credential, limit, fault or log.
const CONTROL: &str = "/_sandbox";

/// One HubSpot portal: its whole state, and what it answers to a request at a time.
///
/// The portal reads no clock and owns no socket. The same configuration, followed by the same sequence of times and
/// requests, gives the same answers, byte for byte. Times should not go backwards; when they do, limits and search
/// treat the later calls as being in the future.
pub struct Portal {
    pub(crate) state: State,
    pub(crate) limiter: RateLimiter,
    pub(crate) faults: Faults,
    pub(crate) log: RequestLog,
    /// Calls whose client has given up, and when they take effect.
    late: Vec<(Timestamp, http::Request<Bytes>)>,
    /// Added to the wall clock by [`Portal::time`].
    pub(crate) clock_offset: SignedDuration,
}

impl fmt::Debug for Portal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Portal").field("portal_id", &self.state.config.portal_id).finish_non_exhaustive()
    }
}

/// A call that got as far as an operation, for the log.
struct Outcome {
    app_id: Option<u64>,
    rate: RateHeaders,
    retry_after: Option<u64>,
    result: Result<Answer, Failure>,
}

/// An error answer.
enum Failure {
    Api(ApiError),
    RateLimited(RatePolicy),
    /// Of the token endpoints, which have a shape of their own.
    Token(TokenRefusal),
    /// A bare status on demand.
    Status(u16),
}

impl Portal {
    /// An empty portal: standard objects, their properties and pipelines, no records.
    pub fn new(config: PortalConfig) -> Portal {
        Portal {
            state: State::new(config),
            limiter: RateLimiter::default(),
            faults: Faults::default(),
            log: RequestLog::default(),
            late: Vec::new(),
            clock_offset: SignedDuration::ZERO,
        }
    }

    /// The portal that [`Portal::snapshot`] wrote. Request log and faults start empty.
    ///
    /// # Errors
    /// When the bytes are not a snapshot, or one of another format.
    pub fn from_snapshot(json: &[u8]) -> Result<Portal, SnapshotError> {
        let read = snapshot::read(json)?;
        Ok(Portal {
            state: read.state,
            limiter: read.limiter,
            faults: Faults::default(),
            log: RequestLog::default(),
            late: Vec::new(),
            clock_offset: SignedDuration::from_millis(read.clock_offset_ms),
        })
    }

    /// Everything the portal holds, credentials included, as JSON for [`Portal::from_snapshot`].
    pub fn snapshot(&self) -> Vec<u8> {
        let offset = i64::try_from(self.clock_offset.as_millis()).unwrap_or(0);
        snapshot::write(&self.state, &self.limiter, offset)
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// What the portal was made from, with the changes of the control API.
    pub fn config(&self) -> &PortalConfig {
        &self.state.config
    }

    /// Portal time for a reading of the wall clock: shifted by what the control API set.
    pub fn time(&self, wall: Timestamp) -> Timestamp {
        wall.checked_add(self.clock_offset).unwrap_or(wall)
    }

    /// Answers one HTTP request as HubSpot would at the time `now`.
    pub fn handle(&mut self, now: Timestamp, request: &http::Request<Bytes>) -> Reply {
        let path = request.uri().path();
        if path == CONTROL || path.starts_with("/_sandbox/") {
            let reply = control::http::handle(self, now, request);
            journal::note_installs(&mut self.state, now.as_millisecond());
            return reply;
        }
        if let Some(response) = oauth::consent_page(&mut self.state, now, request) {
            return Reply::at_once(response);
        }
        self.land_late(now);
        let method = request.method().as_str();
        let found = route(method, path);
        let name = found.as_ref().map_or("unknown", |route| route.operation.name());
        let verdict = self.faults.judge(method, path, name);
        let delay = self.state.config.latency.saturating_add(verdict.extra_latency);
        let correlation_id = self.state.rng.uuid();
        if verdict.lost_before {
            self.log(now, request, &found, None, 0);
            let response = empty(503);
            return Reply { response, delay, delivery: Delivery::LostBeforeApply };
        }
        if let Some(ms) = verdict.lands_late {
            let due = now.checked_add(Duration::from_millis(ms)).unwrap_or(Timestamp::MAX);
            self.late.push((due, request.clone()));
            return Reply { response: empty(503), delay, delivery: Delivery::LostBeforeApply };
        }
        let outcome = self.answer(now, request, found.as_ref(), &verdict);
        journal::note_installs(&mut self.state, now.as_millisecond());
        let response = self.respond(&outcome, &correlation_id);
        self.log(now, request, &found, outcome.app_id, response.status().as_u16());
        let delivery = match verdict.cut_body {
            _ if verdict.lost_after => Delivery::LostAfterApply,
            Some(bytes) => Delivery::CutBody(bytes.min(response.body().len())),
            None => Delivery::Whole,
        };
        Reply { response, delay, delivery }
    }

    /// Has those calls take effect whose client has given up on them and whose time has come, in their order. Every
    /// API call does this first; a test that looks at records without one asks for it.
    pub fn land_late(&mut self, now: Timestamp) {
        while let Some(at) = self.next_late(now) {
            let (due, request) = self.late.remove(at);
            let found = route(request.method().as_str(), request.uri().path());
            let outcome = self.answer(due, &request, found.as_ref(), &Verdict::default());
            let response = self.respond(&outcome, "");
            self.log(due, &request, &found, outcome.app_id, response.status().as_u16());
        }
    }

    /// Where the earliest call stands whose time has come.
    fn next_late(&self, now: Timestamp) -> Option<usize> {
        let due = self.late.iter().enumerate().filter(|(_, (due, _))| *due <= now);
        due.min_by_key(|(at, (due, _))| (*due, *at)).map(|(at, _)| at)
    }

    fn answer(
        &mut self,
        now: Timestamp,
        request: &http::Request<Bytes>,
        found: Result<&Route, &NoRoute>,
        verdict: &Verdict,
    ) -> Outcome {
        let mut outcome = Outcome {
            app_id: None,
            rate: RateHeaders::default(),
            retry_after: None,
            result: Err(Failure::Status(500)),
        };
        outcome.result = self.pass(now, request, found, verdict, &mut outcome);
        outcome
    }

    /// The gates in their order: fault, URL, credential, limits, path, scopes, endpoint.
    fn pass(
        &mut self,
        now: Timestamp,
        request: &http::Request<Bytes>,
        found: Result<&Route, &NoRoute>,
        verdict: &Verdict,
        outcome: &mut Outcome,
    ) -> Result<Answer, Failure> {
        if let Some(fault) = &verdict.answer {
            return Err(demanded(fault, outcome));
        }
        let url = request.uri().path_and_query().map_or(0, |url| url.as_str().len());
        if url > MAX_URL {
            return Err(Failure::Status(414));
        }
        if let Ok(route) = found
            && let Some(answer) = oauth::answer(&mut self.state, now, route, request)
        {
            return answer.map_err(Failure::Token);
        }
        if let Ok(route) = found
            && route.operation.is_app_level()
        {
            return self.app_level(now, request, route, verdict, outcome);
        }
        let credential = auth::authenticate(&self.state, now.as_millisecond(), request.headers())?;
        outcome.app_id = Some(credential.app_id);
        if let Ok(route) = found {
            self.admit(now, &credential, route, outcome)?;
        }
        let route = found.map_err(|no| match no {
            NoRoute::UnknownPath => ApiError::html_not_found(),
            NoRoute::WrongMethod => ApiError::new(405, "METHOD_NOT_ALLOWED", "HTTP 405 Method Not Allowed"),
        })?;
        auth::authorize(&self.state, &credential, route)?;
        check_content_type(request)?;
        if route.operation == Operation::AppUninstall {
            return Ok(oauth::uninstall(&mut self.state, &credential)?);
        }
        let source = self.state.source_key(Source::app(credential.app_id));
        let ctx = self.context(now, request, route, source, verdict);
        let calls_today = self.limiter.calls_today(now, &self.state.config.time_zone);
        self.state.changes.begin(source);
        let answer = dispatch(&mut self.state, &ctx, route, now, calls_today);
        webhooks::spread(&mut self.state, now.as_millisecond());
        Ok(answer?)
    }

    /// Calls that belong to an app and not to this portal: its webhooks and its journal.
    fn app_level(
        &mut self,
        now: Timestamp,
        request: &http::Request<Bytes>,
        route: &Route,
        verdict: &Verdict,
        outcome: &mut Outcome,
    ) -> Result<Answer, Failure> {
        check_content_type(request)?;
        let ctx = self.context(now, request, route, 0, verdict);
        if route.operation == Operation::JournalFile {
            return Ok(journal::api::file(&self.state, &ctx, route)?);
        }
        let answer = if route.operation.name().starts_with("journal.") {
            let app_id = journal::api::authenticate(&self.state, request, &ctx, route.operation)?;
            outcome.app_id = Some(app_id);
            journal::api::answer(&mut self.state, &ctx, route, app_id)
        } else {
            let named = route.args.first().map_or("", String::as_str);
            let app_id = webhooks::api::authenticate(&self.state, request, &ctx, named)?;
            outcome.app_id = Some(app_id);
            webhooks::api::answer(&mut self.state, &ctx, route, app_id)
        };
        webhooks::update_listening(&mut self.state);
        Ok(answer?)
    }

    fn context<'r>(
        &self,
        now: Timestamp,
        request: &'r http::Request<Bytes>,
        route: &Route,
        source: u32,
        verdict: &Verdict,
    ) -> Ctx<'r> {
        Ctx {
            now: now.as_millisecond(),
            version: route.version,
            path: request.uri().path(),
            query: query_pairs(request.uri().query()),
            body: request.body(),
            source,
            lag: self.lag().saturating_add(Millis::try_from(verdict.extra_lag_ms).unwrap_or(Millis::MAX)),
            refused_row: verdict.refused_row,
        }
    }

    pub(crate) fn lag(&self) -> Millis {
        Millis::try_from(self.state.config.search_lag.as_millis()).unwrap_or(Millis::MAX)
    }

    fn admit(
        &mut self,
        now: Timestamp,
        credential: &Credential,
        route: &Route,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        let table = match self.state.config.limits {
            Limits::ByTier => LimitTable::by_tier(self.state.config.tier, credential.kind),
            Limits::Off => LimitTable::OFF,
            Limits::Custom(table) => table,
        };
        let zone = &self.state.config.time_zone;
        let class = route.operation.call_class();
        match self.limiter.admit(now, zone, credential.app_id, credential.kind, class, &table) {
            Ok(rate) => {
                outcome.rate = rate;
                Ok(())
            }
            Err((policy, rate)) => {
                outcome.rate = rate;
                Err(Failure::RateLimited(policy))
            }
        }
    }

    fn respond(&mut self, outcome: &Outcome, correlation_id: &str) -> http::Response<Bytes> {
        let mut builder = http::Response::builder().header("X-HubSpot-Correlation-Id", correlation_id);
        if let Some((max, left)) = outcome.rate.burst {
            builder = builder
                .header("X-HubSpot-RateLimit-Max", max)
                .header("X-HubSpot-RateLimit-Remaining", left)
                .header("X-HubSpot-RateLimit-Interval-Milliseconds", 10_000);
        }
        if let Some((max, left)) = outcome.rate.daily {
            builder = builder
                .header("X-HubSpot-RateLimit-Daily", max)
                .header("X-HubSpot-RateLimit-Daily-Remaining", left);
        }
        if let Some(seconds) = outcome.retry_after {
            builder = builder.header(http::header::RETRY_AFTER, seconds);
        }
        let (status, body, content_type) = self.body(outcome, correlation_id);
        if let Ok(Answer { location: Some(location), .. }) = &outcome.result {
            builder = builder.header(http::header::LOCATION, location);
        }
        if !body.is_empty() {
            builder = builder.header(http::header::CONTENT_TYPE, content_type);
        }
        builder.status(status).body(body).unwrap_or_else(|_| empty(500))
    }

    fn body(&mut self, outcome: &Outcome, correlation_id: &str) -> (u16, Bytes, &'static str) {
        const JSON: &str = "application/json;charset=utf-8";
        let json = |value: &Value| Bytes::from(value.to_string());
        match &outcome.result {
            Ok(answer) => (answer.status, answer.body.clone(), JSON),
            Err(Failure::Api(error)) if error.html => {
                let page = "<html>\n<head><title>Error 404 Not Found</title></head>\n<body><h2>HTTP ERROR 404</h2></body>\n</html>\n";
                (error.status, Bytes::from_static(page.as_bytes()), "text/html;charset=utf-8")
            }
            Err(Failure::Api(error)) => (error.status, json(&error.body(correlation_id)), JSON),
            Err(Failure::Token(refusal)) => (refusal.http, json(&refusal.body(correlation_id)), JSON),
            Err(Failure::RateLimited(policy)) => {
                let app = outcome.app_id.unwrap_or(0);
                let body = json!({
                    "status": "error",
                    "message": policy.message(),
                    "errorType": "RATE_LIMIT",
                    "correlationId": correlation_id,
                    "policyName": policy.name(),
                    "groupName": format!("publicapi:{}:{app}", self.state.config.portal_id),
                    "requestId": self.state.rng.uuid(),
                });
                (429, json(&body), JSON)
            }
            Err(Failure::Status(status)) => {
                let body = json!({
                    "status": "error",
                    "message": reason(*status),
                    "correlationId": correlation_id,
                });
                (*status, json(&body), JSON)
            }
        }
    }

    fn log(
        &mut self,
        now: Timestamp,
        request: &http::Request<Bytes>,
        found: &Result<Route, NoRoute>,
        app_id: Option<u64>,
        status: u16,
    ) {
        let operation = found.as_ref().ok().map(|route| route.operation);
        self.log.push(LoggedRequest {
            at: now,
            method: request.method().as_str().to_owned(),
            path: anonymous(request.uri().path()),
            status,
            operation: operation.map_or("unknown", Operation::name),
            class: operation.map(Operation::class),
            inputs: operation
                .filter(|operation| operation.name().contains("batch"))
                .map_or(0, |_| inputs(request)),
            app_id,
        });
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Failure {
        Failure::Api(error)
    }
}

fn empty(status: u16) -> http::Response<Bytes> {
    let mut response = http::Response::new(Bytes::new());
    if let Ok(status) = http::StatusCode::from_u16(status) {
        *response.status_mut() = status;
    }
    response
}

/// The answer that an injected fault puts in the place of the real one.
fn demanded(fault: &FaultKind, outcome: &mut Outcome) -> Failure {
    match fault {
        FaultKind::RateLimit { policy, retry_after } => {
            outcome.retry_after = *retry_after;
            Failure::RateLimited(*policy)
        }
        FaultKind::Status { status, retry_after } => {
            outcome.retry_after = *retry_after;
            Failure::Status(*status)
        }
        FaultKind::Migrating { retry_after } => {
            outcome.retry_after = Some(*retry_after);
            Failure::Status(477)
        }
        FaultKind::Locked => Failure::Status(423),
        _ => Failure::Status(500),
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        414 => "URI Too Long",
        423 => {
            "Locked. A large volume of requests was sent in a short time; wait at least 2 seconds before trying again."
        }
        477 => "Migration in progress. The account is moving between data hosting locations.",
        502 => "Bad gateway",
        503 => "Service temporarily unavailable",
        504 | 524 => "The request timed out",
        _ => "internal error",
    }
}

/// A body that is not declared as JSON is refused with 415.
fn check_content_type(request: &http::Request<Bytes>) -> Result<(), ApiError> {
    if request.body().is_empty() {
        return Ok(());
    }
    let declared = request.headers().get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if declared.is_none_or(|declared| declared.to_ascii_lowercase().contains("json")) {
        return Ok(());
    }
    Err(ApiError::new(415, "UNSUPPORTED_MEDIA_TYPE", "HTTP 415 Unsupported Media Type"))
}

/// The path for the log: an e-mail address in it is a personal value and is left out, and so is a token.
fn anonymous(path: &str) -> String {
    if let Some(rest) = path.strip_prefix("/oauth/v1/")
        && let Some((kind, _)) = rest.split_once('/')
    {
        return format!("/oauth/v1/{kind}/{{token}}");
    }
    let clean = |segment: &str| {
        let lower = segment.to_ascii_lowercase();
        if lower.contains('@') || lower.contains("%40") { "{key}".to_owned() } else { segment.to_owned() }
    };
    path.split('/').map(clean).collect::<Vec<_>>().join("/")
}

#[derive(serde::Deserialize)]
struct CountedInputs {
    #[serde(default)]
    inputs: Vec<serde::de::IgnoredAny>,
}

fn inputs(request: &http::Request<Bytes>) -> usize {
    serde_json::from_slice::<CountedInputs>(request.body()).map_or(0, |body| body.inputs.len())
}
