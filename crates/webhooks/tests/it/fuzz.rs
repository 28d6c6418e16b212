//! Mutated bodies, files, requests and URLs, from a seed: for a moment in every test run, for as long as
//! `FUZZ_SECONDS` says otherwise. `cargo xtask fuzz` does that with an optimised build.

use std::time::Duration;

use base64::Engine as _;
use hmac::{KeyInit as _, Mac as _};
use http::HeaderMap;
use secrecy::SecretString;
use webhooks::{
    Event, FileHosts, ParseLimits, SignatureHeaders, SignedRequest, Verifier, Work, parse_events, parse_file,
    sign_v3,
};

use crate::support::now;

/// Seconds to go on for.
const SECONDS: &str = "FUZZ_SECONDS";
/// Another seed than the usual one.
const SEED: &str = "FUZZ_SEED";

/// SplitMix64: enough chance for mutations, and the same from the same seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap()
    }

    fn pick<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }

    /// Changes a few places: bytes, tokens, repeats, cuts.
    fn mutate(&mut self, text: &[u8], tokens: &[&[u8]]) -> Vec<u8> {
        let mut text = text.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(text.len() + 1);
            match self.below(6) {
                0 if at < text.len() => text[at] ^= 1 << self.below(8),
                1 => text.truncate(at.max(text.len() / 2)),
                2 => {
                    let end = (at + self.below(40)).min(text.len());
                    let piece = text[at..end].to_vec();
                    let to = self.below(text.len() + 1);
                    text.splice(to..to, piece);
                }
                3 => {
                    let end = (at + self.below(10)).min(text.len());
                    text.drain(at..end);
                }
                _ => {
                    let token = self.pick(tokens);
                    let end = (at + self.below(3)).min(text.len());
                    text.splice(at..end, token.iter().copied());
                }
            }
        }
        text
    }
}

/// Runs `check` with chance from a known seed until time is up, and says how often.
fn fuzz(target: &str, mut check: impl FnMut(&mut Random) -> bool) {
    let seconds = std::env::var(SECONDS).map_or(0.2, |seconds| seconds.parse().unwrap());
    let seed: u64 = std::env::var(SEED).map_or(1, |seed| seed.parse().unwrap());
    let end = tokio::time::Instant::now() + Duration::from_secs_f64(seconds);
    let (mut runs, mut accepted) = (0_u64, 0_u64);
    while runs < 200 || tokio::time::Instant::now() < end {
        // A failure names the one run that has to be repeated.
        let case = seed.wrapping_mul(1_000_003).wrapping_add(runs);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&mut Random(case))));
        match outcome {
            Ok(true) => accepted += 1,
            Ok(false) => {}
            Err(panic) => {
                println!("{target}: failed with Random({case}), run {runs} of {SEED}={seed}");
                std::panic::resume_unwind(panic);
            }
        }
        runs += 1;
    }
    println!("{target}: {runs} runs, {accepted} accepted");
    assert!(accepted > 0 && accepted < runs, "the mutations must be neither all good nor all bad");
}

const TOKENS: &[&[u8]] = &[
    b"null",
    b"true",
    b"-1",
    b"0",
    b"1e400",
    b"18446744073709551616",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b":",
    b"\xff",
    b"\xe2\x80\xa8",
    b"[[[[[[[[",
    b"\"portalId\":1,",
    b"\"objectId\":5,",
    b"\"objectTypeId\":\"2-1\",",
    b"\"occurredAt\":1,",
    b"\"x\":{},",
    b"99999999999999999999",
];

