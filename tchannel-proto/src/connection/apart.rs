//! Frames whose last chunk the owner reads straight to where it belongs: everything but those bytes comes in here.
//!
//! ```text
//! Decoder::arriving -> apart -> Decoder::take_arriving -> read the chunk -> handle_frame_apart
//! ```
//!
//! The same happens as if the frame had been whole. Source: spec/protocol/fragments.md, "receiving".

use super::{Connection, InboundKey, OutboundKey, State};
use crate::frame::FrameType;
use crate::message::ArrivingHead;

/// What goes on, or begins, with a chunk of arg3 that is arriving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apart {
    /// The request of a call that the peer makes with this frame.
    NewCall,
    /// The request of a call the peer has made.
    Call(InboundKey),
    /// The answer to a call this end has made.
    Answer(OutboundKey),
}

impl Connection {
    /// What the chunk behind `head` belongs to. `None` where the frame must be whole to be understood, as that of a
    /// relayed call, and where there is nothing to be joined: a message of a single frame.
    pub fn apart(&self, head: &ArrivingHead) -> Option<Apart> {
        if self.state != State::Open || (head.is_first() && !head.more) {
            return None;
        }
        match head.frame_type {
            FrameType::CallReq => Some(Apart::NewCall),
            FrameType::CallRes => self.outbound.awaiting(head.id).map(Apart::Answer),
            FrameType::CallReqContinue => {
                let (reader, key) = self.inbound.reading(head.id)?;
                reader.is_in_arg3().then_some(Apart::Call(key))
            }
            FrameType::CallResContinue => {
                let (reader, key) = self.outbound.reading(head.id)?;
                reader.is_in_arg3().then_some(Apart::Answer(key))
            }
            _ => None,
        }
    }
}
