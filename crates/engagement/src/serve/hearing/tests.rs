//! Which way is chosen, and when a gap is closed.

use http_transport::TokioClock;
use jiff::SignedDuration;
use webhooks::{Advance, Gap, GapCause, Position};

use super::*;
use crate::settings::Sources;

fn settings(folder: &tempfile::TempDir, change: &[(&str, &str)]) -> Settings {
    let inbox = folder.path().join("inbox.db").display().to_string();
    let base = [("source.kind", "csv"), ("source.folder", "data"), ("webhooks.inbox_file", inbox.as_str())];
    let assignments: Vec<String> =
        base.iter().chain(change).map(|(key, value)| format!("{key}={value}")).collect();
    Settings::load(&Sources { assignments: &assignments, ..Sources::default() }).unwrap()
}

fn push() -> Vec<(&'static str, &'static str)> {
    vec![("webhooks.target_url", "https://sync.example.com/webhooks"), ("webhooks.client_secret", "s")]
}

#[tokio::test]
async fn without_an_app_webhooks_are_chosen_where_they_have_an_address() {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(TokioClock::start());
    let chosen = async |change: &[(&str, &str)]| chosen(&settings(&folder, change), &clock).await.unwrap();
    assert_eq!(chosen(&[]).await, FeedKind::Search);
    assert_eq!(chosen(&push()).await, FeedKind::Push);
    let but_search = [push(), vec![("webhooks.feed", "search")]].concat();
    assert_eq!(chosen(&but_search).await, FeedKind::Search);
    assert!(Hearing::open(&settings(&folder, &[]), BTreeSet::new(), &clock).await.unwrap().is_none());
    assert!(!folder.path().join("inbox.db").exists(), "search needs no inbox");
}

#[tokio::test]
async fn a_gap_is_closed_when_every_portal_was_compared_over_it() {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(TokioClock::start());
    let (one, two) = (PortalId(1), PortalId(2));
    let settings = settings(&folder, &push());
    let hearing = Hearing::open(&settings, BTreeSet::from([one, two]), &clock).await.unwrap().unwrap();
    let now = clock.now();
    for (days, cause) in [(9, GapCause::Away), (5, GapCause::Unreadable)] {
        let from = now - SignedDuration::from_hours(24 * days);
        let gap = Gap { id: 0, journal: "app".to_owned(), from, to: now, cause };
        let position = Position { offset: None, published_at: None, checked_at: now };
        let step = Advance { events: Vec::new(), received: now, position, gap: Some(gap) };
        hearing.inbox.advance("app", step).await.unwrap();
    }
    let (gaps, since) = hearing.gaps(one).await.unwrap();
    let millis = |time: Timestamp| time.as_millisecond();
    assert_eq!((gaps.len(), since.map(millis)), (2, Some(millis(now - SignedDuration::from_hours(24 * 9)))));
    hearing.mend(one, &gaps).await.unwrap();
    assert_eq!(hearing.gaps(one).await.unwrap().0, [0; 0], "not once more for this portal");
    assert_eq!(hearing.gaps(two).await.unwrap().0.len(), 2);
    assert_eq!(hearing.inbox.gaps().await.unwrap().len(), 2);
    hearing.mend(two, &gaps[..1]).await.unwrap();
    assert_eq!(hearing.inbox.gaps().await.unwrap().len(), 1);
    hearing.mend(two, &gaps[1..]).await.unwrap();
    assert_eq!(hearing.inbox.gaps().await.unwrap(), []);
}
