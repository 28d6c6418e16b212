//! The limiter: several budgets at once, lanes served in order, corrected by what the server says.

mod daily;
mod pace;
mod queue;
mod window;

use std::fmt;
use std::ops::BitOr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use sync_types::Clock;

pub use self::daily::DailyConfig;
use self::daily::DailyQuota;
use self::pace::Pace;
pub use self::pace::PaceConfig;
use self::queue::{Budget, Grant, State, Waiter};
use self::window::RollingWindow;
pub use self::window::WindowConfig;
pub use sync_types::Lane;

/// One budget of a limiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BudgetId(u8);

/// The budgets a call draws from, all at once. At most one of them may be a pace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BudgetSet(u32);

impl BudgetSet {
    /// Whether `budget` is among them.
    #[must_use]
    pub fn contains(self, budget: BudgetId) -> bool {
        self.0 & BudgetSet::from(budget).0 != 0
    }
}

impl From<BudgetId> for BudgetSet {
    fn from(id: BudgetId) -> Self {
        Self(1 << u32::from(id.0))
    }
}

impl BitOr<BudgetId> for BudgetSet {
    type Output = BudgetSet;

    fn bitor(self, id: BudgetId) -> BudgetSet {
        BudgetSet(self.0 | BudgetSet::from(id).0)
    }
}

/// What a server said about a budget in an answer. Absent parts are simply not said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Calls allowed per interval (or per day).
    pub max: Option<u64>,
    /// Calls left.
    pub remaining: Option<u64>,
    /// Length of the window.
    pub interval: Option<Duration>,
}

/// A budget as the limiter sees it now, for status pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BudgetStatus {
    /// Calls the server allows per interval (a day for a daily quota), where known.
    pub max: Option<u64>,
    /// Calls this limiter allows itself per interval at the moment.
    pub allowed: Option<u64>,
    /// Calls started within the current interval.
    pub used: u64,
    /// Calls left by the server's last word, for a daily quota.
    pub remaining: Option<u64>,
    /// How long no call may start.
    pub paused_for: Option<Duration>,
}

/// No leave to call now, and none soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rate limit: no call for {} s", retry_after.as_secs())]
pub struct LimitError {
    /// When to come back, from now.
    pub retry_after: Duration,
    /// Whether the daily quota is used up, rather than a pause that the server asked for.
    pub daily: bool,
}

/// Admits calls. Cloning shares everything.
///
/// Promises:
/// - in no window of the configured length do more calls start than its budget allows, whatever the lane;
/// - a waiting call starts before any call of a later lane that draws on the same budgets, and before any call of its own
///   lane and budgets that came after it;
/// - slots of each window and of the calls in flight are kept for [`Lane::Live`], and the last tenth of a window is
///   handed to the other lanes evenly over time, so that a live call soon finds a free slot even after a burst;
/// - after a refusal by the server's limit, no call starts before the time it gave; this budget is then halved and grows
///   back by a tenth per window;
/// - dropping a waiting [`acquire`](Self::acquire) or a [`Permit`] gives its place back. A started call stays counted.
///
/// It wakes only when something can change: when a slot frees, a pause ends or an answer comes.
#[derive(Clone)]
pub struct Limiter {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

/// Collects a limiter's budgets.
#[derive(Debug)]
pub struct LimiterBuilder {
    clock: Arc<dyn Clock>,
    budgets: Vec<Budget>,
    in_flight_max: usize,
    live_reserve: usize,
    patience: Duration,
}

impl LimiterBuilder {
    /// Adds a rolling window. A limiter holds at most 32 budgets.
    pub fn window(&mut self, config: WindowConfig) -> BudgetId {
        self.add(Budget::Window(RollingWindow::new(config)))
    }

    /// Adds an even pace.
    pub fn pace(&mut self, config: PaceConfig) -> BudgetId {
        let pace = Pace::new(&config, &self.clock);
        self.add(Budget::Pace(pace))
    }

    /// Adds a daily quota.
    pub fn daily(&mut self, config: DailyConfig) -> BudgetId {
        self.add(Budget::Daily(DailyQuota::new(config)))
    }

    fn add(&mut self, budget: Budget) -> BudgetId {
        debug_assert!(self.budgets.len() < 32, "a limiter holds at most 32 budgets");
        self.budgets.push(budget);
        BudgetId(u8::try_from(self.budgets.len() - 1).unwrap_or(31))
    }

    /// The most calls under way at once. Default 32.
    #[must_use]
    pub fn in_flight_max(mut self, calls: usize) -> Self {
        self.in_flight_max = calls.max(1);
        self
    }

    /// How many of the calls in flight are kept for [`Lane::Live`]. Default 2.
    #[must_use]
    pub fn live_reserve(mut self, calls: usize) -> Self {
        self.live_reserve = calls;
        self
    }

