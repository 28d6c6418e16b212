//! The bare receiver: what a careful programmer would write with axum and SQLite, and no more. It verifies version 3,
//! stores each event's text, commits for all who wait and then answers 200. No limits, no deduplication, no deadline.

use std::path::Path;
use std::sync::mpsc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde_json::value::RawValue;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::{Failure, PUBLIC_URL, SECRET};

struct Job {
    events: Vec<Box<RawValue>>,
    done: oneshot::Sender<()>,
}

pub(crate) async fn serve(file: &Path) -> Result<(), Failure> {
    let connection = rusqlite::Connection::open(file)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -8192;
         PRAGMA wal_autocheckpoint = 4000;
         CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY, body TEXT NOT NULL);",
    )?;
    let (sender, jobs) = mpsc::channel::<Job>();
    std::thread::spawn(move || {
        if let Err(error) = write(&connection, &jobs) {
            eprintln!("error: {error}");
        }
    });
    let router = Router::new().route("/hubspot/events", post(receive)).with_state(sender);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, router).await?;
    Ok(())
}

fn write(connection: &rusqlite::Connection, jobs: &mpsc::Receiver<Job>) -> Result<(), Failure> {
    while let Ok(first) = jobs.recv() {
        let mut waiting = Vec::new();
        let mut rows = 0;
        let mut next = Some(first);
        connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut insert = connection.prepare_cached("INSERT INTO event (body) VALUES (?1)")?;
        while let Some(job) = next.take() {
            for event in &job.events {
                insert.execute([event.get()])?;
            }
            rows += job.events.len();
            waiting.push(job.done);
            if rows < 10_000 {
                next = jobs.try_recv().ok();
            }
        }
        connection.execute_batch("COMMIT")?;
        for done in waiting {
            let _ = done.send(());
        }
    }
    Ok(())
}

async fn receive(State(sender): State<mpsc::Sender<Job>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if !verify(&headers, &body).unwrap_or(false) {
        return StatusCode::UNAUTHORIZED;
    }
    let Ok(events) = serde_json::from_slice(&body) else { return StatusCode::BAD_REQUEST };
    let (done, stored) = oneshot::channel();
    if sender.send(Job { events, done }).is_err() || stored.await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    StatusCode::OK
}

fn verify(headers: &HeaderMap, body: &[u8]) -> Option<bool> {
    let signature = headers.get("x-hubspot-signature-v3")?.to_str().ok()?;
    let timestamp = headers.get("x-hubspot-request-timestamp")?.to_str().ok()?;
    let age = Timestamp::now().as_millisecond() - timestamp.parse::<i64>().ok()?;
    let signature = base64::engine::general_purpose::STANDARD.decode(signature).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).ok()?;
    for part in [b"POST", PUBLIC_URL.as_bytes(), body, timestamp.as_bytes()] {
        mac.update(part);
    }
    Some(age.abs() <= 300_000 && mac.verify_slice(&signature).is_ok())
}
