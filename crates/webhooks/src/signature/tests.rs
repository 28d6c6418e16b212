//! Published vectors, and every way of spoiling them.

use proptest::prelude::*;

use super::*;

const SECRET: &str = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy";
const URL: &str = "https://www.example.com/webhook_uri";
const SINGLE: &[u8] = b"{'example_field':'example_value'}";
const DOUBLE: &[u8] = br#"{"example_field":"example_value"}"#;
const EVENTS: &[u8] = br#"[{"eventId":1,"subscriptionId":12345,"portalId":62515,"occurredAt":1564113600000,"subscriptionType":"contact.creation","attemptNumber":0,"objectId":123,"changeSource":"CRM","changeFlag":"NEW","appId":54321}]"#;

fn verifier() -> Verifier {
    Verifier::new(vec![SecretString::from(SECRET)])
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap()
}

fn v3<'a>(body: &'a [u8], timestamp: &'a str, signature: &'a str) -> SignedRequest<'a> {
    let headers =
        SignatureHeaders { v3: Some(signature), timestamp: Some(timestamp), ..SignatureHeaders::default() };
    SignedRequest { method: "POST", url: URL, body, headers }
}

const SIGNATURE: &str = "K36dawei4A+QBNolUOqo7s91KQDWQ5MXZ/QufNYuk/Y=";
const SENT: &str = "1693657560000";
const SENT_MS: i64 = 1_693_657_560_000;

#[test]
fn published_v3_vectors_pass() {
    for (body, timestamp, signature) in [
        (SINGLE, SENT, SIGNATURE),
        (SINGLE, "1700000300000", "RnbPH7+UMKVkbV32P8bz450N4M56aPmcru1+D3kSDtw="),
        (DOUBLE, SENT, "oaA3M5dEtt6kFsseJD/Hv/x+JNl1vsoxFj4oxmwP6Go="),
    ] {
        let now = at(timestamp.parse().unwrap());
        assert_eq!(verifier().verify(&v3(body, timestamp, signature), now), Ok(SignatureVersion::V3));
    }
}

#[test]
fn published_v1_and_v2_vectors_pass_when_allowed() {
    use SignatureVersion::{V1, V2};
    for (version, method, body, signature) in [
        (V2, "GET", &b""[..], "eee2dddcc73c94d699f5e395f4b9d454a069a6855fbfa152e91e88823087200e"),
        (V2, "POST", DOUBLE, "9569219f8ba981ffa6f6f16aa0f48637d35d728c7e4d93d0d52efaa512af7900"),
        (V2, "POST", SINGLE, "4fe4e3a7d3cf09db53be39d0a58130e2aaba074ec123a9e355b876a689a1c383"),
        (V1, "POST", SINGLE, "69fc6631a867edd4f9e9e627fc5c1148e3fbdd8b21837b6d2b8901c1fa57f750"),
        (V1, "POST", EVENTS, "232db2615f3d666fe21a8ec971ac7b5402d33b9a925784df3ca654d05f4817de"),
    ] {
        let legacy_version = Some(if version == V1 { "v1" } else { "v2" });
        let headers =
            SignatureHeaders { legacy: Some(signature), legacy_version, ..SignatureHeaders::default() };
        let request = SignedRequest { method, url: URL, body, headers };
        assert_eq!(verifier().allow_legacy().verify(&request, at(0)), Ok(version), "{signature}");
        assert_eq!(verifier().verify(&request, at(0)), Err(SignatureError::Missing), "off by default");
        let spoiled = SignedRequest { body: b"other", ..request };
        assert_eq!(verifier().allow_legacy().verify(&spoiled, at(0)), Err(SignatureError::Mismatch));
        // The version is not signed, so claiming another must not help.
        let other = if version == V1 { "v2" } else { "v1" };
        let headers = SignatureHeaders { legacy_version: Some(other), ..headers };
        let claimed = SignedRequest { headers, ..request };
        assert_eq!(verifier().allow_legacy().verify(&claimed, at(0)), Err(SignatureError::Mismatch));
    }
}

#[test]
fn age_and_future_are_limited_on_both_sides_to_the_millisecond() {
    let request = v3(SINGLE, SENT, SIGNATURE);
    for (offset, expected) in [
        (300_000, Ok(SignatureVersion::V3)),
        (300_001, Err(SignatureError::TooOld)),
        (-300_000, Ok(SignatureVersion::V3)),
        (-300_001, Err(SignatureError::FromTheFuture)),
    ] {
        assert_eq!(verifier().verify(&request, at(SENT_MS + offset)), expected, "{offset}");
    }
    let strict = verifier().age_max(Duration::from_secs(1)).ahead_max(Duration::ZERO);
    assert_eq!(strict.verify(&request, at(SENT_MS + 1_001)), Err(SignatureError::TooOld));
    assert_eq!(strict.verify(&request, at(SENT_MS - 1)), Err(SignatureError::FromTheFuture));
}

