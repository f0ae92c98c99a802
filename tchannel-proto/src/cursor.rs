//! Reading fields off a payload. Short input is an error, never a panic, and nothing is copied.

use bytes::{Buf, BufMut, Bytes};
use bytestring::ByteString;

/// Why bytes could not be read as the message they claim to be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The payload ends inside a field.
    #[error("{field} needs {needed} bytes but {left} are left")]
    Short {
        /// The field that was being read.
        field: &'static str,
        /// Bytes it needs.
        needed: usize,
        /// Bytes there are.
        left: usize,
    },
    /// A string is not UTF-8.
    #[error("{field} is not UTF-8")]
    NotUtf8 {
        /// The field that was being read.
        field: &'static str,
    },
    /// The same header key twice.
    #[error("header key {key:?} appears twice")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// A header key without a byte.
    #[error("a header key is empty")]
    EmptyKey,
    /// A transport header key over the limit.
    #[error("header key of {length} bytes is over the limit of {limit}")]
    KeyTooLong {
        /// Its length in bytes.
        length: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// More transport headers than are allowed.
    #[error("{count} transport headers are over the limit of {limit}")]
    TooManyHeaders {
        /// How many the message has.
        count: usize,
        /// How many it may have.
        limit: usize,
    },
    /// A checksum type nobody has defined.
    #[error("checksum type {value:#04x} is unknown")]
    ChecksumType {
        /// The byte on the wire.
        value: u8,
    },
    /// A frame type nobody has defined.
    #[error("frame type {value:#04x} is unknown")]
    FrameType {
        /// The byte on the wire.
        value: u8,
    },
}

/// A position in a payload.
#[derive(Debug)]
pub(crate) struct Reader {
    payload: Bytes,
    at: usize,
}

impl Reader {
    pub(crate) fn new(payload: Bytes) -> Self {
        Self { payload, at: 0 }
    }

    /// What was read from `start` on.
    pub(crate) fn since(&self, start: usize) -> Bytes {
        self.payload.slice(start..self.at)
    }

    /// What was read so far, in bytes.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// All of it, read or not.
    pub(crate) fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// What stands between `start` and `end`, and what stands behind. The latter is the payload itself, for which
    /// nothing is counted.
    pub(crate) fn take_parts(&mut self, start: usize, end: usize) -> (Bytes, Bytes) {
        self.at = 0;
        let mut behind = std::mem::take(&mut self.payload);
        let mut between = behind.split_to(end);
        between.advance(start);
        (between, behind)
    }

    /// All that is left, to be looked at.
    pub(crate) fn rest(&self) -> &[u8] {
        &self.payload[self.at..]
    }

    /// All that is left, taken: the payload itself, for which nothing is counted.
    pub(crate) fn take_rest(&mut self) -> Bytes {
        let mut rest = std::mem::take(&mut self.payload);
        rest.advance(std::mem::take(&mut self.at));
        rest
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.array(field).map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        self.array(field).map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.array(field).map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        self.array(field).map(u64::from_be_bytes)
    }

    pub(crate) fn bytes(
        &mut self,
        length: usize,
        field: &'static str,
    ) -> Result<Bytes, DecodeError> {
        let start = self.at;
        self.slice(length, field)?;
        Ok(self.since(start))
    }

    /// The next bytes, where they are.
    pub(crate) fn slice(
        &mut self,
        length: usize,
        field: &'static str,
    ) -> Result<&[u8], DecodeError> {
        let rest = &self.payload[self.at..];
        let Some(slice) = rest.get(..length) else {
            return Err(short(field, length, rest.len()));
        };
        self.at += length;
        Ok(slice)
    }

    /// A string behind a one-byte length.
    pub(crate) fn text1(&mut self, field: &'static str) -> Result<ByteString, DecodeError> {
        let length = usize::from(self.u8(field)?);
        self.text(length, field)
    }

    /// A string behind a two-byte length.
    pub(crate) fn text2(&mut self, field: &'static str) -> Result<ByteString, DecodeError> {
        let length = usize::from(self.u16(field)?);
        self.text(length, field)
    }

    /// Reads over so many bytes, which must be text.
    pub(crate) fn check_text(
        &mut self,
        length: usize,
        field: &'static str,
    ) -> Result<(), DecodeError> {
        let bytes = self.slice(length, field)?;
        match bytes.is_ascii() || std::str::from_utf8(bytes).is_ok() {
            true => Ok(()),
            false => Err(DecodeError::NotUtf8 { field }),
        }
    }

    fn text(&mut self, length: usize, field: &'static str) -> Result<ByteString, DecodeError> {
        let bytes = self.bytes(length, field)?;
        ByteString::try_from(bytes).map_err(|_| DecodeError::NotUtf8 { field })
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let rest = &self.payload[self.at..];
        let Some(array) = rest.first_chunk() else {
            return Err(short(field, N, rest.len()));
        };
        self.at += N;
        Ok(*array)
    }
}

#[cold]
pub(crate) fn short(field: &'static str, needed: usize, left: usize) -> DecodeError {
    DecodeError::Short {
        field,
        needed,
        left,
    }
}

/// Writes `text` behind a one-byte length; what is longer than 255 bytes is the caller's mistake and is cut.
pub(crate) fn put_text1(out: &mut impl BufMut, text: &[u8]) {
    let text = &text[..text.len().min(usize::from(u8::MAX))];
    out.put_u8(text.len() as u8);
    out.put_slice(text);
}

/// Bytes that [`put_text1`] writes.
pub(crate) fn text1_size(text: &[u8]) -> usize {
    1 + text.len().min(usize::from(u8::MAX))
}

/// Writes `text` behind a two-byte length; what is longer than 65,535 bytes is cut.
pub(crate) fn put_text2(out: &mut impl BufMut, text: &[u8]) {
    let text = &text[..text.len().min(usize::from(u16::MAX))];
    out.put_u16(text.len() as u16);
    out.put_slice(text);
}
