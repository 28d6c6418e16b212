//! Suites that ask whether an implementation keeps its trait's promises.
//!
//! [`adapter`] asks everything of a source adapter that it [declares](sync_types::Abilities), over a [`Workbench`]
//! that changes the system behind the adapter's back. [`source`] asks what can be asked of data that nobody may
//! change, and [`store`] asks a state store.

mod changes;
mod scan;
mod store;
mod workbench;
mod writer;

use sync_types::ScanPromise;

pub use scan::source;
pub use store::store;
pub use workbench::{Pending, Workbench};

/// Does this adapter keep the promises that it declares?
///
/// The collection is filled, changed and emptied of the records that the suite made. What is asked: what [`source`]
/// asks; scans while the collection changes, by [`ScanPromise`]; changes, where they can be asked for; and creation,
/// change and deletion, where a writer offers them.
///
/// # Panics
/// With the broken promise.
pub async fn adapter(bench: &dyn Workbench) {
    workbench::fill(bench).await;
    let opened = bench.open().await;
    let collection = bench.collection();
    let abilities = opened.abilities(&collection);
    source(opened.as_ref(), &collection).await;
    scan::words(bench).await;
    match abilities.scan {
        ScanPromise::Shifting => {}
        ScanPromise::Whole => scan::while_it_changes(bench, false).await,
        ScanPromise::Steady => scan::while_it_changes(bench, true).await,
    }
    match abilities.changes {
        Some(promise) => changes::told(bench, promise).await,
        None => changes::unsupported(bench).await,
    }
    writer::writes(bench).await;
    workbench::empty(bench).await;
}

#[allow(clippy::panic, reason = "a suite fails by panicking, like an assertion")]
fn broken(promise: &str) -> ! {
    panic!("broken promise: {promise}")
}

fn check(holds: bool, promise: &str) {
    if !holds {
        broken(promise);
    }
}

/// The good end of a call that must not fail here.
fn good<T, E: std::fmt::Display>(result: Result<T, E>, promise: &str) -> T {
    match result {
        Ok(value) => value,
        Err(error) => broken(&format!("{promise}: {error}")),
    }
}
