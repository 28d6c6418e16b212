//! Reads a journal into the inbox, file by file. An offset moves together with the events up to it, never before.

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::{Either, select};
use futures_util::stream;
use jiff::{SignedDuration, Timestamp};
use sync_types::Clock;

use super::{
    Advance, FileHosts, FileRef, Gap, GapCause, JournalApi, JournalError, JournalErrorKind, JournalFile,
    JournalStore, Offset, Position, parse_file,
};

/// Where a journal is read from when it never was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// From the oldest file there is: up to three days back.
    Earliest,
    /// From the newest file on: what was before is somebody else's to find, such as a first load's.
    Latest,
}

/// How a journal is read.
#[derive(Clone, Debug)]
pub struct JournalSettings {
    /// Its name in the store. One for each app, and for each portal if it is read narrowed to one.
    pub name: String,
    /// Where to begin.
    pub start: Start,
    /// How long HubSpot keeps files: three days (HubSpot docs).
    pub retention: Duration,
    /// Files asked for in one call, up to 100 (HubSpot docs).
    pub files_max: usize,
    /// Files that are fetched at the same time. Memory for as many times `bytes_max` may be needed.
    pub fetch_ahead: usize,
    /// The largest file read. HubSpot writes up to 5 MB (HubSpot docs).
    pub bytes_max: usize,
    /// Which URLs of files are fetched.
    pub hosts: FileHosts,
    /// How often to ask when nothing is new.
    pub poll: Duration,
    /// How often a file is tried before it is given up as a gap.
    pub tries: u32,
}

impl JournalSettings {
    /// What suits production, for a journal of this name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            start: Start::Earliest,
            retention: Duration::from_secs(3 * 86_400),
            files_max: 20,
            fetch_ahead: 4,
            bytes_max: 16 * 1024 * 1024,
            hosts: FileHosts::default(),
            poll: Duration::from_secs(5),
            tries: 3,
        }
    }
}

/// What a step came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Files whose events are durable now.
    pub files: u64,
    /// Events that had not been known.
    pub new_events: u64,
    /// The gap that was found and is durable now.
    pub gap: Option<Gap>,
    /// The journal had nothing more when it was asked.
    pub caught_up: bool,
}

/// How often the time of the last look is stored while nothing is new. It shortens a gap by at most as much.
const CHECK_EVERY: SignedDuration = SignedDuration::from_mins(10);

/// The longest pause after errors.
const PAUSE_MAX: Duration = Duration::from_secs(300);

/// Reads one journal. There must be no second reader of the same name.
#[derive(Debug)]
pub struct JournalReader {
    api: Arc<dyn JournalApi>,
    store: Arc<dyn JournalStore>,
    clock: Arc<dyn Clock>,
    settings: JournalSettings,
    /// The file that could not be read last, and how often. Lost at a restart, which only means more tries.
    failing: Mutex<Option<(Offset, u32)>>,
}

impl JournalReader {
    /// A reader of one journal into one store.
    #[must_use]
    pub fn new(
        api: Arc<dyn JournalApi>,
        store: Arc<dyn JournalStore>,
        clock: Arc<dyn Clock>,
        settings: JournalSettings,
    ) -> Self {
        Self { api, store, clock, settings, failing: Mutex::new(None) }
    }

