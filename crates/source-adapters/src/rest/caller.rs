//! One call from its turn to its answer: limits, credential, repeating, time-outs. The only file that waits.

use std::collections::HashMap;
use std::sync::Arc;

use http_transport::{
    Attempt, BudgetId, BudgetSet, Clock, DailyConfig, Failure, Idempotency, Intervals, Lane, Limiter,
    Meaning, RetryPolicy, Sent, SplitMix64, TokenError, Transport, Verdict, WindowConfig, decide,
};
use sync_types::{SourceError, SourceErrorKind};

use super::answer::{Answer, Refused, RefusedKind, understand};
use super::credential::Credential;
use super::description::{CallLimits, Description, Errors, Maintenance};
use super::maintenance;
use super::request::Prepared;

/// Most calls under way at once, unless the description says otherwise.
const CONCURRENT: usize = 4;

/// Sends calls.
#[derive(Debug)]
pub(super) struct Caller {
    api: String,
    transport: Arc<dyn Transport>,
    clock: Arc<dyn Clock>,
    credential: Credential,
    /// What a person looks at when the credential is refused, by its names.
    proof: String,
    errors: Errors,
    maintenance: Vec<Maintenance>,
    limiter: Limiter,
    everywhere: BudgetSet,
    /// Budgets of single calls, by their names.
    own: HashMap<String, BudgetSet>,
    policy: RetryPolicy,
    intervals: Intervals,
    jitter: SplitMix64,
}

/// Why a call gave no answer that can be used.
#[derive(Debug)]
pub(super) enum CallError {
    /// The API refused it, for this reason.
    Refused(Refused),
    /// It was not made, or not carried out: later may be better.
    NotNow(SourceError),
    /// It may have been carried out.
    Unknown(SourceError),
    /// No call will be carried out until somebody does something.
    Halt(SourceError),
}

impl Caller {
    /// The caller of a description; `seed` spreads its waits.
    pub(super) fn new(
        description: &Description,
        credential: Credential,
        transport: Arc<dyn Transport>,
        clock: Arc<dyn Clock>,
        seed: u64,
    ) -> Caller {
        let mut builder = Limiter::builder(Arc::clone(&clock))
            .in_flight_max(description.limits.concurrent.unwrap_or(CONCURRENT))
            .live_reserve(0);
        let now = clock.now();
        let all = budgets(&mut builder, &description.limits, now);
        let everywhere = all.into_iter().fold(BudgetSet::default(), |set, budget| set | budget);
        let mut own = HashMap::new();
        for spec in description.collections.values() {
            for call in spec.calls() {
                let more = budgets(&mut builder, &call.limits, now);
                own.insert(call.name.clone(), more.into_iter().fold(everywhere, |set, budget| set | budget));
            }
        }
        let secrets = description.auth.secrets().join(", ");
        let proof = if secrets.is_empty() {
            String::from("[auth]")
        } else {
            format!("[auth] and the value of {secrets}")
        };
        Caller {
            api: description.api.name.clone(),
            transport,
            clock,
            credential,
            proof,
            errors: description.errors.clone(),
            maintenance: description.maintenance.clone(),
            limiter: builder.build(),
            everywhere,
            own,
            policy: RetryPolicy::default(),
            intervals: Intervals::default(),
            jitter: SplitMix64::new(seed),
        }
    }

    pub(super) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Sends a call until it succeeds, is refused for good, or must not be repeated.
    pub(super) async fn call(
        &self,
        prepared: &Prepared,
        idempotency: Idempotency,
        lane: Lane,
    ) -> Result<Answer, CallError> {
        let budgets = self.own.get(&prepared.name).copied().unwrap_or(self.everywhere);
        let mut first_try_at = None;
        let (mut number, mut earlier_unknown, mut token_renewed) = (0, false, false);
        loop {
            number += 1;
            if let Some(until) = maintenance::until(&self.maintenance, self.clock.now()) {
                let message = format!("{} is under maintenance until {until}: try again then", self.api);
                return Err(self.not_now(message, earlier_unknown, idempotency));
            }
            let (request, token) = match self.credential.signed(prepared, self.clock.now()).await {
                Ok(signed) => signed,
                Err(error) => return Err(self.no_token(error, earlier_unknown, idempotency)),
            };
            let permit = match self.limiter.acquire(lane, budgets).await {
                Ok(permit) => permit,
                Err(limit) => {
                    let seconds = limit.retry_after.as_secs();
                    let message = format!("the call limit of {} is used up for {seconds} s", self.api);
                    return Err(self.not_now(message, earlier_unknown, idempotency));
                }
            };
            let started = permit.started_at();
            let first = *first_try_at.get_or_insert(started);
            let outcome = self.transport.send(request).await;
            let now = self.clock.monotonic();
            let ms = u64::try_from(now.saturating_sub(started).as_millis()).unwrap_or(u64::MAX);
            let call = prepared.name.as_str();
            match &outcome {
                Ok(answer) => tracing::debug!(
                    api = %self.api, call, status = answer.status().as_u16(), ms, attempt = number,
                    sent_bytes = prepared.body.len(), answer_bytes = answer.body().len(), "call"
                ),
                Err(error) => {
                    tracing::debug!(api = %self.api, call, %error, ms, attempt = number, "call failed");
                }
            }
            let (failure, hint, refused, broken) = match outcome {
                Ok(response) => match understand(response, &self.errors, self.clock.now()) {
                    Ok(answer) => {
                        permit.answered();
                        return Ok(answer);
                    }
                    Err(refused) => {
                        let meaning = refused.kind.meaning();
                        if meaning == Meaning::Throttled {
                            permit.throttled(budgets, refused.wait);
                        } else {
                            permit.answered();
                        }
                        (Failure::Answer(meaning), refused.wait, Some(refused), None)
                    }
                },
                Err(error) => {
                    drop(permit);
                    (Failure::Transport(error.sent()), None, None, Some(error))
                }
            };
            let fresh_token = failure == Failure::Answer(Meaning::Unauthorized)
                && !std::mem::replace(&mut token_renewed, true)
                && self.credential.rejected(token.as_ref()).await;
            let attempt = Attempt {
                number,
                elapsed: now.saturating_sub(first),
                idempotency,
                earlier_unknown,
                fresh_token,
                hint,
                interval: self.jitter.jittered(self.intervals.after(number)),
            };
            earlier_unknown |=
                matches!(failure, Failure::Transport(Sent::Perhaps) | Failure::Answer(Meaning::Broken));
            match decide(&attempt, failure, &self.policy) {
                Verdict::Now => {}
                Verdict::After(wait) => self.clock.sleep(wait).await,
                verdict => {
                    let unknown = verdict == Verdict::OutcomeUnknown;
                    return Err(self.gave_up(prepared, refused, broken, unknown));
                }
            }
        }
    }

