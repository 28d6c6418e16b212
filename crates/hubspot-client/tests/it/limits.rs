//! The portal's limits, as the headers and refusals tell them.

use std::time::Duration;

use futures_util::future::join_all;
use hubspot_client::{Client, ErrorKind, GetOptions, Lane, Limits, ObjectType, Retry, SearchRequest};
use serde_json::json;

use crate::scripted::{Act, client_with};

async fn get(client: &Client) -> Result<(), hubspot_client::Error> {
    client.objects(&ObjectType::CONTACTS).get("1", &GetOptions::default()).await.map(|_| ())
}

#[tokio::test(start_paused = true)]
async fn headers_correct_the_burst_limit_and_the_daily_quota_stops_bulk_work_first() {
    let headers = |remaining: u64| {
        vec![
            ("x-hubspot-ratelimit-max", "100".to_owned()),
            ("x-hubspot-ratelimit-remaining", "99".to_owned()),
            ("x-hubspot-ratelimit-interval-milliseconds", "10000".to_owned()),
            ("x-hubspot-ratelimit-daily", "1000".to_owned()),
            ("x-hubspot-ratelimit-daily-remaining", remaining.to_string()),
        ]
    };
    let settings = |builder: hubspot_client::ClientBuilder| builder.limits(Limits::professional());
    let (client, transport) = client_with(Duration::ZERO, settings, move |_, number| {
        let remaining = [500, 20, 0][(number - 1).min(2)];
        Act::AnswerWith(200, headers(remaining), json!({"id": "1"}))
    });
    get(&client).await.unwrap();
    let status = client.limits_status().unwrap();
    assert_eq!((status.burst.max, status.burst.used, status.daily.remaining), (Some(100), 1, Some(500)));
    get(&client.lane(Lane::Backfill)).await.unwrap();
    let error = get(&client.lane(Lane::Backfill)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DailyLimit);
    assert!(matches!(error.retry(), Retry::After(_)));
    get(&client).await.unwrap();
    assert_eq!(get(&client).await.unwrap_err().kind(), ErrorKind::DailyLimit, "now for live calls too");
    assert_eq!(transport.seen().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn searches_are_paced_apart_from_other_calls() {
    let settings = |builder: hubspot_client::ClientBuilder| builder.limits(Limits::professional());
    let (client, transport) = client_with(Duration::from_millis(300), settings, |seen, _| {
        Act::Answer(
            200,
            if seen.path.ends_with("search") {
                json!({"total": 0, "results": []})
            } else {
                json!({"id": "1"})
            },
        )
    });
    let objects = client.objects(&ObjectType::DEALS);
    let request = SearchRequest::default();
    let searches = join_all((0..20).map(|_| objects.search(&request)));
    let gets = join_all((0..50).map(|_| get(&client)));
    tokio::join!(searches, gets);
    let times = |search: bool| -> Vec<Duration> {
        let seen = transport.seen().into_iter().filter(|seen| seen.path.ends_with("search") == search);
        seen.map(|seen| seen.at).collect()
    };
    assert!(times(true).windows(6).all(|six| six[5] - six[0] >= Duration::from_secs(1)));
    assert!(times(false).last() < Some(&Duration::from_secs(1)), "gets do not wait for searches");
}

#[tokio::test(start_paused = true)]
async fn a_day_used_up_is_not_waited_for_and_a_migration_stops_every_call() {
    let settings = |builder: hubspot_client::ClientBuilder| builder.limits(Limits::professional());
    let (client, transport) = client_with(Duration::ZERO, settings, |_, _| {
        Act::Answer(429, json!({"policyName": "DAILY", "message": "You have reached your daily limit."}))
    });
    assert_eq!(get(&client).await.unwrap_err().kind(), ErrorKind::DailyLimit);
    assert_eq!(get(&client).await.unwrap_err().kind(), ErrorKind::DailyLimit);
    assert_eq!(transport.seen().len(), 1);

    let (client, transport) = client_with(Duration::ZERO, settings, |_, _| {
        Act::AnswerWith(477, vec![("retry-after", "7200".to_owned())], json!({}))
    });
    let error = get(&client).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.retry()),
        (ErrorKind::Migrating, Retry::After(Duration::from_secs(7_200)))
    );
    assert!(get(&client).await.is_err());
    assert_eq!(transport.seen().len(), 1, "no call before the time given");
}

#[tokio::test(start_paused = true)]
async fn a_forecast_is_within_five_percent_of_the_run() {
    let limits = Limits::professional();
    let settings = |builder: hubspot_client::ClientBuilder| builder.limits(Limits::professional());
    let latency = Duration::from_millis(300);
    let (client, transport) = client_with(latency, settings, |_, _| Act::Answer(200, json!({"id": "1"})));
    let bulk = client.lane(Lane::Backfill);
    join_all((0..1_000).map(|_| get(&bulk))).await;
    let taken = transport.seen().last().unwrap().at + latency;
    let forecast = limits.forecast(1_000, latency);
    let ratio = taken.as_secs_f64() / forecast.as_secs_f64();
    assert!((0.95..=1.05).contains(&ratio), "took {taken:?}, forecast {forecast:?}");
    assert!(taken <= Duration::from_secs_f64(50.3 / 0.98), "98 % of what is possible: {taken:?}");
}