    /// Steps until `stop` completes: at once while there is more, every `poll` when there is not, and with growing
    /// pauses after errors. A step under way is dropped then; what it had not stored is read again.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        let mut stop = pin!(stop);
        let mut failures = 0_u32;
        loop {
            let step = pin!(self.step());
            let outcome = match select(step, &mut stop).await {
                Either::Left((outcome, _)) => outcome,
                Either::Right(_) => return,
            };
            let pause = match outcome {
                Ok(Progress { caught_up: false, .. }) => {
                    failures = 0;
                    continue;
                }
                Ok(_) => {
                    failures = 0;
                    self.settings.poll
                }
                Err(error) => {
                    failures = failures.saturating_add(1);
                    tracing::warn!(journal = %self.settings.name, %error, failures, "the journal could not be read");
                    pause_after(&error, failures, self.settings.poll)
                }
            };
            if let Either::Right(_) = select(self.clock.sleep(pause), &mut stop).await {
                return;
            }
        }
    }

    /// Asks once what is newer and makes it durable. May be repeated at any time, after any error.
    ///
    /// # Errors
    /// [`JournalError`]. Files before the one that failed are durable.
    pub async fn step(&self) -> Result<Progress, JournalError> {
        let name = &self.settings.name;
        let now = self.clock.now();
        let position = self.store.position(name).await?;
        let (files, lost) = self.ask(position.as_ref(), now).await?;
        let mut walk = Walk { position, lost, progress: Progress::default() };
        walk.progress.caught_up = files.is_empty();
        if files.is_empty() {
            self.note_silence(&mut walk, now).await?;
            return Ok(walk.progress);
        }
        let mut fetched = stream::iter(files)
            .map(|file| async move {
                let content = self.read(&file).await;
                (file, content)
            })
            .buffered(self.settings.fetch_ahead.max(1));
        while let Some((file, content)) = fetched.next().await {
            let content = match content {
                Err(error) if error.kind == JournalErrorKind::Expired => {
                    self.again(walk.position.as_ref(), &file).await
                }
                content => content,
            };
            self.keep(&mut walk, file, content, now).await?;
        }
        Ok(walk.progress)
    }

    /// The next files, and since when changes are lost if some are.
    async fn ask(
        &self,
        position: Option<&Position>,
        now: Timestamp,
    ) -> Result<(Vec<FileRef>, Option<(Timestamp, GapCause)>), JournalError> {
        let Some(position) = position else {
            let files = match self.settings.start {
                Start::Earliest => self.api.files_after(None, self.settings.files_max).await?,
                Start::Latest => self.api.latest_file().await?.into_iter().collect(),
            };
            return Ok((files, None));
        };
        let known_until = position.known_until();
        // HubSpot does not say what it answers for an offset that aged out, so our own clock decides too.
        let away =
            is_away(known_until, now, self.settings.retention).then_some((known_until, GapCause::Away));
        let count = self.settings.files_max;
        match self.api.files_after(position.offset.as_ref(), count).await {
            Ok(files) => Ok((files, away)),
            Err(error) if error.kind == JournalErrorKind::OffsetGone => {
                let files = self.api.files_after(None, count).await?;
                Ok((files, Some((known_until, GapCause::OffsetGone))))
            }
            Err(error) => Err(error),
        }
    }

    async fn read(&self, file: &FileRef) -> Result<JournalFile, JournalError> {
        let unreadable = |error: &dyn std::fmt::Display| {
            JournalError::new(JournalErrorKind::Unreadable, format!("journal file {}: {error}", file.offset))
        };
        if file.expires_at.is_some_and(|expires| expires <= self.clock.now()) {
            return Err(JournalError::new(JournalErrorKind::Expired, "the file's URL has expired"));
        }
        let url = self.settings.hosts.check(&file.url).map_err(|error| unreadable(&error))?;
        let bytes = self.api.fetch(&url, self.settings.bytes_max).await?;
        parse_file(&bytes).map_err(|error| unreadable(&error))
    }

    /// Asks for a new URL of a file whose URL had expired, and reads it.
    async fn again(&self, position: Option<&Position>, file: &FileRef) -> Result<JournalFile, JournalError> {
        let before = position.and_then(|position| position.offset.as_ref());
        let offered = match (before, self.settings.start) {
            (None, Start::Latest) => self.api.latest_file().await?,
            (before, _) => self.api.files_after(before, 1).await?.into_iter().next(),
        };
        match offered {
            Some(offered) if offered.offset == file.offset => self.read(&offered).await,
            // It went while we were reading. The next step starts over from the position that is stored.
            _ => Err(JournalError::new(JournalErrorKind::Later(None), "the file is not offered any more")),
        }
    }

    /// Makes what was read durable, or counts what could not be.
    async fn keep(
        &self,
        walk: &mut Walk,
        file: FileRef,
        content: Result<JournalFile, JournalError>,
        now: Timestamp,
    ) -> Result<(), JournalError> {
        let content = match content {
            Ok(content) => content,
            Err(error) => {
                let poison = matches!(error.kind, JournalErrorKind::Unreadable | JournalErrorKind::TooLarge);
                if !poison || self.count_failure(&file.offset) < self.settings.tries {
                    return Err(error);
                }
                tracing::error!(journal = %self.settings.name, %error, "a journal file is given up; its changes must be found by comparison");
                let from = walk
                    .position
                    .as_ref()
                    .map_or(now - retention(self.settings.retention), Position::known_until);
                walk.lost.get_or_insert((from, GapCause::Unreadable));
                JournalFile { offset: None, published_at: None, events: Vec::new() }
            }
        };
        let published_at = content.published_at;
        let gap = walk.lost.take().map(|(from, cause)| Gap {
            id: 0,
            journal: self.settings.name.clone(),
            from,
            to: published_at.unwrap_or(now).max(from),
            cause,
        });
        // While files come, everything up to the last one is known, and nothing after it: we may be days behind.
        let checked_at = published_at.or(walk.position.as_ref().map(Position::known_until)).unwrap_or(now);
        let position = Position { offset: Some(file.offset), published_at, checked_at };
        let step =
            Advance { events: content.events, received: now, position: position.clone(), gap: gap.clone() };
        let stored = self.store.advance(&self.settings.name, step).await?;
        walk.position = Some(position);
        walk.progress.files += 1;
        walk.progress.new_events += stored.new;
        walk.progress.gap = gap.or(walk.progress.gap.take());
        Ok(())
    }

    /// Nothing is newer: everything up to now is known.
    async fn note_silence(&self, walk: &mut Walk, now: Timestamp) -> Result<(), JournalError> {
        let old = walk.position.as_ref();
        let due = old.is_none_or(|old| now.duration_since(old.checked_at) >= CHECK_EVERY);
        if !due && walk.lost.is_none() {
            return Ok(());
        }
        let gap = walk.lost.take().map(|(from, cause)| Gap {
            id: 0,
            journal: self.settings.name.clone(),
            from,
            to: now.max(from),
            cause,
        });
        let gone = gap.as_ref().is_some_and(|gap| gap.cause == GapCause::OffsetGone);
        let position = Position {
            // An offset that HubSpot does not know is of no more use.
            offset: old.filter(|_| !gone).and_then(|old| old.offset.clone()),
            published_at: old.and_then(|old| old.published_at),
            checked_at: now,
        };
        let step = Advance { events: Vec::new(), received: now, position, gap: gap.clone() };
        self.store.advance(&self.settings.name, step).await?;
        walk.progress.gap = gap;
        Ok(())
    }

    fn count_failure(&self, offset: &Offset) -> u32 {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let count = match &*failing {
            Some((before, count)) if before == offset => count.saturating_add(1),
            _ => 1,
        };
        *failing = Some((offset.clone(), count));
        count
    }
}

/// What a step carries from file to file.
struct Walk {
    position: Option<Position>,
    /// Since when changes are lost, to be told with the next thing that is stored.
    lost: Option<(Timestamp, GapCause)>,
    progress: Progress,
}

/// Whether files may have aged out since everything was known.
fn is_away(known_until: Timestamp, now: Timestamp, kept: Duration) -> bool {
    now.duration_since(known_until) > retention(kept)
}

fn retention(kept: Duration) -> SignedDuration {
    SignedDuration::try_from(kept).unwrap_or(SignedDuration::MAX)
}

/// Doubles from the poll's interval on, unless HubSpot said how long.
fn pause_after(error: &JournalError, failures: u32, poll: Duration) -> Duration {
    match error.kind {
        JournalErrorKind::Later(Some(wait)) => wait,
        _ => poll.saturating_mul(2_u32.saturating_pow(failures.min(16))).min(PAUSE_MAX),
    }
}
