//! Frame: sixteen bytes of header and a payload, as cut from the stream.
//!
//! ```text
//! size:2 type:1 reserved:1 id:4 reserved:8 payload:size-16
//! ```
//!
//! Source: spec/protocol/framing.md, "frame header".

use std::fmt;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::limits::FRAME_HEADER_SIZE;

/// What ties the frames of one exchange together; chosen by whoever asks.
///
/// Source: spec/protocol/call.md, "message ids".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MessageId(pub u32);

impl MessageId {
    /// The id of frames that belong to no message: `0xFFFFFFFF`.
    pub const NONE: Self = Self(u32::MAX);
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a frame is. Source: spec/protocol/framing.md, "frame types".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FrameType {
    /// First frame of whoever connected.
    InitReq = 0x01,
    /// First frame of whoever accepted.
    InitRes = 0x02,
    /// First frame of a call.
    CallReq = 0x03,
    /// First frame of an answer.
    CallRes = 0x04,
    /// More args of a call.
    CallReqContinue = 0x13,
    /// More args of an answer.
    CallResContinue = 0x14,
    /// The caller no longer wants the answer.
    Cancel = 0xC0,
    /// A worker has taken a call that was sent to several.
    Claim = 0xC1,
    /// Are you there?
    PingReq = 0xD0,
    /// Yes.
    PingRes = 0xD1,
    /// A call, or the connection, has failed.
    Error = 0xFF,
}

impl FrameType {
    /// The type for the byte on the wire, if there is one.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0x01 => Self::InitReq,
            0x02 => Self::InitRes,
            0x03 => Self::CallReq,
            0x04 => Self::CallRes,
            0x13 => Self::CallReqContinue,
            0x14 => Self::CallResContinue,
            0xC0 => Self::Cancel,
            0xC1 => Self::Claim,
            0xD0 => Self::PingReq,
            0xD1 => Self::PingRes,
            0xFF => Self::Error,
            _ => return None,
        })
    }

    /// Whether it wants to be answered, or is part of what does.
    pub fn asks(self) -> bool {
        matches!(
            self,
            Self::InitReq | Self::CallReq | Self::CallReqContinue | Self::PingReq
        )
    }
}

/// One whole frame, header included, still in the buffer it was read into.
#[derive(Debug)]
pub struct Frame {
    bytes: BytesMut,
}

impl Frame {
    /// Takes `bytes` as a frame: at least a header, and as long as the header says.
    ///
    /// [`Decoder`](crate::Decoder) makes frames from a stream; this is for frames that are already apart.
    pub fn from_bytes(bytes: BytesMut) -> Option<Self> {
        let whole = bytes.len() >= FRAME_HEADER_SIZE
            && usize::from(u16::from_be_bytes([bytes[0], bytes[1]])) == bytes.len();
        whole.then_some(Self { bytes })
    }

    /// Takes `head`, which must be all of a frame before its last chunk, as a frame in which that chunk is empty.
    pub(crate) fn without_chunk(mut head: BytesMut) -> Self {
        let size = head.len();
        head[size - 2..].fill(0);
        close_frame(&mut head, 0, 0);
        Self { bytes: head }
    }

    /// The type, or the byte nobody has defined.
    pub fn frame_type(&self) -> Result<FrameType, u8> {
        FrameType::from_byte(self.bytes[2]).ok_or(self.bytes[2])
    }

    /// The id of the message this frame belongs to.
    pub fn id(&self) -> MessageId {
        MessageId(u32::from_be_bytes([
            self.bytes[4],
            self.bytes[5],
            self.bytes[6],
            self.bytes[7],
        ]))
    }

    /// Writes another id over the one the frame has; nothing else depends on it.
    pub fn set_id(&mut self, id: MessageId) {
        self.bytes[4..8].copy_from_slice(&id.0.to_be_bytes());
    }

    /// Everything behind the header.
    pub fn payload(&self) -> &[u8] {
        &self.bytes[FRAME_HEADER_SIZE..]
    }

    /// Everything behind the header, to be changed in place.
    pub fn payload_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[FRAME_HEADER_SIZE..]
    }

    /// The whole frame as it stands on the wire.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The whole frame, given away without a copy.
    pub fn into_bytes(self) -> Bytes {
        self.bytes.freeze()
    }

    /// The payload, given away without a copy.
    pub fn into_payload(self) -> Bytes {
        let mut bytes = self.bytes.freeze();
        bytes.advance(FRAME_HEADER_SIZE);
        bytes
    }
}

/// Writes the header of a frame of `size` bytes in all.
pub(crate) fn put_header(out: &mut impl BufMut, size: usize, frame_type: FrameType, id: MessageId) {
    let size = u16::try_from(size).expect("whoever writes a frame keeps it under 64 KiB");
    let mut header = [0; FRAME_HEADER_SIZE];
    header[..2].copy_from_slice(&size.to_be_bytes());
    header[2] = frame_type as u8;
    header[4..8].copy_from_slice(&id.0.to_be_bytes());
    out.put_slice(&header);
}

/// Writes a header whose size is filled in by [`close_frame`]; returns where the frame starts.
pub(crate) fn open_frame(out: &mut BytesMut, frame_type: FrameType, id: MessageId) -> usize {
    let start = out.len();
    put_header(out, 0, frame_type, id);
    start
}

/// Fills in the size of the frame that starts at `start`, of which `elsewhere` bytes are not in `out`.
pub(crate) fn close_frame(out: &mut BytesMut, start: usize, elsewhere: usize) {
    let size = out.len() - start + elsewhere;
    let size = u16::try_from(size).expect("whoever opens a frame keeps it under 64 KiB");
    out[start..start + 2].copy_from_slice(&size.to_be_bytes());
}
