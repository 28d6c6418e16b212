//! A transport that hands requests to a portal in the same process: no sockets, and time that a test can pause.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use http_transport::{Clock, Transport, TransportError};
use hubspot_sandbox::{Delivery, Portal};

/// Sends requests to a portal in this process.
#[derive(Clone)]
pub struct PortalTransport {
    portal: Arc<Mutex<Portal>>,
    clock: Arc<dyn Clock>,
    calls: Arc<AtomicU64>,
}

impl PortalTransport {
    /// A transport to this portal; its delays pass by this clock.
    #[must_use]
    pub fn new(portal: Arc<Mutex<Portal>>, clock: Arc<dyn Clock>) -> PortalTransport {
        PortalTransport { portal, clock, calls: Arc::default() }
    }

    /// The same, counting its requests here.
    #[must_use]
    pub fn counting(mut self, calls: Arc<AtomicU64>) -> PortalTransport {
        self.calls = calls;
        self
    }
}

impl fmt::Debug for PortalTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PortalTransport")
    }
}

#[async_trait]
impl Transport for PortalTransport {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let now = self.clock.now();
        self.calls.fetch_add(1, Ordering::Relaxed);
        let reply = self.portal.lock().unwrap_or_else(PoisonError::into_inner).handle(now, &request);
        if !reply.delay.is_zero() {
            self.clock.sleep(reply.delay).await;
        }
        match reply.delivery {
            Delivery::Whole => Ok(reply.response),
            _ => Err(TransportError::no_answer("the connection closed before a whole answer came")),
        }
    }
}
