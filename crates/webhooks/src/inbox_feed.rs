//! The inbox as the engine's feed: events become records to look at, and are done once the engine has made them its own.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use sync_types::{
    Change, ChangeKind, Clock, DestinationError, DestinationErrorKind, FeedPage, FeedSees, Lane, ObjectType,
};
use tokio::sync::Mutex;

use crate::event::{AppId, Event, EventId, PortalId, RecordRef};
use crate::inbox::{Inbox, InboxError};
use crate::work::{Dirty, Reason, Work};

/// Events that are looked at in one call.
const EVENTS_MAX: usize = 5_000;

/// Events of one portal as a [`sync_types::Feed`]. There must be one for each portal, and no other taker.
///
/// A cursor is the time at which something was handed out. When it comes back, what was handed out with it is durable
/// with the engine, and its events are done. A cursor that is older than that, as after a restored backup, brings back
/// what was done since, as far as the inbox remembers.
pub struct InboxFeed {
    inbox: Arc<dyn Inbox>,
    portal: PortalId,
    /// The engine's name of an object type, by its id.
    names: HashMap<ObjectType, ObjectType>,
    ours: Vec<AppId>,
    sees: FeedSees,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

/// What was handed out and has not come back.
#[derive(Default)]
struct State {
    /// Object types that were asked about since the process began.
    asked: BTreeSet<ObjectType>,
    /// What the newest page of each type was made of.
    handed: HashMap<ObjectType, (Timestamp, Vec<EventId>)>,
    /// For each event the types for which it is not durable yet.
    owed: HashMap<EventId, BTreeSet<ObjectType>>,
    newest: Timestamp,
}

impl InboxFeed {
    /// A feed of `portal`'s events about these object types: their type ids by the names that the engine has for them.
    /// What `ours` caused is told last.
    #[must_use]
    pub fn new(
        inbox: Arc<dyn Inbox>,
        portal: PortalId,
        types: &BTreeMap<ObjectType, ObjectType>,
        ours: Vec<AppId>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let names = types.iter().map(|(name, id)| (id.clone(), name.clone())).collect();
        let state = Mutex::default();
        Self { inbox, portal, names, ours, sees: FeedSees::default(), clock, state }
    }

    /// Says that the inbox is filled from the journal, which leaves nothing out: what it [sees](sync_types::Feed::sees)
    /// then includes deletions, merges and associations. Of webhooks HubSpot gives up some, so that there these come
    /// early if they come, and are not promised.
    #[must_use]
    pub fn from_journal(mut self) -> Self {
        self.sees = FeedSees { deletes: true, merges: true, edges: true, every_change: false };
        self
    }

    /// Calls those waiting events done that are about nothing the engine looks at; returns how many, 0 when none is
    /// left among the oldest. For portals whose mapping listens to nothing, and for housekeeping.
    ///
    /// # Errors
    /// [`InboxError`].
    pub async fn pass_over_the_rest(&self) -> Result<u64, InboxError> {
        let events = self.inbox.take(self.portal, EVENTS_MAX).await?;
        let idle = |event: &&Event| self.types_of(event).is_empty();
        let idle: Vec<EventId> = events.iter().filter(idle).map(|event| event.id).collect();
        let count = idle.len() as u64;
        if count > 0 {
            self.inbox.done(self.portal, idle, self.clock.now()).await?;
        }
        Ok(count)
    }

    /// The engine's names of the types that an event concerns.
    fn types_of(&self, event: &Event) -> BTreeSet<ObjectType> {
        let work = Work::of([event.clone()], &[]);
        work.dirty.iter().filter_map(|dirty| self.names.get(&dirty.record.object).cloned()).collect()
    }

    /// Takes back what was handed out with this cursor: it is durable.
    async fn settle(&self, state: &mut State, object: &ObjectType, at: Timestamp) -> Result<(), InboxError> {
        if state.handed.get(object).is_none_or(|(cursor, _)| *cursor != at) {
            return Ok(());
        }
        let Some((_, ids)) = state.handed.remove(object) else { return Ok(()) };
        let mut done = Vec::new();
        for id in ids {
            if let Some(owed) = state.owed.get_mut(&id) {
                owed.remove(object);
                if owed.is_empty() {
                    done.push(id);
                }
            }
        }
        if done.is_empty() {
            return Ok(());
        }
        // Its own time, not the present one: an older cursor must bring it back, and this one must not.
        self.inbox.done(self.portal, done.clone(), at).await?;
        for id in done {
            state.owed.remove(&id);
        }
        Ok(())
    }

