//! Rotation of the master key while grants are in use.

use std::sync::Arc;

use oauth::{Grants, KeyId, Keys, MasterKey, StoreErrorKind, SystemEntropy};
use secrecy::ExposeSecret as _;

use crate::server::{Bench, Counted, PORTAL};

fn fresh() -> MasterKey {
    MasterKey::from_base64(&MasterKey::generate(&SystemEntropy).unwrap()).unwrap()
}

fn old() -> MasterKey {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(b"canary-master-key-canary-master-");
    MasterKey::from_base64(&text.into()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn after_a_rotation_the_former_key_is_needed_no_more() {
    let bench = Bench::installed().await;
    let id = |name: &str| KeyId::new(name).unwrap();
    let text = MasterKey::generate(&SystemEntropy).unwrap();
    let new = || MasterKey::from_base64(&text).unwrap();
    let grants = |keys| Grants::new(bench.store.clone(), keys, Arc::new(Counted::default()));

    let early = grants(Keys::new(id("k2"), new())).load("app", PORTAL).await.unwrap_err();
    assert_eq!(early.kind(), StoreErrorKind::Corrupt);
    let cause = std::error::Error::source(&early).unwrap().to_string();
    assert!(cause.contains("`k1`"), "{cause}");

    let both = grants(Keys::new(id("k2"), new()).with_former(id("k1"), old()));
    assert_eq!(both.rotate_keys().await.unwrap(), 1);
    assert_eq!(both.rotate_keys().await.unwrap(), 0);
    let (grant, _) = grants(Keys::new(id("k2"), new())).load("app", PORTAL).await.unwrap().unwrap();
    assert_eq!(grant.portal(), PORTAL);
    assert!(bench.tokens("with the old key").get().await.is_err());
    assert!(grants(Keys::new(id("k2"), fresh())).load("app", PORTAL).await.is_err());
    assert!(!text.expose_secret().is_empty());
}
