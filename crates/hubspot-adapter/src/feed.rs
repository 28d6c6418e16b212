//! Changes by search: what any credential allows.
//!
//! The search index lags behind writes, and not evenly: a record may appear in it after others that were changed
//! later. So there are two windows. The *near* one goes up to now and tells of most changes at once. The *far* one
//! ends a horizon ago, where the index has settled, and alone moves the cursor: what the near one missed, it finds.
//! What was told once is not told again for the same change.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hubspot_client::{Record, ScanRequest};
use jiff::{SignedDuration, Timestamp};
use sync_types::{
    Change, ChangeKind, Clock, DestinationError, DestinationErrorKind, Feed, FeedPage, FeedSees, Lane,
    ObjectType, RecordId,
};
use tokio::sync::Mutex;

use crate::destination::HubSpotDestination;
use crate::failure::destination_error;

/// How far behind now the index is taken to have settled at first; it grows when a later appearance is met.
const HORIZON: Duration = Duration::from_secs(60 * 60);

/// The furthest behind that is ever learned: a longer one costs more at each start than it may find.
const HORIZON_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// By how much the near windows of two looks overlap.
const OVERLAP: Duration = Duration::from_secs(30);

/// A feed of changed records by search.
///
/// It sees creations and changes of properties. It sees no deletion, no merge's loser, and no association: search
/// does not show them (HubSpot docs: search; the date of change does not move for associations).
pub struct SearchFeed {
    destination: Arc<HubSpotDestination>,
    clock: Arc<dyn Clock>,
    memory: Mutex<HashMap<ObjectType, Memory>>,
}

/// What the feed remembers of an object type while the process lives. Losing it costs repeated looks.
#[derive(Debug, Default)]
struct Memory {
    /// The change that was last told of each record, in milliseconds.
    told: HashMap<RecordId, i64>,
    /// Where the last near window ended.
    until: Option<Timestamp>,
    /// The place that was given last: only who goes on from there has been told everything before it.
    given: Option<Timestamp>,
}

/// A place in the changes: the time up to which all was told, and how far behind now the index has been found to
/// settle. Written as the time alone while that is what is taken for granted, so that older places are read as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    at: Timestamp,
    horizon: Duration,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.horizon == HORIZON {
            write!(f, "{}", self.at)
        } else {
            write!(f, "{} {}", self.at, self.horizon.as_secs())
        }
    }
}

impl FromStr for Place {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Place, jiff::Error> {
        let (at, horizon) = text.split_once(' ').unwrap_or((text, ""));
        let horizon = horizon.parse().map_or(HORIZON, Duration::from_secs);
        Ok(Place { at: at.parse()?, horizon: horizon.clamp(HORIZON, HORIZON_MAX) })
    }
}

impl SearchFeed {
    /// A feed over this destination's credential.
    #[must_use]
    pub fn new(destination: Arc<HubSpotDestination>, clock: Arc<dyn Clock>) -> SearchFeed {
        SearchFeed { destination, clock, memory: Mutex::new(HashMap::new()) }
    }

    /// Adds what changed in a window and was not told yet.
    async fn window(
        &self,
        object: &ObjectType,
        lane: Lane,
        (since, until): (Timestamp, Timestamp),
        memory: &mut Memory,
        changes: &mut Vec<Change>,
    ) -> Result<(), DestinationError> {
        if since > until {
            return Ok(());
        }
        let objects = self.destination.client(lane).objects(&self.destination.resolve(object).await?);
        let mut scan = objects.scan_modified(ScanRequest::default(), since, until);
        let property = objects.object_type().modified_property();
        while let Some(page) = scan.next_page().await.map_err(destination_error)? {
            for record in page {
                let at = modified(&record, property);
                let record = RecordId::from(record.id.as_str());
                let millis = at.map_or(0, Timestamp::as_millisecond);
                let told = memory.told.insert(record.clone(), millis);
                if told != Some(millis) || at.is_none() {
                    changes.push(Change { record, kind: ChangeKind::Changed, at });
                }
            }
        }
        Ok(())
    }
}

fn modified(record: &Record, property: &str) -> Option<Timestamp> {
    record.get(property).or(record.updated_at.as_deref())?.parse().ok()
}

fn before(now: Timestamp, span: Duration) -> Timestamp {
    let span = SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX);
    now.checked_sub(span).unwrap_or(Timestamp::MIN)
}

#[async_trait]
impl Feed for SearchFeed {
    fn sees(&self) -> FeedSees {
        FeedSees::default()
    }

    async fn changes(
        &self,
        object: &ObjectType,
        after: Option<&str>,
        lane: Lane,
    ) -> Result<FeedPage, DestinationError> {
        let now = self.clock.now();
        let place: Place = match after {
            // From now on, by whichever clock: HubSpot dates changes by its own, and ours may be ahead of it.
            None => Place { at: before(now, HORIZON), horizon: HORIZON },
            Some(text) => text.parse().map_err(|error| {
                DestinationError::new(
                    DestinationErrorKind::Protocol,
                    "the saved place in HubSpot's changes is not a time: restore the state file from a backup",
                )
                .caused_by(error)
            })?,
        };
        let Place { at: cursor, mut horizon } = place;
        let mut all = self.memory.lock().await;
        let memory = all.entry(object.clone()).or_default();
        let settled = before(now, horizon);
        let mut changes = Vec::new();
        let near = memory.until.map_or(cursor, |until| before(until, OVERLAP).max(cursor));
        if near > cursor {
            self.window(object, lane, (cursor, settled.min(near)), memory, &mut changes).await?;
            // What the far window finds, a near one had missed: the index took at least so long. Of what lies before
            // the place that was given last it says nothing: that was told, and is forgotten here.
            let oldest = changes.iter().filter_map(|change| change.at).min();
            let late = oldest.and_then(|at| Duration::try_from(near.duration_since(at)).ok());
            if let Some(late) = late.filter(|_| memory.given == Some(cursor)) {
                horizon = horizon.max(late.saturating_mul(2)).min(HORIZON_MAX);
            }
        }
        self.window(object, lane, (near.min(now), now), memory, &mut changes).await?;
        memory.until = Some(now);
        let cursor = cursor.max(settled);
        memory.given = Some(cursor);
        let millis = cursor.as_millisecond();
        memory.told.retain(|_, at| *at >= millis);
        let cursor = Place { at: cursor, horizon };
        Ok(FeedPage { changes, cursor: cursor.to_string(), caught_up: true, gap: None })
    }
}

impl fmt::Debug for SearchFeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SearchFeed")
    }
}
