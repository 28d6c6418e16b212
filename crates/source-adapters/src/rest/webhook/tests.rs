//! The ways in which APIs sign what they tell, and what is no proof.

use std::time::Duration;

use http::HeaderValue;

use super::*;

const SECRETS: [(&str, &str); 6] = [
    ("GITHUB", "It's a Secret to Everybody"),
    ("SLACK", "8f742231b10e8888abcd99yyyzzz85a5"),
    ("STANDARD", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ("STRIPE", "whsec_test"),
    ("HUSH", "hush"),
    ("EMPTY", ""),
];

fn secret(name: &str) -> Option<SecretString> {
    SECRETS.iter().find(|(known, _)| *known == name).map(|(_, value)| SecretString::from(*value))
}

fn described(webhook: &str) -> Description {
    let rest = "[api]\nname = 'shop'\nbase_url = 'https://shop.example'\n\
                [collections.a]\nkey = '/id'\nlist = { path = '/a', records = '', paging = { kind = 'none' } }";
    Description::parse("shop.toml", &format!("{rest}\n[webhook]\n{webhook}")).unwrap()
}

fn verifier(webhook: &str) -> WebhookVerifier {
    WebhookVerifier::open(&described(webhook), &RestOptions::default(), &secret).unwrap().unwrap()
}

fn headers(said: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in said {
        headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

/// One way of proving, a call that is right, and when it was made.
struct Case {
    webhook: &'static str,
    headers: &'static [(&'static str, &'static str)],
    query: &'static str,
    body: &'static str,
    at: i64,
}

/// The first two are the examples of GitHub's and Slack's documentation; the others were signed with Python's `hmac` in
/// the form that the documentation of the service in question describes.
const CASES: [Case; 8] = [
    Case {
        webhook: "kind = 'hmac'\nkey = { secret = 'GITHUB' }\nheader = 'X-Hub-Signature-256'\nvalue = 'sha256={signature}'",
        headers: &[(
            "x-hub-signature-256",
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        )],
        query: "",
        body: "Hello, World!",
        at: 0,
    },
    Case {
        webhook: "kind = 'hmac'\nkey = { secret = 'SLACK' }\nheader = 'X-Slack-Signature'\nvalue = 'v0={signature}'\n\
                  over = 'v0:{timestamp}:{body}'\ntimestamp_header = 'X-Slack-Request-Timestamp'",
        headers: &[
            ("x-slack-signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"),
            ("x-slack-request-timestamp", "1531420618"),
        ],
        query: "",
        body: "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&\
               channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&\
               response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F\
               96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
        at: 1_531_420_618,
    },
    // Standard Webhooks, with a signature of another key before ours.
    Case {
        webhook: "kind = 'hmac'\nkey = { secret = 'STANDARD' }\nkey_encoding = 'base64'\nencoding = 'base64'\n\
                  header = 'webhook-signature'\nvalue = 'v1,{signature}'\nseparator = ' '\nid_header = 'webhook-id'\n\
                  timestamp_header = 'webhook-timestamp'\nover = '{id}.{timestamp}.{body}'",
        headers: &[
            (
                "webhook-signature",
                "v1,AAAAsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ),
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("webhook-timestamp", "1614265330"),
        ],
        query: "",
        body: r#"{"test": 2432232314}"#,
        at: 1_614_265_330,
    },
    // Stripe: all in one header, which has signatures of other kinds too.
    Case {
        webhook: "kind = 'hmac'\nkey = { secret = 'STRIPE' }\nheader = 'Stripe-Signature'\n\
                  value = 't={timestamp},v1={signature}'\nover = '{timestamp}.{body}'",
        headers: &[(
            "stripe-signature",
            "t=1700000000,v0=00,v1=C89214B5B5DA833DAED6F0B8C5BB6BD58CEA9022BD80CCC78230F3942D632925",
        )],
        query: "",
        body: r#"{"id":"evt_1"}"#,
        at: 1_700_000_000,
    },
    // Shopify, WooCommerce, Xero and QuickBooks: the bare signature in base64.
    Case {
        webhook: "kind = 'hmac'\nkey = { secret = 'HUSH' }\nheader = 'X-Shopify-Hmac-Sha256'\nencoding = 'base64'",
        headers: &[("x-shopify-hmac-sha256", "qBvrsZF7RfB1iS6BX6IHqJTp5L911P7intnPeTPsH0I=")],
        query: "",
        body: r#"{"id":820982911946154508}"#,
        at: 0,
    },
    Case {
        webhook: "kind = 'secret'\nheader = 'X-Token'\nprefix = 'Token '\nvalue = { secret = 'HUSH' }",
        headers: &[("x-token", "Token hush")],
        query: "",
        body: "",
        at: 0,
    },
    Case {
        webhook: "kind = 'secret'\nquery = 'key'\nvalue = { secret = 'HUSH' }",
        headers: &[],
        query: "a=b&key=h%75sh",
        body: "",
        at: 0,
    },
    Case {
        webhook: "kind = 'basic'\nuser = 'shop'\npassword = { secret = 'HUSH' }",
        headers: &[("authorization", "Basic c2hvcDpodXNo")],
        query: "",
        body: "",
        at: 0,
    },
];

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn what_is_signed_is_believed_and_nothing_that_was_changed() {
    for case in &CASES {
        let verifier = verifier(case.webhook);
        let right = headers(case.headers);
        let call = WebhookCall { headers: &right, query: case.query, body: case.body.as_bytes() };
        let now = at(case.at);
        assert_eq!(verifier.screen(&right, case.query, now), Ok(()), "{}", case.webhook);
        assert_eq!(verifier.verify(&call, now), Ok(()), "{}", case.webhook);
        assert_eq!(verifier.needs_body(), case.webhook.contains("hmac"));

        let none = HeaderMap::new();
        let bare = WebhookCall { headers: &none, query: "", ..call };
        assert_eq!(verifier.verify(&bare, now), Err(WebhookRefusal::Missing), "{}", case.webhook);
        assert_eq!(verifier.screen(&none, "", now), Err(WebhookRefusal::Missing), "{}", case.webhook);
        if verifier.needs_body() {
            let changed = WebhookCall { body: b"changed", ..call };
            assert_eq!(verifier.verify(&changed, now), Err(WebhookRefusal::Mismatch), "{}", case.webhook);
            let no_text = WebhookCall { body: b"\xff", ..call };
            assert_eq!(verifier.verify(&no_text, now), Err(WebhookRefusal::Malformed), "{}", case.webhook);
        }
        for (name, value) in case.headers {
            let twice = headers(&[case.headers, &[(*name, *value)]].concat());
            let refused = verifier.verify(&WebhookCall { headers: &twice, ..call }, now);
            assert_eq!(refused, Err(WebhookRefusal::Malformed), "{name} twice: {}", case.webhook);
        }
        let shown = format!("{verifier:?} {call:?}");
        assert!(SECRETS.iter().all(|(_, value)| value.is_empty() || !shown.contains(value)), "{shown}");
    }
    let by_query = verifier(CASES[6].webhook);
    let none = HeaderMap::new();
    for (query, why) in
        [("key=hush&key=hush", WebhookRefusal::Malformed), ("key=other", WebhookRefusal::Mismatch)]
    {
        let call = WebhookCall { headers: &none, query, body: b"" };
        assert_eq!(by_query.verify(&call, at(0)), Err(why), "{query}");
    }
}

#[test]
fn a_signed_time_has_to_be_near() {
    for case in CASES.iter().filter(|case| case.webhook.contains("{timestamp}")) {
        let right = headers(case.headers);
        for away in [-301, 301] {
            let refused = verifier(case.webhook).screen(&right, "", at(case.at + away));
            assert_eq!(refused, Err(WebhookRefusal::TooOld), "{}", case.webhook);
        }
        let wider = verifier(&format!("{}\nwindow = '1h'", case.webhook));
        let call = WebhookCall { headers: &right, query: "", body: case.body.as_bytes() };
        let later = at(case.at).checked_add(Duration::from_secs(3_000)).unwrap();
        assert_eq!(wider.verify(&call, later), Ok(()), "{}", case.webhook);
    }
    let stripe = verifier(CASES[3].webhook);
    for malformed in ["v1=00", "t=soon,v1=00", "t=1700000000", "t=1700000000,v0=00"] {
        let said = headers(&[("stripe-signature", malformed)]);
        assert_eq!(
            stripe.screen(&said, "", at(1_700_000_000)),
            Err(WebhookRefusal::Malformed),
            "{malformed}"
        );
    }
}

#[test]
fn a_secret_that_is_missing_or_empty_or_no_key_is_told_by_its_name() {
    for (webhook, told) in [
        ("kind = 'secret'\nheader = 'X-Token'\nvalue = { secret = 'NONE' }", "NONE"),
        ("kind = 'secret'\nheader = 'X-Token'\nvalue = { secret = 'EMPTY' }", "EMPTY"),
        (
            "kind = 'hmac'\nheader = 'X-Signature'\nkey = { secret = 'GITHUB' }\nkey_encoding = 'base64'",
            "GITHUB is not written in base64",
        ),
    ] {
        let refused = WebhookVerifier::open(&described(webhook), &RestOptions::default(), &secret);
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains(told) && !refused.contains("Everybody"), "{refused}");
    }
}

#[test]
fn a_form_that_could_not_be_read_back_is_refused() {
    for (wrong, code) in [
        ("value = '{signature}{timestamp}'", "bad-template"),
        ("value = 't={timestamp}'", "bad-template"),
        ("value = 'v1={signature},plain'", "bad-template"),
        ("over = '{timestamp}.{body}'", "unknown-place"),
        ("over = '{id}.{body}'", "unknown-place"),
        ("over = '{method}'", "unknown-place"),
        ("separator = ', '", "wrong-type"),
        ("window = 'soon'", "bad-duration"),
    ] {
        let text = format!(
            "[api]\nname = 'shop'\nbase_url = 'https://shop.example'\n\
             [collections.a]\nkey = '/id'\nlist = {{ path = '/a', records = '', paging = {{ kind = 'none' }} }}\n\
             [webhook]\nkind = 'hmac'\nkey = {{ secret = 'HUSH' }}\nheader = 'X-Signature'\n{wrong}"
        );
        let problems = Description::parse("shop.toml", &text).unwrap_err();
        let codes: Vec<&str> = problems.list().map(|problem| problem.code).collect();
        assert_eq!(codes, [code], "{wrong}");
    }
}
