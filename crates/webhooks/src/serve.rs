//! Listening: connections with limits on what a stranger can hold, and an end that loses nothing.

mod impatient;

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use sync_types::Clock;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tower_service::Service;

use self::impatient::Impatient;

/// What connections may take. A connection answers one request at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServeLimits {
    /// Connections at a time; others wait to be accepted.
    pub connections_max: usize,
    /// How long the head of a request may take to arrive, which bounds how long an idle connection lives too.
    pub head_within: Duration,
    /// Headers of a request.
    pub headers_max: usize,
    /// Bytes that a connection may buffer: its headers, and what has come of a body and is not read yet.
    pub buffer_max: usize,
    /// How long the other side may take to read an answer.
    pub taken_within: Duration,
    /// How long requests under way may take once it is to stop.
    pub stop_within: Duration,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
            head_within: Duration::from_secs(10),
            headers_max: 64,
            buffer_max: 64 * 1024,
            taken_within: Duration::from_secs(10),
            stop_within: Duration::from_secs(10),
        }
    }
}

/// Wait after a connection could not be accepted, such as with no file descriptor left, so as not to spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves HTTP/1.1 on `listener` with `service` (a [`Receiver`](crate::Receiver), a router) until `stop` completes. Then it
/// accepts nothing more, lets requests under way be answered, and returns. Close the inbox after that, not before.
///
/// TLS is a proxy's work in front of it.
pub async fn serve<S, R>(
    listener: TcpListener,
    service: S,
    limits: ServeLimits,
    clock: Arc<dyn Clock>,
    stop: impl Future<Output = ()>,
) where
    S: Service<Request<Incoming>, Response = Response<R>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: std::error::Error + Send + Sync + 'static,
{
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(limits.connections_max.min(Semaphore::MAX_PERMITS)));
    let mut connections = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let next = async {
            let permit = Arc::clone(&room).acquire_owned().await;
            (listener.accept().await, permit)
        };
        tokio::select! {
            (accepted, permit) = next => match accepted {
                Ok((stream, _)) => {
                    let watcher = graceful.watcher();
                    let service = service.clone();
                    // Answers are small and written whole; waiting to fill a packet only delays them. Best effort.
                    let _ = stream.set_nodelay(true);
                    let stream = Impatient::new(stream, Arc::clone(&clock), limits.taken_within);
                    connections.spawn(async move {
                        let _permit = permit;
                        connection(watcher, stream, service, limits).await;
                    });
                }
                Err(error) => {
                    refused(&error);
                    clock.sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
            () = &mut stop => break,
        }
    }
    drop(listener);
    let ended = async {
        graceful.shutdown().await;
        while connections.join_next().await.is_some() {}
    };
    tokio::select! {
        () = ended => {}
        () = clock.sleep(limits.stop_within) => tracing::warn!("closing connections whose answers are still under way"),
    }
    // What is left is ended and gone before this returns: nothing of it holds the service any more.
    connections.shutdown().await;
}

fn refused(error: &io::Error) {
    tracing::warn!(%error, "could not accept a connection");
}

async fn connection<S, R>(watcher: Watcher, stream: Impatient, service: S, limits: ServeLimits)
where
    S: Service<Request<Incoming>, Response = Response<R>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    R: Body<Data = Bytes> + Send + 'static,
    R::Error: std::error::Error + Send + Sync + 'static,
{
    let service = service_fn(move |request| {
        let mut service = service.clone();
        async move {
            poll_fn(|context| service.poll_ready(context)).await?;
            service.call(request).await
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_within)
        .max_headers(limits.headers_max)
        // hyper wants 8 kB at least.
        .max_buf_size(limits.buffer_max.max(8 * 1024))
        .serve_connection(TokioIo::new(stream), service);
    // It ends in an error when its client leaves early or is too slow.
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection ended early");
    }
}
