//! Call req continue and call res continue: more args of a message already begun.
//!
//! ```text
//! flags:1 csumtype:1 (csum:4){0,1} chunk~2 ..
//! ```
//!
//! Source: spec/protocol/call.md, "continuations".

use bytes::{BufMut, BytesMut};

use super::call::Chunks;
use crate::checksum::Checksum;
use crate::cursor::{DecodeError, Reader};

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
