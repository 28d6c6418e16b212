//! One call from limiter to answer: token, limits, retries, circuit breaker and log in one place.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_transport::{
    Attempt, BreakerSignal, Failure, Idempotency, Meaning, Permit, Sent, TokenError, Verdict, decide,
    redact_path, retry_after,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use crate::client::Client;
use crate::error::{Error, Retry};
use crate::refusal::{ErrorBody, Refusal};
use crate::wire::encode;

/// Which limits a call counts against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum CallKind {
    /// The burst limit.
    #[default]
    General,
    /// The burst limit and that of the association endpoints.
    Association,
    /// The search limit, which is apart.
    Search,
}

/// A request, ready to be sent any number of times. `Debug` shows no body.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Path and query, below the base URL.
    pub(crate) path: String,
    pub(crate) body: Bytes,
    pub(crate) kind: CallKind,
    pub(crate) idempotency: Idempotency,
    /// A developer API key in the place of the client's token.
    developer_key: Option<SecretString>,
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Call({}, {} bytes, {:?})", self.operation(), self.body.len(), self.idempotency)
    }
}

impl Call {
    pub(crate) fn get(path: String) -> Self {
        Self {
            method: Method::GET,
            path,
            body: Bytes::new(),
            kind: CallKind::General,
            idempotency: Idempotency::Safe,
            developer_key: None,
        }
    }

    pub(crate) fn post(path: String, body: Bytes) -> Self {
        Self {
            method: Method::POST,
            path,
            body,
            kind: CallKind::General,
            idempotency: Idempotency::Once,
            developer_key: None,
        }
    }

    pub(crate) fn new(method: Method, path: String, body: Bytes) -> Self {
        // PATCH of given values, PUT and DELETE leave the same state however often they are done.
        let (kind, idempotency) = (CallKind::General, Idempotency::Idempotent);
        Self { method, path, body, kind, idempotency, developer_key: None }
    }

    /// Sends this key, as a parameter of the query, in the place of the client's token.
    pub(crate) fn developer_key(mut self, key: Option<SecretString>) -> Self {
        self.developer_key = key;
        self
    }

    pub(crate) fn kind(mut self, kind: CallKind) -> Self {
        self.kind = kind;
        self
    }

    pub(crate) fn idempotency(mut self, idempotency: Idempotency) -> Self {
        self.idempotency = idempotency;
        self
    }

    fn operation(&self) -> String {
        format!("{} {}", self.method, redact_path(&self.path))
    }

    /// An answer that cannot be used leaves a write's outcome unknown: it was probably done.
    fn unusable(&self, error: Error) -> Error {
        if self.idempotency == Idempotency::Safe { error } else { error.with_outcome_unknown() }
    }
}

/// A successful answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether an earlier try may have been executed, so that this answer describes the second execution.
    pub(crate) repeated: bool,
    pub(crate) correlation_id: Option<String>,
}

/// What a try is sent with.
enum Credential<'c> {
    Token(SecretString),
    DeveloperKey(&'c SecretString),
}

/// What is carried from one try to the next.
#[derive(Debug, Default)]
struct Progress {
    attempt: u32,
    first_try_at: Option<Duration>,
    earlier_unknown: bool,
    token_renewed: bool,
}

impl Client {
    /// Sends a call and reads its JSON answer.
    pub(crate) async fn fetch<T: for<'de> Deserialize<'de>>(&self, call: Call) -> Result<T, Error> {
        let answer = self.send(&call).await?;
        decode(&answer.body).map_err(|error| {
            let error = error.with_status(answer.status).with_correlation(answer.correlation_id);
            call.unusable(error).with_operation(|| call.operation())
        })
    }

    /// Sends a call whose answer says nothing beyond success.
    pub(crate) async fn perform(&self, call: Call) -> Result<(), Error> {
        self.send(&call).await.map(|_| ())
    }

