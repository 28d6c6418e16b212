//! HubSpot's signatures, made as its documents describe them.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use super::WebhookSignature;
use crate::time::Millis;

/// The headers that sign a POST of `body` to `url` at `now`.
pub(super) fn headers(
    version: WebhookSignature,
    secret: &str,
    url: &str,
    body: &[u8],
    now: Millis,
) -> Vec<(&'static str, String)> {
    let v1 = || hex(&Sha256::new().chain_update(secret).chain_update(body).finalize());
    let legacy = |value: String, version: &str| {
        vec![("x-hubspot-signature", value), ("x-hubspot-signature-version", version.to_owned())]
    };
    match version {
        WebhookSignature::V1 => legacy(v1(), "v1"),
        WebhookSignature::V2 => {
            let hash =
                Sha256::new().chain_update(secret).chain_update("POST").chain_update(url).chain_update(body);
            legacy(hex(&hash.finalize()), "v2")
        }
        WebhookSignature::V3 => {
            let timestamp = now.to_string();
            let text = [b"POST", decoded(url).as_bytes(), body, timestamp.as_bytes()].concat();
            let mut headers = legacy(v1(), "v1");
            headers.push(("x-hubspot-signature-v3", STANDARD.encode(mac(secret.as_bytes(), &text))));
            headers.push(("x-hubspot-request-timestamp", timestamp));
            headers
        }
    }
}

pub(crate) fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    // A key of any length is good, so there is always a sum.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mac| mac.chain_update(text).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// HubSpot docs: these codes, and no others, are decoded in the URL before it is signed.
fn decoded(url: &str) -> String {
    const CODES: [(&str, char); 12] = [
        ("3A", ':'),
        ("2F", '/'),
        ("3F", '?'),
        ("40", '@'),
        ("21", '!'),
        ("24", '$'),
        ("27", '\''),
        ("28", '('),
        ("29", ')'),
        ("2A", '*'),
        ("2C", ','),
        ("3B", ';'),
    ];
    let mut parts = url.split('%');
    let mut decoded = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code =
            CODES.iter().find(|(code, _)| part.get(..2).is_some_and(|at| at.eq_ignore_ascii_case(code)));
        match code {
            Some((_, plain)) => {
                decoded.push(*plain);
                decoded.push_str(part.get(2..).unwrap_or_default());
            }
            None => {
                decoded.push('%');
                decoded.push_str(part);
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_vectors() {
        let (secret, url) = ("yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy", "https://www.example.com/webhook_uri");
        let body = b"{'example_field':'example_value'}";
        let value = |version, name: &str| {
            let headers = headers(version, secret, url, body, 1_693_657_560_000);
            headers.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value).unwrap()
        };
        let v1 = "69fc6631a867edd4f9e9e627fc5c1148e3fbdd8b21837b6d2b8901c1fa57f750";
        let v2 = "4fe4e3a7d3cf09db53be39d0a58130e2aaba074ec123a9e355b876a689a1c383";
        let v3 = "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=";
        assert_eq!(value(WebhookSignature::V1, "x-hubspot-signature"), v1);
        assert_eq!(value(WebhookSignature::V2, "x-hubspot-signature"), v2);
        assert_eq!(value(WebhookSignature::V3, "x-hubspot-signature-v3"), v3);
        assert_eq!(value(WebhookSignature::V3, "x-hubspot-signature"), v1);
    }

    #[test]
    fn only_the_documented_codes_are_decoded() {
        for (url, expected) in [
            ("a?b=%3a%2F", "a?b=:/"),
            ("%20%25%26", "%20%25%26"),
            ("%253A", "%253A"),
            ("%", "%"),
            ("%é", "%é"),
        ] {
            assert_eq!(decoded(url), expected);
        }
    }
}
