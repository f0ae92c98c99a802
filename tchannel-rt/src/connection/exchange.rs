//! Args that have arrived and wait for their reader: a unary caller, a stream's reader, or a handler to be.

use std::collections::VecDeque;
use std::task::Waker;

use bytes::{Bytes, BytesMut};
use tchannel_proto::{Body, Failure, ResponseCode, Tracing, TransportHeaders};

/// What a call res says besides its args.
#[derive(Clone, Debug)]
pub(crate) struct ResponseInfo {
    pub(crate) code: ResponseCode,
    pub(crate) headers: TransportHeaders,
    pub(crate) tracing: Tracing,
}

/// One message on its way to its reader.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    pub(crate) info: Option<ResponseInfo>,
    first: Option<Body>,
    rest: VecDeque<Body>,
    buffered: usize,
    pub(crate) end: bool,
    pub(crate) failure: Option<Failure>,
    pub(crate) waker: Option<Waker>,
    /// Nobody reads before the end, so `buffered` is bounded by the largest message, not by a window.
    pub(crate) collects: bool,
    /// Nobody reads it any more, so what still comes is not kept.
    unwanted: bool,
}

impl Exchange {
    /// For a reader that wants the whole message.
    pub(crate) fn collecting() -> Self {
        Self {
            collects: true,
            ..Self::default()
        }
    }

    /// Takes in what a frame has brought, and gives how many bytes of it wait from now on.
    pub(crate) fn push(&mut self, body: Body) -> usize {
        self.end |= body.end;
        if self.unwanted {
            return 0;
        }
        let bytes = body.len();
        self.buffered += bytes;
        if self.first.is_none() && self.rest.is_empty() {
            self.first = Some(body);
        } else {
            self.rest.push_back(body);
        }
        bytes
    }

    /// The reader is gone. Gives how many bytes it has left behind.
    pub(crate) fn forget(&mut self) -> usize {
        self.unwanted = true;
        self.first = None;
        self.rest = VecDeque::new();
        std::mem::take(&mut self.buffered)
    }

    pub(crate) fn pop(&mut self) -> Option<Body> {
        let body = self.first.take().or_else(|| self.rest.pop_front())?;
        self.buffered -= body.len();
        Some(body)
    }

    pub(crate) fn buffered(&self) -> usize {
        self.buffered
    }

    pub(crate) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// The whole message: slices of what was read where it came in one frame, one copy where it did not.
    pub(crate) fn collect(&mut self) -> (Bytes, Bytes) {
        let first = self.first.take().unwrap_or_default();
        if self.rest.is_empty() {
            return (first.arg2, first.arg3);
        }
        let parts: Vec<Body> = std::iter::once(first).chain(self.rest.drain(..)).collect();
        (
            join(&parts, |body| &body.arg2),
            join(&parts, |body| &body.arg3),
        )
    }
}

fn join(parts: &[Body], arg: impl Fn(&Body) -> &Bytes) -> Bytes {
    let mut filled = parts.iter().map(&arg).filter(|chunk| !chunk.is_empty());
    match (filled.next(), filled.next()) {
        (None, _) => Bytes::new(),
        (Some(only), None) => only.clone(),
        _ => {
            let mut joined =
                BytesMut::with_capacity(parts.iter().map(|body| arg(body).len()).sum());
            parts
                .iter()
                .for_each(|body| joined.extend_from_slice(arg(body)));
            joined.freeze()
        }
    }
}
