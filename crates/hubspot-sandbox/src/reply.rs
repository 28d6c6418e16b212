//! What the portal hands back for one request: the answer, when it may leave and how much of it arrives.

use std::time::Duration;

use bytes::Bytes;

/// The outcome of one request. The portal has no sockets: whoever carries the answer honours `delay` and `delivery`.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The whole answer, also when it is not to be delivered.
    pub response: http::Response<Bytes>,
    /// How long the answer takes, counted from the arrival of the request.
    pub delay: Duration,
    /// What of the answer reaches the caller.
    pub delivery: Delivery,
}

impl Reply {
    /// The whole answer, without delay.
    pub(crate) fn at_once(response: http::Response<Bytes>) -> Reply {
        Reply { response, delay: Duration::ZERO, delivery: Delivery::Whole }
    }
}

/// How an answer is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The caller gets all of it.
    Whole,
    /// The request took effect, then the connection closes with nothing delivered.
    LostAfterApply,
    /// The connection closes and the request had no effect.
    LostBeforeApply,
    /// The caller gets the head and this many bytes of the body, then the connection closes.
    CutBody(usize),
}
