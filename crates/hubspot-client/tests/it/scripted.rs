//! A transport that answers from a function and remembers every request.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http_transport::{TokioClock, Transport, TransportError};
use hubspot_client::{Client, ClientBuilder, Limits, TokenError, TokenProvider};
use secrecy::SecretString;
use serde_json::Value;

/// What the far end does with a request.
pub(crate) enum Act {
    Answer(u16, Value),
    AnswerWith(u16, Vec<(&'static str, String)>, Value),
    Text(u16, &'static str),
    NotSent,
    Lost,
}

/// A request as it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Value,
    pub(crate) authorization: String,
    pub(crate) at: Duration,
}

type Script = dyn FnMut(&Seen, usize) -> Act + Send;

pub(crate) struct Scripted {
    script: Mutex<Box<Script>>,
    seen: Mutex<Vec<Seen>>,
    clock: TokioClock,
    latency: Duration,
}

impl Scripted {
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| format!("{} {}", seen.method, seen.path)).collect()
    }
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scripted")
    }
}

#[async_trait]
impl Transport for Scripted {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        use http_transport::Clock as _;
        let seen = Seen {
            method: request.method().to_string(),
            path: request.uri().path_and_query().unwrap().to_string(),
            body: serde_json::from_slice(request.body()).unwrap_or(Value::Null),
            authorization: request
                .headers()
                .get("authorization")
                .map_or_else(String::new, |value| value.to_str().unwrap().to_owned()),
            at: self.clock.monotonic(),
        };
        let number = {
            let mut all = self.seen.lock().unwrap();
            all.push(seen.clone());
            all.len()
        };
        self.clock.sleep(self.latency).await;
        let act = (self.script.lock().unwrap())(&seen, number);
        let answer = |status: u16, headers: Vec<(&'static str, String)>, body: String| {
            let mut response = http::Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            Ok(response.body(Bytes::from(body)).unwrap())
        };
        match act {
            Act::Answer(status, body) => answer(status, Vec::new(), body.to_string()),
            Act::AnswerWith(status, headers, body) => answer(status, headers, body.to_string()),
            Act::Text(status, text) => answer(status, Vec::new(), text.to_owned()),
            Act::NotSent => Err(TransportError::not_sent("could not connect")),
            Act::Lost => Err(TransportError::timed_out()),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Token;

#[async_trait]
impl TokenProvider for Token {
    async fn token(&self) -> Result<SecretString, TokenError> {
        Ok(SecretString::from("pat-test-1"))
    }

    async fn rejected(&self, _token: &SecretString) -> bool {
        false
    }
}

/// A client over a script, on tokio's (paused) time.
pub(crate) fn client(script: impl FnMut(&Seen, usize) -> Act + Send + 'static) -> (Client, Arc<Scripted>) {
    client_with(Duration::ZERO, |builder| builder.limits(Limits::unlimited()), script)
}

pub(crate) fn client_with(
    latency: Duration,
    settings: impl FnOnce(ClientBuilder) -> ClientBuilder,
    script: impl FnMut(&Seen, usize) -> Act + Send + 'static,
) -> (Client, Arc<Scripted>) {
    let clock = TokioClock::start();
    let transport = Arc::new(Scripted {
        script: Mutex::new(Box::new(script)),
        seen: Mutex::default(),
        clock: clock.clone(),
        latency,
    });
    let builder = Client::builder("http://portal.test")
        .token_provider(Arc::new(Token))
        .transport(transport.clone())
        .clock(Arc::new(clock))
        .seed(1);
    (settings(builder).build().unwrap(), transport)
}