#[test]
fn malformed_and_missing_headers_are_refused() {
    let now = at(SENT_MS);
    let request = v3(SINGLE, SENT, SIGNATURE);
    for (name, headers, expected) in [
        ("none", SignatureHeaders::default(), SignatureError::Missing),
        ("no time", SignatureHeaders { timestamp: None, ..request.headers }, SignatureError::Malformed),
        (
            "signed time",
            SignatureHeaders { timestamp: Some("+1693657560000"), ..request.headers },
            SignatureError::Malformed,
        ),
        (
            "huge time",
            SignatureHeaders { timestamp: Some("99999999999999999999"), ..request.headers },
            SignatureError::Malformed,
        ),
        (
            "empty time",
            SignatureHeaders { timestamp: Some(""), ..request.headers },
            SignatureError::Malformed,
        ),
        ("no base64", SignatureHeaders { v3: Some("!"), ..request.headers }, SignatureError::Malformed),
        ("empty", SignatureHeaders { v3: Some(""), ..request.headers }, SignatureError::Mismatch),
        ("short", SignatureHeaders { v3: Some("K36d"), ..request.headers }, SignatureError::Mismatch),
    ] {
        assert_eq!(verifier().verify(&SignedRequest { headers, ..request }, now), Err(expected), "{name}");
    }
    let legacy = SignatureHeaders { legacy: Some("zz"), ..SignatureHeaders::default() };
    let lax = verifier().allow_legacy();
    assert_eq!(
        lax.verify(&SignedRequest { headers: legacy, ..request }, now),
        Err(SignatureError::Malformed)
    );
    let unknown =
        SignatureHeaders { legacy: Some("00"), legacy_version: Some("v9"), ..SignatureHeaders::default() };
    assert_eq!(
        lax.verify(&SignedRequest { headers: unknown, ..request }, now),
        Err(SignatureError::Malformed)
    );
}

#[test]
fn a_bad_v3_signature_is_not_saved_by_a_good_v1() {
    let headers = SignatureHeaders {
        v3: Some("AAAA"),
        timestamp: Some(SENT),
        legacy: Some("69fc6631a867edd4f9e9e627fc5c1148e3fbdd8b21837b6d2b8901c1fa57f750"),
        legacy_version: Some("v1"),
    };
    let request = SignedRequest { method: "POST", url: URL, body: SINGLE, headers };
    assert_eq!(verifier().allow_legacy().verify(&request, at(SENT_MS)), Err(SignatureError::Mismatch));
}

#[test]
fn any_of_several_secrets_will_do_and_none_accepts_nothing() {
    let request = v3(SINGLE, SENT, SIGNATURE);
    let secrets =
        |texts: &[&str]| Verifier::new(texts.iter().map(|text| SecretString::from(*text)).collect());
    for (texts, expected) in [
        (&["new", SECRET][..], Ok(SignatureVersion::V3)),
        (&[SECRET, "new"], Ok(SignatureVersion::V3)),
        (&["new"], Err(SignatureError::Mismatch)),
        (&[], Err(SignatureError::Mismatch)),
    ] {
        assert_eq!(secrets(texts).verify(&request, at(SENT_MS)), expected, "{texts:?}");
    }
    assert!(!format!("{:?}", verifier()).contains("yyyy"));
}

#[test]
fn only_the_documented_codes_are_decoded() {
    for (url, expected) in [
        ("https://a/b?c=d%3Ae", "https://a/b?c=d:e"),
        ("%3a%2f%3F%40%21%24%27%28%29%2A%2C%3B", ":/?@!$'()*,;"),
        ("%20%25%26%3D%2B%23", "%20%25%26%3D%2B%23"),
        ("%253A", "%253A"),
        ("%", "%"),
        ("%3", "%3"),
        ("%é3A", "%é3A"),
        ("a%%3Ab", "a%:b"),
    ] {
        assert_eq!(decode_url(url), expected, "{url}");
    }
}

proptest! {
    #[test]
    fn every_flipped_bit_is_noticed(part in 0_usize..4, place: prop::sample::Index, bit in 0_u8..7) {
        let mut parts =
            [b"POST".to_vec(), URL.as_bytes().to_vec(), SINGLE.to_vec(), STANDARD.decode(SIGNATURE).unwrap()];
        let index = place.index(parts[part].len());
        parts[part][index] ^= 1 << bit;
        let [method, url, body, signature] = parts;
        let (Ok(method), Ok(url)) = (String::from_utf8(method), String::from_utf8(url)) else { return Ok(()) };
        let signature = STANDARD.encode(signature);
        let request = SignedRequest { method: &method, url: &url, ..v3(&body, SENT, &signature) };
        prop_assert_eq!(verifier().verify(&request, at(SENT_MS)), Err(SignatureError::Mismatch));
    }

    #[test]
    fn nothing_makes_it_panic(url in ".*", body: Vec<u8>, v3 in prop::option::of(".*"), time in prop::option::of(".*"),
                              legacy in prop::option::of(".*"), version in prop::option::of("v[0-9]")) {
        let headers = SignatureHeaders {
            v3: v3.as_deref(), timestamp: time.as_deref(), legacy: legacy.as_deref(), legacy_version: version.as_deref(),
        };
        let request = SignedRequest { method: "POST", url: &url, body: &body, headers };
        prop_assert!(verifier().allow_legacy().verify(&request, at(SENT_MS)).is_err());
    }
}
