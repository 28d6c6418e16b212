//! The waiting calls and who goes next: state without I/O, changed under the limiter's lock.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;

use super::daily::DailyQuota;
use super::pace::Pace;
use super::window::RollingWindow;
use super::{BudgetId, BudgetSet, BudgetStatus, Lane, LimitError, Observed};

/// One allowance.
#[derive(Debug)]
pub(super) enum Budget {
    Window(RollingWindow),
    Pace(Pace),
    Daily(DailyQuota),
}

/// Whether a call may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    Ready,
    /// Not before this moment, by the monotonic clock.
    At(Duration),
    /// The day's quota is used up for this long.
    Exhausted(Duration),
}

/// A call that has started.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant {
    pub(super) seq: u64,
    pub(super) at: Duration,
    pub(super) budgets: BudgetSet,
}

/// A waiting call.
#[derive(Debug)]
pub(super) struct Waiter {
    id: u64,
    lane: Lane,
    budgets: BudgetSet,
    granted: Mutex<Option<Result<Grant, LimitError>>>,
    notify: Notify,
}

impl Waiter {
    pub(super) fn take(&self) -> Option<Result<Grant, LimitError>> {
        self.granted.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) async fn notified(&self) {
        self.notify.notified().await;
    }

    fn grant(&self, result: Result<Grant, LimitError>) {
        *self.granted.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        self.notify.notify_one();
    }
}

/// Calls of one lane that draw on the same budgets; only the first can be the next to go.
#[derive(Debug, Default)]
struct Queue {
    waiters: VecDeque<Arc<Waiter>>,
    /// When the first one may go, if time alone decides.
    wake: Option<Duration>,
}

#[derive(Debug)]
pub(super) struct State {
    budgets: Vec<Budget>,
    queues: BTreeMap<(Lane, BudgetSet), Queue>,
    in_flight: usize,
    in_flight_max: usize,
    live_reserve: usize,
    patience: Duration,
    next_waiter: u64,
    next_seq: u64,
}

impl State {
    pub(super) fn new(
        budgets: Vec<Budget>,
        in_flight_max: usize,
        live_reserve: usize,
        patience: Duration,
    ) -> Self {
        Self {
            budgets,
            queues: BTreeMap::new(),
            in_flight: 0,
            in_flight_max,
            live_reserve: live_reserve.min(in_flight_max - 1),
            patience,
            next_waiter: 0,
            next_seq: 0,
        }
    }

    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    pub(super) fn enqueue(&mut self, lane: Lane, budgets: BudgetSet) -> Arc<Waiter> {
        let waiter = Arc::new(Waiter {
            id: self.next_waiter,
            lane,
            budgets,
            granted: Mutex::new(None),
            notify: Notify::new(),
        });
        self.next_waiter += 1;
        self.queues.entry((lane, budgets)).or_default().waiters.push_back(Arc::clone(&waiter));
        waiter
    }

    /// Takes a waiter out, or ends the call it was granted at the same moment.
    pub(super) fn cancel(&mut self, waiter: &Waiter) {
        match waiter.take() {
            Some(Ok(grant)) => self.finish(&grant, false),
            Some(Err(_)) => {}
            None => {
                if let Some(queue) = self.queues.get_mut(&(waiter.lane, waiter.budgets)) {
                    queue.waiters.retain(|other| other.id != waiter.id);
                }
            }
        }
    }

    /// Starts every call that may start, in order of lane, then of arrival.
    pub(super) fn pump(&mut self, now: Duration, wall: Timestamp) {
        while let Some(key) = self.admit_one(now, wall) {
            // The next in this queue becomes its first and must set its own alarm.
            if let Some(first) = self.queues.get(&key).and_then(|queue| queue.waiters.front()) {
                first.notify.notify_one();
            }
        }
    }

    fn admit_one(&mut self, now: Duration, wall: Timestamp) -> Option<(Lane, BudgetSet)> {
        let mut heads: Vec<(Lane, u64, BudgetSet)> = self
            .queues
            .iter()
            .filter_map(|((lane, budgets), queue)| {
                queue.waiters.front().map(|first| (*lane, first.id, *budgets))
            })
            .collect();
        heads.sort_unstable();
        for (lane, _, budgets) in heads {
            let decision = self.readiness(lane, budgets, now, wall);
            let Some(queue) = self.queues.get_mut(&(lane, budgets)) else { continue };
            queue.wake = None;
            let result = match decision {
                None => continue,
                Some(Readiness::At(at)) if at.saturating_sub(now) <= self.patience => {
                    queue.wake = Some(at);
                    continue;
                }
                Some(Readiness::At(at)) => {
                    Err(LimitError { retry_after: at.saturating_sub(now), daily: false })
                }
                Some(Readiness::Exhausted(wait)) => Err(LimitError { retry_after: wait, daily: true }),
                Some(Readiness::Ready) => Ok(()),
            };
            let first = queue.waiters.pop_front()?;
            first.grant(result.map(|()| self.start(lane, budgets, now)));
            return Some((lane, budgets));
        }
        None
    }