    /// Sends a call until it succeeds, is refused for good, or must not be repeated.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, Error> {
        Box::pin(self.send_inner(call)).await.map_err(|error| error.with_operation(|| call.operation()))
    }

    async fn send_inner(&self, call: &Call) -> Result<Answer, Error> {
        let shared = self.shared();
        let mut progress = Progress::default();
        loop {
            progress.attempt += 1;
            let pass = shared
                .breaker
                .enter(shared.clock.monotonic())
                .map_err(|open| Error::circuit_open(open, progress.end(call, Some(open.retry_after))))?;
            let credential = match &call.developer_key {
                Some(key) => Credential::DeveloperKey(key),
                None => match shared.tokens.token().await {
                    Ok(token) => Credential::Token(token),
                    Err(error) => {
                        let wait = (!matches!(error, TokenError::Revoked))
                            .then(|| shared.intervals.after(progress.attempt));
                        return Err(Error::token(error, progress.end(call, wait)));
                    }
                },
            };
            let request = shared.request(call, &credential)?;
            let permit = shared
                .budgets
                .limiter
                .acquire(self.current_lane(), shared.budgets.of(call.kind))
                .await
                .map_err(|limit| Error::limited(limit, progress.end(call, Some(limit.retry_after))))?;
            let started = permit.started_at();
            progress.first_try_at.get_or_insert(started);
            let result = shared.transport.send(request).await;
            let now = shared.clock.monotonic();
            self.log(call, &result, now.saturating_sub(started), progress.attempt);
            shared.counts.count(call.idempotency == Idempotency::Safe, &result);

            let (failed, signal) = match result {
                Ok(answer) if answer.status().is_success() => {
                    shared.budgets.observe(&permit, call.kind, answer.headers());
                    permit.answered();
                    pass.report(now, BreakerSignal::Healthy);
                    let (parts, body) = answer.into_parts();
                    return Ok(Answer {
                        status: parts.status.as_u16(),
                        correlation_id: correlation_id(&parts.headers, None),
                        headers: parts.headers,
                        body,
                        repeated: progress.earlier_unknown,
                    });
                }
                Ok(answer) => {
                    let failed = Failed::read(answer, shared.clock.now());
                    shared.tell_limiter(permit, call, &failed);
                    let signal = failed.signal();
                    (failed, signal)
                }
                Err(error) => {
                    drop(permit);
                    (Failed::no_answer(error), BreakerSignal::Failure)
                }
            };

            let fresh_token = match &credential {
                Credential::Token(token) if failed.is_unauthorized() => {
                    !std::mem::replace(&mut progress.token_renewed, true)
                        && shared.tokens.rejected(token).await
                }
                _ => false,
            };
            if fresh_token {
                // An expired token says nothing about the target; many calls at once meet the same one.
                drop(pass);
            } else {
                pass.report(now, signal);
            }
            let attempt = Attempt {
                number: progress.attempt,
                elapsed: now.saturating_sub(progress.first_try_at.unwrap_or(now)),
                idempotency: call.idempotency,
                earlier_unknown: progress.earlier_unknown,
                fresh_token,
                hint: failed.hint,
                interval: shared.jitter.jittered(shared.intervals.after(progress.attempt)),
            };
            progress.earlier_unknown |= failed.may_have_happened();
            match decide(&attempt, failed.failure, &shared.retry_policy) {
                Verdict::Now => {}
                Verdict::After(wait) => shared.clock.sleep(wait).await,
                Verdict::Never => return Err(failed.into_error(attempt.interval, false)),
                Verdict::OutcomeUnknown => return Err(failed.into_error(attempt.interval, true)),
            }
        }
    }

    fn log(
        &self,
        call: &Call,
        result: &Result<Response<Bytes>, http_transport::TransportError>,
        took: Duration,
        attempt: u32,
    ) {
        // Building the redacted path costs more than the rest of the line.
        if !tracing::enabled!(tracing::Level::DEBUG) {
            return;
        }
        let path = redact_path(&call.path);
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        match result {
            Ok(answer) => tracing::debug!(
                method = %call.method, path, status = answer.status().as_u16(), ms, attempt,
                lane = ?self.current_lane(), sent_bytes = call.body.len(), answer_bytes = answer.body().len(),
                correlation_id = correlation_id(answer.headers(), None), "call"
            ),
            Err(error) => tracing::debug!(
                method = %call.method, path, %error, ms, attempt, lane = ?self.current_lane(), "call failed"
            ),
        }
    }
}

impl Progress {
    /// How a call ends that was not made this time.
    fn end(&self, call: &Call, wait: Option<Duration>) -> Retry {
        if self.earlier_unknown && call.idempotency != Idempotency::Safe {
            return Retry::OutcomeUnknown;
        }
        wait.map_or(Retry::Never, Retry::After)
    }
}

/// A try without a successful answer.
#[derive(Debug)]
struct Failed {
    failure: Failure,
    hint: Option<Duration>,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    Answer { status: u16, headers: HeaderMap, refusal: Box<Refusal>, correlation_id: Option<String> },
    Transport(http_transport::TransportError),
}

impl Failed {
    fn read(answer: Response<Bytes>, now: jiff::Timestamp) -> Self {
        let status = answer.status();
        let body = ErrorBody::parse(answer.body());
        let correlation_id = correlation_id(answer.headers(), body.correlation_id.as_deref());
        Self {
            failure: Failure::Answer(meaning(status)),
            hint: retry_after(answer.headers(), now),
            cause: Cause::Answer {
                status: status.as_u16(),
                refusal: Box::new(body.refusal(status.as_u16())),
                correlation_id,
                headers: answer.into_parts().0.headers,
            },
        }
    }

    fn no_answer(error: http_transport::TransportError) -> Self {
        Self { failure: Failure::Transport(error.sent()), hint: None, cause: Cause::Transport(error) }
    }

    fn is_unauthorized(&self) -> bool {
        self.failure == Failure::Answer(Meaning::Unauthorized)
    }

