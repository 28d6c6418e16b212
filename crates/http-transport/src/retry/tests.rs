//! Tables for the retry decision.

use super::*;

fn attempt(idempotency: Idempotency) -> Attempt {
    Attempt {
        number: 1,
        elapsed: Duration::from_secs(1),
        idempotency,
        earlier_unknown: false,
        fresh_token: false,
        hint: None,
        interval: Duration::from_millis(700),
    }
}

const AFTER: Verdict = Verdict::After(Duration::from_millis(700));

#[test]
fn first_try_by_failure_and_idempotency() {
    use Failure::{Answer, Transport};
    use Idempotency::{Idempotent, Once, Safe};
    use Verdict::{Never, Now, OutcomeUnknown};
    let status = |code: u16| Answer(Meaning::of(StatusCode::from_u16(code).unwrap()));
    let two_seconds = Verdict::After(Duration::from_secs(2));
    for (failure, safe, idempotent, once) in [
        (Transport(Sent::No), Now, Now, Now),
        (Transport(Sent::Perhaps), AFTER, AFTER, OutcomeUnknown),
        (status(400), Never, Never, Never),
        (status(401), Never, Never, Never),
        (status(403), Never, Never, Never),
        (status(404), Never, Never, Never),
        (status(408), AFTER, AFTER, OutcomeUnknown),
        (status(409), Never, Never, Never),
        (status(414), Never, Never, Never),
        (status(423), two_seconds, two_seconds, two_seconds),
        (status(429), AFTER, AFTER, AFTER),
        (status(500), AFTER, AFTER, OutcomeUnknown),
        (status(502), AFTER, AFTER, OutcomeUnknown),
        (status(503), AFTER, AFTER, OutcomeUnknown),
        (status(524), AFTER, AFTER, OutcomeUnknown),
        (status(302), Never, Never, Never),
    ] {
        for (idempotency, expected) in [(Safe, safe), (Idempotent, idempotent), (Once, once)] {
            let verdict = decide(&attempt(idempotency), failure, &RetryPolicy::default());
            assert_eq!(verdict, expected, "{failure:?} {idempotency:?}");
        }
    }
}

#[test]
fn a_servers_wait_outranks_ours_and_is_bounded() {
    let policy = RetryPolicy::default();
    let throttled = Failure::Answer(Meaning::Throttled);
    for (hint_s, expected) in [
        (0, Verdict::After(Duration::ZERO)),
        (7, Verdict::After(Duration::from_secs(7))),
        (60, Verdict::After(Duration::from_secs(60))),
        (61, Verdict::Never),
        (86_400, Verdict::Never),
    ] {
        let attempt = Attempt { hint: Some(Duration::from_secs(hint_s)), ..attempt(Idempotency::Once) };
        assert_eq!(decide(&attempt, throttled, &policy), expected, "{hint_s}");
    }
}

#[test]
fn a_servers_wait_that_proved_too_short_is_no_reason_to_hammer_it() {
    let throttled = Failure::Answer(Meaning::Throttled);
    // A server that rounds 0.3 s down to none refuses ten tries within that time.
    for (hint_ms, expected) in [(0, AFTER), (300, AFTER), (900, Verdict::After(Duration::from_millis(900)))] {
        let hint = Some(Duration::from_millis(hint_ms));
        let again = Attempt { number: 2, hint, ..attempt(Idempotency::Safe) };
        assert_eq!(decide(&again, throttled, &RetryPolicy::default()), expected, "{hint_ms}");
    }
}

#[test]
fn tries_and_time_are_bounded() {
    let policy = RetryPolicy::default();
    let lost = Failure::Transport(Sent::Perhaps);
    let throttled = Failure::Answer(Meaning::Throttled);
    for (number, elapsed_s, failure, idempotency, expected) in [
        (4, 1, lost, Idempotency::Safe, AFTER),
        (5, 1, lost, Idempotency::Safe, Verdict::Never),
        (5, 1, lost, Idempotency::Idempotent, Verdict::OutcomeUnknown),
        (1, 120, lost, Idempotency::Safe, Verdict::Never),
        (1, 120, lost, Idempotency::Idempotent, Verdict::OutcomeUnknown),
        (5, 1, throttled, Idempotency::Once, AFTER),
        (10, 1, throttled, Idempotency::Once, Verdict::Never),
        (1, 120, Failure::Transport(Sent::No), Idempotency::Once, Verdict::Never),
        (2, 1, Failure::Transport(Sent::No), Idempotency::Once, AFTER),
    ] {
        let attempt = Attempt { number, elapsed: Duration::from_secs(elapsed_s), ..attempt(idempotency) };
        assert_eq!(
            decide(&attempt, failure, &policy),
            expected,
            "{number} {elapsed_s} {failure:?} {idempotency:?}"
        );
    }
}

#[test]
fn an_earlier_lost_try_is_remembered_to_the_end() {
    let policy = RetryPolicy::default();
    for (failure, idempotency, expected) in [
        (Failure::Answer(Meaning::Refused), Idempotency::Idempotent, Verdict::OutcomeUnknown),
        (Failure::Answer(Meaning::Unauthorized), Idempotency::Idempotent, Verdict::OutcomeUnknown),
        (Failure::Answer(Meaning::Refused), Idempotency::Safe, Verdict::Never),
        (Failure::Answer(Meaning::Throttled), Idempotency::Idempotent, AFTER),
    ] {
        let attempt = Attempt { number: 2, earlier_unknown: true, ..attempt(idempotency) };
        assert_eq!(decide(&attempt, failure, &policy), expected, "{failure:?}");
    }
}

#[test]
fn a_refused_token_is_worth_one_more_try_only_with_another_token() {
    let unauthorized = Failure::Answer(Meaning::Unauthorized);
    let policy = RetryPolicy::default();
    let fresh = Attempt { fresh_token: true, ..attempt(Idempotency::Once) };
    assert_eq!(decide(&fresh, unauthorized, &policy), Verdict::Now);
    assert_eq!(decide(&attempt(Idempotency::Once), unauthorized, &policy), Verdict::Never);
    assert_eq!(decide(&fresh, unauthorized, &RetryPolicy::never()), Verdict::Never);
}

#[test]
fn intervals_double_up_to_the_longest() {
    let intervals = Intervals::new(Duration::from_millis(500), Duration::from_secs(3));
    let seen: Vec<u128> = (1..=5).map(|attempt| intervals.after(attempt).as_millis()).collect();
    assert_eq!(seen, [500, 1_000, 2_000, 3_000, 3_000]);
    assert_eq!(intervals.after(0), intervals.after(1));
    assert_eq!(intervals.after(u32::MAX), Duration::from_secs(3));
}

#[test]
fn retry_after_reads_seconds_and_dates() {
    let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    for (text, expected) in [
        ("3", Some(3.0)),
        (" 3 ", Some(3.0)),
        ("0.5", Some(0.5)),
        ("-1", None),
        ("NaN", None),
        ("soon", None),
        ("1e300", None),
        ("999999999", Some(86_400.0)),
        ("Sat, 21 Nov 2026 12:00:30 GMT", Some(30.0)),
        ("Sat, 21 Nov 2026 11:00:00 GMT", Some(0.0)),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::RETRY_AFTER, text.parse().unwrap());
        assert_eq!(retry_after(&headers, now).map(|d| d.as_secs_f64()), expected, "{text}");
    }
    assert_eq!(retry_after(&HeaderMap::new(), now), None);
}
