//! A JSON API as the source, by its description alone: both ways, with faults of the API and restarts of ours.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_transport::{Transport, TransportError};
use hubspot_adapter::{HubSpotDestination, SearchFeed};
use secrecy::SecretString;
use serde_json::{Value as Json, json};
use source_adapters::rest::{Description, RestOptions, RestSource};
use sync_core::report::RunReport;
use sync_core::stores::{Binding, SqliteStore};
use sync_core::{Engine, Options, Parts};
use sync_types::Source as _;
use workspace_tests::{FINGERPRINT_KEY, World};

use crate::both_ways::{contacts, edit, pass, right, world_of};

const MAPPING: &str = r#"
[mapping]
name = "shop"

[[links]]
name = "people"
collection = "people"
object = "contacts"
sync_key = "shop_key"
match = ["email"]
direction = "both"
creates = "both"
conflict = "source"
fields = [
    { from = "email", to = "email", transform = ["email"] },
    { from = "name", to = "lastname" },
    { from = "address.city", to = "city" },
]
"#;

const DESCRIPTION: &str = r#"
[api]
name = "shop"
base_url = "https://shop.example/v1"
[auth]
kind = "bearer"
token = { secret = "SHOP_TOKEN" }
[collections.people]
key = "/id"
fields = { id = "number", email = "text", name = "text", address = "json", ref = "text" }
get = { path = "/people/{id}" }
update = { path = "/people/{id}" }
[collections.people.list]
path = "/people"
records = "/data"
paging = { kind = "page", parameter = "page", size = { parameter = "size", value = 7 }, total = "/total" }
[collections.people.create]
path = "/people"
record = ""
token_field = "ref"
find = { path = "/people", query = { ref = "{token}" }, records = "/data", paging = { kind = "none" } }
"#;

/// What goes wrong with one request.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// Refused for being too fast.
    Throttled,
    /// It is done, and the answer is lost.
    AnswerLost,
    /// It is not done, and nobody knows.
    RequestLost,
    /// The server fails.
    Broken,
}

#[derive(Clone, Default)]
struct Shop(Arc<Mutex<Stock>>);

#[derive(Default)]
struct Stock {
    people: BTreeMap<u64, Json>,
    /// Every so many requests meet the next of the faults.
    every: usize,
    faults: Vec<Fault>,
    requests: usize,
    /// Of so many creations from now on the answer is lost.
    creations_lost: usize,
}

impl fmt::Debug for Shop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shop")
    }
}

impl Shop {
    fn stock(&self) -> MutexGuard<'_, Stock> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn city(&self, id: u64) -> String {
        self.stock().people[&id]["address"]["city"].as_str().unwrap_or_default().to_owned()
    }
}

impl Stock {
    fn make(&mut self, mut person: Json) -> Json {
        let id = self.people.keys().last().copied().unwrap_or(0) + 1;
        person["id"] = json!(id);
        self.people.insert(id, person.clone());
        person
    }

    fn answer(&mut self, method: &str, url: &url::Url, body: &[u8]) -> (u16, Json) {
        let query: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        let body: Json = serde_json::from_slice(body).unwrap_or(Json::Null);
        let id = url.path().strip_prefix("/v1/people/").and_then(|id| id.parse::<u64>().ok());
        match (method, id) {
            ("POST", None) => (201, self.make(body)),
            ("GET", None) => {
                let number = |name: &str, otherwise: usize| {
                    query.get(name).and_then(|value| value.parse().ok()).unwrap_or(otherwise)
                };
                let (page, size) = (number("page", 1), number("size", 100));
                let wanted = |person: &&Json| query.get("ref").is_none_or(|wanted| person["ref"] == *wanted);
                let all: Vec<&Json> = self.people.values().filter(wanted).collect();
                let data: Vec<&&Json> = all.iter().skip((page - 1) * size).take(size).collect();
                (200, json!({ "data": data, "total": all.len() }))
            }
            (_, Some(id)) if self.people.contains_key(&id) => {
                let person = self.people.entry(id).or_default();
                if let ("PATCH", Some(fields)) = (method, body.as_object()) {
                    for (name, value) in fields {
                        person[name] = value.clone();
                    }
                }
                (200, person.clone())
            }
            _ => (404, json!({})),
        }
    }
}

#[async_trait]
impl Transport for Shop {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let mut stock = self.stock();
        assert_eq!(request.headers()["authorization"], "Bearer s3cret");
        let url = url::Url::parse(&request.uri().to_string()).unwrap();
        stock.requests += 1;
        let is_due = stock.every > 0 && stock.requests.is_multiple_of(stock.every);
        let is_lost = request.method() == http::Method::POST && stock.creations_lost > 0;
        stock.creations_lost -= usize::from(is_lost);
        let fault = match (is_lost, is_due) {
            (true, _) => Some(Fault::AnswerLost),
            (false, true) => stock.faults.pop(),
            (false, false) => None,
        };
        let (status, json) = match fault {
            Some(Fault::RequestLost) => return Err(TransportError::timed_out()),
            Some(Fault::Throttled) => (429, json!({})),
            Some(Fault::Broken) => (503, json!({})),
            Some(Fault::AnswerLost) | None => stock.answer(request.method().as_str(), &url, request.body()),
        };
        if fault == Some(Fault::AnswerLost) {
            return Err(TransportError::timed_out());
        }
        let mut answer = Response::new(Bytes::from(json.to_string()));
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        Ok(answer)
    }
}