    fn gave_up(
        &self,
        prepared: &Prepared,
        refused: Option<Refused>,
        broken: Option<http_transport::TransportError>,
        unknown: bool,
    ) -> CallError {
        let place = format!("{} {}", self.api, prepared.name);
        let error = match (&refused, broken) {
            (Some(refused), _) => self.of_refused(&place, refused),
            (None, Some(cause)) => {
                let message = format!("{place} cannot be reached; check the address and the network");
                SourceError::new(SourceErrorKind::Unavailable, message).caused_by(cause)
            }
            (None, None) => SourceError::new(SourceErrorKind::Unavailable, format!("{place} gave no answer")),
        };
        if unknown {
            return CallError::Unknown(error);
        }
        match (refused, error.kind) {
            (_, SourceErrorKind::Denied) => CallError::Halt(error),
            (Some(refused), _) if refused.kind.meaning() == Meaning::Refused => CallError::Refused(refused),
            _ => CallError::NotNow(error),
        }
    }

    /// What a refusal is called where no record is at fault.
    pub(super) fn of_refused(&self, place: &str, refused: &Refused) -> SourceError {
        let Refused { status, kind, reason, .. } = refused;
        let said = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let check = format!("refuses the credential; check {}", self.proof);
        let (kind, what) = match kind {
            RefusedKind::Http(Meaning::Unauthorized) => (SourceErrorKind::Denied, check.as_str()),
            RefusedKind::Http(Meaning::Refused) if *status == 403 => {
                (SourceErrorKind::Denied, "denies this call; give the credential the right to it")
            }
            RefusedKind::Http(Meaning::Refused) => {
                (SourceErrorKind::Structure, "refuses this call; correct it in the description")
            }
            RefusedKind::Gone => (
                SourceErrorKind::NoSuchCollection,
                "knows no such address; correct the `path`, or `base_url`",
            ),
            RefusedKind::Moved => (SourceErrorKind::Unavailable, "says that something moved; try again"),
            RefusedKind::Redirect => (
                SourceErrorKind::Structure,
                "sends this call elsewhere, which is not followed; write the right address into the description",
            ),
            RefusedKind::Unreadable => (
                SourceErrorKind::Unavailable,
                "answers with what is no JSON; check `base_url`, or try again later",
            ),
            RefusedKind::Http(Meaning::Throttled) => {
                (SourceErrorKind::Unavailable, "wants fewer calls; lower [limits], or try again later")
            }
            RefusedKind::Http(Meaning::NotNow(_) | Meaning::Broken) => {
                (SourceErrorKind::Unavailable, "fails at the moment; try again later")
            }
        };
        SourceError::new(kind, format!("{place} {what} (status {status}{said})"))
    }

    /// A call that could not be made this time.
    fn not_now(&self, message: String, earlier_unknown: bool, idempotency: Idempotency) -> CallError {
        let error = SourceError::new(SourceErrorKind::Unavailable, message);
        let unknown = earlier_unknown && idempotency != Idempotency::Safe;
        if unknown { CallError::Unknown(error) } else { CallError::NotNow(error) }
    }

    fn no_token(&self, error: TokenError, earlier_unknown: bool, idempotency: Idempotency) -> CallError {
        match error {
            TokenError::Unavailable(cause) => {
                let message = format!("{}: no access token can be had at the moment", self.api);
                match (self.not_now(message, earlier_unknown, idempotency), cause) {
                    (CallError::NotNow(error), Some(cause)) => {
                        CallError::NotNow(SourceError { source: Some(cause), ..error })
                    }
                    (error, _) => error,
                }
            }
            _ => {
                let message = format!(
                    "{}: the token endpoint refuses the credential; check {}, or connect the account again",
                    self.api, self.proof
                );
                CallError::Halt(SourceError::new(SourceErrorKind::Denied, message))
            }
        }
    }
}

fn budgets(
    builder: &mut http_transport::LimiterBuilder,
    limits: &CallLimits,
    now: jiff::Timestamp,
) -> Vec<BudgetId> {
    let mut budgets: Vec<BudgetId> = limits
        .windows
        .iter()
        .map(|(max, interval)| builder.window(WindowConfig::new(*max, *interval).live_reserve(0)))
        .collect();
    if let Some(max) = limits.per_day {
        let mut config = DailyConfig::default();
        config.max = Some(max);
        // Nobody says when the API's day ends: ours begins with the process.
        config.resets_at = now.checked_add(jiff::SignedDuration::from_hours(24)).ok();
        budgets.push(builder.daily(config));
    }
    budgets
}
