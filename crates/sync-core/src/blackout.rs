//! Hours in which a system is left in peace: which they are, in the time of a named zone. Pure.
//!
//! The engine makes no call that such hours forbid, and stops a little before they begin, so that what is under way has
//! ended by then. What is left waits for the first run after them: for the engine it is as if the system could not be
//! reached, which loses nothing.

pub(crate) mod gate;

use std::fmt;
use std::time::Duration;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};
use sync_types::Lane;

use crate::decide::Side;

/// How long before such hours no call begins any more: longer than most calls take, their repetitions included. One that
/// takes longer, such as a search of many pages, ends when it ends.
const LEAD: Duration = Duration::from_secs(120);

/// Hours in which one side, or both, are left in peace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blackout {
    /// Its name, for people.
    pub name: String,
    /// Which side; `None`: both.
    pub side: Option<Side>,
    /// Calls of which lane; `None`: of every one. A source knows no lanes: calls of it are those of the run.
    pub lane: Option<Lane>,
    /// Whose time it is.
    pub zone: TimeZone,
    /// The days on which it begins.
    pub days: Vec<Weekday>,
    /// When it begins.
    pub from: Time,
    /// When it ends: on the day after, where that is not later than `from`.
    pub to: Time,
}

/// All such hours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// The hours.
    pub blackouts: Vec<Blackout>,
    /// How long before them no call begins any more. Default: two minutes.
    pub lead: Duration,
}

impl Default for Calendar {
    fn default() -> Calendar {
        Calendar { blackouts: Vec::new(), lead: LEAD }
    }
}

/// A call that is not made now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    name: String,
    until: Zoned,
}

impl Closed {
    /// When it may be made; other hours may follow at once.
    #[must_use]
    pub fn until(&self) -> Timestamp {
        self.until.timestamp()
    }
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let until = self.until.strftime("%Y-%m-%d %H:%M %Q");
        write!(
            f,
            "no calls until {until}, by the blackout `{}`: what is left waits for a run after it",
            self.name
        )
    }
}

impl Calendar {
    /// Whether a call to this side in this lane may not begin now, and until when.
    #[must_use]
    pub fn closed(&self, side: Side, lane: Lane, now: Timestamp) -> Option<Closed> {
        let concerned = self.blackouts.iter().filter(|blackout| {
            blackout.side.is_none_or(|of| of == side) && blackout.lane.is_none_or(|of| of == lane)
        });
        let ends = concerned.filter_map(|blackout| {
            Some(Closed { name: blackout.name.clone(), until: blackout.end_at(now, self.lead)? })
        });
        ends.max_by(|one, other| one.until.cmp(&other.until))
    }

    /// Whether a run whose bulk goes in this lane may not begin now: either side is closed to it.
    #[must_use]
    pub fn closed_to_runs(&self, lane: Lane, now: Timestamp) -> Option<Closed> {
        let sides = [Side::Left, Side::Right].into_iter().filter_map(|side| self.closed(side, lane, now));
        sides.max_by(|one, other| one.until.cmp(&other.until))
    }
}

impl Blackout {
    /// When it ends, if it is on, or begins within `lead`.
    fn end_at(&self, now: Timestamp, lead: Duration) -> Option<Zoned> {
        let today = now.to_zoned(self.zone.clone()).date();
        // It may have begun yesterday, and the next one may begin right after midnight.
        let days = [today.yesterday().ok(), Some(today), today.tomorrow().ok()];
        let ends = days.into_iter().flatten().filter_map(|day| self.on(day, lead));
        ends.filter(|(begin, end)| *begin <= now && now < end.timestamp()).map(|(_, end)| end).max()
    }

    /// From when on no call begins because of that day's hours, and when they end.
    fn on(&self, day: Date, lead: Duration) -> Option<(Timestamp, Zoned)> {
        if !self.days.contains(&day.weekday()) {
            return None;
        }
        let last = if self.to <= self.from { day.tomorrow().ok()? } else { day };
        let begin = day.to_datetime(self.from).to_zoned(self.zone.clone()).ok()?.timestamp();
        let end = last.to_datetime(self.to).to_zoned(self.zone.clone()).ok()?;
        let lead = SignedDuration::try_from(lead).ok()?;
        Some((begin.checked_sub(lead).ok()?, end))
    }
}

#[cfg(test)]
mod tests;