/// One run of a new process: nothing is kept but the state file, the shop and the portal.
async fn run(world: &World, shop: &Shop) -> RunReport {
    let description = Description::parse("shop.toml", DESCRIPTION).unwrap();
    let mut options = RestOptions::default();
    options.write = true;
    let secrets = |_: &str| Some(SecretString::from("s3cret"));
    let clock = Arc::clone(&world.clock);
    let source = RestSource::open(description, options, &secrets, Arc::new(shop.clone()), clock).unwrap();
    let source = Arc::new(source);
    let destination = Arc::new(HubSpotDestination::new(world.client()));
    let binding = Binding { engagement: world.mapping.name().to_owned(), portal: "1".into() };
    let engine = Engine::new(Parts {
        engagement: world.mapping.name().to_owned(),
        portal: "1".into(),
        mapper: Arc::clone(&world.mapping) as _,
        writer: Arc::clone(&source).writer(),
        source,
        destination: Arc::clone(&destination) as _,
        feed: Some(Arc::new(SearchFeed::new(destination, Arc::clone(&world.clock)))),
        store: Box::new(SqliteStore::open(&world.state(), &binding, FINGERPRINT_KEY).unwrap()),
        clock: Arc::clone(&world.clock),
        options: Options::default(),
    });
    let report = engine.unwrap().run_once().await.unwrap();
    World::adds_up(&report);
    report
}

/// Runs until nothing moves any more.
async fn settle(world: &World, shop: &Shop) {
    for _ in 0..12 {
        let report = run(world, shop).await;
        let people = &report.links[0];
        if report.is_complete() && people.written() + people.written_left() == 0 {
            return;
        }
        pass(world, 120).await;
    }
    unreachable!("the world does not come to rest");
}

fn agrees(world: &World, shop: &Shop) {
    let contacts = contacts(world);
    let stock = shop.stock();
    assert_eq!(contacts.len(), stock.people.len(), "as many here as there");
    for person in stock.people.values() {
        let email = person["email"].as_str().unwrap();
        let contact = contacts.iter().find(|contact| contact.properties["email"] == email).unwrap();
        for (property, value) in [("lastname", &person["name"]), ("city", &person["address"]["city"])] {
            let shown = contact.properties.get(property).map(String::as_str).unwrap_or_default();
            assert_eq!(shown, value.as_str().unwrap_or_default(), "{property} of {email}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_api_is_kept_in_step_whatever_goes_wrong_with_it() {
    use Fault::{AnswerLost, Broken, RequestLost, Throttled};

    // The world's own source is empty: the shop stands in its place.
    for (every, faults) in [
        (0, vec![]),
        (3, vec![Throttled; 40]),
        (4, [AnswerLost, Broken].repeat(20)),
        (5, vec![RequestLost; 40]),
    ] {
        let world = world_of(MAPPING, 0).await;
        let shop = Shop::default();
        for n in 0..30 {
            let person = json!({ "email": format!("p{n}@example.com"), "name": format!("Person {n}"), "address": { "city": "Bonn", "zip": "1" } });
            shop.stock().make(person);
        }
        (shop.stock().every, shop.stock().faults) = (every, faults);
        settle(&world, &shop).await;
        assert_eq!(contacts(&world).len(), 30);
        agrees(&world, &shop);

        // An edit on either side, one of them inside a nested value, and a record made on either side.
        pass(&world, 600).await;
        shop.stock().creations_lost = 1;
        edit(&world, "p3@example.com", "city", "Kiel");
        shop.stock().people.get_mut(&8).unwrap()["name"] = json!("Renamed");
        shop.stock().make(json!({ "email": "new@example.com", "name": "New" }));
        let now = world.clock.now();
        let fields = [("email", "made@example.com"), ("lastname", "Made")];
        world.portal().create_as_user(now, "contacts", fields).unwrap();
        world.clock.sleep(Duration::from_secs(600)).await;
        settle(&world, &shop).await;
        assert_eq!(
            (shop.city(4).as_str(), right(&world, "p7@example.com", "lastname").as_str()),
            ("Kiel", "Renamed")
        );
        assert_eq!(shop.stock().people[&4]["address"]["zip"], "1", "what stands beside a nested value stays");
        assert_eq!(shop.stock().people.len(), 32, "each record was made once");
        agrees(&world, &shop);
    }
}
