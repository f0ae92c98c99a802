//! Cancel: the caller no longer wants the answer.
//!
//! ```text
//! ttl:4 tracing:25 why~2
//! ```
//!
//! Source: spec/protocol/control.md, "cancel".

use bytes::{BufMut, BytesMut};
use bytestring::ByteString;

use crate::cursor::{DecodeError, Reader, put_text2};
use crate::span::Tracing;

/// Cancel; the frame's id is that of the call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cancel {
    /// Milliseconds; peers send what they like here, 0 included.
    pub ttl_ms: u32,
    /// The trace of the call.
    pub tracing: Tracing,
    /// For people and logs.
    pub why: ByteString,
}

impl Cancel {
    pub(crate) fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        Ok(Self {
            ttl_ms: reader.u32("ttl")?,
            tracing: Tracing::decode(reader)?,
            why: reader.text2("why")?,
        })
    }

    pub(crate) fn encode(&self, out: &mut BytesMut) {
        out.put_u32(self.ttl_ms);
        self.tracing.encode(out);
        put_text2(out, self.why.as_bytes());
    }
}
