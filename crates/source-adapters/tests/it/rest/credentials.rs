//! How calls prove who they are from.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use http_transport::Clock as _;
use secrecy::{ExposeSecret as _, SecretString};
use sync_types::{ReadRequest, Source as _, SourceErrorKind};

use source_adapters::rest::{Description, GrantKeeper, KeptGrant, RestOptions, RestSource};

use super::shop::{Shop, described, status};

const ALL: &str = "list = { path = '/all', records = '', paging = { kind = 'none' } }";
const PAGED: &str = "list = { path = '/after', records = '/data', paging = { kind = 'keyset', parameter = 'since', from = '/id' } }";

fn with(auth: &str, list: &str) -> String {
    format!("{}\n[auth]\n{auth}\n", described(list))
}

async fn first(source: &RestSource) -> Result<usize, sync_types::SourceError> {
    let request = ReadRequest { collection: "people".into(), after: None, max: 100 };
    source.read_page(&request).await.map(|page| page.records.len())
}

#[tokio::test(start_paused = true)]
async fn each_kind_of_credential_is_sent_as_described() {
    let basic = base64::prelude::BASE64_STANDARD.encode("kit:s3cret");
    for (auth, header, expected) in [
        (
            "kind = 'api-key'\nheader = 'X-Api-Key'\nvalue = { secret = 'K' }",
            "x-api-key",
            "s3cret".to_owned(),
        ),
        (
            "kind = 'api-key'\nheader = 'Authorization'\nprefix = 'Token '\nvalue = { secret = 'K' }",
            "authorization",
            "Token s3cret".to_owned(),
        ),
        ("kind = 'bearer'\ntoken = { secret = 'K' }", "authorization", "Bearer s3cret".to_owned()),
        (
            "kind = 'basic'\nuser = 'kit'\npassword = { secret = 'K' }",
            "authorization",
            format!("Basic {basic}"),
        ),
    ] {
        let shop = Shop::with(1);
        let source = shop.open(&with(auth, ALL));
        first(&source).await.unwrap();
        assert_eq!(shop.stock().requests[0].headers[header], expected.as_str());
        assert!(!format!("{source:?}").contains("s3cret"));
    }
    let shop = Shop::with(1);
    let source = shop.open(&with("kind = 'api-key'\nquery = 'key'\nvalue = { secret = 'K' }", ALL));
    first(&source).await.unwrap();
    assert_eq!(shop.stock().requests[0].query["key"], "s3cret");
}

#[tokio::test(start_paused = true)]
async fn a_signature_covers_what_the_description_says() {
    let auth = "kind = 'hmac'\nkey = { secret = 'K' }\nover = '{method} {path}?{query} {timestamp}{body}'\n\
                header = 'X-Signature'\nvalue = 't={timestamp},v1={signature}'\ntimestamp_header = 'X-Time'";
    let shop = Shop::with(1);
    first(&shop.open(&with(auth, ALL))).await.unwrap();
    let headers = shop.stock().requests[0].headers.clone();
    assert_eq!(headers["x-time"], "1800000000");
    // From Python: hmac.new(b"s3cret", b"GET /api/all? 1800000000", "sha256").hexdigest()
    let expected = "t=1800000000,v1=bf1e7d798016842e1ef09d3c72529c3f0f60655535eb55f7faf4b71fdb8e7126";
    assert_eq!(headers["x-signature"], expected);
}

const OAUTH: &str = "kind = 'client-credentials'\ntoken_url = 'https://shop.example/api/token'\nclient_id = 'kit'\n\
                     client_secret = { secret = 'K' }\nscope = 'read'";

#[tokio::test(start_paused = true)]
async fn a_token_that_expires_in_the_middle_of_a_scan_costs_one_call() {
    for expires_before in 2..=6 {
        let shop = Shop::with(12);
        shop.stock().token = Some(String::from("unknown yet"));
        let mut number = 0;
        shop.before(move |stock, _| {
            number += 1;
            if number == expires_before {
                stock.token = Some(String::from("another"));
            }
        });
        let source = shop.open(&with(OAUTH, PAGED));
        let (mut after, mut count) = (None, 0);
        loop {
            let request = ReadRequest { collection: "people".into(), after, max: 100 };
            let page = source.read_page(&request).await.unwrap();
            count += page.records.len();
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(count, 12);
        assert_eq!(shop.stock().tokens_given, 2, "one token at the start, one when it had expired");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_credential_halts_and_is_not_tried_again_and_again() {
    let shop = Shop::with(1);
    shop.before(|stock, _| stock.instead.push(Some(status(401, serde_json::json!({})))));
    let source = shop.open(&with(OAUTH, PAGED));
    for _ in 0..3 {
        let error = first(&source).await.unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::Denied, "{error}");
        assert!(!error.message.contains("s3cret"));
    }
    assert_eq!(shop.stock().requests.len(), 1, "a refused client is not asked for again");
    // What refused it may have been a firewall.
    shop.clock.sleep(std::time::Duration::from_secs(301)).await;
    shop.before(|_, _| {});
    assert_eq!(first(&source).await.unwrap(), 1);
}

#[derive(Debug, Default)]
struct Shelf(Mutex<Option<KeptGrant>>);

impl GrantKeeper for Shelf {
    fn load(&self) -> Result<Option<KeptGrant>, String> {
        Ok(self.0.lock().unwrap().clone())
    }
    fn save(&self, grant: &KeptGrant) -> Result<(), String> {
        *self.0.lock().unwrap() = Some(grant.clone());
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_that_is_replaced_is_kept() {
    let auth = "kind = 'refresh-token'\ntoken_url = 'https://shop.example/api/token'\nclient_id = 'kit'\n\
                client_secret = { secret = 'K' }\nrefresh_token = { secret = 'R' }\ncredentials = 'body'";
    let shop = Shop::with(1);
    let shelf = Arc::new(Shelf::default());
    let open = |set: &'static str| {
        let description = Description::parse("shop.toml", &with(auth, ALL)).unwrap();
        let mut options = RestOptions::default();
        options.keeper = Some(Arc::clone(&shelf) as Arc<dyn GrantKeeper>);
        let secrets = |name: &str| Some(SecretString::from(if name == "R" { set } else { "s3cret" }));
        let (transport, clock) = (Arc::new(shop.clone()), shop.clock.clone());
        RestSource::open(description, options, &secrets, transport, clock).unwrap()
    };
    let mut number = 0;
    shop.before(move |stock, asked| {
        if asked.path == "/api/token" {
            number += 1;
            let next = format!("refresh-{number}");
            let token = serde_json::json!({ "access_token": "a", "expires_in": 60, "refresh_token": next });
            stock.instead.push(Some(status(200, token)));
        }
    });
    let used = || {
        let stock = shop.stock();
        let forms = stock.requests.iter().filter(|asked| asked.path == "/api/token");
        let tokens = forms.map(|asked| {
            assert!(asked.body.contains("client_id=kit&client_secret=s3cret"), "{}", asked.body);
            asked.body.split('&').find(|pair| pair.starts_with("refresh_token=")).unwrap().to_owned()
        });
        tokens.collect::<Vec<_>>()
    };
    first(&open("set")).await.unwrap();
    first(&open("set")).await.unwrap();
    assert_eq!(used(), ["refresh_token=set", "refresh_token=refresh-1"]);
    // Somebody connected the account again: what was kept is of the old grant.
    first(&open("set-anew")).await.unwrap();
    assert_eq!(used()[2], "refresh_token=set-anew");
    assert_eq!(shelf.0.lock().unwrap().as_ref().unwrap().refresh_token.expose_secret(), "refresh-3");
}
