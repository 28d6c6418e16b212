//! Envelope encryption: each value under a key of its own, that key under a master key that never rests with the data.
//!
//! AES-256-GCM twice. The name of the entry is authenticated with the value, so that one portal's entry put in the place
//! of another's does not open. Rotating the master key re-encrypts the small keys only.

use std::collections::BTreeMap;
use std::fmt;

use aes_gcm::aead::{Aead as _, Nonce, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use zeroize::Zeroizing;

use crate::entropy::{Entropy, NoEntropy};

const FORMAT: &[u8] = b"HK1";
const KEY: usize = 32;
const NONCE: usize = 12;
const TAG: usize = 16;

/// The name of a master key. It stands readable beside what is sealed with it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(String);

impl KeyId {
    /// A name of 1 to 64 letters, digits, `-`, `_` and `.`, such as `2026-11`.
    ///
    /// # Errors
    /// [`EnvelopeError::KeyId`] for anything else.
    pub fn new(name: &str) -> Result<Self, EnvelopeError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
            return Err(EnvelopeError::KeyId);
        }
        Ok(Self(name.to_owned()))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// 256 bits that open everything sealed with them. Wiped when dropped; `Debug` shows nothing of it.
pub struct MasterKey(SecretBox<[u8; KEY]>);

impl MasterKey {
    /// Reads a key from base64 text of 32 bytes, such as `openssl rand -base64 32` prints.
    ///
    /// # Errors
    /// [`EnvelopeError::MasterKey`] when it is not that.
    pub fn from_base64(text: &SecretString) -> Result<Self, EnvelopeError> {
        let decoded = STANDARD.decode(text.expose_secret().trim()).map_err(|_| EnvelopeError::MasterKey)?;
        let decoded = Zeroizing::new(decoded);
        let bytes = <[u8; KEY]>::try_from(decoded.as_slice()).map_err(|_| EnvelopeError::MasterKey)?;
        Ok(Self(SecretBox::new(Box::new(bytes))))
    }

    /// A new key as text, to be kept where the sealed data does not rest: a secret store or a mounted file.
    ///
    /// # Errors
    /// The machine gives no random bytes.
    pub fn generate(entropy: &dyn Entropy) -> Result<SecretString, NoEntropy> {
        let bytes = random::<KEY>(entropy)?;
        Ok(SecretString::from(STANDARD.encode(bytes.as_slice())))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

/// The master keys in use: one seals, all open.
#[derive(Debug)]
pub struct Keys {
    current: KeyId,
    keys: BTreeMap<KeyId, MasterKey>,
}

/// What was sealed, or cannot be opened. Shows no content.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The name of a key cannot be one.
    #[error("a key id has 1 to 64 letters, digits, `-`, `_` and `.`")]
    KeyId,
    /// The text is no master key.
    #[error("a master key is base64 of 32 bytes: make one with `openssl rand -base64 32`")]
    MasterKey,
    /// Sealed with a key that was not given.
    #[error("sealed with master key `{0}`, which is not among those given: add it as a former key")]
    UnknownKey(KeyId),
    /// Not what was sealed under this name: changed, cut, moved from another entry, or sealed with another key of the
    /// same id.
    #[error("the entry is damaged, belongs under another name or was sealed with another key of the same id")]
    Damaged,
    /// The machine gives no random bytes.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

/// Sealed bytes: safe to store, to copy and to back up. `Debug` shows their number.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// Takes bytes as they were stored. Whether they are sealed at all shows when they are opened.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} bytes)", self.0.len())
    }
}

impl Keys {
    /// One key that seals and opens.
    #[must_use]
    pub fn new(id: KeyId, key: MasterKey) -> Self {
        Self { keys: BTreeMap::from([(id.clone(), key)]), current: id }
    }

    /// Adds a key that opens what was sealed before a rotation. A key of the current id is left as it is.
    #[must_use]
    pub fn with_former(mut self, id: KeyId, key: MasterKey) -> Self {
        self.keys.entry(id).or_insert(key);
        self
    }

    /// Seals `content` under `name`.
    ///
    /// # Errors
    /// The machine gives no random bytes.
    pub fn seal(&self, name: &str, content: &[u8], entropy: &dyn Entropy) -> Result<Sealed, EnvelopeError> {
        let data_key = random::<KEY>(entropy)?;
        let nonce = random::<NONCE>(entropy)?;
        let body = encrypt(data_key.as_slice(), nonce.as_slice(), content, &body_context(name))?;
        self.assemble(name, data_key.as_slice(), nonce.as_slice(), &body, entropy)
    }

    /// Opens what was sealed under `name`.
    ///
    /// # Errors
    /// [`EnvelopeError::UnknownKey`] or [`EnvelopeError::Damaged`].
    pub fn open(&self, name: &str, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        let parts = Parts::of(&sealed.0)?;
        let data_key = self.data_key(name, &parts)?;
        decrypt(&data_key, parts.nonce, parts.body, &body_context(name))
    }

    /// The same content under the current master key; `None` when it is sealed with that one already.
    ///
    /// # Errors
    /// [`EnvelopeError::UnknownKey`] or [`EnvelopeError::Damaged`], or no random bytes.
    pub fn rotate(
        &self,
        name: &str,
        sealed: &Sealed,
        entropy: &dyn Entropy,
    ) -> Result<Option<Sealed>, EnvelopeError> {
        let parts = Parts::of(&sealed.0)?;
        if parts.id == self.current {
            return Ok(None);
        }
        let data_key = self.data_key(name, &parts)?;
        self.assemble(name, &data_key, parts.nonce, parts.body, entropy).map(Some)
    }

    fn assemble(
        &self,
        name: &str,
        data_key: &[u8],
        nonce: &[u8],
        body: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Sealed, EnvelopeError> {
        let id = &self.current;
        let master = self.keys.get(id).ok_or_else(|| EnvelopeError::UnknownKey(id.clone()))?;
        let key_nonce = random::<NONCE>(entropy)?;
        let wrapped =
            encrypt(master.0.expose_secret(), key_nonce.as_slice(), data_key, &key_context(id, name))?;
        let length = u8::try_from(id.0.len()).map_err(|_| EnvelopeError::KeyId)?;
        let parts: [&[u8]; 7] =
            [FORMAT, &[length], id.0.as_bytes(), key_nonce.as_slice(), &wrapped, nonce, body];
        Ok(Sealed(parts.concat()))
    }

    fn data_key(&self, name: &str, parts: &Parts<'_>) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
        let master = self.keys.get(&parts.id).ok_or_else(|| EnvelopeError::UnknownKey(parts.id.clone()))?;
        decrypt(master.0.expose_secret(), parts.key_nonce, parts.wrapped, &key_context(&parts.id, name))
    }
}

struct Parts<'a> {
    id: KeyId,
    key_nonce: &'a [u8],
    wrapped: &'a [u8],
    nonce: &'a [u8],
    body: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(bytes: &'a [u8]) -> Result<Self, EnvelopeError> {
        let damaged = EnvelopeError::Damaged;
        let rest = bytes.strip_prefix(FORMAT).ok_or(damaged.clone())?;
        let (&length, rest) = rest.split_first().ok_or(damaged.clone())?;
        let mut rest = rest;
        let mut take = |count: usize| -> Result<&'a [u8], EnvelopeError> {
            let (taken, left) = rest.split_at_checked(count).ok_or(EnvelopeError::Damaged)?;
            rest = left;
            Ok(taken)
        };
        let id = std::str::from_utf8(take(usize::from(length))?).map_err(|_| damaged.clone())?;
        let id = KeyId::new(id).map_err(|_| damaged)?;
        let (key_nonce, wrapped, nonce) = (take(NONCE)?, take(KEY + TAG)?, take(NONCE)?);
        Ok(Self { id, key_nonce, wrapped, nonce, body: rest })
    }
}

