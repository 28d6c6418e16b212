//! E-mail addresses: brought to one writing, and checked for what makes an address undeliverable for certain.

use std::borrow::Cow;

use super::{text, web};
use crate::flow::Failure;

/// Longest address (RFC 5321, 4.5.3.1.3, without the angle brackets) and longest part before the `@`, in bytes.
const ADDRESS_BYTES_MAX: usize = 254;
const LOCAL_BYTES_MAX: usize = 64;

/// Trims, drops `mailto:`, brings to lower case (HubSpot does the same) and checks the form: one `@`, a plain
/// part before it (dot-atom of RFC 5322), a host with at least two labels behind it. International hosts become
/// their ASCII form.
pub(crate) fn email(text: Cow<'_, str>) -> Result<Cow<'_, str>, Failure> {
    let mut text = text::trim(text);
    if text.get(..7).is_some_and(|head| head.eq_ignore_ascii_case("mailto:")) {
        text = Cow::Owned(text.get(7..).unwrap_or_default().trim().to_owned());
    }
    if text.is_empty() {
        return Ok(text);
    }
    let text = text::lower(text);
    let Some((local, host)) = text.rsplit_once('@') else {
        return Err(bad("it has no `@`"));
    };
    check_local(local)?;
    let ascii = web::host(host).ok_or_else(|| bad("the part after the `@` is no host name"))?;
    if local.len() + 1 + ascii.len() > ADDRESS_BYTES_MAX {
        return Err(bad("it is longer than 254 characters"));
    }
    if *ascii == *host {
        return Ok(text);
    }
    Ok(Cow::Owned(format!("{local}@{ascii}")))
}

fn check_local(local: &str) -> Result<(), Failure> {
    if local.is_empty() {
        return Err(bad("nothing stands before the `@`"));
    }
    if local.len() > LOCAL_BYTES_MAX {
        return Err(bad("the part before the `@` is longer than 64 characters"));
    }
    if local.starts_with('.') || local.ends_with('.') || local.contains("..") {
        return Err(bad("the part before the `@` has a dot at an end, or two in a row"));
    }
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&b);
    if !local.bytes().all(allowed) {
        return Err(bad("the part before the `@` has a character that addresses do not have"));
    }
    Ok(())
}

fn bad(reason: &'static str) -> Failure {
    Failure::new(
        "bad-email",
        format!("not an e-mail address: {reason}"),
        "correct the address at the source, or set `on_bad = \"leave\"` to sync the record without it",
    )
}
