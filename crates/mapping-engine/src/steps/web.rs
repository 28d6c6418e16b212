//! Domains and URLs.

use std::borrow::Cow;

use super::text;
use crate::flow::Failure;

/// The bare host of a domain, URL or e-mail address, in lower case and without `www.`, as HubSpot stores company
/// domains.
pub(crate) fn domain(text: Cow<'_, str>) -> Result<Cow<'_, str>, Failure> {
    let text = text::lower(text::trim(text));
    if text.is_empty() {
        return Ok(text);
    }
    let bare = bare_host(&text);
    match host(bare) {
        Some(host) if *host == *text => Ok(text),
        Some(host) => Ok(Cow::Owned(host.into_owned())),
        None => Err(Failure::new(
            "bad-domain",
            "not a domain: no host name with at least two parts can be read from the value",
            "correct it at the source, such as `example.com`",
        )),
    }
}

/// What may be the host inside a URL or an address: scheme, user, port, path and `www.` taken away.
fn bare_host(text: &str) -> &str {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let rest = rest.get(..end).unwrap_or(rest);
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let rest = rest.split_once(':').map_or(rest, |(host, _)| host);
    let rest = rest.strip_suffix('.').unwrap_or(rest);
    rest.strip_prefix("www.").filter(|rest| rest.contains('.')).unwrap_or(rest)
}

/// The host name in ASCII and lower case if it is one of at least two labels and no IP address.
pub(crate) fn host(host: &str) -> Option<Cow<'_, str>> {
    let ascii = if host.is_ascii() {
        Cow::Borrowed(host)
    } else {
        match url::Host::parse(host) {
            Ok(url::Host::Domain(domain)) => Cow::Owned(domain),
            _ => return None,
        }
    };
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let last = ascii.rsplit('.').next().unwrap_or_default();
    let named = last.len() >= 2 && !last.bytes().all(|b| b.is_ascii_digit());
    let whole = ascii.len() <= 253 && ascii.contains('.') && ascii.split('.').all(label);
    (named && whole).then_some(ascii)
}

/// A URL in its normal writing; `https://` is put before one without a scheme. Only http and https are taken.
pub(crate) fn url(text: Cow<'_, str>) -> Result<Cow<'_, str>, Failure> {
    let text = text::trim(text);
    if text.is_empty() {
        return Ok(text);
    }
    let whole =
        if text.contains("://") { Cow::Borrowed(&*text) } else { Cow::Owned(format!("https://{text}")) };
    let parsed = url::Url::parse(&whole).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.host_str().is_some_and(|host| host.contains('.') || host == "localhost")
    });
    match parsed {
        Some(url) => Ok(Cow::Owned(url.into())),
        None => Err(Failure::new(
            "bad-url",
            "not a web address of http or https",
            "correct it at the source, such as `https://example.com/path`",
        )),
    }
}
