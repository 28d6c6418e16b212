//! `[webhook]`: how a call of the API's webhooks proves who it is from.

use std::time::Duration;

use super::super::template::Template;
use super::auth::{self, HASHES, TIMES};
use super::keys::{At, Keys, template};
use super::{HeaderItem, SignHash, TOLD, TimeFormat, WebhookHmac, WebhookProof};

/// How far the time of a call may lie from ours, unless said otherwise.
const WINDOW: Duration = Duration::from_secs(300);

#[derive(Clone, Copy)]
enum Kind {
    Secret,
    Basic,
    Hmac,
}

const KINDS: [(&str, Kind); 3] = [("secret", Kind::Secret), ("basic", Kind::Basic), ("hmac", Kind::Hmac)];

pub(super) fn read(keys: &Keys<'_>, names: &[&str]) -> Option<WebhookProof> {
    Some(match keys.required_word("kind", &KINDS)? {
        Kind::Secret => {
            let (place, prefix, secret) = auth::api_key(keys)?;
            WebhookProof::Shared { place, prefix, secret }
        }
        Kind::Basic => {
            let (user, password) = auth::basic(keys, names)?;
            WebhookProof::Basic { user, password }
        }
        Kind::Hmac => WebhookProof::Hmac(hmac(keys)?),
    })
}

fn hmac(keys: &Keys<'_>) -> Option<WebhookHmac> {
    let secret = auth::secret(keys, "key");
    let encodings = [("hex", false), ("base64", true)];
    let key_base64 = keys.word("key_encoding", &[("text", false), ("base64", true)]).unwrap_or(false);
    let hash = keys.word("hash", &HASHES).unwrap_or(SignHash::Sha256);
    let base64 = keys.word("encoding", &encodings).unwrap_or(false);
    let over = match keys.has("over") {
        true => keys.template("over", &TOLD),
        false => Template::parse("{body}").ok(),
    };
    let header = auth::header(keys, "header");
    if header.is_none() && !keys.has("header") {
        keys.tell("missing-key", "the signature stands in a header", "add `header = \"X-Signature\"`");
    }
    let separator = separator(keys);
    let value =
        keys.text("value").unwrap_or(At { value: String::from("{signature}"), span: keys.span.clone() });
    let items = items(&value, separator, keys);
    let timestamp_header = auth::header(keys, "timestamp_header");
    let id_header = auth::header(keys, "id_header");
    let timestamp = keys.word("timestamp", &TIMES).unwrap_or(TimeFormat::Epoch);
    let window = keys.duration("window").unwrap_or(WINDOW);
    let (over, items) = (over?, items?);
    let has_time = timestamp_header.is_some() || items.iter().any(|item| !item.is_signature);
    for (name, is_known) in [("timestamp", has_time), ("id", id_header.is_some())] {
        if over.has(name) && !is_known {
            let reason = format!("`over` has `{{{name}}}`, and it is not said where that stands");
            keys.tell_at("over", "unknown-place", reason, format!("add `{name}_header = \"…\"`"));
        }
    }
    Some(WebhookHmac {
        secret: secret?,
        key_base64,
        hash,
        over,
        base64,
        header: header?,
        items,
        separator,
        timestamp_header,
        timestamp,
        id_header,
        window,
    })
}

/// What stands between the items of the signature's header.
fn separator(keys: &Keys<'_>) -> char {
    let Some(said) = keys.text("separator") else { return ',' };
    let mut chars = said.value.chars();
    match (chars.next(), chars.next()) {
        (Some(one), None) => one,
        _ => {
            let remedy = "write `separator = \" \"`, or leave it out for a comma";
            keys.tell_at("separator", "wrong-type", "the separator is one character", remedy);
            ','
        }
    }
}

/// What the header says, item by item. Each must show where its one value begins and ends, and one has to be the
/// signature.
fn items(value: &At<String>, separator: char, keys: &Keys<'_>) -> Option<Vec<HeaderItem>> {
    let mut items = Vec::new();
    for part in value.value.split(separator) {
        let part = At { value: part.trim().to_owned(), span: value.span.clone() };
        let read = template(&part, &["signature", "timestamp"], keys.report)?;
        let Some((before, name, after)) = read.around_the_only_place() else {
            let remedy =
                "write `value = \"sha256={signature}\"` or `value = \"t={timestamp},v1={signature}\"`";
            let reason = "each item of the header has one place, `{signature}` or `{timestamp}`";
            keys.report.tell(value.span.clone(), "bad-template", reason, remedy);
            return None;
        };
        items.push(HeaderItem {
            before: before.to_owned(),
            is_signature: name == "signature",
            after: after.to_owned(),
        });
    }
    if !items.iter().any(|item| item.is_signature) {
        let remedy = "write `value = \"sha256={signature}\"`, or leave it out";
        keys.report.tell(value.span.clone(), "bad-template", "the header has no `{signature}`", remedy);
        return None;
    }
    Some(items)
}
