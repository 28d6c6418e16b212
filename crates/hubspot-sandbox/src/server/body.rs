//! An answer's body, sent whole or broken off on purpose.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// A body that announces its full length and may deliver less.
#[derive(Debug)]
pub(super) struct FaceBody {
    data: Bytes,
    announced: u64,
    end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    /// The connection breaks off behind the data.
    Cut,
    /// It breaks off at the next look: what came before has had its chance to leave.
    CutNow,
}

/// Breaks the connection off in the middle of an answer.
#[derive(Debug, thiserror::Error)]
#[error("the answer is cut off")]
pub(super) struct CutOff;

impl FaceBody {
    pub(super) fn whole(data: Bytes) -> Self {
        Self { announced: data.len() as u64, data, end: End::Whole }
    }

    /// Announces all of `data` and delivers its first `kept` bytes. What is not shorter than `data` arrives whole.
    pub(super) fn cut(mut data: Bytes, kept: usize) -> Self {
        let announced = data.len() as u64;
        let end = if kept < data.len() { End::Cut } else { End::Whole };
        data.truncate(kept);
        Self { data, announced, end }
    }
}

impl Body for FaceBody {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutOff>>> {
        if !self.data.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.data)))));
        }
        match self.end {
            End::Whole => Poll::Ready(None),
            End::Cut => {
                // An error drops what is still buffered, so the head and the data get one flush first.
                self.end = End::CutNow;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            End::CutNow => Poll::Ready(Some(Err(CutOff))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_empty() && self.end == End::Whole
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}
