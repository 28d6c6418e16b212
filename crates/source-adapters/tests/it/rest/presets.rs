//! Presets against answers in the form that each service's documentation shows.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use http_transport::{TokioClock, Transport, TransportError};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value as Json;
use source_adapters::rest::{Description, PRESETS, RestOptions, RestSource, preset};
use sync_types::{
    ChangesRequest, Collection, ExternalId, LeftBatch, LeftField, LeftOutcome, LeftRow, LeftVerb, OpId,
    ReadRequest, Record, Seen, Source, SyncKey, Value,
};

/// What is asked of one preset, and what its service answers.
#[derive(Deserialize)]
struct Recording {
    variables: BTreeMap<String, String>,
    collection: String,
    /// A header that carries the credential, and what it says.
    credential: (String, String),
    /// The ids of a scan, and a field of the first record.
    ids: Vec<String>,
    first: BTreeMap<String, String>,
    /// What a question for changes is answered with: ids, and whether each is deleted.
    #[serde(default)]
    changes: Option<Vec<(String, bool)>>,
    /// A field that is changed, and to what.
    #[serde(default)]
    update: Option<(String, String)>,
    answers: Vec<Answer>,
}

#[derive(Clone, Deserialize)]
struct Answer {
    /// `GET /path?key=value&key=value`, with the keys in order and nothing escaped. `{from}` stands for a time.
    asked: String,
    /// What has to be sent.
    #[serde(default)]
    sent: Option<Json>,
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Json,
}

fn ok() -> u16 {
    200
}

/// A service that knows only what was recorded.
struct Service {
    answers: Vec<Answer>,
    credential: (String, String),
    asked: Mutex<Vec<String>>,
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Service")
    }
}

#[async_trait]
impl Transport for Service {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let mut pairs: Vec<(String, String)> =
            url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
                .into_owned()
                .collect();
        pairs.sort();
        let query: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let mut asked = format!("{} {}", request.method(), request.uri().path());
        if !query.is_empty() {
            asked = format!("{asked}?{}", query.join("&"));
        }
        self.asked.lock().unwrap().push(asked.clone());
        let matches = |answer: &&Answer| match answer.asked.split_once("{from}") {
            None => answer.asked == asked,
            Some((before, after)) => {
                // Everything but the time itself has to be as it is written.
                let time = asked.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
                time.is_some_and(|time| time.len() >= 19 && !time.contains(' '))
            }
        };
        let answer = self.answers.iter().find(matches);
        assert!(answer.is_some(), "nothing is recorded for `{asked}`");
        let answer = answer.unwrap();
        if !(request.method() == "POST" && asked.ends_with("/token")) {
            let said = request.headers().get(&self.credential.0).and_then(|value| value.to_str().ok());
            assert_eq!(said, Some(self.credential.1.as_str()), "{asked}");
        }
        if let Some(sent) = &answer.sent {
            assert_eq!(serde_json::from_slice::<Json>(request.body()).ok().as_ref(), Some(sent), "{asked}");
        }
        let mut response =
            Response::builder().status(answer.status).header("content-type", "application/json");
        for (name, value) in &answer.headers {
            response = response.header(name, value);
        }
        let body = if answer.body.is_null() { Bytes::new() } else { answer.body.to_string().into() };
        Ok(response.body(body).unwrap())
    }
}

fn text(record: &Record, field: &str) -> String {
    let seen = record.get(field);
    assert!(matches!(seen, Seen::Value(_)), "{field}: {seen:?}");
    if let Seen::Value(value) = seen { value.reveal().to_string() } else { String::new() }
}

async fn scan(source: &RestSource, collection: &Collection) -> Vec<Record> {
    let (mut records, mut after) = (Vec::new(), None);
    loop {
        let request = ReadRequest { collection: collection.clone(), after, max: 1_000 };
        let page = source.read_page(&request).await.unwrap();
        records.extend(page.records.into_iter().map(Result::unwrap));
        match page.next {
            Some(next) => after = Some(next),
            None => return records,
        }
    }
}