    /// The longest wait for a pause or a quota to end; a call that would wait longer gets a [`LimitError`] at once.
    /// Waiting in the queue is not bounded by it. Default 60 s.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The limiter.
    #[must_use]
    pub fn build(self) -> Limiter {
        let state = State::new(self.budgets, self.in_flight_max, self.live_reserve, self.patience);
        Limiter { shared: Arc::new(Shared { clock: self.clock, state: Mutex::new(state) }) }
    }
}

impl Limiter {
    /// A limiter without budgets yet.
    #[must_use]
    pub fn builder(clock: Arc<dyn Clock>) -> LimiterBuilder {
        LimiterBuilder {
            clock,
            budgets: Vec::new(),
            in_flight_max: 32,
            live_reserve: 2,
            patience: Duration::from_secs(60),
        }
    }

    /// Waits until a call may start that draws on all of `budgets`; it counts as started at the moment of return.
    ///
    /// # Errors
    /// [`LimitError`] when a quota is used up or a pause lasts longer than the limiter's patience.
    pub async fn acquire(&self, lane: Lane, budgets: BudgetSet) -> Result<Permit, LimitError> {
        let waiter = self.shared.lock().enqueue(lane, budgets);
        let mut waiting = Waiting { shared: &self.shared, waiter: &waiter, settled: false };
        loop {
            let (now, wall) = self.shared.times();
            let wake = {
                let mut state = self.shared.lock();
                state.pump(now, wall);
                if let Some(granted) = waiter.take() {
                    waiting.settled = true;
                    return granted.map(|grant| Permit {
                        shared: Arc::clone(&self.shared),
                        grant,
                        open: true,
                    });
                }
                state.wake_of(&waiter)
            };
            match wake {
                Some(at) => {
                    tokio::select! {
                        () = waiter.notified() => {}
                        () = self.shared.clock.sleep(at.saturating_sub(now)) => {}
                    }
                }
                None => waiter.notified().await,
            }
        }
    }

    /// Starts no call on `budgets` for `wait` from now.
    pub fn pause(&self, budgets: BudgetSet, wait: Duration) {
        let (now, _) = self.shared.times();
        self.shared.change(|state| state.pause(budgets, now.saturating_add(wait)));
    }

    /// Tells a daily quota what is left and when the day ends. Budgets of other kinds ignore it.
    pub fn set_daily(&self, budget: BudgetId, observed: Observed, resets_at: Option<Timestamp>) {
        let (now, _) = self.shared.times();
        self.shared.change(|state| state.set_daily(budget, observed, resets_at, now));
    }

    /// A budget as it is now.
    #[must_use]
    pub fn status(&self, budget: BudgetId) -> Option<BudgetStatus> {
        let (now, wall) = self.shared.times();
        self.shared.lock().status(budget, now, wall)
    }

    /// Calls under way.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.shared.lock().in_flight()
    }
}

impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").field("in_flight", &self.in_flight()).finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is consistent between statements that can panic, and none of them can.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn times(&self) -> (Duration, Timestamp) {
        (self.clock.monotonic(), self.clock.now())
    }

    /// Changes the state, admits who may now go, and lets the first of each queue look at its alarm again.
    fn change(&self, change: impl FnOnce(&mut State)) {
        let (now, wall) = self.times();
        let mut state = self.lock();
        change(&mut state);
        state.pump(now, wall);
        state.notify_heads();
    }
}

/// Gives a place in the queue back when the wait is cancelled.
struct Waiting<'a> {
    shared: &'a Arc<Shared>,
    waiter: &'a Arc<Waiter>,
    settled: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.shared.change(|state| state.cancel(self.waiter));
        }
    }
}

/// Leave for one call that has started. Tell what the server said, then drop it; dropping it ends the call.
pub struct Permit {
    shared: Arc<Shared>,
    grant: Grant,
    open: bool,
}

impl Permit {
    /// When the call started, by the monotonic clock.
    #[must_use]
    pub fn started_at(&self) -> Duration {
        self.grant.at
    }

    /// Passes on what the answer said about `budget`.
    pub fn observe(&self, budget: BudgetId, observed: Observed) {
        let (now, _) = self.shared.times();
        self.shared.change(|state| state.observe(&self.grant, budget, observed, now));
    }

    /// Ends the call: an answer came that was no refusal by a limit.
    pub fn answered(mut self) {
        self.open = false;
        self.shared.change(|state| state.finish(&self.grant, true));
    }

    /// Ends the call: the server refused it because `budgets` are used up, and asks to wait for `wait` (or does not say).
    pub fn throttled(mut self, budgets: BudgetSet, wait: Option<Duration>) {
        self.open = false;
        let (now, _) = self.shared.times();
        self.shared.change(|state| {
            state.throttled(&self.grant, budgets, wait, now);
            state.finish(&self.grant, false);
        });
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.open {
            self.shared.change(|state| state.finish(&self.grant, false));
        }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("grant", &self.grant).finish_non_exhaustive()
    }
}
