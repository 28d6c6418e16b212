//! Ctrl-C and the wish of a service manager to stop.

use std::io;

use crate::Failure;

/// Returns when somebody asks this process to end: Ctrl-C, or SIGTERM where there is one.
pub(crate) async fn asked_to_end() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

/// The work's end, unless somebody asks this process to end before. Work that is dropped in the middle is as safe as
/// work that is killed: what was sent is on record.
pub(crate) async fn unless_interrupted<T>(
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        ended = work => ended,
        interrupted = asked_to_end() => Err(match interrupted {
            Ok(()) => Failure::new("interrupted").remedy("nothing is lost: the next run goes on from here"),
            Err(error) => Failure::new("this process cannot listen for signals").caused_by(&error),
        }),
    }
}
