//! Claim: a worker has taken a call that was sent to several.
//!
//! ```text
//! ttl:4 tracing:25
//! ```
//!
//! Source: spec/protocol/control.md, "claim".

use bytes::{BufMut, BytesMut};

use crate::cursor::{DecodeError, Reader};
use crate::span::Tracing;

/// Claim; the call is known by its tracing field, not by the frame's id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// Milliseconds.
    pub ttl_ms: u32,
    /// The trace of the call that was taken.
    pub tracing: Tracing,
}

impl Claim {
    pub(crate) fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        Ok(Self {
            ttl_ms: reader.u32("ttl")?,
            tracing: Tracing::decode(reader)?,
        })
    }

    pub(crate) fn encode(&self, out: &mut BytesMut) {
        out.put_u32(self.ttl_ms);
        self.tracing.encode(out);
    }
}
