//! A circuit breaker: stops calling a target that keeps failing, and lets one probe through later.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// When the breaker opens and for how long.
#[derive(Clone, Copy, Debug)]
pub struct BreakerConfig {
    /// Consecutive failures of the server or the network that open it. Default 10.
    pub failures_max: u32,
    /// How long it then stays open before a probe. Default 15 s.
    pub failure_pause: Duration,
    /// Consecutive refusals of the credential (401, 403) that open it. Default 5.
    pub refusals_max: u32,
    /// How long it then stays open before a probe. Default 60 s.
    pub refusal_pause: Duration,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            failures_max: 10,
            failure_pause: Duration::from_secs(15),
            refusals_max: 5,
            refusal_pause: Duration::from_secs(60),
        }
    }
}

/// What a finished call says about the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerSignal {
    /// The target works: any answer that is neither a server failure nor a refusal of the credential.
    Healthy,
    /// The server or the way to it failed.
    Failure,
    /// The credential was refused.
    Refusal,
}

/// The call was not made because the target kept failing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not called: the target kept failing; next probe in {} ms", retry_after.as_millis())]
pub struct CircuitOpen {
    /// When a probe will be let through, from now.
    pub retry_after: Duration,
    /// What opened it.
    pub cause: BreakerSignal,
}

/// One target's breaker. Share it between all callers of the target.
#[derive(Debug)]
pub struct Breaker {
    config: BreakerConfig,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed { failures: u32, refusals: u32 },
    Open { until: Duration, cause: BreakerSignal },
    Probing { cause: BreakerSignal },
}

/// Leave to make one call. Report what came of it; dropping it unreported (a cancelled call) says nothing about the
/// target and frees the probe.
#[derive(Debug)]
pub struct Pass<'a> {
    breaker: &'a Breaker,
    probe: Option<BreakerSignal>,
}

impl Breaker {
    /// A closed breaker.
    #[must_use]
    pub fn new(config: BreakerConfig) -> Self {
        Self { config, state: Mutex::new(State::Closed { failures: 0, refusals: 0 }) }
    }

    /// Asks to make a call at `now`, by the monotonic clock.
    ///
    /// # Errors
    /// [`CircuitOpen`] while the target rests or another call is probing it.
    pub fn enter(&self, now: Duration) -> Result<Pass<'_>, CircuitOpen> {
        let mut state = self.lock();
        match *state {
            State::Closed { .. } => Ok(Pass { breaker: self, probe: None }),
            State::Open { until, cause } if now < until => {
                Err(CircuitOpen { retry_after: until - now, cause })
            }
            State::Open { cause, .. } => {
                *state = State::Probing { cause };
                Ok(Pass { breaker: self, probe: Some(cause) })
            }
            State::Probing { cause } => Err(CircuitOpen { retry_after: Duration::from_secs(1), cause }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass<'_> {
    /// Reports what came of the call at `now`.
    pub fn report(mut self, now: Duration, signal: BreakerSignal) {
        let probe = self.probe.take();
        let mut state = self.breaker.lock();
        *state = next(*state, &self.breaker.config, now, signal, probe.is_some());
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if let Some(cause) = self.probe {
            // Open until the beginning of time: the next caller probes.
            *self.breaker.lock() = State::Open { until: Duration::ZERO, cause };
        }
    }
}

fn next(state: State, config: &BreakerConfig, now: Duration, signal: BreakerSignal, probe: bool) -> State {
    let open = |cause| {
        let pause = if cause == BreakerSignal::Refusal { config.refusal_pause } else { config.failure_pause };
        State::Open { until: now + pause, cause }
    };
    match (state, signal) {
        // A late answer to a call made before it opened does not close it; only the probe speaks for the present.
        (State::Open { .. } | State::Probing { .. }, _) if !probe => state,
        (_, BreakerSignal::Healthy) => State::Closed { failures: 0, refusals: 0 },
        (State::Closed { failures, .. }, BreakerSignal::Failure) => {
            let failures = failures + 1;
            if failures >= config.failures_max {
                open(signal)
            } else {
                State::Closed { failures, refusals: 0 }
            }
        }
        (State::Closed { refusals, failures }, BreakerSignal::Refusal) => {
            let refusals = refusals + 1;
            if refusals >= config.refusals_max { open(signal) } else { State::Closed { failures, refusals } }
        }
        (State::Open { .. } | State::Probing { .. }, _) => open(signal),
    }
}

#[cfg(test)]
mod tests {
    use super::BreakerSignal::{Failure, Healthy, Refusal};
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn breaker() -> Breaker {
        Breaker::new(BreakerConfig { failures_max: 3, refusals_max: 2, ..BreakerConfig::default() })
    }

    fn call(breaker: &Breaker, now: Duration, signal: BreakerSignal) -> Result<(), CircuitOpen> {
        breaker.enter(now).map(|pass| pass.report(now, signal))
    }

    #[test]
    fn opens_after_consecutive_failures_only() {
        let b = breaker();
        for signal in [Failure, Failure, Healthy, Failure, Failure] {
            call(&b, SECOND, signal).unwrap();
        }
        call(&b, SECOND, Failure).unwrap();
        let refused = call(&b, SECOND * 2, Healthy).unwrap_err();
        assert_eq!(refused, CircuitOpen { retry_after: SECOND * 14, cause: Failure });
    }

    #[test]
    fn one_probe_decides() {
        let b = breaker();
        (0..2).for_each(|_| call(&b, SECOND, Refusal).unwrap());
        let probe = b.enter(SECOND * 61).unwrap();
        assert!(b.enter(SECOND * 61).is_err(), "only one probe at a time");
        probe.report(SECOND * 61, Refusal);
        assert_eq!(b.enter(SECOND * 62).unwrap_err().retry_after, SECOND * 59);
        call(&b, SECOND * 121, Healthy).unwrap();
        call(&b, SECOND * 121, Failure).unwrap();
        assert!(b.enter(SECOND * 121).is_ok());
    }

    #[test]
    fn a_cancelled_probe_lets_the_next_caller_probe() {
        let b = breaker();
        (0..2).for_each(|_| call(&b, SECOND, Refusal).unwrap());
        drop(b.enter(SECOND * 61).unwrap());
        assert!(b.enter(SECOND * 61).is_ok());
    }

    #[test]
    fn a_late_answer_does_not_close_it() {
        let b = breaker();
        let early = b.enter(SECOND).unwrap();
        (0..2).for_each(|_| call(&b, SECOND, Refusal).unwrap());
        early.report(SECOND * 2, Healthy);
        assert!(b.enter(SECOND * 3).is_err());
    }
}
