//! Signatures over requests (HMAC).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderMap;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256, Sha512};

use crate::rest::description::{HmacSpec, SignHash};
use crate::rest::moment;
use crate::rest::request::{Prepared, header};
use crate::rest::template::{Escape, Values};

/// Signs each request with a key that both sides know.
pub(in crate::rest) struct Signer {
    spec: HmacSpec,
    key: SecretString,
}

impl Signer {
    pub(in crate::rest) fn new(spec: HmacSpec, key: SecretString) -> Signer {
        Signer { spec, key }
    }

    /// Adds the signature's headers.
    pub(in crate::rest) fn sign(&self, prepared: &Prepared, headers: &mut HeaderMap, now: Timestamp) {
        let timestamp = moment::format(now, self.spec.timestamp);
        let body = String::from_utf8_lossy(&prepared.body);
        let body_sha256 = hex(&Sha256::digest(&prepared.body));
        let signed = [
            ("method", prepared.method.as_str()),
            ("path", prepared.url.path()),
            ("query", prepared.url.query().unwrap_or_default()),
            ("timestamp", &timestamp),
            ("body", &body),
            ("body_sha256", &body_sha256),
        ];
        let variables = std::collections::BTreeMap::new();
        // Its places are checked when the description is read, so that all of them are there.
        let over = self.spec.over.fill(&Values { own: &signed, variables: &variables }, Escape::No);
        let code =
            code(self.spec.hash, self.key.expose_secret().as_bytes(), over.unwrap_or_default().as_bytes());
        let signature = if self.spec.base64 { BASE64_STANDARD.encode(&code) } else { hex(&code) };
        let own = [("signature", signature.as_str()), ("timestamp", &timestamp)];
        let value = self.spec.value.fill(&Values { own: &own, variables: &variables }, Escape::No);
        let said = [
            Some((self.spec.header.as_str(), value.unwrap_or(signature))),
            self.spec.timestamp_header.as_deref().map(|name| (name, timestamp)),
        ];
        for (name, value) in said.into_iter().flatten() {
            if let Ok((name, mut value)) = header(name, &value) {
                value.set_sensitive(true);
                headers.insert(name, value);
            }
        }
    }
}

/// The keyed hash of a message.
pub(in crate::rest) fn code(hash: SignHash, key: &[u8], over: &[u8]) -> Vec<u8> {
    // A key of any length is taken.
    match hash {
        SignHash::Sha256 => Hmac::<Sha256>::new_from_slice(key)
            .map(|mac| mac.chain_update(over).finalize().into_bytes().to_vec()),
        SignHash::Sha512 => Hmac::<Sha512>::new_from_slice(key)
            .map(|mac| mac.chain_update(over).finalize().into_bytes().to_vec()),
    }
    .unwrap_or_default()
}

pub(in crate::rest) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
