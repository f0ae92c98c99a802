//! Continuation frames whose chunk the owner reads straight to where it belongs: everything but those bytes
//! comes in here.
//!
//! ```text
//! Decoder::arriving -> continues -> read the chunk -> handle_continuation
//! ```
//!
//! The same happens as if the frame had been whole. Source: spec/protocol/fragments.md, "receiving".

use std::time::Instant;

use super::{Connection, Failure, InboundKey, OutboundKey, State};
use crate::fragment::{Body, FragmentReader};
use crate::frame::FrameType;
use crate::message::ContinuationHead;

/// A call of either direction whose arg3 is arriving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Continues {
    /// The request of a call the peer has made.
    Inbound(InboundKey),
    /// The answer to a call this end has made.
    Outbound(OutboundKey),
}

impl Connection {
    /// The call whose arg3 goes on with the chunk behind `head`; `None` where the frame must be whole to be
    /// understood, as that of a relayed call.
    pub fn continues(&self, head: &ContinuationHead) -> Option<Continues> {
        if self.state != State::Open {
            return None;
        }
        let (reader, call) = match head.frame_type {
            FrameType::CallReqContinue => {
                let (reader, key) = self.inbound.reading(head.id)?;
                (reader, Continues::Inbound(key))
            }
            _ => {
                let (reader, key) = self.outbound.reading(head.id)?;
                (reader, Continues::Outbound(key))
            }
        };
        reader.is_in_arg3().then_some(call)
    }

    /// Takes in a continuation of which the owner has read `chunk` elsewhere. The event that follows has an
    /// empty chunk in its place. Nothing happens when the call is over by now.
    pub fn handle_continuation(&mut self, now: Instant, head: &ContinuationHead, chunk: &[u8]) {
        let Some(call) = self.continues(head) else {
            return;
        };
        self.keepalive.heard(now);
        let read =
            |reader: &mut FragmentReader| reader.read_apart(head, chunk).map_err(Failure::Args);
        match call {
            Continues::Inbound(key) => match self.inbound.reader(key).map(read) {
                Some(Ok(end)) => self.receive_body(key, arg3_elsewhere(end)),
                Some(Err(failure)) => self.refuse_args(key, failure),
                None => {}
            },
            Continues::Outbound(key) => match self.outbound.reader(key).map(read) {
                Some(Ok(end)) => self.receive_answer_body(key, arg3_elsewhere(end)),
                Some(Err(failure)) => self.fail_outbound_call(key.id(), failure),
                None => {}
            },
        }
    }
}

fn arg3_elsewhere(end: bool) -> Body {
    Body {
        arg2_end: true,
        end,
        ..Body::default()
    }
}
