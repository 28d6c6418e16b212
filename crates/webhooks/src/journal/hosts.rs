//! Which URLs of files are fetched at all: an answer of the API must not send us anywhere else.

use std::fmt;

use url::{Host, Url};

use crate::endpoint::is_loopback;

/// Hosts that may hold files of a journal.
///
/// HubSpot does not say where its files lie. The default allows its own domains and the storage of the regions in
/// which it hosts; add to it what [`FileUrlError::Host`] reports, if it is HubSpot's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileHosts {
    /// A host must be one of these or below it.
    suffixes: Vec<String>,
    local: bool,
}

impl Default for FileHosts {
    fn default() -> Self {
        Self::new([
            "hubspot.com",
            "hubapi.com",
            "s3.amazonaws.com",
            "s3.us-east-1.amazonaws.com",
            "s3.eu-central-1.amazonaws.com",
            "s3.ca-central-1.amazonaws.com",
            "s3.ap-southeast-2.amazonaws.com",
        ])
    }
}

impl FileHosts {
    /// Hosts that are one of these names, or below one.
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let suffixes = names.into_iter().map(|name| name.into().to_ascii_lowercase()).collect();
        Self { suffixes, local: false }
    }

    /// Also allows this machine, over plain HTTP and any port: for a local portal, never for production.
    #[must_use]
    pub fn or_local(mut self) -> Self {
        self.local = true;
        self
    }

    /// Lets a URL pass that may be fetched.
    ///
    /// # Errors
    /// [`FileUrlError`] says why not; the URL itself is not repeated, as it is a secret.
    pub fn check(&self, text: &str) -> Result<FileUrl, FileUrlError> {
        let url = Url::parse(text).map_err(|_| FileUrlError::NotAUrl)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FileUrlError::Credentials);
        }
        if self.local && is_loopback(&url) && matches!(url.scheme(), "http" | "https") {
            return Ok(FileUrl(url));
        }
        if url.scheme() != "https" {
            return Err(FileUrlError::NotHttps);
        }
        // The URL's parser has turned every way to write an address, such as 0x7f.1 or [::ffff:7f00:1], into one.
        let Some(Host::Domain(host)) = url.host() else { return Err(FileUrlError::Address) };
        if url.port().is_some() {
            return Err(FileUrlError::Port);
        }
        let below = |suffix: &String| {
            host.strip_suffix(suffix.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        if self.suffixes.iter().any(below) {
            Ok(FileUrl(url))
        } else {
            Err(FileUrlError::Host(host.to_owned()))
        }
    }
}

/// The URL of a file that may be fetched. Whoever has it may read the file: `Debug` shows the host alone.
#[derive(Clone, PartialEq, Eq)]
pub struct FileUrl(Url);

impl FileUrl {
    /// The whole URL.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Debug for FileUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileUrl({})", self.0.host_str().unwrap_or_default())
    }
}

/// Why a URL is not fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileUrlError {
    /// It is none.
    #[error("the file's URL is not a URL")]
    NotAUrl,
    /// Its scheme is not `https`.
    #[error("the file's URL is not https")]
    NotHttps,
    /// It carries a user or a password.
    #[error("the file's URL carries credentials")]
    Credentials,
    /// Its host is an address, not a name.
    #[error("the file's URL names an address instead of a host")]
    Address,
    /// It names a port.
    #[error("the file's URL names a port")]
    Port,
    /// Its host is not one of those allowed.
    #[error("the file's URL leads to {0}, which is not among the hosts allowed for journal files")]
    Host(String),
}
