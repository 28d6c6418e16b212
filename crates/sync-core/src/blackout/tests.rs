//! Tables of moments.

use super::*;

const WORKDAYS: [Weekday; 5] =
    [Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];

fn blackout(days: &[Weekday], from: i8, to: i8) -> Blackout {
    Blackout {
        name: "hours".into(),
        side: None,
        lane: None,
        zone: TimeZone::get("Europe/Berlin").unwrap(),
        days: days.to_vec(),
        from: Time::new(from, 0, 0, 0).unwrap(),
        to: Time::new(to, 0, 0, 0).unwrap(),
    }
}

fn calendar(blackout: Blackout) -> Calendar {
    Calendar { blackouts: vec![blackout], lead: Duration::from_secs(60) }
}

fn until(calendar: &Calendar, now: &str) -> Option<String> {
    let closed = calendar.closed(Side::Right, Lane::Backfill, now.parse().unwrap());
    closed.map(|closed| closed.until().to_string())
}

#[test]
fn hours_count_in_their_zone_on_the_days_on_which_they_begin() {
    let office = calendar(blackout(&WORKDAYS, 8, 18));
    let night = calendar(blackout(&[Weekday::Saturday], 22, 6));
    let whole = calendar(blackout(&[Weekday::Sunday], 0, 0));
    for (hours, now, wanted) in [
        // A Wednesday in winter, one hour behind Berlin.
        (&office, "2026-03-04T06:58:59Z", None),
        (&office, "2026-03-04T06:59:00Z", Some("2026-03-04T17:00:00Z")),
        (&office, "2026-03-04T16:59:59Z", Some("2026-03-04T17:00:00Z")),
        (&office, "2026-03-04T17:00:00Z", None),
        // In summer two hours; on Saturdays not at all.
        (&office, "2026-07-01T06:30:00Z", Some("2026-07-01T16:00:00Z")),
        (&office, "2026-03-07T10:00:00Z", None),
        // Over midnight, in the night in which the clocks go forward: an hour less.
        (&night, "2026-03-28T20:58:00Z", None),
        (&night, "2026-03-28T21:00:00Z", Some("2026-03-29T04:00:00Z")),
        (&night, "2026-03-29T03:59:00Z", Some("2026-03-29T04:00:00Z")),
        (&night, "2026-03-29T21:30:00Z", None),
        // The whole of a day, and not the minute before its lead.
        (&whole, "2026-03-07T22:58:00Z", None),
        (&whole, "2026-03-07T22:59:30Z", Some("2026-03-08T23:00:00Z")),
        (&whole, "2026-03-08T23:00:00Z", None),
    ] {
        assert_eq!(until(hours, now).as_deref(), wanted, "{now}");
    }
}

#[test]
fn each_side_and_each_lane_has_hours_of_its_own() {
    let now = "2026-03-04T10:00:00Z".parse().unwrap();
    let mut hours = blackout(&WORKDAYS, 8, 18);
    hours.side = Some(Side::Right);
    hours.lane = Some(Lane::Backfill);
    let calendar = calendar(hours);
    for (side, lane, is_closed) in [
        (Side::Right, Lane::Backfill, true),
        (Side::Right, Lane::Live, false),
        (Side::Left, Lane::Backfill, false),
    ] {
        assert_eq!(calendar.closed(side, lane, now).is_some(), is_closed, "{side:?} {lane:?}");
    }
    assert!(calendar.closed_to_runs(Lane::Backfill, now).is_some());
    assert!(calendar.closed_to_runs(Lane::Live, now).is_none());
    assert!(Calendar::default().closed_to_runs(Lane::Backfill, now).is_none());
}

#[test]
fn the_last_of_several_counts_and_is_told() {
    let now = "2026-03-04T10:00:00Z".parse().unwrap();
    let late = Blackout { name: "audit".into(), ..blackout(&WORKDAYS, 9, 20) };
    let both = Calendar { blackouts: vec![late, blackout(&WORKDAYS, 8, 18)], ..Calendar::default() };
    let told = both.closed(Side::Left, Lane::Live, now).unwrap().to_string();
    assert!(told.contains("2026-03-04 20:00 Europe/Berlin") && told.contains("`audit`"), "{told}");
}
