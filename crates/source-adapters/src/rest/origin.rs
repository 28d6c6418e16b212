//! Which addresses may be called: those of the API, whatever an answer or a variable says.

use std::net::IpAddr;

use url::{Host, Url};

/// The base URL of an API in one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Base {
    url: Url,
}

impl Base {
    /// Checks a base URL whose variables are filled in.
    ///
    /// # Errors
    /// It is no URL, is not over TLS, or names a machine that only `private` allows.
    pub(super) fn parse(text: &str, private: bool) -> Result<Base, String> {
        let mut url = checked(text, private)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(String::from("the base URL has a query; give it in the `query` of the calls"));
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Base { url })
    }

    /// The address of a path below the base, which starts with a slash.
    pub(super) fn at(&self, path: &str) -> Result<Url, String> {
        let mut url = self.url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{base}{path}"));
        if url.path().starts_with(&base) {
            Ok(url)
        } else {
            Err(String::from("the path leads out of the API"))
        }
    }

    /// An address that an answer gave, where it is on the same server.
    ///
    /// # Errors
    /// It leads elsewhere: a server that could name any address would have this program send its credential there.
    pub(super) fn follow(&self, text: &str) -> Result<Url, String> {
        let url = self.url.join(text).map_err(|_| String::from("the API's next address cannot be read"))?;
        let is_same =
            url.origin() == self.url.origin() && url.username().is_empty() && url.password().is_none();
        if is_same {
            return Ok(url);
        }
        Err(String::from("the API leads to an address on another server, which is refused"))
    }

    pub(super) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }
}

/// A URL that may be called with a credential.
///
/// # Errors
/// See [`Base::parse`]. Names are judged as they are written: what a name resolves to is the network's to guard.
pub(super) fn checked(text: &str, private: bool) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| String::from("the address is no URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(String::from("the address holds a name or password; use [auth]"));
    }
    let host = url.host().ok_or_else(|| String::from("the address names no machine"))?;
    let reach = reach(&host);
    match url.scheme() {
        "https" => {}
        "http" if private && reach != Reach::Public => {}
        "http" => return Err(String::from("the address is not over TLS: write https://")),
        _ => return Err(String::from("the address is neither https:// nor http://")),
    }
    match reach {
        Reach::Public => Ok(url),
        Reach::Private if private => Ok(url),
        Reach::Private => Err(String::from(
            "the address is of this machine or of a private network; set `private_network = true` under [api] if that \
             is meant",
        )),
        Reach::Never => Err(String::from("the address is one at which no API is")),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Public,
    Private,
    /// Link-local addresses, where clouds give credentials to whoever asks, and what is no machine at all.
    Never,
}

fn reach(host: &Host<&str>) -> Reach {
    match host {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            let endings = [".localhost", ".local", ".internal", ".lan", ".home.arpa"];
            let is_private =
                name == "localhost" || !name.contains('.') || endings.iter().any(|e| name.ends_with(e));
            if name == "metadata.google.internal" {
                Reach::Never
            } else if is_private {
                Reach::Private
            } else {
                Reach::Public
            }
        }
        Host::Ipv4(ip) => reach_of(IpAddr::V4(*ip)),
        Host::Ipv6(ip) => match ip.to_ipv4_mapped() {
            Some(ip) => reach_of(IpAddr::V4(ip)),
            None => reach_of(IpAddr::V6(*ip)),
        },
    }
}

fn reach_of(ip: IpAddr) -> Reach {
    if ip.is_unspecified() || ip.is_multicast() {
        return Reach::Never;
    }
    match ip {
        IpAddr::V4(ip) if ip.is_link_local() || ip.is_broadcast() => Reach::Never,
        IpAddr::V4(ip) => {
            // 100.64.0.0/10 is shared within a provider's network.
            let is_shared = ip.octets()[0] == 100 && (64..128).contains(&ip.octets()[1]);
            if ip.is_private() || ip.is_loopback() || is_shared { Reach::Private } else { Reach::Public }
        }
        IpAddr::V6(ip) if ip.is_unicast_link_local() => Reach::Never,
        IpAddr::V6(ip) if ip.is_loopback() || ip.is_unique_local() => Reach::Private,
        IpAddr::V6(_) => Reach::Public,
    }
}
