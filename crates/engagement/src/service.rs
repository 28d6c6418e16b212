//! Passes again and again: by interval, at news, later after failures, until somebody asks to stop.
//!
//! It knows nothing of HubSpot: whoever has work that should be done often and at news implements [`Pass`].

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http_transport::Clock;
use tokio::sync::watch;

/// One round of work. It stays on the thread on which it was begun: an engine keeps its state file in one hand.
#[async_trait(?Send)]
pub trait Pass {
    /// Does what there is to do. Dropped in the middle when it outlives a stop by [`Pace::grace`], so it must be as safe
    /// to drop as a process is to kill.
    async fn pass(&mut self, why: Why) -> Ended;
}

/// Why a pass is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is the first.
    First,
    /// The interval is over.
    Interval,
    /// Something was heard.
    News,
    /// The source has said that it has news; perhaps something else was heard as well.
    Source,
    /// Somebody asked for it.
    Asked,
    /// The one before failed.
    Again,
}

/// How a pass ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All is done that could be.
    Well,
    /// Something stood in the way of everything: the next pass comes later, and news does not hasten it.
    Badly,
}

/// How often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The longest pause after a pass that ended well.
    pub every: Duration,
    /// How long news is gathered before it starts a pass.
    pub gather: Duration,
    /// The pause after a first failure; each further one doubles it.
    pub after_failure: Duration,
    /// The longest pause after failures.
    pub after_failure_max: Duration,
    /// How long a pass under way may go on once it is to stop.
    pub grace: Duration,
}

impl Pace {
    /// What suits production, with this interval.
    #[must_use]
    pub fn every(every: Duration) -> Pace {
        Pace {
            every,
            gather: Duration::from_millis(200),
            after_failure: Duration::from_secs(5),
            after_failure_max: Duration::from_secs(300),
            grace: Duration::from_secs(25),
        }
    }

    /// The pause after so many failures in a row; 0: after success.
    #[must_use]
    pub fn pause(&self, failures: u32) -> Duration {
        match failures.checked_sub(1) {
            None => self.every,
            Some(further) => {
                self.after_failure.saturating_mul(2_u32.saturating_pow(further)).min(self.after_failure_max)
            }
        }
    }
}

/// What wakes and what ends the work. A sender that is gone is one that never calls again.
#[derive(Clone, Debug)]
pub struct Signals {
    /// Changes at news.
    pub news: watch::Receiver<u64>,
    /// Changes when the source says that it has news: as good a reason as the other.
    pub source: watch::Receiver<u64>,
    /// Changes when somebody wants a pass now, whatever happened before.
    pub asked: watch::Receiver<u64>,
    /// True once it is to stop.
    pub stop: watch::Receiver<bool>,
}

/// Makes passes until it is to stop. News that comes during a pass leads to another one behind it, so nothing that was
/// told is slept over.
pub async fn keep_up(pace: Pace, clock: Arc<dyn Clock>, mut signals: Signals, work: &mut dyn Pass) {
    let mut why = Why::First;
    let mut failures = 0_u32;
    loop {
        signals.news.mark_unchanged();
        signals.source.mark_unchanged();
        signals.asked.mark_unchanged();
        if why == Why::Asked {
            // Whoever asks has changed something: what failed before says little about what comes.
            failures = 0;
        }
        let ended = tokio::select! {
            ended = work.pass(why) => ended,
            () = async { stopped(&mut signals.stop).await; clock.sleep(pace.grace).await } => {
                tracing::warn!("a pass is cut off: the next one settles what was under way");
                return;
            }
        };
        failures = if ended == Ended::Well { 0 } else { failures.saturating_add(1) };
        if *signals.stop.borrow() {
            return;
        }
        why = tokio::select! {
            biased;
            () = stopped(&mut signals.stop) => return,
            () = told(&mut signals.asked) => Why::Asked,
            () = told(&mut signals.source), if failures == 0 => Why::Source,
            () = told(&mut signals.news), if failures == 0 => Why::News,
            () = clock.sleep(pace.pause(failures)) => if failures == 0 { Why::Interval } else { Why::Again },
        };
        if matches!(why, Why::News | Why::Source) {
            tokio::select! {
                () = stopped(&mut signals.stop) => return,
                () = clock.sleep(pace.gather) => {}
            }
            if signals.source.has_changed().unwrap_or(false) {
                why = Why::Source;
            }
        }
    }
}

async fn told(signal: &mut watch::Receiver<u64>) {
    if signal.changed().await.is_err() {
        std::future::pending().await
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        std::future::pending().await
    }
}
