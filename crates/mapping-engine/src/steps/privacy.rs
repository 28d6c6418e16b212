//! Values that HubSpot shall recognise but not learn: hashes and masks.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// SHA-256 of the text's UTF-8 bytes, in 64 small hexadecimal digits; with a key, HMAC-SHA-256.
///
/// Without a key, whoever can guess values (addresses, numbers) can test the guesses against the hash; with one, only
/// who has the key can.
#[derive(Clone)]
pub(crate) struct Hash {
    key: Option<Arc<Hmac<Sha256>>>,
}

impl Hash {
    pub(crate) fn plain() -> Hash {
        Hash { key: None }
    }

    /// `None`: the key is empty.
    pub(crate) fn keyed(key: &[u8]) -> Option<Hash> {
        let keyed = Hmac::new_from_slice(key).ok().filter(|_| !key.is_empty())?;
        Some(Hash { key: Some(Arc::new(keyed)) })
    }

    pub(crate) fn of(&self, text: &str) -> String {
        match &self.key {
            None => hex(&Sha256::digest(text.as_bytes())),
            Some(key) => {
                let mut mac = (**key).clone();
                mac.update(text.as_bytes());
                hex(&mac.finalize().into_bytes())
            }
        }
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.key.is_some() { "Hash(keyed)" } else { "Hash(plain)" })
    }
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// How a value is masked: so many characters stay in clear at each end, at most half of them in all, and each other
/// one becomes the mark.
#[derive(Clone, Debug)]
pub(crate) struct Mask {
    pub(crate) first: usize,
    pub(crate) last: usize,
    pub(crate) mark: char,
}

impl Mask {
    pub(crate) fn of(&self, text: &str) -> String {
        let count = text.chars().count();
        // A short text shows nothing that a long one would not.
        let shown = self.first + self.last <= count / 2;
        let clear = |place: usize| shown && (place < self.first || place >= count - self.last);
        text.chars().enumerate().map(|(place, c)| if clear(place) { c } else { self.mark }).collect()
    }
}
