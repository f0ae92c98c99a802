//! Messages: one variant per frame type, each able to read and write itself.
//!
//! This is the plain codec: every field by name, nothing about order or state. A connection that carries
//! calls uses [`Connection`](crate::Connection); a relay uses [`peek`](crate::peek).

mod arriving;
mod call;
mod cancel;
mod claim;
mod continuation;
mod error;
mod inbound_head;
mod init;
mod ping;

use bytes::BytesMut;

pub use arriving::ArrivingHead;
pub use call::{CallReq, CallRes, Chunks, IntoChunks, ResponseCode, flags};
pub use cancel::Cancel;
pub use claim::Claim;
pub use continuation::Continuation;
pub use error::{ErrorCode, ErrorFrame, RetryAdvice};
pub use inbound_head::InboundHead;
pub use init::{Init, InitHeaders, header as init_header, is_ephemeral};
pub use ping::{PING_SIZE, encode_ping};

pub(crate) use error::encode_error;
pub(crate) use inbound_head::InboundReq;

use crate::cursor::{DecodeError, Reader};
use crate::frame::{Frame, FrameType, MessageId, close_frame, open_frame};

/// What a frame says. Source: spec/protocol/framing.md, "frame types".
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message {
    /// Init req.
    InitReq(Init),
    /// Init res.
    InitRes(Init),
    /// Call req.
    CallReq(CallReq),
    /// Call res.
    CallRes(CallRes),
    /// Call req continue.
    CallReqContinue(Continuation),
    /// Call res continue.
    CallResContinue(Continuation),
    /// Cancel.
    Cancel(Cancel),
    /// Claim.
    Claim(Claim),
    /// Ping req.
    PingReq,
    /// Ping res.
    PingRes,
    /// Error.
    Error(ErrorFrame),
}

impl Message {
    /// Reads the payload of `frame`. Its args and strings are slices of the frame's buffer.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] for a type nobody has defined and for a payload that does not hold what the type
    /// demands. Bytes behind init, ping, cancel, claim and error are ignored.
    pub fn decode(frame: Frame) -> Result<Self, DecodeError> {
        let frame_type = frame
            .frame_type()
            .map_err(|value| DecodeError::FrameType { value })?;
        let mut reader = Reader::new(frame.into_payload());
        let reader = &mut reader;
        Ok(match frame_type {
            FrameType::InitReq => Self::InitReq(Init::decode(reader)?),
            FrameType::InitRes => Self::InitRes(Init::decode(reader)?),
            FrameType::CallReq => Self::CallReq(CallReq::decode(reader)?),
            FrameType::CallRes => Self::CallRes(CallRes::decode(reader)?),
            FrameType::CallReqContinue => Self::CallReqContinue(Continuation::decode(reader)?),
            FrameType::CallResContinue => Self::CallResContinue(Continuation::decode(reader)?),
            FrameType::Cancel => Self::Cancel(Cancel::decode(reader)?),
            FrameType::Claim => Self::Claim(Claim::decode(reader)?),
            FrameType::PingReq => Self::PingReq,
            FrameType::PingRes => Self::PingRes,
            FrameType::Error => Self::Error(ErrorFrame::decode(reader)?),
        })
    }

    /// Appends the whole frame under `id` to `out`.
    ///
    /// # Errors
    ///
    /// [`TooLarge`] when the message does not fit in one frame; `out` is then as it was.
    pub fn encode(&self, id: MessageId, out: &mut BytesMut) -> Result<(), TooLarge> {
        let start = open_frame(out, self.frame_type(), id);
        match self {
            Self::InitReq(init) | Self::InitRes(init) => init.encode(out),
            Self::CallReq(call) => call.encode(out),
            Self::CallRes(call) => call.encode(out),
            Self::CallReqContinue(more) | Self::CallResContinue(more) => more.encode(out),
            Self::Cancel(cancel) => cancel.encode(out),
            Self::Claim(claim) => claim.encode(out),
            Self::PingReq | Self::PingRes => {}
            Self::Error(error) => error.encode(out),
        }
        let size = out.len() - start;
        if size > crate::limits::FRAME_SIZE_MAX {
            out.truncate(start);
            return Err(TooLarge { size });
        }
        close_frame(out, start, 0);
        Ok(())
    }

    /// The type of the frame that carries this message.
    pub fn frame_type(&self) -> FrameType {
        match self {
            Self::InitReq(_) => FrameType::InitReq,
            Self::InitRes(_) => FrameType::InitRes,
            Self::CallReq(_) => FrameType::CallReq,
            Self::CallRes(_) => FrameType::CallRes,
            Self::CallReqContinue(_) => FrameType::CallReqContinue,
            Self::CallResContinue(_) => FrameType::CallResContinue,
            Self::Cancel(_) => FrameType::Cancel,
            Self::Claim(_) => FrameType::Claim,
            Self::PingReq => FrameType::PingReq,
            Self::PingRes => FrameType::PingRes,
            Self::Error(_) => FrameType::Error,
        }
    }
}

/// A message that needs more than one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("message of {size} bytes does not fit in a frame of 65535")]
pub struct TooLarge {
    /// Bytes it would need, header included.
    pub size: usize,
}
