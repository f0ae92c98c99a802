//! Call req and call res: the first frame of a call and of its answer.
//!
//! ```text
//! req  flags:1 ttl:4 tracing:25 service~1 nh:1 (hk~1 hv~1){nh} csumtype:1 (csum:4){0,1} chunk~2 ..
//! res  flags:1 code:1 tracing:25 nh:1 (hk~1 hv~1){nh} csumtype:1 (csum:4){0,1} chunk~2 ..
//! ```
//!
//! All but the args must fit in this one frame. Source: spec/protocol/call.md, "call req".

use bytes::{Buf, BufMut, Bytes, BytesMut};
use bytestring::ByteString;

use crate::checksum::Checksum;
use crate::cursor::{DecodeError, Reader, short};
use crate::span::Tracing;
use crate::transport_headers::TransportHeaders;
use crate::ttl::Ttl;

/// Bits of the flags byte of call frames.
pub mod flags {
    /// More frames of this message follow.
    pub const MORE_FRAGMENTS: u8 = 0x01;
    /// Streaming. Never sent: it breaks deployed peers.
    pub const STREAMING: u8 = 0x02;
}

/// Call req. Source: spec/protocol/call.md, "call req".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallReq {
    /// See [`flags`].
    pub flags: u8,
    /// What the caller will wait; `None` stands for the illegal zero.
    pub ttl: Option<Ttl>,
    /// The trace it belongs to.
    pub tracing: Tracing,
    /// Who should answer.
    pub service: ByteString,
    /// Transport headers.
    pub headers: TransportHeaders,
    /// Checksum over the chunks.
    pub checksum: Checksum,
    /// Chunks of arg1, arg2 and arg3.
    pub chunks: Chunks,
}

impl CallReq {
    pub(crate) fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        Ok(Self {
            flags: reader.u8("flags")?,
            ttl: Ttl::from_millis(reader.u32("ttl")?),
            tracing: Tracing::decode(reader)?,
            service: reader.text1("service")?,
            headers: TransportHeaders::decode(reader)?,
            checksum: Checksum::decode(reader)?,
            chunks: Chunks::decode(reader)?,
        })
    }

    pub(crate) fn encode(&self, out: &mut BytesMut) {
        out.put_u8(self.flags);
        out.put_u32(self.ttl.map_or(0, Ttl::as_millis));
        self.tracing.encode(out);
        crate::cursor::put_text1(out, self.service.as_bytes());
        self.headers.encode(out);
        self.checksum.encode(out);
        out.put_slice(&self.chunks.0);
    }
}

/// Whether the application was content; says nothing about retries.
///
/// Source: spec/protocol/call.md, "call res".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseCode(pub u8);

impl ResponseCode {
    /// The application answered.
    pub const OK: Self = Self(0);
    /// The application answered with an error of its own.
    pub const APPLICATION_ERROR: Self = Self(1);

    /// Anything but 0 is not ok.
    pub fn is_ok(self) -> bool {
        self == Self::OK
    }
}

/// Call res. Source: spec/protocol/call.md, "call res".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRes {
    /// See [`flags`].
    pub flags: u8,
    /// Ok or application error.
    pub code: ResponseCode,
    /// The trace it belongs to.
    pub tracing: Tracing,
    /// Transport headers.
    pub headers: TransportHeaders,
    /// Checksum over the chunks.
    pub checksum: Checksum,
    /// Chunks of arg1, arg2 and arg3.
    pub chunks: Chunks,
}

impl CallRes {
    pub(crate) fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        Ok(Self {
            flags: reader.u8("flags")?,
            code: ResponseCode(reader.u8("code")?),
            tracing: Tracing::decode(reader)?,
            headers: TransportHeaders::decode(reader)?,
            checksum: Checksum::decode(reader)?,
            chunks: Chunks::decode(reader)?,
        })
    }

    pub(crate) fn encode(&self, out: &mut BytesMut) {
        out.put_u8(self.flags);
        out.put_u8(self.code.0);
        self.tracing.encode(out);
        self.headers.encode(out);
        self.checksum.encode(out);
        out.put_slice(&self.chunks.0);
    }
}

/// The chunks of args in one frame, each behind its length; checked to be whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunks(Bytes);

impl Chunks {
    /// Lays `chunks` out as they stand in a frame. Each is cut at 65,535 bytes.
    pub fn from_slices<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut out = BytesMut::new();
        for chunk in chunks {
            crate::cursor::put_text2(&mut out, chunk);
        }
        Self(out.freeze())
    }

    /// Chunk by chunk, as slices of the frame.
    pub fn iter(&self) -> impl Iterator<Item = Bytes> {
        self.clone().into_iter()
    }

    pub(crate) fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        Self::check(reader.rest())?;
        Ok(Self(reader.take_rest()))
    }

    /// Takes what [`check`](Self::check) has found to be whole chunks.
    pub(crate) fn checked(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// Gives the bytes of the first of the chunks in `rest`, if there is one.
    pub(crate) fn check(mut rest: &[u8]) -> Result<Option<usize>, DecodeError> {
        let mut first = None;
        while !rest.is_empty() {
            let Some((length, behind)) = rest.split_first_chunk::<2>() else {
                return Err(short("chunk length", 2, rest.len()));
            };
            let length = usize::from(u16::from_be_bytes(*length));
            let left = behind.len();
            rest = behind
                .get(length..)
                .ok_or_else(|| short("chunk", length, left))?;
            first.get_or_insert(length);
        }
        Ok(first)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The chunks, if there are exactly so many.
    pub(crate) fn into_array<const N: usize>(self) -> Result<[Bytes; N], Self> {
        let mut rest = &self.0[..];
        for _ in 0..N {
            match split_chunk(rest) {
                Some((_, behind)) => rest = behind,
                None => return Err(self),
            }
        }
        if !rest.is_empty() {
            return Err(self);
        }
        let mut chunks = self.into_iter();
        Ok(std::array::from_fn(|_| chunks.next().unwrap_or_default()))
    }

    pub(crate) fn as_bytes(&self) -> &Bytes {
        &self.0
    }
}

/// The first chunk in `bytes`, and what stands behind it.
fn split_chunk(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

impl IntoIterator for Chunks {
    type Item = Bytes;
    type IntoIter = IntoChunks;

    fn into_iter(self) -> IntoChunks {
        IntoChunks(self.0)
    }
}

/// Chunk by chunk, as slices of the frame; the last one is the frame's own, for which nothing is counted.
#[derive(Debug)]
pub struct IntoChunks(Bytes);

impl Iterator for IntoChunks {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let length = usize::from(u16::from_be_bytes(*self.0.first_chunk()?));
        self.0.advance(2);
        Some(self.0.split_to(length))
    }
}
