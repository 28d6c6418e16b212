//! Hours in which HubSpot or the source is left in peace.

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use sync_core::blackout::{Blackout, Calendar};
use sync_core::decide::Side;
use sync_types::Lane;

use super::layers::Layers;
use super::{choice, missing, refuse, text};
use crate::Failure;

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

const SIDES: &[(&str, Option<Side>)] =
    &[("hubspot", Some(Side::Right)), ("source", Some(Side::Left)), ("both", None)];

const LANES: &[(&str, Option<Lane>)] = &[
    ("live", Some(Lane::Live)),
    ("verify", Some(Lane::Verify)),
    ("backfill", Some(Lane::Backfill)),
    ("all", None),
];

pub(super) fn read(layers: &Layers) -> Result<Calendar, Failure> {
    let names = layers.names_below("blackout");
    let blackouts = names.into_iter().map(|name| one(layers, name)).collect::<Result<_, _>>()?;
    Ok(Calendar { blackouts, ..Calendar::default() })
}

fn one(layers: &Layers, name: String) -> Result<Blackout, Failure> {
    let place = |part: &str| format!("blackout.{name}.{part}");
    let time = |part: &str| {
        let place = place(part);
        let said = text(layers, &place).ok_or_else(|| missing(&place, "a time of day, such as 22:00"))?;
        let wrong = || refuse(layers, &place, "must be a time of day, such as 22:00");
        if said.len() != 5 { Err(wrong()) } else { said.parse::<Time>().map_err(|_| wrong()) }
    };
    let zone = text(layers, &place("zone")).unwrap_or("UTC");
    let days = text(layers, &place("days")).unwrap_or("mon-sun");
    Ok(Blackout {
        side: choice(layers, &place("side"), SIDES)?.flatten(),
        lane: choice(layers, &place("lane"), LANES)?.flatten(),
        zone: TimeZone::get(zone)
            .map_err(|_| refuse(layers, &place("zone"), "must be a time zone, such as Europe/Berlin"))?,
        days: days_of(days)
            .ok_or_else(|| refuse(layers, &place("days"), "must be days, such as mon-fri or sat,sun"))?,
        from: time("from")?,
        to: time("to")?,
        name,
    })
}

/// `mon-fri,sun`: days and spans of days, which may go over the end of the week.
fn days_of(said: &str) -> Option<Vec<Weekday>> {
    let place = |day: &str| DAYS.iter().position(|(name, _)| *name == day.trim());
    let mut days = Vec::new();
    for part in said.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (place(first)?, place(last)?);
        let span = (last + DAYS.len() - first) % DAYS.len();
        let of_span = DAYS.iter().cycle().skip(first).take(span + 1);
        days.extend(of_span.map(|(_, day)| *day));
    }
    Some(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_named_one_by_one_or_in_spans() {
        use Weekday::{Friday, Monday, Saturday, Sunday, Wednesday};
        for (said, wanted) in [
            ("mon", Some(vec![Monday])),
            ("sat-mon", Some(vec![Saturday, Sunday, Monday])),
            ("fri, wed", Some(vec![Friday, Wednesday])),
            ("", None),
            ("monday", None),
            ("mon-", None),
            ("mon fri", None),
        ] {
            assert_eq!(days_of(said), wanted, "{said}");
        }
        assert_eq!(days_of("mon-sun").map(|days| days.len()), Some(7));
    }
}
