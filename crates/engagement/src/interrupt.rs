//! Ctrl-C and the wish of a service manager to stop.

use crate::Failure;

/// Notices when somebody asks this process to end: Ctrl-C, or SIGTERM where there is one. From its making on nothing
/// is missed, also while nobody waits.
#[derive(Debug)]
pub(crate) struct Interrupts {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
}

impl Interrupts {
    /// Begins to listen.
    ///
    /// # Errors
    /// The system does not let this process listen.
    pub(crate) fn listen() -> Result<Interrupts, Failure> {
        let fail =
            |error: std::io::Error| Failure::new("this process cannot listen for signals").caused_by(&error);
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let interrupt = signal(SignalKind::interrupt()).map_err(fail)?;
            Ok(Interrupts { interrupt, terminate: signal(SignalKind::terminate()).map_err(fail)? })
        }
        #[cfg(windows)]
        Ok(Interrupts { interrupt: tokio::signal::windows::ctrl_c().map_err(fail)? })
    }

    /// Returns once this process has been asked to end.
    pub(crate) async fn asked_to_end(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(windows)]
        let _ = self.interrupt.recv().await;
    }

    /// The work's end, unless this process is asked to end before. Work that is dropped in the middle is as safe as
    /// work that is killed: what was sent is on record.
    pub(crate) async fn unless_asked<T>(
        &mut self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            ended = work => ended,
            () = self.asked_to_end() => Err(Failure::interruption()),
        }
    }
}
