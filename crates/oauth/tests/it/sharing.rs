//! Stores that fail or are written by others in the middle of a renewal.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use http_transport::Clock as _;
use oauth::{
    Entry, GrantStatus, Grants, NoToken, PortalTokens, Revision, Sealed, SealedStore, StoreError,
    StoreErrorKind,
};
use secrecy::ExposeSecret as _;

use crate::server::{Bench, Counted, Does, PORTAL, keys};

/// Lets so many writes through, then refuses so many.
#[derive(Debug)]
struct Failing {
    inner: Arc<dyn SealedStore>,
    good: AtomicU32,
    bad: AtomicU32,
}

#[async_trait]
impl SealedStore for Failing {
    async fn get(&self, name: &str) -> Result<Option<Entry>, StoreError> {
        self.inner.get(name).await
    }

    async fn put(
        &self,
        name: &str,
        sealed: &Sealed,
        expected: Option<Revision>,
    ) -> Result<Revision, StoreError> {
        let take = |count: &AtomicU32| {
            count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
        };
        if !take(&self.good) && take(&self.bad) {
            return Err(StoreError::new(StoreErrorKind::Unavailable, "the disk is full"));
        }
        self.inner.put(name, sealed, expected).await
    }

    async fn delete(&self, name: &str) -> Result<(), StoreError> {
        self.inner.delete(name).await
    }

    async fn names(&self) -> Result<Vec<String>, StoreError> {
        self.inner.names().await
    }
}

fn tokens_over(bench: &Bench, store: Arc<dyn SealedStore>) -> PortalTokens {
    let grants = Arc::new(Grants::new(store, keys(), Arc::new(Counted::default())));
    let clock = Arc::new(bench.clock.clone());
    PortalTokens::new(bench.endpoint(), grants, bench.store.clone(), clock, PORTAL, "one")
}

#[tokio::test(start_paused = true)]
async fn a_rotated_token_that_cannot_be_stored_is_neither_used_nor_lost() {
    let bench = Bench::installed().await;
    bench.server.change(|inside| inside.rotates = true);
    bench.pass(1_800).await;
    // The note that a renewal begins is written; its end is not, for all the attempts of one call.
    let (good, bad) = (AtomicU32::new(1), AtomicU32::new(4));
    let tokens = tokens_over(&bench, Arc::new(Failing { inner: bench.store.clone(), good, bad }));
    let error = tokens.get().await.unwrap_err();
    assert!(matches!(error, NoToken::Unavailable { .. }), "{error}");
    bench.clock.sleep(Duration::from_secs(5)).await;
    assert_eq!(tokens.get().await.unwrap().expose_secret(), "canary-access-2");
    assert_eq!(bench.server.grants("refresh_token"), 1);
    let (grant, _) = bench.grants.load("app", PORTAL).await.unwrap().unwrap();
    assert_eq!(grant.refreshing(), None);
    bench.pass(1_800).await;
    assert_eq!(get(&bench.tokens("another")).await, "canary-access-3");
}