    fn may_have_happened(&self) -> bool {
        matches!(self.failure, Failure::Transport(Sent::Perhaps) | Failure::Answer(Meaning::Broken))
    }

    fn signal(&self) -> BreakerSignal {
        match &self.cause {
            Cause::Answer { status: 401 | 403, .. } => BreakerSignal::Refusal,
            Cause::Answer { .. } if self.may_have_happened() => BreakerSignal::Failure,
            Cause::Answer { .. } => BreakerSignal::Healthy,
            Cause::Transport(_) => BreakerSignal::Failure,
        }
    }

    fn into_error(self, interval: Duration, outcome_unknown: bool) -> Error {
        let retry = match self.failure {
            _ if outcome_unknown => Retry::OutcomeUnknown,
            Failure::Answer(Meaning::Refused | Meaning::Unauthorized) => Retry::Never,
            Failure::Answer(Meaning::NotNow(least)) => Retry::After(self.hint.unwrap_or(interval).max(least)),
            Failure::Answer(_) | Failure::Transport(_) => Retry::After(self.hint.unwrap_or(interval)),
        };
        match self.cause {
            Cause::Answer { status, refusal, correlation_id, .. } => {
                Error::refused(status, *refusal, retry).with_correlation(correlation_id)
            }
            Cause::Transport(error) => Error::transport(error, retry),
        }
    }
}

/// HubSpot's statuses beyond HTTP's own: 477 while a portal moves, and Cloudflare's 52x, which count as 5xx.
fn meaning(status: StatusCode) -> Meaning {
    match status.as_u16() {
        477 => Meaning::NotNow(Duration::from_secs(10)),
        _ => Meaning::of(status),
    }
}

fn correlation_id(headers: &HeaderMap, body: Option<&str>) -> Option<String> {
    let header = headers.get("x-hubspot-correlation-id").and_then(|value| value.to_str().ok());
    header.or(body).map(|id| id.chars().take(64).collect())
}

/// Reads an answer; on failure it is read again to find the place, which the fast reader does not keep.
pub(crate) fn decode<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|_| {
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        let place = match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
            // The parser's own text can quote a value, so only the place is told.
            Err(error) => format!("at `{}`, line {}", error.path(), error.inner().line()),
            Ok(_) => "after its end".to_owned(),
        };
        Error::unreadable(format!("the answer of {} bytes is not as documented {place}", body.len()))
    })
}

impl crate::client::Shared {
    fn request(&self, call: &Call, credential: &Credential<'_>) -> Result<Request<Bytes>, Error> {
        let mut request = Request::builder()
            .method(call.method.clone())
            .header(ACCEPT, HeaderValue::from_static("application/json"));
        request = match credential {
            Credential::Token(token) => {
                let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
                    .map_err(|_| {
                        Error::invalid_request("the token has characters that no header may have")
                    })?;
                bearer.set_sensitive(true);
                request.uri(format!("{}{}", self.base_url, call.path)).header(AUTHORIZATION, bearer)
            }
            // HubSpot takes it nowhere else. No log and no error shows a query.
            Credential::DeveloperKey(key) => {
                let joint = if call.path.contains('?') { '&' } else { '?' };
                let key = encode(key.expose_secret());
                request.uri(format!("{}{}{joint}hapikey={key}", self.base_url, call.path))
            }
        };
        if !call.body.is_empty() {
            request = request.header(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        request.body(call.body.clone()).map_err(|_| Error::invalid_request("the path is no part of a URL"))
    }

    /// Passes on what a refusal says about limits: 429 to the budgets it names, 477 to all.
    fn tell_limiter(&self, permit: Permit, call: &Call, failed: &Failed) {
        let Cause::Answer { status, headers, refusal, .. } = &failed.cause else { return };
        self.budgets.observe(&permit, call.kind, headers);
        match status {
            429 => {
                let wait = failed.hint;
                permit.throttled(self.budgets.throttled(call.kind, refusal.policy.as_deref()), wait);
            }
            477 => {
                permit.answered();
                self.budgets
                    .limiter
                    .pause(self.budgets.all(), failed.hint.unwrap_or(Duration::from_secs(10)));
            }
            _ => permit.answered(),
        }
    }
}

impl crate::client::Counters {
    fn count(&self, reads: bool, result: &Result<Response<Bytes>, http_transport::TransportError>) {
        let counter = if reads { &self.reads } else { &self.writes };
        counter.fetch_add(1, Ordering::Relaxed);
        match result {
            Ok(answer) if answer.status() == StatusCode::TOO_MANY_REQUESTS => {
                self.throttled.fetch_add(1, Ordering::Relaxed);
            }
            Ok(answer) if !answer.status().is_success() => {
                self.refused.fetch_add(1, Ordering::Relaxed);
            }
            Ok(_) => {}
            Err(_) => {
                self.unanswered.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}
