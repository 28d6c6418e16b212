//! Times of the week in which an API is not called. Pure.

use jiff::{Timestamp, ToSpan as _, Zoned};

use super::description::Maintenance;

/// When the window ends in which `now` lies, if it lies in one.
pub(super) fn until(windows: &[Maintenance], now: Timestamp) -> Option<Timestamp> {
    windows.iter().filter_map(|window| end(window, now)).max()
}

fn end(window: &Maintenance, now: Timestamp) -> Option<Timestamp> {
    let here = now.to_zoned(window.zone.clone());
    // A window that goes over midnight may have begun yesterday.
    let days = [here.date(), here.date().checked_sub(1.day()).ok()?];
    days.into_iter().find_map(|day| {
        if !window.days.is_empty() && !window.days.contains(&day.weekday()) {
            return None;
        }
        let last = if window.to > window.from { day } else { day.checked_add(1.day()).ok()? };
        let at = |day: jiff::civil::Date, time| -> Option<Zoned> {
            day.to_datetime(time).to_zoned(window.zone.clone()).ok()
        };
        let (from, to) = (at(day, window.from)?, at(last, window.to)?);
        (from.timestamp() <= now && now < to.timestamp()).then(|| to.timestamp())
    })
}