    /// `None` while only the end of another call can help.
    fn readiness(
        &mut self,
        lane: Lane,
        budgets: BudgetSet,
        now: Duration,
        wall: Timestamp,
    ) -> Option<Readiness> {
        let in_flight_max = match lane {
            Lane::Live => self.in_flight_max,
            Lane::Verify | Lane::Backfill => self.in_flight_max - self.live_reserve,
        };
        if self.in_flight >= in_flight_max {
            return None;
        }
        let mut latest = None;
        let mut pace = None;
        for (index, budget) in self.budgets.iter_mut().enumerate() {
            if !budgets.contains(id(index)) {
                continue;
            }
            let readiness = match budget {
                Budget::Window(window) => window.check(lane, now),
                Budget::Daily(daily) => daily.check(lane, now, wall),
                Budget::Pace(found) => {
                    pace = Some(found);
                    continue;
                }
            };
            match readiness {
                Readiness::Ready => {}
                Readiness::At(at) => latest = latest.max(Some(at)),
                Readiness::Exhausted(_) => return Some(readiness),
            }
        }
        if let Some(at) = latest {
            return Some(Readiness::At(at));
        }
        // Asking a pace takes its slot, so it is asked last, when nothing else stands in the way.
        Some(pace.map_or(Readiness::Ready, |pace| pace.take(now)))
    }

    fn start(&mut self, lane: Lane, budgets: BudgetSet, now: Duration) -> Grant {
        let seq = self.next_seq;
        self.next_seq += 1;
        self.in_flight += 1;
        for (index, budget) in self.budgets.iter_mut().enumerate() {
            if budgets.contains(id(index)) {
                match budget {
                    Budget::Window(window) => window.start(lane, seq, now),
                    Budget::Daily(daily) => daily.start(),
                    Budget::Pace(_) => {}
                }
            }
        }
        Grant { seq, at: now, budgets }
    }

    pub(super) fn finish(&mut self, grant: &Grant, answered: bool) {
        self.in_flight = self.in_flight.saturating_sub(1);
        for (index, budget) in self.budgets.iter_mut().enumerate() {
            if grant.budgets.contains(id(index)) {
                match budget {
                    Budget::Window(window) => window.finish(answered),
                    Budget::Pace(pace) => pace.finish(answered),
                    Budget::Daily(_) => {}
                }
            }
        }
    }

    pub(super) fn observe(&mut self, grant: &Grant, budget: BudgetId, observed: Observed, now: Duration) {
        match self.budgets.get_mut(usize::from(budget.0)) {
            Some(Budget::Window(window)) => window.observe(grant.seq, grant.at, observed, now),
            Some(Budget::Daily(daily)) => daily.observe(observed, now),
            Some(Budget::Pace(_)) | None => {}
        }
    }

    pub(super) fn throttled(
        &mut self,
        grant: &Grant,
        budgets: BudgetSet,
        wait: Option<Duration>,
        now: Duration,
    ) {
        let latest_seq = self.next_seq.saturating_sub(1);
        for (index, budget) in self.budgets.iter_mut().enumerate() {
            if budgets.contains(id(index)) {
                match budget {
                    Budget::Window(window) => window.throttled(grant.seq, latest_seq, now, wait),
                    Budget::Pace(pace) => pace.throttled(now, wait),
                    Budget::Daily(daily) => daily.throttled(now, wait),
                }
            }
        }
    }

    pub(super) fn pause(&mut self, budgets: BudgetSet, until: Duration) {
        for (index, budget) in self.budgets.iter_mut().enumerate() {
            if budgets.contains(id(index)) {
                match budget {
                    Budget::Window(window) => window.pause(until),
                    Budget::Pace(pace) => pace.pause(until),
                    Budget::Daily(_) => {}
                }
            }
        }
    }

    pub(super) fn set_daily(
        &mut self,
        id: BudgetId,
        observed: Observed,
        resets_at: Option<Timestamp>,
        now: Duration,
    ) {
        if let Some(Budget::Daily(daily)) = self.budgets.get_mut(usize::from(id.0)) {
            daily.observe(observed, now);
            if resets_at.is_some() {
                daily.resets_at(resets_at);
            }
        }
    }

    pub(super) fn status(&self, id: BudgetId, now: Duration, wall: Timestamp) -> Option<BudgetStatus> {
        Some(match self.budgets.get(usize::from(id.0))? {
            Budget::Window(window) => window.status(now),
            Budget::Pace(pace) => pace.status(now),
            Budget::Daily(daily) => daily.status(wall),
        })
    }

    /// When `waiter` must look again by itself: only the first of a queue sets an alarm.
    pub(super) fn wake_of(&self, waiter: &Waiter) -> Option<Duration> {
        let queue = self.queues.get(&(waiter.lane, waiter.budgets))?;
        if queue.waiters.front()?.id == waiter.id { queue.wake } else { None }
    }

    pub(super) fn notify_heads(&self) {
        for first in self.queues.values().filter_map(|queue| queue.waiters.front()) {
            first.notify.notify_one();
        }
    }
}

fn id(index: usize) -> BudgetId {
    BudgetId(u8::try_from(index).unwrap_or(u8::MAX))
}
