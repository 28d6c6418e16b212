//! How soon an edit in HubSpot is at the source, and that everything arrives whatever becomes of webhooks.

use std::time::Duration;

use hubspot_sandbox::WebhookFaults;
use workspace_tests::hearing::{By, Trial, measure};

#[tokio::test(start_paused = true)]
async fn an_edit_in_hubspot_is_at_the_source_within_seconds() {
    for by in [By::Push, By::Journal] {
        let trial = Trial { edits: 60, people: 80, ..Trial::calm(by) };
        let arrivals = measure(&trial, Duration::from_secs(3600)).await;
        assert_eq!(arrivals.took.len(), 60);
        let p95 = arrivals.within(0.95);
        assert!(p95 < Duration::from_secs(5), "{by:?}: {p95:?}");
        assert!(arrivals.passes > 20, "{by:?}: {arrivals:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn with_a_tenth_dropped_a_tenth_repeated_and_a_tenth_late_everything_arrives() {
    let faults = WebhookFaults { drop: 0.1, duplicate: 0.1, shuffle: 0.1 };
    let trial = Trial { faults, edits: 80, people: 100, deletions: 15, ..Trial::calm(By::Push) };
    let arrivals = measure(&trial, Duration::from_secs(2 * 3600)).await;
    assert_eq!((arrivals.took.len(), arrivals.deleted.len()), (80, 15));
    assert!(arrivals.dropped > 0 && arrivals.duplicated > 0, "{arrivals:?}");
    // What was neither dropped nor late is as quick as ever; the rest came late, or by search.
    assert!(arrivals.within(0.7) < Duration::from_secs(5), "{arrivals:?}");
    assert!(arrivals.within(1.0) > Duration::from_secs(10), "something was repaired");
}
