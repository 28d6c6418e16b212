//! A request's body, up to a size, charged against what all bodies may hold.

use std::pin::pin;

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt as _;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Room that is made before anything has arrived, whatever the length that a sender announces.
const ROOM_FIRST: usize = 64 * 1024;

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyError {
    /// It is larger than one body may be.
    TooLarge,
    /// All bodies together would be larger than they may be.
    NoRoom,
    /// The connection ended before the body.
    Broken,
}

/// Reads a body of at most `max` bytes. Bytes count in `room` from when they arrive until the permit is dropped, so a
/// sender that announces much and sends little holds little.
pub(crate) async fn read<B: Body<Data = Bytes>>(
    body: B,
    announced: usize,
    max: usize,
    room: &Semaphore,
) -> Result<(Bytes, Option<SemaphorePermit<'_>>), BodyError> {
    let mut body = pin!(body);
    let mut held: Option<SemaphorePermit<'_>> = None;
    let mut first: Option<Bytes> = None;
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| BodyError::Broken)?;
        // Trailers are of no interest.
        let Ok(data) = frame.into_data() else { continue };
        let so_far = first.as_ref().map_or(0, Bytes::len) + rest.len();
        if so_far + data.len() > max {
            return Err(BodyError::TooLarge);
        }
        let permits = u32::try_from(data.len()).map_err(|_| BodyError::TooLarge)?;
        let more = room.try_acquire_many(permits).map_err(|_| BodyError::NoRoom)?;
        match &mut held {
            Some(held) => held.merge(more),
            None => held = Some(more),
        }
        if first.is_none() {
            // Mostly the whole body comes at once and is not copied.
            first = Some(data);
        } else {
            if rest.is_empty() {
                rest.reserve(announced.saturating_sub(so_far).min(ROOM_FIRST));
            }
            rest.extend_from_slice(&data);
        }
    }
    let first = first.unwrap_or_default();
    if rest.is_empty() {
        return Ok((first, held));
    }
    let mut whole = BytesMut::with_capacity(first.len() + rest.len());
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&rest);
    Ok((whole.freeze(), held))
}
