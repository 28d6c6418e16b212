//! One thread that owns the connection. Whatever is asked while a commit is under way shares the next one.

use std::thread;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{InboxError, InboxErrorKind};

/// Calls that may stand in line. Their events are bounded by who makes the calls.
const QUEUE: usize = 4_096;

/// Rows after which a group is committed although more calls stand in line: their callers have waited enough.
const GROUP_ROWS: usize = 10_000;

/// Tells a caller what became of its call: all of it is durable, or nothing is.
type Finish = Box<dyn FnOnce(Result<(), &InboxError>) + Send>;

/// Does the work of one call inside the group's transaction. Without a connection it does nothing.
type Run = Box<dyn FnOnce(Option<&Connection>) -> (rusqlite::Result<()>, Finish) + Send>;

struct Job {
    rows: usize,
    run: Run,
}

/// The line in front of the thread.
#[derive(Clone, Debug)]
pub(super) struct Line(mpsc::Sender<Job>);

/// Ends when every [`Line`] is gone and all of their calls are done.
pub(super) type Ended = oneshot::Receiver<()>;

/// Starts the thread.
pub(super) fn start(connection: Connection) -> Result<(Line, Ended), InboxError> {
    let (sender, jobs) = mpsc::channel(QUEUE);
    let (ending, ended) = oneshot::channel();
    thread::Builder::new()
        .name("inbox".to_owned())
        .spawn(move || {
            work(connection, jobs);
            // The connection is closed by now. Nobody may be waiting for it.
            let _ = ending.send(());
        })
        .map_err(|error| InboxError::new(InboxErrorKind::Io, format!("cannot start a thread: {error}")))?;
    Ok((Line(sender), ended))
}

impl Line {
    /// Runs `call` in a transaction with others and returns after its commit. `rows` is about how many it writes.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        rows: usize,
        call: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, InboxError> {
        let (reply, answer) = oneshot::channel();
        let run: Run = Box::new(move |connection| {
            let (outcome, value) = match connection.map(call) {
                Some(Ok(value)) => (Ok(()), Some(value)),
                Some(Err(error)) => (Err(error), None),
                None => (Ok(()), None),
            };
            let finish: Finish = Box::new(move |committed| {
                let answer = match (committed, value) {
                    (Ok(()), Some(value)) => Ok(value),
                    (Err(error), _) => Err(error.clone()),
                    (Ok(()), None) => Err(closed()),
                };
                // A caller that gave up wants no answer.
                let _ = reply.send(answer);
            });
            (outcome, finish)
        });
        self.0.send(Job { rows, run }).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

fn work(connection: Connection, mut jobs: mpsc::Receiver<Job>) {
    let mut broken: Option<InboxError> = None;
    while let Some(first) = jobs.blocking_recv() {
        match &broken {
            Some(error) => {
                let (_, finish) = (first.run)(None);
                finish(Err(error));
            }
            None => {
                let error = group(&connection, first, &mut jobs);
                broken = error.filter(|error| error.kind == InboxErrorKind::Broken);
            }
        }
    }
}

/// Runs the first job and those that wait behind it, and commits once. Returns the error if it could not.
fn group(connection: &Connection, first: Job, jobs: &mut mpsc::Receiver<Job>) -> Option<InboxError> {
    let mut finishes: Vec<Finish> = Vec::new();
    let mut rows = 0;
    let mut next = Some(first);
    let mut outcome = connection.execute_batch("BEGIN IMMEDIATE");
    while let Some(job) = next.take() {
        rows += job.rows;
        // Without a transaction nothing must run: it would be committed by itself.
        let (done, finish) = (job.run)(outcome.is_ok().then_some(connection));
        finishes.push(finish);
        if outcome.is_ok() {
            outcome = done;
        }
        if outcome.is_err() || rows >= GROUP_ROWS {
            break;
        }
        next = jobs.try_recv().ok();
    }
    let outcome = outcome.and_then(|()| connection.execute_batch("COMMIT"));
    let outcome = outcome.map_err(|error| classify(&error));
    if outcome.is_err() && !connection.is_autocommit() {
        // A rollback that fails leaves a transaction open, and then the next BEGIN says so.
        let _ = connection.execute_batch("ROLLBACK");
    }
    for finish in finishes {
        finish(outcome.as_ref().copied());
    }
    outcome.err()
}

fn closed() -> InboxError {
    InboxError::new(InboxErrorKind::Closed, "the inbox is closed")
}

/// What an error of SQLite means for the inbox.
pub(super) fn classify(error: &rusqlite::Error) -> InboxError {
    use rusqlite::ErrorCode;
    // SQLITE_IOERR with its detail "fsync".
    const FSYNC_FAILED: i32 = 10 | (4 << 8);
    let (code, extended) = match error {
        rusqlite::Error::SqliteFailure(failure, _) => (Some(failure.code), failure.extended_code),
        _ => (None, 0),
    };
    let kind = match code {
        _ if extended == FSYNC_FAILED => InboxErrorKind::Broken,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => InboxErrorKind::Locked,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => InboxErrorKind::Corrupt,
        Some(ErrorCode::DiskFull) => InboxErrorKind::Full,
        _ => InboxErrorKind::Io,
    };
    InboxError::new(kind, format!("the inbox's file: {error}"))
}
