//! The key that certificates are signed with.

use std::fmt;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use secrecy::ExposeSecret;

use crate::Failure;
use crate::settings::Signing;

/// Signs certificates.
pub(crate) struct Signer(Ed25519KeyPair);

impl Signer {
    /// The signer with the key of these settings. A key file that is not there is made, for its owner alone to read.
    pub(crate) fn open(settings: &Signing) -> Result<Signer, Failure> {
        match Signer::find(settings)? {
            Some(signer) => Ok(signer),
            None => Signer::make(&settings.file),
        }
    }

    /// The signer with the key of these settings, if there is one.
    pub(crate) fn find(settings: &Signing) -> Result<Option<Signer>, Failure> {
        if let Some(key) = &settings.key {
            return Signer::read(key.expose_secret(), "`certificate.key`").map(Some);
        }
        match std::fs::read_to_string(&settings.file) {
            Ok(text) => Signer::read(&text, &settings.file.display().to_string()).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                Err(Failure::new(format!("the key file {} cannot be read", settings.file.display()))
                    .remedy("check `certificate.key_file`, and that this user may read the file")
                    .caused_by(&error))
            }
        }
    }

    fn read(text: &str, place: &str) -> Result<Signer, Failure> {
        let wrong = || {
            Failure::new(format!("{place} is no key for certificates")).remedy(
                "make one with `openssl rand -base64 32`; certificates made with another key stay valid",
            )
        };
        let seed = STANDARD.decode(text.trim()).map_err(|_| wrong())?;
        Ed25519KeyPair::from_seed_unchecked(&seed).map(Signer).map_err(|_| wrong())
    }

    fn make(path: &Path) -> Result<Signer, Failure> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| {
            Failure::new("this machine gives no random bytes for a key").caused_by(&error)
        })?;
        let text = STANDARD.encode(seed);
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(path).and_then(|mut file| {
            writeln!(file, "{text}")?;
            file.sync_all()
        });
        written.map_err(|error| {
            Failure::new(format!("the key file {} cannot be made", path.display()))
                .remedy("set `certificate.key_file` to a place that can be written, or set `certificate.key`")
                .caused_by(&error)
        })?;
        Signer::read(&text, "the new key")
    }

    /// What others check the signatures by.
    pub(crate) fn public_key(&self) -> String {
        STANDARD.encode(self.0.public_key().as_ref())
    }

    pub(super) fn sign(&self, text: &[u8]) -> String {
        STANDARD.encode(self.0.sign(text).as_ref())
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({}, secret hidden)", self.public_key())
    }
}

/// Whether the signature is of this text and by this key.
pub(super) fn is_signed(text: &[u8], public_key: &str, signature: &str) -> bool {
    let (Ok(key), Ok(signature)) = (STANDARD.decode(public_key), STANDARD.decode(signature)) else {
        return false;
    };
    UnparsedPublicKey::new(&ED25519, key).verify(text, &signature).is_ok()
}