const BODIES: &[&str] = &[
    r#"[{"eventId":1,"subscriptionId":25,"portalId":33,"appId":7,"occurredAt":1462216307945,"subscriptionType":"contact.propertyChange","attemptNumber":0,"objectId":5,"propertyName":"email","propertyValue":"a@b.c","changeSource":"CRM_UI","sourceId":"userId:123"}]"#,
    r#"[{"portalId":33,"occurredAt":1,"subscriptionType":"company.merge","primaryObjectId":4,"mergedObjectIds":[8,"9"],"newObjectId":10,"numberOfPropertiesMoved":3},{"portalId":34,"occurredAt":1,"subscriptionType":"object.creation","objectTypeId":"2-1","objectId":1}]"#,
    r#"[{"portalId":33,"occurredAt":1,"subscriptionType":"contact.associationChange","fromObjectId":1,"toObjectId":2,"associationType":"CONTACT_TO_COMPANY","associationRemoved":false,"isPrimaryAssociation":true}]"#,
    r#"[{"portalId":33,"subscriptionType":"conversation.newMessage","objectId":1,"messageId":"m","occurredAt":"5"},{"portalId":1,"a":[{"b":null}]}]"#,
    "[]",
];

/// What is accepted survives being stored, and makes the same work twice.
fn check_events(events: Vec<Event>) {
    for event in &events {
        let stored = serde_json::to_string(event).unwrap();
        let read: Event = serde_json::from_str(&stored).unwrap();
        // The name is stored beside the event.
        assert_eq!(Event { id: event.id, ..read }, *event);
    }
    let again: Vec<Event> = events.iter().rev().chain(&events).cloned().collect();
    assert_eq!(Work::of(events, &[]), Work::of(again, &[]));
}

#[test]
fn bodies() {
    fuzz("webhooks: bodies", |random| {
        let body = random.pick(BODIES).as_bytes();
        let body = random.mutate(body, TOKENS);
        let first = parse_events(&body, &ParseLimits::default());
        assert_eq!(first, parse_events(&body, &ParseLimits::default()));
        first.map(check_events).is_ok()
    });
}

#[test]
fn journal_files() {
    const FILES: &[&str] = &[
        r#"{"offset":"o","publishedAt":"2026-09-03T10:00:05Z","journalEvents":[{"type":"OBJECT","portalId":33,"occurredAt":"2026-09-03T10:00:01Z","action":"UPDATE","objectTypeId":"0-1","objectId":5,"propertyChanges":{"email":"a","x":null}},{"type":"ASSOCIATION","portalId":33,"occurredAt":1756893601000,"action":"ASSOCIATION_ADDED","objectTypeId":"0-1","fromObjectId":5,"toObjectId":6,"toObjectTypeId":"0-2","isPrimary":true}]}"#,
        r#"{"journalEvents":[{"portalId":1,"type":"APP_LIFECYCLE_EVENT","eventTypeId":"4-1909196","occurredAt":"x"},{"portalId":1,"action":"MERGE","objectTypeId":"0-1","objectId":1,"mergedObjectIds":[2]}]}"#,
    ];
    fuzz("webhooks: journal files", |random| {
        let file = random.pick(FILES).as_bytes();
        let file = random.mutate(file, TOKENS);
        parse_file(&file).map(|file| check_events(file.events)).is_ok()
    });
}

/// Version 3 as HubSpot's page describes it, written once more and plainly.
fn plainly_signed(secret: &str, method: &str, url: &str, body: &[u8], timestamp: &str) -> String {
    let codes: [(&str, &str); 12] = [
        ("%3A", ":"),
        ("%2F", "/"),
        ("%3F", "?"),
        ("%40", "@"),
        ("%21", "!"),
        ("%24", "$"),
        ("%27", "'"),
        ("%28", "("),
        ("%29", ")"),
        ("%2A", "*"),
        ("%2C", ","),
        ("%3B", ";"),
    ];
    let mut decoded = String::new();
    let mut at = 0;
    while at < url.len() {
        let code = url.get(at..at + 3).map(str::to_ascii_uppercase);
        if let Some((_, plain)) = codes.iter().find(|(name, _)| code.as_deref() == Some(*name)) {
            decoded.push_str(plain);
            at += 3;
            continue;
        }
        let next = url[at..].chars().next().unwrap();
        decoded.push(next);
        at += next.len_utf8();
    }
    let text = [method.as_bytes(), decoded.as_bytes(), body, timestamp.as_bytes()].concat();
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(&text);
    base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes())
}

