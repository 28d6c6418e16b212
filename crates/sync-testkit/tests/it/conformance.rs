//! Each promise that the suites ask for, broken once.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use sync_testkit::conformance::{self, Pending, Workbench};
use sync_testkit::{Memory, MemorySource};
use sync_types::{Collection, ExternalId, Source, StateStore as _, StoreErrorKind};

use crate::faulty::{Fault, Faulty};

/// A system in memory behind an adapter with one fault, or none.
struct Bench {
    system: Arc<MemorySource>,
    fault: Option<Fault>,
    is_pending: Arc<AtomicBool>,
}

impl Bench {
    fn new(fault: Option<Fault>) -> Bench {
        let system = Arc::new(MemorySource::new());
        system.collection("people", &["name", "city", "note"]);
        Bench { system, fault, is_pending: Arc::default() }
    }
}

fn id(number: u32) -> String {
    format!("p{number:02}")
}

fn put(system: &MemorySource, number: u32, texts: [&str; 2]) -> ExternalId {
    system.put("people", &id(number), vec![texts[0].into(), texts[1].into(), "kept".into()]);
    id(number).into()
}

#[async_trait]
impl Workbench for Bench {
    async fn open(&self) -> Arc<dyn Source> {
        match self.fault {
            None => Arc::clone(&self.system) as Arc<dyn Source>,
            Some(fault) => {
                Arc::new(Faulty::new(Arc::clone(&self.system), fault, Arc::clone(&self.is_pending)))
            }
        }
    }
    fn collection(&self) -> Collection {
        "people".into()
    }
    fn fields(&self) -> [&'static str; 2] {
        ["name", "city"]
    }
    async fn put(&self, number: u32, texts: [&str; 2]) -> ExternalId {
        put(&self.system, number, texts)
    }
    async fn remove(&self, number: u32) {
        self.system.remove("people", &id(number));
    }
    async fn put_later(&self, number: u32, texts: [&str; 2]) -> Option<Box<dyn Pending>> {
        self.is_pending.store(true, Ordering::Relaxed);
        let texts = texts.map(str::to_owned);
        let (system, is_pending) = (Arc::clone(&self.system), Arc::clone(&self.is_pending));
        Some(Box::new(Later { system, is_pending, number, texts }))
    }
}

struct Later {
    system: Arc<MemorySource>,
    is_pending: Arc<AtomicBool>,
    number: u32,
    texts: [String; 2],
}

#[async_trait]
impl Pending for Later {
    async fn commit(self: Box<Self>) -> ExternalId {
        self.is_pending.store(false, Ordering::Relaxed);
        put(&self.system, self.number, self.texts.each_ref().map(String::as_str))
    }
}

#[tokio::test]
async fn the_memory_source_keeps_every_promise() {
    let bench = Bench::new(None);
    conformance::adapter(&bench).await;
    assert_eq!(bench.system.ids("people"), [""; 0], "the suite leaves nothing behind");
    // The same system once more: tokens of the first time are known.
    conformance::adapter(&bench).await;
}

#[tokio::test]
async fn each_broken_promise_is_named() {
    // A suite that fails prints its panic; that is what it is for.
    std::panic::set_hook(Box::new(|_| {}));
    let mut wrong = Vec::new();
    for (fault, promise) in Fault::ALL {
        let bench = Bench::new(Some(*fault));
        let verdict = AssertUnwindSafe(conformance::adapter(&bench)).catch_unwind().await;
        let told = match verdict {
            Ok(()) => "nothing".to_owned(),
            Err(told) => told.downcast::<String>().map_or_else(|_| "no text".to_owned(), |text| *text),
        };
        if !told.contains(promise) {
            wrong.push(format!("{fault:?} told as: {told}"));
        }
    }
    drop(std::panic::take_hook());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_store_in_memory_keeps_its_promises_and_lets_one_in_at_a_time() {
    let memory = Memory::new([1; 16]);
    let mut store = memory.open().unwrap();
    conformance::store(&mut store);
    assert_eq!(memory.open().unwrap_err().kind, StoreErrorKind::Locked);
    let totals = store.totals().unwrap();
    drop(store);
    let after = memory.open().unwrap().totals().unwrap();
    assert_eq!((after.pairs, after.edges), (totals.pairs, totals.edges), "it is there after reopening");
}
