//! Call req continue and call res continue: more args of a message already begun.
//!
//! ```text
//! flags:1 csumtype:1 (csum:4){0,1} chunk~2 ..
//! ```
//!
//! Source: spec/protocol/call.md, "continuations".

use bytes::{BufMut, BytesMut};

use super::call::{Chunks, flags};
use crate::checksum::{Checksum, ChecksumType};
use crate::cursor::{DecodeError, Reader};
use crate::frame::{FrameType, MessageId};
use crate::limits::FRAME_HEADER_SIZE;

/// Either continuation frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Continuation {
    /// See [`flags`](super::flags); only "more fragments" is legal.
    pub flags: u8,
    /// Checksum, running on from the frame before.
    pub checksum: Checksum,
    /// Chunks; the first continues the arg that was open.
    pub chunks: Chunks,
}

impl Continuation {
    pub(crate) fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        Ok(Self {
            flags: reader.u8("flags")?,
            checksum: Checksum::decode(reader)?,
            chunks: Chunks::decode(reader)?,
        })
    }

    pub(crate) fn encode(&self, out: &mut BytesMut) {
        out.put_u8(self.flags);
        self.checksum.encode(out);
        out.put_slice(self.chunks.as_bytes());
    }
}

/// A continuation frame up to its only chunk, which need not have arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContinuationHead {
    /// Call req continue or call res continue.
    pub frame_type: FrameType,
    /// The message it belongs to.
    pub id: MessageId,
    /// Whether more frames of the message follow.
    pub more: bool,
    /// Checksum, running on from the frame before.
    pub checksum: Checksum,
    /// Bytes of the chunk, which ends the frame.
    pub chunk_size: usize,
}

impl ContinuationHead {
    /// Reads the head off what has arrived of a frame. `None` when that is too little, when the frame is none of
    /// this kind or has not exactly one chunk, and when there is anything wrong with it: the whole frame shows.
    pub fn peek(frame: &[u8]) -> Option<Self> {
        let header = frame.first_chunk::<FRAME_HEADER_SIZE>()?;
        let [high, low, frame_type, _, id @ .., _, _, _, _, _, _, _, _] = header;
        let frame_type = match FrameType::from_byte(*frame_type)? {
            it @ (FrameType::CallReqContinue | FrameType::CallResContinue) => it,
            _ => return None,
        };
        let payload = &frame[FRAME_HEADER_SIZE..];
        let checksum_type = ChecksumType::from_byte(*payload.get(1)?)?;
        let (value, rest) = match checksum_type {
            ChecksumType::None => (0, &payload[2..]),
            _ => {
                let (value, rest) = payload[2..].split_first_chunk()?;
                (u32::from_be_bytes(*value), rest)
            }
        };
        let (chunk_size, rest) = rest.split_first_chunk()?;
        let chunk_size = usize::from(u16::from_be_bytes(*chunk_size));
        let head_size = frame.len() - rest.len();
        let size = usize::from(u16::from_be_bytes([*high, *low]));
        (head_size + chunk_size == size).then_some(Self {
            frame_type,
            id: MessageId(u32::from_be_bytes(*id)),
            more: payload[0] & flags::MORE_FRAGMENTS != 0,
            checksum: Checksum {
                checksum_type,
                value,
            },
            chunk_size,
        })
    }

    /// Bytes before the chunk.
    pub fn size(&self) -> usize {
        FRAME_HEADER_SIZE + 1 + 1 + self.checksum.checksum_type.value_size() + 2
    }
}