async fn try_preset(name: &str, recording: &str) {
    let Recording { variables, collection, credential, ids, first, changes, update, answers } =
        serde_json::from_str(recording).unwrap();
    let description = Description::parse(name, preset(name).unwrap().text).unwrap();
    let mut options = RestOptions::default();
    options.variables = variables;
    options.write = true;
    let service = Arc::new(Service { answers, credential, asked: Mutex::default() });
    let secrets = |_: &str| Some(SecretString::from("s3cret"));
    let clock = Arc::new(TokioClock::starting_at("2026-11-22T09:00:00Z".parse().unwrap()));
    let source = Arc::new(RestSource::open(description, options, &secrets, service.clone(), clock).unwrap());
    let collection = Collection::new(collection);

    let records = scan(&source, &collection).await;
    let found: Vec<&str> = records.iter().map(|record| record.id().as_str()).collect();
    assert_eq!(found, ids, "{name}: {:?}", service.asked.lock().unwrap());
    for (field, value) in &first {
        assert_eq!(text(&records[0], field), *value, "{name} {field}");
    }

    let asked = [ExternalId::from(ids[0].as_str()), ExternalId::from("0404")];
    let read = source.read(&collection, &asked).await.unwrap();
    assert_eq!(read.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false], "{name}");

    if let Some(expected) = changes {
        let ask = |after| ChangesRequest { collection: collection.clone(), after, max: 1_000 };
        let begun = source.changes(&ask(None)).await.unwrap();
        let page = source.changes(&ask(Some(begun.cursor))).await.unwrap();
        let told: Vec<(String, bool)> =
            page.changes.iter().map(|change| (change.id.to_string(), change.deleted)).collect();
        assert_eq!(told, expected, "{name}");
    }

    if let Some((field, value)) = update {
        let row = LeftRow {
            verb: LeftVerb::Update(read[0].clone().unwrap()),
            token: SyncKey::new("unused"),
            fields: vec![LeftField { path: field.as_str().into(), value: Value::from(value) }],
        };
        let batch = LeftBatch { op: OpId(1), collection: collection.clone(), rows: vec![row] };
        let outcomes = source.clone().writer().unwrap().write(&batch).await.unwrap();
        assert!(matches!(outcomes.as_slice(), [LeftOutcome::Written(_)]), "{name}: {outcomes:?}");
    } else {
        assert!(source.writer().is_none(), "{name} is only read");
    }
}

#[test]
fn each_is_a_sound_description_that_says_what_was_not_tried() {
    let names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
    assert!(names.is_sorted(), "{names:?}");
    for preset in PRESETS {
        let description = Description::parse(preset.name, preset.text);
        let description = description.map_err(|problems| problems.to_string()).unwrap();
        assert!(description.collections().count() >= 2, "{}", preset.name);
        assert!(!description.secrets().is_empty(), "{}", preset.name);
        assert!(
            preset.text.contains("not against"),
            "{} does not say that it was not tried live",
            preset.name
        );
    }
}

#[tokio::test]
async fn stripe() {
    try_preset("stripe", include_str!("presets/stripe.json")).await;
}

#[tokio::test]
async fn woocommerce() {
    try_preset("woocommerce", include_str!("presets/woocommerce.json")).await;
}

#[tokio::test]
async fn shopify() {
    try_preset("shopify", include_str!("presets/shopify.json")).await;
}

#[tokio::test]
async fn xero() {
    try_preset("xero", include_str!("presets/xero.json")).await;
}

#[tokio::test]
async fn salesforce() {
    try_preset("salesforce", include_str!("presets/salesforce.json")).await;
}

#[tokio::test]
async fn business_central() {
    try_preset("business-central", include_str!("presets/business-central.json")).await;
}
