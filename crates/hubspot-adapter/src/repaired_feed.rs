//! A quick feed that may miss something, and a slow one that finds what was missed.
//!
//! Webhooks come within seconds, but HubSpot gives one up after ten tries; the journal is complete, but kept for three
//! days only. Search tells of every creation and change there is, late and at a price. So a record is looked at as
//! soon as the quick feed names it, and from time to time search looks over the same span.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sync_types::{Clock, DestinationError, DestinationErrorKind, Feed, FeedPage, FeedSees, Lane, ObjectType};

/// A feed that repairs another by search.
///
/// Its cursor holds both places; a cursor that [`SearchFeed`](crate::SearchFeed) alone has made is taken as well, so
/// that a portal can change from one kind to another at any time.
pub struct RepairedFeed {
    prompt: Option<Arc<dyn Feed>>,
    search: Arc<dyn Feed>,
    every: Duration,
    clock: Arc<dyn Clock>,
    memory: Mutex<Memory>,
}

/// What the feed remembers while the process lives. Losing it costs a search.
#[derive(Default)]
struct Memory {
    /// When search last looked, by the monotonic clock.
    searched: HashMap<ObjectType, Duration>,
    /// Since when search has to look, and the number of that demand.
    back: Option<(u64, Timestamp)>,
    /// The demand that was met last.
    met: HashMap<ObjectType, u64>,
}

/// The two places.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Cursor {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    heard: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    searched: Option<String>,
}

impl RepairedFeed {
    /// `prompt`, repaired by `search` every so often; without `prompt` search alone, at every call.
    #[must_use]
    pub fn new(
        prompt: Option<Arc<dyn Feed>>,
        search: Arc<dyn Feed>,
        every: Duration,
        clock: Arc<dyn Clock>,
    ) -> RepairedFeed {
        RepairedFeed { prompt, search, every, clock, memory: Mutex::default() }
    }

    /// Has search look over everything since `from` once more, at the next call for each object type: the quick feed
    /// has lost sight of what happened from then on. Takes the place of an earlier demand; the same one twice is one.
    pub fn look_back(&self, from: Timestamp) {
        let mut memory = self.memory();
        let number = memory.back.map_or(1, |(number, _)| number + 1);
        if memory.back.is_none_or(|(_, since)| since != from) {
            memory.back = Some((number, from));
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether search has to look now, and the demand that it has to meet.
    fn due(&self, object: &ObjectType) -> (bool, Option<(u64, Timestamp)>) {
        let memory = self.memory();
        let back = memory.back.filter(|(number, _)| memory.met.get(object) != Some(number));
        let last = memory.searched.get(object);
        let due = last.is_none_or(|last| self.clock.monotonic().saturating_sub(*last) >= self.every);
        (due || back.is_some() || self.prompt.is_none(), back)
    }
}

fn read(after: Option<&str>) -> Result<Cursor, DestinationError> {
    let Some(text) = after else { return Ok(Cursor::default()) };
    if !text.starts_with('{') {
        return Ok(Cursor { heard: None, searched: Some(text.to_owned()) });
    }
    serde_json::from_str(text).map_err(|error| {
        DestinationError::new(
            DestinationErrorKind::Protocol,
            "the saved place in HubSpot's changes cannot be read: restore the state file from a backup",
        )
        .caused_by(error)
    })
}

fn write(cursor: &Cursor) -> Result<String, DestinationError> {
    serde_json::to_string(cursor).map_err(|error| {
        DestinationError::new(
            DestinationErrorKind::Protocol,
            "a place in HubSpot's changes cannot be written",
        )
        .caused_by(error)
    })
}

#[async_trait]
impl Feed for RepairedFeed {
    fn sees(&self) -> FeedSees {
        self.prompt.as_ref().map_or_else(|| self.search.sees(), |prompt| prompt.sees())
    }

    async fn changes(
        &self,
        object: &ObjectType,
        after: Option<&str>,
        lane: Lane,
    ) -> Result<FeedPage, DestinationError> {
        let mut cursor = read(after)?;
        let (due, back) = self.due(object);
        let mut page = FeedPage { caught_up: true, ..FeedPage::default() };
        if let Some(prompt) = &self.prompt {
            page = prompt.changes(object, cursor.heard.as_deref(), lane).await?;
            cursor.heard = Some(std::mem::take(&mut page.cursor));
            // What was heard is made durable before a search that may fail. Only at first both go together: without a
            // place of its own, search would begin later than what is heard.
            page.caught_up &= !due || page.changes.is_empty();
            if !page.caught_up && cursor.searched.is_some() {
                page.cursor = write(&cursor)?;
                return Ok(page);
            }
        }
        if due || cursor.searched.is_none() {
            let back = back.map(|(number, from)| (number, from.to_string()));
            let since = match (&cursor.searched, &back) {
                (Some(saved), Some((_, back))) if earlier(back, saved) => Some(back.as_str()),
                (None, Some((_, back))) => Some(back.as_str()),
                (saved, _) => saved.as_deref(),
            };
            let found = self.search.changes(object, since, lane).await?;
            page.changes.extend(found.changes);
            page.caught_up &= found.caught_up;
            page.gap = page.gap.or(found.gap);
            cursor.searched = Some(found.cursor);
            if found.caught_up {
                let now = self.clock.monotonic();
                let mut memory = self.memory();
                memory.searched.insert(object.clone(), now);
                memory.met.extend(back.map(|(number, _)| (object.clone(), number)));
            }
        }
        page.cursor = write(&cursor)?;
        Ok(page)
    }
}

/// Places of a search begin with a time, in one notation but not of one length.
fn earlier(one: &str, other: &str) -> bool {
    let time = |place: &str| place.split(' ').next().unwrap_or_default().parse::<Timestamp>();
    match (time(one), time(other)) {
        (Ok(one), Ok(other)) => one < other,
        _ => false,
    }
}

impl fmt::Debug for RepairedFeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RepairedFeed")
            .field("prompt", &self.prompt)
            .field("every", &self.every)
            .finish_non_exhaustive()
    }
}
