//! The tracing field: which trace a call belongs to.
//!
//! ```text
//! spanid:8 parentid:8 traceid:8 traceflags:1
//! ```
//!
//! Source: spec/protocol/tracing.md, "the field".

use bytes::BufMut;

use crate::cursor::{DecodeError, Reader};

/// The 25 bytes every call req, call res, error, cancel and claim carries; all zero when unused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tracing {
    /// This hop's span.
    pub span_id: u64,
    /// The span that caused it, 0 at the edge.
    pub parent_id: u64,
    /// The same for every hop of a trace.
    pub trace_id: u64,
    /// Bit 0: record this trace.
    pub flags: u8,
}

impl Tracing {
    /// Bytes on the wire.
    pub const SIZE: usize = 25;

    /// The field for a call made while serving this one: same trace, this span as parent.
    ///
    /// `span_id` is the new span; floor 1 draws no random numbers.
    pub fn child(self, span_id: u64) -> Self {
        Self {
            span_id,
            parent_id: self.span_id,
            ..self
        }
    }

    pub(crate) fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        Ok(Self {
            span_id: reader.u64("span id")?,
            parent_id: reader.u64("parent id")?,
            trace_id: reader.u64("trace id")?,
            flags: reader.u8("trace flags")?,
        })
    }

    /// Reads the field at the start of `bytes`, or zeros when there are too few.
    pub(crate) fn peek(bytes: &[u8]) -> Self {
        let word = |at: usize| {
            bytes
                .get(at..at + 8)
                .and_then(|b| b.first_chunk::<8>())
                .map_or(0, |b| u64::from_be_bytes(*b))
        };
        if bytes.len() < Self::SIZE {
            return Self::default();
        }
        Self {
            span_id: word(0),
            parent_id: word(8),
            trace_id: word(16),
            flags: bytes[24],
        }
    }

    pub(crate) fn encode(self, out: &mut impl BufMut) {
        let mut field = [0; Self::SIZE];
        field[..8].copy_from_slice(&self.span_id.to_be_bytes());
        field[8..16].copy_from_slice(&self.parent_id.to_be_bytes());
        field[16..24].copy_from_slice(&self.trace_id.to_be_bytes());
        field[24] = self.flags;
        out.put_slice(&field);
    }
}
