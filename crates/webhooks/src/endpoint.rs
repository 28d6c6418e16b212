//! The public address that HubSpot calls, as configured: signatures cover it, and a request does not get to say it.

use std::fmt;

use http::header::HOST;
use http::{HeaderMap, Uri};
use url::Url;

/// Where HubSpot reaches this receiver.
///
/// HubSpot signs the URL that it called. Behind a proxy, a tunnel or a load balancer that is not what arrives, and a
/// `Host` header is the sender's word. So the URL is taken from here, and from the request its query alone (for
/// [`Endpoint::below`] its path too).
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Scheme, host and path, without a query.
    public: String,
    /// Whether the request's path comes behind it.
    below: bool,
    hosts: Hosts,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    Any,
    /// In lower case, with the port if it is not the scheme's own.
    These(Vec<String>),
}

/// Why a text is no public address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// It is not a URL with a host.
    #[error("`{0}` is not a URL such as https://hooks.example.com/hubspot")]
    NotAUrl(String),
    /// HubSpot calls `https` only; plain `http` is for a local portal on this machine.
    #[error("`{0}`: HubSpot calls https addresses only; http works with a loopback address alone")]
    NotHttps(String),
    /// User, password, query or fragment have no place in it.
    #[error("`{0}` must have no user, password, query or fragment")]
    Surplus(String),
}

impl Endpoint {
    /// One address, such as `https://hooks.example.com/hubspot/events`: what the app's target URL says, to the letter.
    /// Whatever path a proxy makes of it, requests are verified against this one.
    ///
    /// # Errors
    /// [`EndpointError`] says what is wrong with `url`.
    pub fn at(url: &str) -> Result<Self, EndpointError> {
        let (_, host) = check(url)?;
        Ok(Self { public: url.to_owned(), below: false, hosts: Hosts::These(vec![host]) })
    }

    /// Every address below `url`: the path and query of each request come behind it. For a layer around several
    /// routes. If a proxy takes a prefix off the path, the prefix belongs at the end of `url`.
    ///
    /// # Errors
    /// [`EndpointError`] says what is wrong with `url`.
    pub fn below(url: &str) -> Result<Self, EndpointError> {
        let (_, host) = check(url)?;
        let public = url.trim_end_matches('/').to_owned();
        Ok(Self { public, below: true, hosts: Hosts::These(vec![host]) })
    }

    /// Also takes requests whose `Host` is `host` (with `:port` where there is one): what a proxy writes there instead
    /// of the public one.
    #[must_use]
    pub fn or_host(mut self, host: &str) -> Self {
        if let Hosts::These(hosts) = &mut self.hosts {
            hosts.push(host.to_ascii_lowercase());
        }
        self
    }

    /// Takes requests for any `Host`. Signatures are verified against the public address all the same.
    #[must_use]
    pub fn or_any_host(mut self) -> Self {
        self.hosts = Hosts::Any;
        self
    }

    /// The URL that HubSpot must have called for a request with this target to arrive here.
    pub(crate) fn called(&self, target: &Uri) -> String {
        let mut url = self.public.clone();
        if self.below {
            url.push_str(target.path());
        }
        if let Some(query) = target.query() {
            url.push('?');
            url.push_str(query);
        }
        url
    }

    /// Whether the request was meant for this host. Two `Host` headers are meant for nobody.
    pub(crate) fn is_meant(&self, target: &Uri, headers: &HeaderMap) -> bool {
        let Hosts::These(hosts) = &self.hosts else { return true };
        let mut named = headers.get_all(HOST).iter();
        let host = match (target.authority(), named.next(), named.next()) {
            (_, _, Some(_)) => return false,
            (Some(authority), _, None) => authority.as_str(),
            (None, Some(host), None) => match host.to_str() {
                Ok(host) => host,
                Err(_) => return false,
            },
            (None, None, None) => return false,
        };
        let host = host.trim_end_matches(":443");
        hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("public", &self.public).finish_non_exhaustive()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.public)
    }
}

fn check(text: &str) -> Result<(Url, String), EndpointError> {
    let url = Url::parse(text).map_err(|_| EndpointError::NotAUrl(text.to_owned()))?;
    let host = url.host_str().ok_or_else(|| EndpointError::NotAUrl(text.to_owned()))?;
    if !url.username().is_empty()
        || url.password().is_some()
        || url.query().is_some()
        || url.fragment().is_some()
    {
        // The text is not repeated: there may be a password in it.
        return Err(EndpointError::Surplus(host.to_owned()));
    }
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
        return Err(EndpointError::NotHttps(text.to_owned()));
    }
    let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    Ok((url, authority))
}

/// Whether the host is this machine: an address, or the name that stands for it.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests;
