//! Args that have arrived and wait for their reader: a unary caller, a stream's reader, or a handler to be.

use std::collections::VecDeque;
use std::task::Waker;

use bytes::Bytes;
use tchannel_proto::{Body, Failure, ResponseCode, Tracing, TransportHeaders};

use super::memory::{Memory, Parts};

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
    /// What has come of a message that is collected from several frames.
    pub(super) parts: Option<Box<Parts>>,
    buffered: usize,
    pub(crate) end: bool,
    /// Kept elsewhere, since few calls fail and each has an exchange.
    pub(crate) failure: Option<Box<Failure>>,
    pub(crate) waker: Option<Waker>,
    /// Nobody reads before the end, so `buffered` is bounded by the largest message, not by a window.
    pub(crate) collects: bool,
    /// Nobody reads it any more, so what still comes is not kept.
    unwanted: bool,
}

impl Exchange {
    /// For a reader that wants the whole message, and is to be woken once it is there.
    pub(crate) fn collecting(waker: impl Into<Option<Waker>>) -> Self {
        Self {
            collects: true,
            waker: waker.into(),
            ..Self::default()
        }
    }

    /// Takes in what a frame has brought, and a chunk of it that has landed, and gives how many bytes of it wait
    /// from now on.
    pub(crate) fn push(&mut self, mut body: Body, memory: &mut Memory) -> usize {
        self.end |= body.end;
        if self.unwanted {
            return 0;
        }
        let mut bytes = body.len();
        if let Some((parts, landed)) = memory.take_landed() {
            bytes += landed;
            if self.collects {
                self.parts = Some(parts);
            } else {
                // The memory of a whole message is too much for what a reader takes piece by piece.
                body.arg3 = Bytes::copy_from_slice(parts.arg3());
                memory.take_back(*parts);
            }
        }
        self.buffered += bytes;
        if self.collects && (self.parts.is_some() || !body.end) {
            self.join(&body, memory);
        } else if self.first.is_none() && self.rest.is_empty() {
            self.first = Some(body);
        } else {
            self.rest.push_back(body);
        }
        bytes
    }

    /// Whether what comes is put together, for somebody who wants the whole.
    pub(super) fn joins(&self) -> bool {
        self.collects && !self.unwanted
    }

    fn join(&mut self, body: &Body, memory: &mut Memory) {
        let mut parts = self.parts.take().unwrap_or_default();
        memory.append(&mut parts, body);
        if body.end {
            self.first = Some(memory.finish(*parts));
        } else {
            self.parts = Some(parts);
        }
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

    pub(crate) fn fail(&mut self, why: Failure) {
        self.failure = Some(Box::new(why));
        self.wake();
    }

    pub(crate) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// The whole message: slices of what was read where it came in one frame, a copy where it did not.
    pub(crate) fn collect(&mut self) -> (Bytes, Bytes) {
        let whole = self.first.take().unwrap_or_default();
        (whole.arg2, whole.arg3)
    }
}
