//! Reading fields off a payload. Short input is an error, never a panic, and nothing is copied.

use bytes::{Buf, BufMut, Bytes, BytesMut};
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
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    rest: Bytes,
}

impl Reader {
    pub(crate) fn new(payload: Bytes) -> Self {
        Self { rest: payload }
    }

    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.need(1, field)?;
        Ok(self.rest.get_u8())
    }

    pub(crate) fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        self.need(2, field)?;
        Ok(self.rest.get_u16())
    }

    pub(crate) fn u32(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        self.need(4, field)?;
        Ok(self.rest.get_u32())
    }

    pub(crate) fn u64(&mut self, field: &'static str) -> Result<u64, DecodeError> {
        self.need(8, field)?;
        Ok(self.rest.get_u64())
    }

    pub(crate) fn bytes(
        &mut self,
        length: usize,
        field: &'static str,
    ) -> Result<Bytes, DecodeError> {
        self.need(length, field)?;
        Ok(self.rest.split_to(length))
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

    fn text(&mut self, length: usize, field: &'static str) -> Result<ByteString, DecodeError> {
        let bytes = self.bytes(length, field)?;
        ByteString::try_from(bytes).map_err(|_| DecodeError::NotUtf8 { field })
    }

    fn need(&self, needed: usize, field: &'static str) -> Result<(), DecodeError> {
        let left = self.rest.len();
        if left < needed {
            Err(DecodeError::Short {
                field,
                needed,
                left,
            })
        } else {
            Ok(())
        }
    }
}

/// Writes `text` behind a one-byte length; what is longer than 255 bytes is the caller's mistake and is cut.
pub(crate) fn put_text1(out: &mut BytesMut, text: &[u8]) {
    let text = &text[..text.len().min(usize::from(u8::MAX))];
    out.put_u8(text.len() as u8);
    out.put_slice(text);
}

/// Writes `text` behind a two-byte length; what is longer than 65,535 bytes is cut.
pub(crate) fn put_text2(out: &mut BytesMut, text: &[u8]) {
    let text = &text[..text.len().min(usize::from(u16::MAX))];
    out.put_u16(text.len() as u16);
    out.put_slice(text);
}
