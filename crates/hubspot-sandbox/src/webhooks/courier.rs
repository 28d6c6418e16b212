//! Carries webhooks over sockets: the one place of the sandbox that calls somebody.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::{ANSWER_WITHIN, WebhookRequest};
use crate::portal::Portal;

/// How often to look although nobody called: time may have been moved by hand.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Sends what is due, until it is dropped.
pub(crate) struct Courier {
    pub(crate) portal: Arc<Mutex<Portal>>,
    /// Told whenever something may have become due.
    pub(crate) wake: Arc<Notify>,
    /// The wall clock.
    pub(crate) clock: fn() -> Timestamp,
}

impl Courier {
    /// Runs for ever.
    pub(crate) async fn run(self) {
        let mut sending: JoinSet<(u64, Option<u16>)> = JoinSet::new();
        loop {
            for request in self.due() {
                sending.spawn(async move { (request.id, deliver(request).await) });
            }
            tokio::select! {
                Some(sent) = sending.join_next() => {
                    // A send that panicked is answered by nobody and waits for a restart of the portal.
                    if let Ok((id, status)) = sent {
                        let mut portal = self.lock();
                        let now = portal.time((self.clock)());
                        portal.webhook_answered(now, id, status);
                    }
                }
                () = self.wake.notified() => {}
                () = pause(LOOK_EVERY) => {}
            }
        }
    }

    fn due(&self) -> Vec<WebhookRequest> {
        let mut portal = self.lock();
        let now = portal.time((self.clock)());
        portal.webhook_requests(now)
    }

    fn lock(&self) -> MutexGuard<'_, Portal> {
        // As in the server: a portal after a panic is the best there is.
        self.portal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The status of the answer; `None` if there was none in time.
async fn deliver(request: WebhookRequest) -> Option<u16> {
    let url = request.request.uri().to_string();
    tokio::select! {
        sent = send(request.request) => match sent {
            Ok(status) => Some(status),
            Err(error) => {
                tracing::warn!(%url, error, "a webhook was not delivered");
                None
            }
        },
        () = pause(ANSWER_WITHIN) => {
            tracing::warn!(%url, "a webhook was not answered within 5 s");
            None
        }
    }
}

async fn send(request: http::Request<Bytes>) -> Result<u16, String> {
    let uri = request.uri().clone();
    if uri.scheme_str() != Some("http") {
        return Err("the sandbox delivers to http addresses on this machine only".to_owned());
    }
    let authority = uri.authority().ok_or("no host")?;
    let address = (authority.host().trim_matches(['[', ']']), authority.port_u16().unwrap_or(80));
    let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    // It ends with the answer, as the sender is dropped then.
    tokio::spawn(async move { drop(connection.await) });
    let (mut head, body) = request.into_parts();
    if let Some(target) = uri.path_and_query() {
        head.uri = http::Uri::from(target.clone());
    }
    let host = http::HeaderValue::from_str(authority.as_str()).map_err(|error| error.to_string())?;
    head.headers.insert(http::header::HOST, host);
    let request = http::Request::from_parts(head, Full::new(body));
    let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
    Ok(answer.status().as_u16())
}

#[allow(clippy::disallowed_methods, reason = "waits for a socket; what tests time drives Portal itself")]
async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}
