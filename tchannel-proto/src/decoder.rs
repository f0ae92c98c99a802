//! A growing stream of bytes in, whole frames out, without a copy.

use bytes::BytesMut;

use crate::error::ProtocolError;
use crate::frame::Frame;
use crate::limits::FRAME_HEADER_SIZE;
use crate::message::ArrivingHead;

/// Cuts frames off what has been read. Never holds more than what the owner put in.
#[derive(Debug, Default)]
pub struct Decoder {
    buffer: BytesMut,
}

impl Decoder {
    /// An empty decoder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Where to append what was read from the peer.
    pub fn buffer_mut(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// Whether some part of a frame is waiting for its rest.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Bytes that are still missing before the next frame is whole; 0 when one is.
    pub fn missing(&self) -> usize {
        self.frame_size()
            .unwrap_or(FRAME_HEADER_SIZE)
            .saturating_sub(self.buffer.len())
    }

    /// The next whole frame, or `None` when more bytes are needed.
    ///
    /// # Errors
    ///
    /// [`ProtocolError::FrameSize`] when the header announces less than a header. The stream can not be
    /// read any further. Source: spec/protocol/framing.md, "frame header".
    pub fn next_frame(&mut self) -> Result<Option<Frame>, ProtocolError> {
        let Some(size) = self.frame_size() else {
            return Ok(None);
        };
        if size < FRAME_HEADER_SIZE {
            return Err(ProtocolError::FrameSize { size });
        }
        if self.buffer.len() < size {
            return Ok(None);
        }
        Ok(Frame::from_bytes(self.buffer.split_to(size)))
    }

    /// The head of the frame that is arriving, if it is one whose last chunk can be read elsewhere:
    /// see [`Connection::apart`](crate::Connection::apart).
    pub fn arriving(&self) -> Option<ArrivingHead> {
        ArrivingHead::peek(&self.buffer).filter(|_| self.missing() > 0)
    }

    /// Takes off the frame that is [`arriving`](Self::arriving): with nothing in its last chunk, and what there is
    /// of that. The rest is for the owner to read; the next frame begins behind it.
    pub fn take_arriving(&mut self, head: &ArrivingHead) -> (Frame, BytesMut) {
        let frame = self.buffer.split_to(head.size);
        (Frame::without_chunk(frame), self.buffer.split())
    }

    fn frame_size(&self) -> Option<usize> {
        let size = self.buffer.first_chunk::<2>()?;
        Some(usize::from(u16::from_be_bytes(*size)))
    }
}