async fn get(tokens: &PortalTokens) -> String {
    tokens.get().await.unwrap().expose_secret().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_short_trouble_of_the_store_is_sat_out() {
    let bench = Bench::installed().await;
    bench.pass(1_800).await;
    let (good, bad) = (AtomicU32::new(1), AtomicU32::new(2));
    let tokens = tokens_over(&bench, Arc::new(Failing { inner: bench.store.clone(), good, bad }));
    assert_eq!(get(&tokens).await, "canary-access-2");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_takes_no_note_lets_no_renewal_begin() {
    let bench = Bench::installed().await;
    bench.pass(1_800).await;
    let (good, bad) = (AtomicU32::new(0), AtomicU32::new(1));
    let tokens = tokens_over(&bench, Arc::new(Failing { inner: bench.store.clone(), good, bad }));
    assert!(tokens.get().await.is_err());
    assert_eq!(bench.server.calls(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_new_install_in_the_middle_of_a_renewal_wins() {
    for rotates in [false, true] {
        let bench = Bench::installed().await;
        bench.server.change(|inside| inside.rotates = rotates);
        bench.pass(1_800).await;
        bench.server.change(|inside| inside.script.push_back(Does::Slowly(10)));
        let tokens = bench.tokens("one");
        let renewal = {
            let tokens = tokens.clone();
            tokio::spawn(async move { tokens.get().await })
        };
        bench.pass(1).await;
        let begun = bench.installer().begin(None).await.unwrap();
        let query = format!("code={}&state={}", bench.server.code(), crate::server::state(&begun.url));
        let cookie = crate::server::cookie(&begun.set_cookie);
        bench.installer().complete(oauth::Callback { query: &query, cookies: Some(&cookie) }).await.unwrap();
        let installed = "canary-access-3";
        assert_eq!(renewal.await.unwrap().unwrap().expose_secret(), installed, "rotates {rotates}");
        assert_eq!(get(&tokens).await, installed);
        let (grant, _) = bench.grants.load("app", PORTAL).await.unwrap().unwrap();
        assert_eq!(grant.status(), &GrantStatus::Active);
        bench.pass(1_800).await;
        assert_eq!(get(&tokens).await, "canary-access-4");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rewrite_in_the_middle_of_a_renewal_changes_nothing_of_its_end() {
    for (rotates, revoked) in [(false, false), (true, false), (false, true)] {
        let bench = Bench::installed().await;
        bench.pass(1_800).await;
        bench.server.change(|inside| {
            inside.rotates = rotates;
            inside.script.push_back(Does::Slowly(10));
            if revoked {
                inside.refresh = None;
            }
        });
        let tokens = bench.tokens("one");
        let renewal = {
            let tokens = tokens.clone();
            tokio::spawn(async move { tokens.get().await })
        };
        bench.pass(1).await;
        // As a rotation of keys does: the same content under another revision.
        let (grant, revision) = bench.grants.load("app", PORTAL).await.unwrap().unwrap();
        bench.grants.save(&grant, Some(revision)).await.unwrap();
        let outcome = renewal.await.unwrap();
        let (grant, _) = bench.grants.load("app", PORTAL).await.unwrap().unwrap();
        if revoked {
            assert!(matches!(outcome, Err(NoToken::NeedsReauthorisation { .. })), "{outcome:?}");
            assert!(matches!(grant.status(), GrantStatus::NeedsReauthorisation { .. }));
        } else {
            assert_eq!(outcome.unwrap().expose_secret(), "canary-access-2", "rotates {rotates}");
            assert_eq!(grant.refreshing(), None);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_frozen_past_its_lease_brings_its_answer_in_or_gives_way() {
    // Frozen: it asked, another one took over when the lease was over, and only then it goes on.
    for rotates in [false, true] {
        let bench = Bench::installed().await;
        bench.server.change(|inside| inside.rotates = rotates);
        bench.pass(1_800).await;
        let (frozen, other) = (bench.tokens("frozen"), bench.tokens("other"));
        let store = bench.store.clone();
        // The lease is taken away as if its time were over.
        bench.server.change(|inside| inside.script.push_back(Does::Slowly(10)));
        let renewal = {
            let frozen = frozen.clone();
            tokio::spawn(async move { frozen.get().await })
        };
        bench.pass(1).await;
        for fence in 0..10 {
            let hold = oauth::LeaseHold { name: "refresh/app/7".to_owned(), fence };
            oauth::Lease::release(&*store, &hold).await.unwrap();
        }
        let others = other.get().await;
        let frozens = renewal.await.unwrap().unwrap();
        if rotates {
            // The other one was refused; the frozen one holds the only refresh token that works, and it is kept.
            assert!(matches!(others, Err(NoToken::NeedsReauthorisation { .. })));
            assert_eq!(frozens.expose_secret(), "canary-access-2");
        } else {
            assert_eq!(others.unwrap().expose_secret(), "canary-access-3");
        }
        bench.pass(1_800).await;
        assert!(get(&other).await.starts_with("canary-access-"), "rotates {rotates}");
        assert_eq!(get(&other).await, get(&frozen).await);
    }
}
