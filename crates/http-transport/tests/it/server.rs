//! A server's rolling window as the limiter meets it, on virtual time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_transport::{BudgetId, Clock, Lane, Limiter, Observed, SplitMix64, TokioClock};

/// Counts arrivals in a rolling window and refuses what is over it, as HubSpot does.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) clock: Arc<TokioClock>,
    max: usize,
    interval: Duration,
    window: Mutex<VecDeque<Duration>>,
    random: SplitMix64,
    /// Least and most time from the start of a call to its answer; it is counted at a random moment before.
    latency: (Duration, Duration),
    pub(crate) headers: bool,
    pub(crate) refused: Mutex<Vec<Duration>>,
}

impl Server {
    pub(crate) fn new(
        clock: &Arc<TokioClock>,
        max: usize,
        interval: Duration,
        latency_ms: (u64, u64),
    ) -> Arc<Self> {
        Arc::new(Self {
            clock: Arc::clone(clock),
            max,
            interval,
            window: Mutex::default(),
            random: SplitMix64::new(42),
            latency: (Duration::from_millis(latency_ms.0), Duration::from_millis(latency_ms.1)),
            headers: true,
            refused: Mutex::default(),
        })
    }

    /// Counts one call that arrives now; the calls left afterwards, or `None` when refused.
    pub(crate) fn arrive(&self) -> Option<u64> {
        let now = self.clock.monotonic();
        let mut window = self.window.lock().unwrap();
        while window.front().is_some_and(|at| *at + self.interval <= now) {
            window.pop_front();
        }
        if window.len() >= self.max {
            return None;
        }
        window.push_back(now);
        Some((self.max - window.len()) as u64)
    }

    /// One call through `limiter`, repeated after refusals. Returns how long it waited to start first.
    pub(crate) async fn call(self: &Arc<Self>, limiter: &Limiter, budget: BudgetId, lane: Lane) -> Duration {
        let begun = self.clock.monotonic();
        let mut waited = None;
        loop {
            let permit = limiter.acquire(lane, budget.into()).await.expect("never exhausted here");
            waited.get_or_insert(permit.started_at() - begun);
            let spread = self.latency.1 - self.latency.0;
            let extra = spread.mul_f64((self.random.next_u64() % 1_000) as f64 / 1_000.0);
            let arrival = extra / 2;
            self.clock.sleep(arrival).await;
            let counted = self.arrive();
            self.clock.sleep(self.latency.0 + extra - arrival).await;
            let observed = Observed {
                max: Some(self.max as u64),
                remaining: Some(counted.unwrap_or(0)),
                interval: Some(self.interval),
            };
            if self.headers {
                permit.observe(budget, observed);
            }
            if counted.is_some() {
                permit.answered();
                return waited.unwrap_or_default();
            }
            self.refused.lock().unwrap().push(self.clock.monotonic());
            permit.throttled(budget.into(), None);
        }
    }

    pub(crate) fn refusals(&self) -> usize {
        self.refused.lock().unwrap().len()
    }
}