    async fn page(&self, object: &ObjectType, after: Option<&str>) -> Result<FeedPage, InboxError> {
        let mut state = self.state.lock().await;
        let is_first = state.asked.insert(object.clone());
        if let Some(after) = after.and_then(|text| text.parse::<Timestamp>().ok()) {
            if is_first {
                self.inbox.reopen(self.portal, after).await?;
            }
            state.newest = state.newest.max(after);
            self.settle(&mut state, object, after).await?;
        }
        let events = self.inbox.take(self.portal, EVENTS_MAX).await?;
        let is_window_full = events.len() == EVENTS_MAX;
        let (mut mine, mut idle) = (Vec::new(), Vec::new());
        for event in events {
            let types = self.types_of(&event);
            if types.is_empty() {
                note_unplaced(&event);
                idle.push(event.id);
            } else if state.owed.entry(event.id).or_insert(types).contains(object) {
                mine.push(event);
            }
        }
        if !idle.is_empty() {
            self.inbox.done(self.portal, idle, self.clock.now()).await?;
        }
        // Two pages never share a cursor, whatever the wall clock does.
        let just_after = state.newest.checked_add(SignedDuration::from_millis(1)).unwrap_or(Timestamp::MAX);
        let millis = self.clock.now().as_millisecond();
        let cursor = Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX).max(just_after);
        state.newest = cursor;
        state.handed.insert(object.clone(), (cursor, mine.iter().map(|event| event.id).collect()));
        let caught_up = !is_window_full || mine.is_empty();
        let changes = self.changes_of(mine, object);
        Ok(FeedPage { changes, cursor: cursor.to_string(), caught_up, gap: None })
    }

    fn changes_of(&self, events: Vec<Event>, object: &ObjectType) -> Vec<Change> {
        let mut work = Work::of(events, &self.ours);
        let is_asked = |record: &RecordRef| self.names.get(&record.object) == Some(object);
        work.dirty.retain(|dirty| is_asked(&dirty.record));
        work.dirty.sort_by_key(|dirty| dirty.maybe_echo);
        let merged = work.merges.iter().filter(|merge| is_asked(&merge.into) && merge.from != merge.into.id);
        let merged = merged.map(|merge| Change {
            record: merge.from.clone(),
            kind: ChangeKind::MergedInto(merge.into.id.clone()),
            at: None,
        });
        let mut changes: Vec<Change> = merged.collect();
        let losers: BTreeSet<_> = changes.iter().map(|change| change.record.clone()).collect();
        for dirty in work.dirty {
            let is_loser = losers.contains(&dirty.record.id);
            for kind in kinds(&dirty, is_loser) {
                changes.push(Change { record: dirty.record.id.clone(), kind, at: Some(dirty.since) });
            }
        }
        changes
    }
}

/// What reasons come to, each once. A record that went into another needs no look of its own.
fn kinds(dirty: &Dirty, is_loser: bool) -> BTreeSet<ChangeKind> {
    let kind = |reason: &Reason| match reason {
        Reason::Erased => Some(ChangeKind::Erased),
        Reason::Deleted => Some(ChangeKind::Deleted),
        Reason::Associated => Some(ChangeKind::Edges),
        Reason::Merged if is_loser => None,
        Reason::Merged
        | Reason::Restored
        | Reason::Created
        | Reason::Set
        | Reason::Listed
        | Reason::Unknown => Some(ChangeKind::Changed),
    };
    dirty.reasons.iter().filter_map(kind).collect()
}

/// For a person to see: perhaps a kind of event that a later version knows.
fn note_unplaced(event: &Event) {
    let work = Work::of([event.clone()], &[]);
    if !work.unplaced.is_empty() {
        tracing::info!(portal = %event.portal, change = ?event.change, "an event about no record is passed over");
    }
}

#[async_trait]
impl sync_types::Feed for InboxFeed {
    fn sees(&self) -> FeedSees {
        self.sees
    }

    async fn changes(
        &self,
        object: &ObjectType,
        after: Option<&str>,
        _: Lane,
    ) -> Result<FeedPage, DestinationError> {
        self.page(object, after).await.map_err(|error| {
            DestinationError::new(
                DestinationErrorKind::Unavailable,
                format!("the inbox of webhooks: {error}"),
            )
            .caused_by(error)
        })
    }
}

impl fmt::Debug for InboxFeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboxFeed").field("portal", &self.portal).finish_non_exhaustive()
    }
}
