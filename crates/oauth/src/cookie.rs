//! The cookie that binds an install to the browser that began it.

use secrecy::{ExposeSecret as _, SecretString};

/// The name of the cookie of one install: installs in several tabs do not disturb each other. The prefix `__Host-`
/// keeps neighbouring hosts from planting one; browsers accept it over TLS only.
pub(crate) fn name(id: &str, secure: bool) -> String {
    let short: String = id.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    if secure { format!("__Host-install-{short}") } else { format!("install-{short}") }
}

/// The value of a `Set-Cookie` header. `Lax`, because the callback is a navigation that another site starts.
pub(crate) fn set(name: &str, value: &SecretString, secure: bool, seconds: u64) -> String {
    let value = value.expose_secret();
    let secure = if secure { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

/// The value of the only cookie of that name in a `Cookie` header. Two of one name are none: one may be planted.
pub(crate) fn find<'h>(header: &'h str, name: &str) -> Option<&'h str> {
    let pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.trim_matches('"'));
    values.next().filter(|_| values.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_by_its_whole_name_and_only_once() {
        for (header, found) in [
            ("install-a=1", Some("1")),
            ("x=2; install-a=1;y=3", Some("1")),
            ("install-a=\"1\"", Some("1")),
            ("install-a=1; install-a=2", None),
            ("install-ab=1", None),
            ("xinstall-a=1", None),
            ("install-a", None),
            ("", None),
            ("; ;=;==", None),
        ] {
            assert_eq!(find(header, "install-a"), found, "{header}");
        }
    }

    #[test]
    fn the_header_is_strict() {
        let secure = set(&name("a_b-c", true), &"v".into(), true, 600);
        assert_eq!(secure, "__Host-install-abc=v; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure");
        assert!(!set(&name("abc", false), &"v".into(), false, 600).contains("Secure"));
    }
}
