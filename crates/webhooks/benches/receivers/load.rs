//! The load: signed requests with events that were never sent before, over connections that stay open.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};
use webhooks::sign_v3;

use crate::{Failure, PUBLIC_URL, SECRET};

/// What to send, and for how long.
pub(crate) struct Load {
    pub(crate) address: String,
    pub(crate) connections: usize,
    pub(crate) events: usize,
    pub(crate) time: Duration,
    /// Requests a second, whatever the receiver does; `None` sends the next request once the last is answered.
    pub(crate) rate: Option<f64>,
}

/// What came of it.
#[derive(Default)]
struct Outcome {
    accepted: u64,
    refused: u64,
    /// Of each request, from when it was due.
    latencies: Vec<Duration>,
}

impl Load {
    /// Sends, and gives the figures as one line of JSON.
    pub(crate) async fn run(&self) -> Result<String, Failure> {
        let begin = Instant::now() + Duration::from_millis(50);
        let end = begin + self.time;
        let turn = Arc::new(AtomicU64::new(0));
        let mut tasks = Vec::new();
        for connection in 0..self.connections {
            let bodies = Bodies::new(connection, self.events);
            let stream = TcpStream::connect(&self.address).await?;
            stream.set_nodelay(true)?;
            tasks.push(tokio::spawn(send(stream, bodies, begin, end, self.rate, Arc::clone(&turn))));
        }
        let mut all = Outcome::default();
        for task in tasks {
            let one = task.await??;
            all.accepted += one.accepted;
            all.refused += one.refused;
            all.latencies.extend(one.latencies);
        }
        let seconds = begin.elapsed().as_secs_f64();
        all.latencies.sort_unstable();
        let at = |per_mille: usize| {
            let index = all.latencies.len() * per_mille / 1_000;
            let latency = all.latencies.get(index.min(all.latencies.len().saturating_sub(1)));
            latency.copied().unwrap_or_default().as_secs_f64() * 1_000.0
        };
        let line = json!({
            "requests": all.accepted,
            "refused": all.refused,
            "events": all.accepted * self.events as u64,
            "seconds": seconds,
            "p50_ms": at(500),
            "p99_ms": at(990),
        });
        Ok(line.to_string())
    }
}

/// One connection: takes the next request's turn, waits until it is due, sends it and reads the answer.
async fn send(
    mut stream: TcpStream,
    mut bodies: Bodies,
    begin: Instant,
    end: Instant,
    rate: Option<f64>,
    turn: Arc<AtomicU64>,
) -> io::Result<Outcome> {
    let secret = SecretString::from(SECRET);
    let mut outcome = Outcome::default();
    let mut answer = vec![0; 4_096];
    loop {
        let due = match rate {
            Some(rate) => {
                let turn = turn.fetch_add(1, Ordering::Relaxed);
                begin + Duration::from_secs_f64(turn as f64 / rate)
            }
            None => Instant::now().max(begin),
        };
        if due >= end {
            return Ok(outcome);
        }
        sleep_until(due).await;
        let body = bodies.next();
        let signed = sign_v3(&secret, "POST", PUBLIC_URL, body, Timestamp::now());
        let head = format!(
            "POST /hubspot/events HTTP/1.1\r\nhost: hooks.example.com\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nx-hubspot-signature-v3: {}\r\nx-hubspot-request-timestamp: {}\r\n\r\n",
            body.len(),
            signed.signature,
            signed.timestamp
        );
        stream.write_all(&[head.as_bytes(), body].concat()).await?;
        if status(&mut stream, &mut answer).await? == 200 {
            outcome.accepted += 1;
            outcome.latencies.push(due.elapsed());
        } else {
            outcome.refused += 1;
        }
    }
}

/// Reads one answer to its end and gives its status.
async fn status(stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<u16> {
    let mut read = 0;
    loop {
        let Some(room) = buffer.get_mut(read..).filter(|room| !room.is_empty()) else {
            return Err(io::Error::other("the answer is too long"));
        };
        let more = stream.read(room).await?;
        if more == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        read += more;
        let text = String::from_utf8_lossy(buffer.get(..read).unwrap_or_default()).to_ascii_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length:")).map_or("0", str::trim);
        if body.len() < length.parse().unwrap_or(0) {
            continue;
        }
        let code = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        return code.ok_or_else(|| io::Error::other("no status"));
    }
}

/// Bodies that differ in the ids of their records and in their time: digits of a fixed width, written over the last
/// ones.
struct Bodies {
    body: Vec<u8>,
    ids: Vec<usize>,
    times: Vec<usize>,
    next: u64,
}

const DIGITS: usize = 14;
const TIME_DIGITS: usize = 13;

fn write(body: &mut [u8], place: usize, digits: &str) {
    if let Some(at) = body.get_mut(place..place + digits.len()) {
        at.copy_from_slice(digits.as_bytes());
    }
}

impl Bodies {
    fn new(connection: usize, events: usize) -> Bodies {
        let (id, time) = ("9".repeat(DIGITS), "8".repeat(TIME_DIGITS));
        let list: Vec<_> = (0..events)
            .map(|place| {
                json!({
                    "eventId": 3_816_279_340_u64 + place as u64, "subscriptionId": 25, "portalId": 33, "appId": 1_160_452,
                    "occurredAt": 8_888_888_888_888_u64, "subscriptionType": "contact.propertyChange", "attemptNumber": 0,
                    "objectId": 99_999_999_999_999_u64, "propertyName": "lifecyclestage",
                    "propertyValue": "subscriber", "changeSource": "CRM_UI", "sourceId": "userId:123",
                })
            })
            .collect();
        let text = serde_json::Value::Array(list).to_string();
        let places = |marker: &str| text.match_indices(marker).map(|(at, _)| at).collect();
        let (ids, times) = (places(&id), places(&time));
        // Each connection has ids of its own.
        let next = 10_000_000_000_000 + connection as u64 * 100_000_000_000;
        Bodies { body: text.into_bytes(), ids, times, next }
    }

    fn next(&mut self) -> &[u8] {
        for place in &self.ids {
            self.next += 1;
            write(&mut self.body, *place, &self.next.to_string());
        }
        let now = Timestamp::now().as_millisecond().to_string();
        for place in &self.times {
            write(&mut self.body, *place, &now);
        }
        &self.body
    }
}
