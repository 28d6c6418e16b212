//! `[auth]`, secrets and headers.

use http::HeaderName;
use toml::de::DeValue;

use super::super::template::Template;
use super::keys::{At, Keys, Node, template, text};
use super::{Auth, HmacSpec, KeyPlace, OAuthGrant, OAuthSpec, SIGNED, SecretText, SignHash, TimeFormat};

/// The words for how a time is written.
pub(super) const TIMES: [(&str, TimeFormat); 5] = [
    ("rfc3339", TimeFormat::Rfc3339),
    ("utc", TimeFormat::Utc),
    ("epoch", TimeFormat::Epoch),
    ("epoch-ms", TimeFormat::EpochMillis),
    ("date", TimeFormat::Day),
];

/// The words for how a signature is computed.
pub(super) const HASHES: [(&str, SignHash); 2] = [("sha256", SignHash::Sha256), ("sha512", SignHash::Sha512)];

#[derive(Clone, Copy)]
enum Kind {
    None,
    ApiKey,
    Basic,
    Bearer,
    ClientCredentials,
    RefreshToken,
    Hmac,
}

const KINDS: [(&str, Kind); 7] = [
    ("none", Kind::None),
    ("api-key", Kind::ApiKey),
    ("basic", Kind::Basic),
    ("bearer", Kind::Bearer),
    ("client-credentials", Kind::ClientCredentials),
    ("refresh-token", Kind::RefreshToken),
    ("hmac", Kind::Hmac),
];

pub(super) fn read(keys: &Keys<'_>, names: &[&str]) -> Option<Auth> {
    Some(match keys.required_word("kind", &KINDS)? {
        Kind::None => Auth::None,
        Kind::ApiKey => {
            let (place, prefix, secret) = api_key(keys)?;
            Auth::ApiKey { place, prefix, secret }
        }
        Kind::Basic => {
            let (user, password) = basic(keys, names)?;
            Auth::Basic { user, password }
        }
        Kind::Bearer => Auth::Bearer { secret: secret(keys, "token")? },
        Kind::ClientCredentials => Auth::Tokens(oauth(keys, names, OAuthGrant::ClientCredentials)?),
        Kind::RefreshToken => {
            let grant = secret(keys, "refresh_token").map(|secret| OAuthGrant::Refresh { secret });
            Auth::Tokens(oauth(keys, names, grant?)?)
        }
        Kind::Hmac => Auth::Hmac(hmac(keys)?),
    })
}

/// Where a key stands, what stands before it, and its secret.
pub(super) fn api_key(keys: &Keys<'_>) -> Option<(KeyPlace, String, String)> {
    let place = match (header(keys, "header"), keys.text("query")) {
        (Some(header), None) => Some(KeyPlace::Header(header)),
        (None, Some(query)) => Some(KeyPlace::Query(query.value)),
        _ => {
            let remedy = "write `header = \"X-Api-Key\"` or `query = \"api_key\"`";
            keys.tell("missing-key", "a key goes into one header or one query key", remedy);
            None
        }
    };
    let prefix = keys.text("prefix").map(|prefix| prefix.value).unwrap_or_default();
    let secret = secret(keys, "value");
    Some((place?, prefix, secret?))
}

/// User and password.
pub(super) fn basic(keys: &Keys<'_>, names: &[&str]) -> Option<(SecretText, SecretText)> {
    let (user, password) = (shown(keys, "user", names), shown(keys, "password", names));
    if let Some(SecretText::Plain(password)) = &password
        && *password != Template::default()
    {
        in_clear(keys, "password");
    }
    Some((user?, password?))
}

fn oauth(keys: &Keys<'_>, names: &[&str], grant: OAuthGrant) -> Option<OAuthSpec> {
    let token_url = keys.required_template("token_url", names);
    let client_id = shown(keys, "client_id", names);
    let client_secret = secret(keys, "client_secret");
    let scope = keys.text("scope").map(|scope| scope.value);
    let extra = keys.table("extra", "`extra`").map(|table| pairs(&table, names)).unwrap_or_default();
    let in_body = keys.word("credentials", &[("basic", false), ("body", true)]).unwrap_or(false);
    Some(OAuthSpec {
        grant,
        token_url: token_url?,
        client_id: client_id?,
        client_secret: client_secret?,
        scope,
        extra,
        in_body,
    })
}

