//! A frame of a large message up to its last chunk, which need not have arrived.
//!
//! ```text
//! call req, call res  .. csumtype:1 (csum:4){0,1} arg1~2 arg2~2 chunk~2
//! continuation        flags:1 csumtype:1 (csum:4){0,1} chunk~2
//! ```
//!
//! Source: spec/protocol/call.md, "call req" and spec/protocol/call.md, "continuations".

use bytes::BytesMut;

use super::call::flags;
use crate::cursor::DecodeError;
use crate::frame::{Frame, FrameType, MessageId};
use crate::limits::FRAME_HEADER_SIZE;
use crate::peek::Walk;

/// What stands before the last chunk of a frame that goes on with arg3, or begins it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ArrivingHead {
    /// Call req, call res, or a continuation of either.
    pub frame_type: FrameType,
    /// The message it belongs to.
    pub id: MessageId,
    /// Whether more frames of the message follow.
    pub more: bool,
    /// Bytes before the chunk, its length included.
    pub size: usize,
    /// Bytes of the chunk, which ends the frame.
    pub chunk_size: usize,
    /// Bytes before the chunk of a continuation of this message, its length included.
    pub continuation_size: usize,
}

impl ArrivingHead {
    /// Reads the head off what has arrived of a frame. `None` when that is too little, when the frame does not end
    /// with the chunk that is the third of a first frame or the only one of a continuation, and when a field is not
    /// whole: the whole frame shows.
    pub fn peek(frame: &[u8]) -> Option<Self> {
        let (header, payload) = frame.split_first_chunk::<FRAME_HEADER_SIZE>()?;
        let [high, low, frame_type, _, id @ .., _, _, _, _, _, _, _, _] = header;
        let frame_type = FrameType::from_byte(*frame_type)?;
        let mut at = Walk::new(payload);
        let (checksum_size, chunk_size) = walk_to_chunk(frame_type, &mut at).ok()??;
        let size = frame.len() - at.left();
        let frame_size = usize::from(u16::from_be_bytes([*high, *low]));
        (size + chunk_size == frame_size).then_some(Self {
            frame_type,
            id: MessageId(u32::from_be_bytes(*id)),
            more: payload[0] & flags::MORE_FRAGMENTS != 0,
            size,
            chunk_size,
            continuation_size: FRAME_HEADER_SIZE + 1 + checksum_size + 2,
        })
    }

    /// The frame whose bytes before the chunk are `bytes`, with nothing in the chunk; `None` when there is no head
    /// in them, or there are others.
    pub fn frame(bytes: &[u8]) -> Option<(Self, Frame)> {
        let head = Self::peek(bytes).filter(|head| head.size == bytes.len())?;
        Some((head, Frame::without_chunk(BytesMut::from(bytes))))
    }

    /// Whether `other` goes on with the same message.
    pub fn goes_on_with(&self, other: &Self) -> bool {
        let continuation = match self.frame_type {
            FrameType::CallReq | FrameType::CallReqContinue => FrameType::CallReqContinue,
            _ => FrameType::CallResContinue,
        };
        self.more && other.id == self.id && other.frame_type == continuation
    }

    /// Whether it is the first frame of its message.
    pub fn is_first(&self) -> bool {
        matches!(self.frame_type, FrameType::CallReq | FrameType::CallRes)
    }
}

/// Walks up to the chunk, and gives the bytes of the checksum and of the chunk; `None` for a frame of another type.
fn walk_to_chunk(
    frame_type: FrameType,
    at: &mut Walk<'_>,
) -> Result<Option<(usize, usize)>, DecodeError> {
    at.u8("flags")?;
    let args_before = match frame_type {
        FrameType::CallReq => {
            at.call_req_head()?;
            2
        }
        FrameType::CallRes => {
            at.call_res_head()?;
            2
        }
        FrameType::CallReqContinue | FrameType::CallResContinue => 0,
        _ => return Ok(None),
    };
    let before = at.left();
    at.checksum()?;
    let checksum_size = before - at.left();
    for _ in 0..args_before {
        let length = at.u16("arg length")?;
        at.take(usize::from(length), "arg")?;
    }
    let chunk_size = at.u16("chunk length")?;
    Ok(Some((checksum_size, usize::from(chunk_size))))
}