#[test]
fn requests() {
    const URLS: &[&str] = &[
        "https://www.example.com/webhook_uri?a=%3A&b=%2f%2F&c=%20%25",
        "https://www.example.com/é%C3%A9?x=%253A%3",
        "https://www.example.com/",
    ];
    let tokens: &[&[u8]] = &[b"%3A", b"%3a", b"%", b"%%", b"%2C", b"?", b"&", b"%E2%82%AC", b"/../", b"#"];
    fuzz("webhooks: requests", |random| {
        let secret = random.next().to_string();
        let url = random.pick(URLS).as_bytes();
        let url = String::from_utf8_lossy(&random.mutate(url, tokens)).into_owned();
        let body = random.pick(BODIES).as_bytes();
        let body = random.mutate(body, TOKENS);
        let method = random.pick(&["POST", "GET", "PUT", "post"]);
        let key = SecretString::from(secret.as_str());
        let signed = sign_v3(&key, method, &url, &body, now());
        let plain = plainly_signed(&secret, method, &url, &body, &signed.timestamp);
        assert_eq!(signed.signature, plain, "{url}");

        let mutate = |random: &mut Random, text: &str| {
            if random.below(2) == 0 {
                return text.to_owned();
            }
            let bytes = random.mutate(text.as_bytes(), &[b"=", b"A", b" ", b"\t", b"0", b"-", b"\x80"]);
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-hubspot-signature-v3", &signed.signature),
            ("x-hubspot-request-timestamp", &signed.timestamp),
        ] {
            for _ in 0..=usize::from(random.below(20) == 0) {
                if let Ok(value) = mutate(random, value).parse() {
                    headers.append(name, value);
                }
            }
        }
        let verifier = Verifier::new(vec![key]).allow_legacy();
        let Ok(found) = SignatureHeaders::of(&headers) else { return false };
        let request = SignedRequest { method, url: &url, body: &body, headers: found };
        let believed = verifier.verify(&request, now()).is_ok();
        let untouched = found.v3 == Some(&*signed.signature) && found.timestamp == Some(&*signed.timestamp);
        assert_eq!(believed, untouched, "{found:?}");
        if believed {
            assert_eq!(verifier.screen(&found, now()), Ok(()), "what is believed is never screened out");
        }
        believed
    });
}

#[test]
fn file_urls() {
    const URLS: &[&str] = &[
        "https://files.hubspot.com/a/b?X-Amz-Signature=c",
        "https://bucket.s3.us-east-1.amazonaws.com/a",
        "https://169.254.169.254/latest/",
        "http://files.hubspot.com/a",
    ];
    let tokens: &[&[u8]] = &[
        b"@",
        b"#",
        b"?",
        b"\\",
        b"/",
        b":",
        b".",
        b"[::1]",
        b"127.0.0.1",
        b"0x7f.1",
        b"%2e",
        b"%00",
        b"\t",
        b"evil.example",
        b".hubspot.com",
        b"user:pass@",
        b"\xef\xbc\x8e",
    ];
    let hosts = FileHosts::default();
    fuzz("webhooks: file URLs", |random| {
        let url = random.pick(URLS).as_bytes();
        let url = String::from_utf8_lossy(&random.mutate(url, tokens)).into_owned();
        let Ok(checked) = hosts.check(&url) else { return false };
        // What a client makes of it is what was checked: its own reading of the text names the same host.
        // Some it does not take at all.
        let Ok(uri) = checked.expose().parse::<http::Uri>() else { return true };
        assert_eq!(uri.scheme_str(), Some("https"));
        let authority = uri.authority().unwrap().as_str();
        let allowed = ["hubspot.com", "hubapi.com", "s3.amazonaws.com", "s3.us-east-1.amazonaws.com"];
        let below = |suffix: &&str| authority == *suffix || authority.ends_with(&format!(".{suffix}"));
        assert!(allowed.iter().any(below), "{url} leads to {authority}");
        true
    });
}
