//! A thread of its own for work that lasts as long as the service.
//!
//! The runtime's threads for blocking work are a fixed number, and token stores, host names and files need them: workers
//! that took one each for good would stop everything as soon as there are as many portals.

use std::future::Future;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Why the work did not end by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// The system gives no further thread.
    #[error("the system gives no further thread")]
    NoThread,
    /// It came to a fault in the program.
    #[error("a fault in the program")]
    Broken,
}

/// Runs what `begin` makes, which need not be able to move between threads, to its end. If the caller gives up, the thread
/// goes on until the process ends.
pub(crate) async fn on_own_thread<F: Future<Output = ()>>(
    name: String,
    begin: impl FnOnce() -> F + Send + 'static,
) -> Result<(), Fault> {
    let (ending, ended) = oneshot::channel();
    let runtime = Handle::current();
    let thread = std::thread::Builder::new().name(name).spawn(move || {
        runtime.block_on(begin());
        // Nobody may be waiting for it any more. After a fault it is dropped unsent.
        let _ = ending.send(());
    });
    thread.map_err(|_| Fault::NoThread)?;
    ended.await.map_err(|_| Fault::Broken)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Barrier;

    use super::*;

    #[test]
    fn more_workers_than_blocking_threads_leave_room_for_others() {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let all_are_there = Arc::new(Barrier::new(4));
            let mut workers = tokio::task::JoinSet::new();
            for number in 0..3 {
                let all = all_are_there.clone();
                workers.spawn(on_own_thread(format!("portal {number}"), move || async move {
                    all.wait().await;
                }));
            }
            let work = async {
                // What a token store does while all workers are under way.
                assert_eq!(tokio::task::spawn_blocking(|| 7).await.unwrap(), 7);
                all_are_there.wait().await;
                while let Some(ended) = workers.join_next().await {
                    assert_eq!(ended.unwrap(), Ok(()));
                }
            };
            tokio::time::timeout(std::time::Duration::from_secs(20), work)
                .await
                .expect("nobody waits for ever");
        });
    }

    #[tokio::test]
    async fn a_fault_is_told_to_whoever_waits() {
        let broken = on_own_thread("portal 7".to_owned(), || async {
            std::panic::resume_unwind(Box::new("a fault"));
        });
        assert_eq!(broken.await, Err(Fault::Broken));
    }
}
