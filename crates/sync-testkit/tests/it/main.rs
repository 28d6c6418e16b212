//! The suites must pass on what keeps the promises and fail on what does not.

use std::panic::AssertUnwindSafe;

use async_trait::async_trait;
use sync_testkit::{MemorySource, conformance};
use sync_types::{Collection, ExternalId, Page, ReadRequest, Record, Schema, Source, SourceError};

fn filled() -> MemorySource {
    let source = MemorySource::new();
    source.collection("people", &["name", "city"]);
    for id in ["a", "b", "c", "d", "e"] {
        source.put("people", id, vec![id.into(), "Oslo".into()]);
    }
    source
}

#[tokio::test]
async fn the_memory_source_keeps_the_promises() {
    conformance::source(&filled(), &"people".into()).await;
}

/// A source with one fault.
#[derive(Debug)]
struct Broken {
    inner: MemorySource,
    fault: Fault,
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    DropsPageBorder,
    IgnoresMax,
    MixesOrder,
    InventsCollections,
    HidesSchema,
}

#[async_trait]
impl Source for Broken {
    async fn describe(&self) -> Result<Vec<Schema>, SourceError> {
        match self.fault {
            Fault::HidesSchema => Ok(Vec::new()),
            _ => self.inner.describe().await,
        }
    }
    async fn read_page(&self, request: &ReadRequest) -> Result<Page, SourceError> {
        match self.fault {
            Fault::InventsCollections if request.collection.as_str() != "people" => Ok(Page::default()),
            Fault::IgnoresMax => {
                let request = ReadRequest { max: usize::MAX / 2, ..request.clone() };
                self.inner.read_page(&request).await
            }
            Fault::DropsPageBorder => {
                let mut page = self.inner.read_page(request).await?;
                if request.after.is_some() && page.records.len() > 1 {
                    drop(page.records.remove(0));
                }
                Ok(page)
            }
            _ => self.inner.read_page(request).await,
        }
    }
    async fn read(
        &self,
        collection: &Collection,
        ids: &[ExternalId],
    ) -> Result<Vec<Option<Record>>, SourceError> {
        let mut read = self.inner.read(collection, ids).await?;
        if matches!(self.fault, Fault::MixesOrder) {
            read.reverse();
        }
        Ok(read)
    }
}

#[tokio::test]
async fn each_fault_is_caught() {
    use futures_util::FutureExt as _;
    for fault in [
        Fault::DropsPageBorder,
        Fault::IgnoresMax,
        Fault::MixesOrder,
        Fault::InventsCollections,
        Fault::HidesSchema,
    ] {
        let source = Broken { inner: filled(), fault };
        let collection = "people".into();
        let verdict = AssertUnwindSafe(conformance::source(&source, &collection)).catch_unwind().await;
        assert!(verdict.is_err(), "{fault:?} went unnoticed");
    }
}
