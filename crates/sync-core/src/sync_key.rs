//! The sync key: how a record is found again, whoever asks and whatever was lost.

use sha2::{Digest, Sha256};
use sync_types::{ExternalId, SyncKey};

use crate::mutation::{self, Bug};

/// The sync key of a source record in HubSpot.
///
/// Derived from names only, so that a lost state store costs nothing: the same record gets the same key and its
/// upsert finds what is there. It holds no readable part of the source's id, because an id may be an e-mail
/// address, and it is lower-case, because HubSpot compares text without regard to case.
#[must_use]
pub fn sync_key(engagement: &str, link: &str, external: &ExternalId, generation: u32) -> SyncKey {
    let mut hasher = Sha256::new();
    // Lengths keep ("ab", "c") and ("a", "bc") apart.
    for part in [engagement, link, external.as_str()] {
        if !mutation::is(Bug::KeyRunsTogether) {
            hasher.update((part.len() as u64).to_le_bytes());
        }
        hasher.update(part.as_bytes());
    }
    let generation = if mutation::is(Bug::KeyWithoutGeneration) { 0 } else { generation };
    hasher.update(generation.to_le_bytes());
    let digest = hasher.finalize();
    let mut text = String::with_capacity(32);
    for byte in digest.iter().take(16) {
        for half in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
    }
    SyncKey::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_depends_on_every_part_and_on_nothing_else() {
        let key = |e: &str, l: &str, x: &str, g| sync_key(e, l, &x.into(), g);
        let base = key("acme", "people", "7", 0);
        assert_eq!(base, key("acme", "people", "7", 0));
        assert_eq!(base.as_str().len(), 32);
        for other in [
            key("acm", "epeople", "7", 0),
            key("acme", "orders", "7", 0),
            key("acme", "people", "8", 0),
            key("acme", "people", "7", 1),
        ] {
            assert_ne!(base, other);
        }
        // A released key must never change: it is what finds the records of every engagement again.
        assert_eq!(base.as_str(), "06a7d1124ba3e2ee087b481076e6accf");
    }
}
