//! The HTTP face: sockets, the wall clock and delivery faults around a [`Portal`], which decides everything else.

mod body;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{fmt, io};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use jiff::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use self::body::FaceBody;
use crate::webhooks::Courier;
use crate::{Delivery, Portal, Reply, browser};

/// The longest request body read; a longer one is answered with 413.
const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;

/// How long [`Server::stop`] waits for answers that are under way.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// Wait after a connection could not be accepted, such as with no file descriptor left, so as not to spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A portal that serves HTTP on a socket, from [`Server::start`] until [`Server::stop`] or drop.
///
/// `/` and `/records/…` show the record browser, everything else is [`Portal::handle`].
pub struct Server {
    address: SocketAddr,
    portal: Arc<Mutex<Portal>>,
    // Dropping it stops the server too, without waiting.
    stop: oneshot::Sender<Infallible>,
    serving: JoinHandle<()>,
}

/// Without the portal's records.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Server {
    /// Accepts connections at `address`, where port 0 takes a free one, and serves them on the current tokio runtime.
    ///
    /// # Errors
    /// The address cannot be bound.
    pub async fn start(address: SocketAddr, portal: Portal) -> io::Result<Server> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let portal = Arc::new(Mutex::new(portal));
        lock(&portal).set_file_base_url(format!("http://{address}"));
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(serve(listener, Arc::clone(&portal), stopped));
        Ok(Server { address, portal, stop, serving })
    }

    /// Where it listens, with the port that was taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL to give to a client, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The portal being served. Every request waits for this lock: hold it briefly, and never across an await.
    pub fn portal(&self) -> Arc<Mutex<Portal>> {
        Arc::clone(&self.portal)
    }

    /// Accepts nothing more, lets answers under way leave for up to 2 s, closes all connections and returns.
    pub async fn stop(self) {
        drop(self.stop);
        // A task that panicked or was cancelled serves no more either.
        let _ = self.serving.await;
    }
}

async fn serve(
    listener: TcpListener,
    portal: Arc<Mutex<Portal>>,
    mut stopped: oneshot::Receiver<Infallible>,
) {
    let graceful = GracefulShutdown::new();
    let mut connections = tokio::task::JoinSet::new();
    // It goes with the set: webhooks leave as long as calls are answered.
    let wake = Arc::new(Notify::new());
    let courier = Courier { portal: Arc::clone(&portal), wake: Arc::clone(&wake), clock: wall_clock };
    let mut couriers = tokio::task::JoinSet::new();
    couriers.spawn(courier.run());
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let face = Face { portal: Arc::clone(&portal), wake: Arc::clone(&wake) };
                    connections.spawn(connection(graceful.watcher(), stream, face));
                }
                Err(error) => {
                    tracing::warn!(%error, "could not accept a connection");
                    pause(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
            _ = &mut stopped => break,
        }
    }
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = pause(STOP_GRACE) => tracing::warn!("closing connections whose answers are still under way"),
    }
    // Dropping the set aborts what is left of it.
}

/// What answers need.
#[derive(Clone)]
struct Face {
    portal: Arc<Mutex<Portal>>,
    /// Told after every call, which may have made webhooks due.
    wake: Arc<Notify>,
}

async fn connection(watcher: Watcher, stream: TcpStream, face: Face) {
    // Answers are small and written whole; waiting to fill a packet only delays them. Best effort.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(face.clone(), request));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // It ends in an error when its client leaves early and for every lost answer.
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "connection ended early");
    }
}

/// Closes the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the answer is not delivered")]
struct LostAnswer;

async fn answer(face: Face, request: Request<Incoming>) -> Result<Response<FaceBody>, LostAnswer> {
    let (parts, body) = request.into_parts();
    if parts.headers.get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        // HubSpot does not document compressed request bodies, so nobody should come to rely on them here.
        return Ok(refusal(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Compressed request bodies are not supported",
        ));
    }
    let body = match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            return Ok(refusal(StatusCode::PAYLOAD_TOO_LARGE, "The request body is too large"));
        }
        Err(_) => return Err(LostAnswer),
    };
    let reply = decide(&mut lock(&face.portal), &Request::from_parts(parts, body));
    face.wake.notify_one();
    if !reply.delay.is_zero() {
        pause(reply.delay).await;
    }
    match reply.delivery {
        Delivery::Whole => Ok(reply.response.map(FaceBody::whole)),
        Delivery::CutBody(kept) => Ok(reply.response.map(|body| FaceBody::cut(body, kept))),
        Delivery::LostAfterApply | Delivery::LostBeforeApply => Err(LostAnswer),
    }
}

fn decide(portal: &mut Portal, request: &Request<Bytes>) -> Reply {
    let now = portal.time(wall_clock());
    match browser::page(portal, now, request) {
        Some(response) => Reply { response, delay: Duration::ZERO, delivery: Delivery::Whole },
        None => portal.handle(now, request),
    }
}

/// A poisoned lock means that another request panicked; the portal is still the best there is to show.
fn lock(portal: &Mutex<Portal>) -> MutexGuard<'_, Portal> {
    portal.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An error of the face itself, in the shape of HubSpot's.
fn refusal(status: StatusCode, message: &str) -> Response<FaceBody> {
    let body = serde_json::json!({ "status": "error", "message": message, "category": "VALIDATION_ERROR" });
    let mut response = Response::new(FaceBody::whole(Bytes::from(body.to_string())));
    *response.status_mut() = status;
    let json = header::HeaderValue::from_static("application/json;charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

#[allow(
    clippy::disallowed_methods,
    reason = "the one place where wall time enters; the portal maps it to its own"
)]
fn wall_clock() -> Timestamp {
    Timestamp::now()
}

#[allow(
    clippy::disallowed_methods,
    reason = "latency of a socket; everything that tests time drives Portal itself"
)]
async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}
