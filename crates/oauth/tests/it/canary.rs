//! No secret in any file, message or `Debug` text.

use std::sync::Arc;

use http_transport::TokenProvider as _;
use oauth::{Callback, Grants, Installer, PortalTokens, SqliteTokenStore, SystemEntropy};

use crate::server::{Bench, Does, PORTAL, cookie, keys, state};

/// Everything that is secret in these tests holds it.
const CANARY: &[u8] = b"canary";

fn holds(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

#[tokio::test(start_paused = true)]
async fn a_stolen_store_tells_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteTokenStore::open(&folder.path().join("tokens.db")).unwrap());
    let bench = Bench::new();
    let clock = Arc::new(bench.clock.clone());
    let grants = Arc::new(Grants::new(store.clone(), keys(), Arc::new(SystemEntropy)));
    let installer = Installer::new(bench.endpoint(), grants.clone(), store.clone(), clock.clone());
    let pending = installer.begin(None).await.unwrap();
    let begun = installer.begin(None).await.unwrap();
    let query = format!("code={}&state={}", bench.server.code(), state(&begun.url));
    installer.complete(Callback { query: &query, cookies: Some(&cookie(&begun.set_cookie)) }).await.unwrap();
    let tokens = PortalTokens::new(bench.endpoint(), grants, store.clone(), clock, PORTAL, "one");
    bench.server.change(|inside| inside.rotates = true);
    bench.pass(1_800).await;
    tokens.get().await.unwrap();

    // What of an install under way would let somebody finish it.
    let cookie = cookie(&pending.set_cookie);
    let secrets = [state(&pending.url), cookie.split_once('=').unwrap().1.to_owned()];
    let mut seen = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        seen += bytes.len();
        assert!(!holds(&bytes, CANARY));
        for secret in &secrets {
            assert!(!holds(&bytes, secret.as_bytes()));
        }
    }
    assert!(seen > 4_096, "nothing was there to be read");
}

#[tokio::test(start_paused = true)]
async fn no_message_and_no_debug_text_tells_a_secret() {
    let bench = Bench::installed().await;
    let tokens = bench.tokens("one");
    let mut said = vec![
        format!("{tokens:?} {:?} {:?} {:?}", bench.grants, bench.store, bench.installer()),
        format!("{:?} {:?}", bench.endpoint(), bench.endpoint().app()),
        format!("{:?}", bench.grants.load("app", PORTAL).await.unwrap()),
    ];
    let begun = bench.installer().begin(None).await.unwrap();
    let state = state(&begun.url);
    said.push(format!("{begun:?}"));
    let query = format!("code=canary-code&state={state}");
    let callback = Callback { query: &query, cookies: Some(&cookie(&begun.set_cookie)) };
    said.push(format!("{callback:?}"));
    let refused = bench.installer().complete(callback).await.unwrap_err();
    said.push(format!("{refused} {refused:?}"));
    bench.pass(1_800).await;
    for does in [Does::Status(500), Does::Status(429), Does::Down] {
        bench.server.change(|inside| inside.script = std::iter::repeat_n(does, 3).collect());
        let error = tokens.get().await.unwrap_err();
        said.push(format!("{error} {error:?}"));
        bench.pass(100).await;
    }
    bench.server.change(|inside| {
        inside.script.clear();
        inside.refresh = None;
    });
    let error = tokens.token().await.unwrap_err();
    said.push(format!("{error} {error:?}"));
    assert_eq!(said.len(), 10);
    for text in said {
        assert!(!holds(text.as_bytes(), CANARY) && !text.contains(&state), "{text}");
    }
}
