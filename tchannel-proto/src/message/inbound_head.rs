//! The head of a call that has arrived: who is called, transport headers and method, in one slice of the frame.
//!
//! ```text
//! service nh:1 (hk~1 hv~1){nh} csumtype:1 (csum:4){0,1} arg1~2
//! ```
//!
//! All of it is checked when it arrives; what stands where follows from where the headers are.
//!
//! Source: spec/protocol/call.md, "call req".

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use super::Chunks;
use crate::checksum::{Checksum, ChecksumType};
use crate::cursor::{DecodeError, Reader};
use crate::span::Tracing;
use crate::transport_headers::TransportHeaders;
use crate::ttl::Ttl;

/// Bytes of the length before arg1.
const LENGTH_SIZE: usize = 2;

/// A call req as whoever serves it takes it: with nothing but its head and its args.
pub(crate) struct InboundReq {
    pub(crate) flags: u8,
    pub(crate) ttl: Option<Ttl>,
    pub(crate) tracing: Tracing,
    pub(crate) checksum: Checksum,
    pub(crate) head: InboundHead,
    /// Whether there is a chunk: then arg1 is the first one, and stands in the head.
    pub(crate) has_args: bool,
    /// The chunks behind arg1.
    pub(crate) chunks: Chunks,
}

impl InboundReq {
    /// Takes the payload out of `reader`, unless that fails.
    ///
    /// # Errors
    ///
    /// The same as for [`CallReq`](super::CallReq).
    pub(crate) fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        let flags = reader.u8("flags")?;
        let ttl = Ttl::from_millis(reader.u32("ttl")?);
        let tracing = Tracing::decode(reader)?;
        let service_size = reader.u8("service")?;
        let start = reader.at();
        reader.check_text(usize::from(service_size), "service")?;
        let count = TransportHeaders::check(reader)?;
        let headers_end = reader.at();
        let checksum = Checksum::decode(reader)?;
        let arg1_size = Chunks::check(reader.rest())?;
        let end = reader.at() + arg1_size.map_or(0, |size| LENGTH_SIZE + size);
        let (head, chunks) = reader.take_parts(start, end);
        let headers_start = usize::from(service_size) + 1;
        let headers = TransportHeaders::within(head, count, headers_start..headers_end - start);
        Ok(Self {
            flags,
            ttl,
            tracing,
            checksum,
            head: InboundHead { headers },
            has_args: arg1_size.is_some(),
            chunks: Chunks::checked(chunks),
        })
    }
}

/// What a call that has arrived says of itself. However much of it is looked at, it holds one slice of the frame.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct InboundHead {
    /// Of the slice that begins with the service and ends with arg1.
    headers: TransportHeaders,
}

impl InboundHead {
    /// Who should answer.
    pub fn service(&self) -> &str {
        std::str::from_utf8(self.service_bytes()).unwrap_or_default()
    }

    /// The same as bytes, for which nobody looks again whether they are text.
    pub fn service_bytes(&self) -> &[u8] {
        let (start, _) = self.headers.place();
        let service = self.bytes().get(..start.saturating_sub(1));
        service.unwrap_or_default()
    }

    /// Transport headers.
    pub fn headers(&self) -> &TransportHeaders {
        &self.headers
    }

    /// The method.
    pub fn arg1(&self) -> &[u8] {
        self.bytes().get(self.arg1_at()..).unwrap_or_default()
    }

    /// Puts another method in place of the one it has, which takes a copy.
    pub fn set_arg1(&mut self, arg1: &[u8]) {
        let (before, _) = self.bytes().split_at(self.arg1_at());
        let mut bytes = BytesMut::with_capacity(before.len() + arg1.len());
        bytes.put_slice(before);
        bytes.put_slice(arg1);
        self.headers.set_bytes(bytes.freeze());
    }

    fn arg1_at(&self) -> usize {
        let (_, end) = self.headers.place();
        let checksum_type = self.bytes().get(end).copied();
        match checksum_type.and_then(ChecksumType::from_byte) {
            Some(checksum_type) => end + 1 + checksum_type.value_size() + LENGTH_SIZE,
            None => self.bytes().len(),
        }
    }

    fn bytes(&self) -> &Bytes {
        self.headers.bytes()
    }
}

impl fmt::Debug for InboundHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboundHead")
            .field("service", &self.service())
            .field("headers", &self.headers)
            .field("arg1", &String::from_utf8_lossy(self.arg1()))
            .finish()
    }
}