fn hmac(keys: &Keys<'_>) -> Option<HmacSpec> {
    let secret = secret(keys, "key");
    let hash = keys.word("hash", &HASHES);
    let over = keys.required_template("over", &SIGNED);
    let base64 = keys.word("encoding", &[("hex", false), ("base64", true)]).unwrap_or(false);
    let value = keys.template("value", &["signature", "timestamp"]);
    let name = header(keys, "header");
    if name.is_none() && !keys.has("header") {
        keys.tell("missing-key", "a signature goes into a header", "add `header = \"X-Signature\"`");
    }
    let timestamp_header = header(keys, "timestamp_header");
    let timestamp = keys.word("timestamp", &TIMES).unwrap_or(TimeFormat::Epoch);
    let signature = Template::parse("{signature}").ok();
    Some(HmacSpec {
        secret: secret?,
        hash: hash.unwrap_or(SignHash::Sha256),
        over: over?,
        base64,
        header: name?,
        value: value.or(signature)?,
        timestamp_header,
        timestamp,
    })
}

/// `{ secret = "NAME" }`, and nothing in clear.
pub(super) fn secret(keys: &Keys<'_>, key: &'static str) -> Option<String> {
    let Some(node) = keys.take(key) else {
        let reason = format!("the credential needs the key `{key}`");
        keys.tell("missing-key", reason, format!("add `{key} = {{ secret = \"NAME\" }}`"));
        return None;
    };
    if matches!(node.get_ref(), DeValue::String(_)) {
        in_clear(keys, key);
        return None;
    }
    secret_of(node, keys)
}

/// As [`secret`], where there need not be one.
pub(super) fn optional_secret(keys: &Keys<'_>, key: &'static str) -> Option<String> {
    if keys.has(key) { secret(keys, key) } else { None }
}

fn in_clear(keys: &Keys<'_>, key: &str) {
    let remedy =
        format!("write `{key} = {{ secret = \"NAME\" }}` and set NAME in the environment of the program");
    keys.tell_at(key, "secret-in-clear", "a secret does not stand in a description", remedy);
}

fn secret_of(node: Node<'_>, keys: &Keys<'_>) -> Option<String> {
    let table = Keys::of("a secret", node, keys.report)?;
    let name = table.required_text("secret")?;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.value.is_empty() || !name.value.bytes().all(is_name) {
        let remedy = "use letters, digits and `_`, as for a variable of the environment";
        keys.report.tell(name.span, "bad-name", "a secret's name has other characters", remedy);
        return None;
    }
    Some(name.value)
}

/// A text, or a secret.
fn shown(keys: &Keys<'_>, key: &'static str, names: &[&str]) -> Option<SecretText> {
    let Some(node) = keys.take(key) else {
        let reason = format!("the credential needs the key `{key}`");
        keys.tell("missing-key", reason, format!("add `{key} = …`, or `{key} = {{ secret = \"NAME\" }}`"));
        return None;
    };
    secret_text(node, keys, names)
}

fn secret_text(node: Node<'_>, keys: &Keys<'_>, names: &[&str]) -> Option<SecretText> {
    if matches!(node.get_ref(), DeValue::Table(_)) {
        return secret_of(node, keys).map(SecretText::Secret);
    }
    let read = text(node, keys.report)?;
    template(&read, names, keys.report).map(SecretText::Plain)
}

/// Headers whose values may be secrets.
pub(super) fn headers(keys: &Keys<'_>, names: &[&str]) -> Vec<(String, SecretText)> {
    let all = keys.take_all().into_iter();
    all.filter_map(|(name, node)| {
        let read = secret_text(node, keys, names);
        Some((header_name(name.value, name.span, keys)?, read?))
    })
    .collect()
}

/// Names and templates, such as those of a query.
pub(super) fn pairs(keys: &Keys<'_>, names: &[&str]) -> Vec<(String, Template)> {
    let all = keys.take_all().into_iter();
    all.filter_map(|(name, node)| {
        let read: At<String> = text(node, keys.report)?;
        Some((name.value.to_owned(), template(&read, names, keys.report)?))
    })
    .collect()
}

/// As [`pairs`], for headers.
pub(super) fn header_pairs(keys: &Keys<'_>, names: &[&str]) -> Vec<(String, Template)> {
    let read = pairs(keys, names).into_iter();
    read.filter_map(|(name, value)| Some((header_name(&name, keys.span.clone(), keys)?, value))).collect()
}

pub(super) fn header(keys: &Keys<'_>, key: &'static str) -> Option<String> {
    let read = keys.text(key)?;
    header_name(&read.value, read.span, keys)
}

fn header_name(name: &str, at: std::ops::Range<usize>, keys: &Keys<'_>) -> Option<String> {
    // What frames the message, or routes it, is not the description's to say.
    const REFUSED: [&str; 5] = ["host", "content-length", "transfer-encoding", "connection", "upgrade"];
    let parsed = HeaderName::from_bytes(name.as_bytes()).ok();
    let usable = parsed.filter(|parsed| !REFUSED.contains(&parsed.as_str()));
    if usable.is_none() {
        let reason = format!("`{name}` cannot be set as a header");
        keys.report.tell(at, "bad-header", reason, "write a header of the API, such as `X-Api-Key`");
    }
    usable.map(|parsed| parsed.as_str().to_owned())
}
