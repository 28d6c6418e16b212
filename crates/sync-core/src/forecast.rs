//! How many calls a plan costs and how long they take under a portal's limits. Pure.

use std::time::Duration;

use sync_types::Budget;

/// What a call takes where nothing was measured yet.
pub const CALL_TIME: Duration = Duration::from_millis(300);

/// How long `calls` calls take, when `window` starts are allowed per interval, in bursts, and at most `in_flight`
/// run at once.
#[must_use]
pub fn duration(calls: u64, budget: &Budget, in_flight: usize) -> Duration {
    if calls == 0 {
        return Duration::ZERO;
    }
    let call_time = budget.call_time.unwrap_or(CALL_TIME);
    let rounds = |calls: u64| {
        let rounds = calls.div_ceil((in_flight.max(1)) as u64);
        call_time.saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX))
    };
    match budget.window {
        None => rounds(calls),
        Some((starts, interval)) => {
            let starts = u64::from(starts.max(1));
            let full = (calls - 1) / starts;
            // A window is either drained before it ends, or the calls in flight are the bottleneck.
            let one = interval.max(rounds(starts));
            one.saturating_mul(u32::try_from(full).unwrap_or(u32::MAX)) + rounds(calls - full * starts)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_then_the_rest() {
        let budget = |window| Budget { window, day: None, call_time: Some(Duration::from_millis(300)) };
        let ten = Some((190, Duration::from_secs(10)));
        let cases = [
            (0, ten, 64, 0),
            (1, ten, 64, 300),
            (190, ten, 190, 300),
            (191, ten, 190, 10_300),
            (1_000, ten, 64, 50_300),
            (1_000, ten, 8, 52_100),
            // Two in flight at 300 ms never drain a window of 190.
            (380, ten, 2, 57_000),
            (100, None, 10, 3_000),
        ];
        for (calls, window, in_flight, millis) in cases {
            assert_eq!(
                duration(calls, &budget(window), in_flight).as_millis(),
                millis,
                "{calls} {window:?} {in_flight}"
            );
        }
    }
}