/// What is authenticated with a wrapped key: it opens under its own master key and name only.
fn key_context(id: &KeyId, name: &str) -> Vec<u8> {
    [FORMAT, b"key\0", id.0.as_bytes(), b"\0", name.as_bytes()].concat()
}

fn body_context(name: &str) -> Vec<u8> {
    [FORMAT, b"body\0", name.as_bytes()].concat()
}

fn encrypt(key: &[u8], nonce: &[u8], content: &[u8], context: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
    let (cipher, nonce) = cipher(key, nonce)?;
    cipher.encrypt(&nonce, Payload { msg: content, aad: context }).map_err(|_| EnvelopeError::Damaged)
}

fn decrypt(
    key: &[u8],
    nonce: &[u8],
    sealed: &[u8],
    context: &[u8],
) -> Result<Zeroizing<Vec<u8>>, EnvelopeError> {
    let (cipher, nonce) = cipher(key, nonce)?;
    let opened = cipher.decrypt(&nonce, Payload { msg: sealed, aad: context });
    opened.map(Zeroizing::new).map_err(|_| EnvelopeError::Damaged)
}

fn cipher(key: &[u8], nonce: &[u8]) -> Result<(Aes256Gcm, Nonce<Aes256Gcm>), EnvelopeError> {
    let cipher = Aes256Gcm::new_from_slice(key).map_err(|_| EnvelopeError::Damaged)?;
    let nonce = <[u8; NONCE]>::try_from(nonce).map_err(|_| EnvelopeError::Damaged)?;
    Ok((cipher, nonce.into()))
}

fn random<const N: usize>(entropy: &dyn Entropy) -> Result<Zeroizing<[u8; N]>, NoEntropy> {
    let mut bytes = Zeroizing::new([0; N]);
    entropy.fill(bytes.as_mut_slice())?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
