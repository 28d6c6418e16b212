//! Certificates as files: written once, signed, and checked together with the chain that they form.
//!
//! The signature is Ed25519 and not a keyed hash: whoever checks a certificate needs the public key alone, and could not
//! have made one.

mod key;
mod page;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sync_core::certificate::{Certificate, FORMAT, hash};

pub(crate) use self::key::Signer;
use crate::Failure;

/// A certificate with its signature. What is signed is the certificate's text as it stands in the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    certificate: Box<RawValue>,
    signature: Signature,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    algorithm: String,
    public_key: String,
    value: String,
}

const ALGORITHM: &str = "ed25519";

/// Where a certificate was written, and its hash.
#[derive(Debug)]
pub(crate) struct Written {
    /// For machines.
    pub(crate) json: PathBuf,
    /// For people.
    pub(crate) html: PathBuf,
    /// By which the next one names it.
    pub(crate) hash: String,
}

/// The file for a certificate: `path` itself, or a name of its own in the folder `path`.
///
/// # Errors
/// It is there already: a certificate is never overwritten, for it is a link of a chain.
pub(crate) fn place(path: &Path, number: u64) -> Result<PathBuf, Failure> {
    let file = match path.is_dir() {
        true => path.join(format!("certificate-{number:06}.json")),
        false => path.to_owned(),
    };
    if file.exists() {
        return Err(Failure::new(format!("{} is there already", file.display()))
            .remedy("name another file, or a folder in which each certificate gets a name of its own"));
    }
    Ok(file)
}

/// Signs a certificate and writes it, with a page for people beside it.
pub(crate) fn write(certificate: &Certificate, signer: &Signer, file: &Path) -> Result<Written, Failure> {
    let unwritten = |error: &dyn std::error::Error| {
        Failure::new(format!("the certificate cannot be written to {}", file.display()))
            .remedy("name another place after `--certificate`")
            .caused_by(error)
    };
    let text = serde_json::to_string_pretty(certificate).map_err(|error| unwritten(&error))?;
    let hash = hash(&text);
    let signature = Signature {
        algorithm: ALGORITHM.into(),
        public_key: signer.public_key(),
        value: signer.sign(text.as_bytes()),
    };
    let html = file.with_extension("html");
    let shown = page::write(certificate, &hash, &signature.public_key)?;
    let certificate = RawValue::from_string(text).map_err(|error| unwritten(&error))?;
    let document =
        serde_json::to_string(&Document { certificate, signature }).map_err(|error| unwritten(&error))?;
    put(&html, &shown).map_err(|error| unwritten(&error))?;
    put(file, &document).map_err(|error| unwritten(&error))?;
    Ok(Written { json: file.to_owned(), html, hash })
}

/// Writes a file whole or not at all.
fn put(path: &Path, text: &str) -> std::io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let mut file = File::create(&part)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(part, path)
}

/// A certificate that was read back and whose signature holds.
#[derive(Debug)]
pub(crate) struct Checked {
    /// The file.
    pub(crate) file: PathBuf,
    /// What it says.
    pub(crate) certificate: Certificate,
    /// By which the next one names it.
    pub(crate) hash: String,
    /// The key that it is signed with.
    pub(crate) public_key: String,
}

/// Reads these certificates and checks each by itself and all as a chain; gives them in its order.
///
/// # Errors
/// The first file that is no certificate, was changed since it was signed, or does not fit in the chain.
pub(crate) fn check(files: &[PathBuf], expected_key: Option<&str>) -> Result<Vec<Checked>, Failure> {
    let mut all = files.iter().map(|file| check_one(file)).collect::<Result<Vec<_>, _>>()?;
    all.sort_by_key(|checked| checked.certificate.number);
    for checked in &all {
        if let Some(expected) = expected_key.filter(|expected| **expected != checked.public_key) {
            return Err(broken(
                checked,
                &format!("is signed with the key {}, not with {expected}", checked.public_key),
            ));
        }
        if checked.certificate.previous.is_none() != (checked.certificate.number == 1) {
            return Err(broken(checked, "names no certificate before it, or is the first and names one"));
        }
    }
    for pair in all.windows(2) {
        let [before, after] = pair else { continue };
        chained(before, after)?;
    }
    Ok(all)
}

fn chained(before: &Checked, after: &Checked) -> Result<(), Failure> {
    let (one, two) = (&before.certificate, &after.certificate);
    if one.number == two.number {
        let other = before.file.display();
        return Err(broken(after, &format!("has the number of {other}: the chain has two ends")));
    }
    if (&one.engagement, &one.portal) != (&two.engagement, &two.portal) {
        return Err(broken(
            after,
            &format!("is of another engagement or portal than {}", before.file.display()),
        ));
    }
    if two.number != one.number + 1 {
        let missing = one.number + 1;
        return Err(broken(
            after,
            &format!("is number {}: number {missing} is missing before it", two.number),
        ));
    }
    if two.previous.as_deref() != Some(before.hash.as_str()) {
        return Err(broken(
            after,
            &format!("does not follow {}: one of them was replaced", before.file.display()),
        ));
    }
    if before.public_key != after.public_key {
        return Err(broken(after, &format!("is signed with another key than {}", before.file.display())));
    }
    Ok(())
}

fn broken(checked: &Checked, why: &str) -> Failure {
    Failure::new(format!("{} {why}", checked.file.display()))
        .remedy("ask whoever gave you the file for the one that was made; or verify again and certify that")
}

fn check_one(file: &Path) -> Result<Checked, Failure> {
    let text = fs::read_to_string(file).map_err(|error| {
        Failure::new(format!("the certificate {} cannot be read", file.display()))
            .remedy("check the path")
            .caused_by(&error)
    })?;
    let is_none = |error: &dyn std::error::Error| {
        Failure::new(format!("{} is no certificate of this kit", file.display()))
            .remedy("give the .json files that `verify --certificate` wrote, as they were written")
            .caused_by(error)
    };
    let document: Document = serde_json::from_str(&text).map_err(|error| is_none(&error))?;
    let signed = document.certificate.get();
    let signature = &document.signature;
    if signature.algorithm != ALGORITHM
        || !key::is_signed(signed.as_bytes(), &signature.public_key, &signature.value)
    {
        return Err(Failure::new(format!("{} was changed since it was signed", file.display()))
            .remedy("do not rely on it: ask for the file as it was made"));
    }
    let certificate: Certificate = serde_json::from_str(signed).map_err(|error| is_none(&error))?;
    if certificate.format != FORMAT {
        return Err(Failure::new(format!("{} has the format `{}`", file.display(), certificate.format))
            .remedy("check it with the version of the kit that made it"));
    }
    Ok(Checked {
        file: file.to_owned(),
        hash: hash(signed),
        public_key: document.signature.public_key.clone(),
        certificate,
    })
}

#[cfg(test)]
mod tests;
