//! Error: a call, or the whole connection, has failed.
//!
//! ```text
//! code:1 tracing:25 message~2
//! ```
//!
//! Source: spec/protocol/errors.md, "error frame".

use std::fmt;

use bytes::{BufMut, BytesMut};
use bytestring::ByteString;

use crate::cursor::{DecodeError, Reader, put_text2};
use crate::frame::{FrameType, MessageId, close_frame, open_frame};
use crate::limits::ERROR_MESSAGE_MAX;
use crate::span::Tracing;

/// What went wrong, by what the caller may do about it.
///
/// Source: spec/protocol/errors.md, "codes".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ErrorCode {
    /// Nobody answered in time.
    Timeout = 0x01,
    /// A cancel was honoured.
    Cancelled = 0x02,
    /// Overloaded; the call was not started.
    Busy = 0x03,
    /// Refused for another reason; the call was not started.
    Declined = 0x04,
    /// The handler failed, or something nobody foresaw; the call may have run.
    UnexpectedError = 0x05,
    /// The request can not succeed, ever.
    BadRequest = 0x06,
    /// A connection on the way broke.
    NetworkError = 0x07,
    /// A router refused since the target is unhealthy.
    Unhealthy = 0x08,
    /// The protocol was broken; the connection ends.
    FatalProtocolError = 0xFF,
}

/// What a caller may do after an error. Source: spec/protocol/errors.md, "retry".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAdvice {
    /// It was not started: send it again, to another peer.
    Safe,
    /// It may have run: send it again only if running twice does no harm.
    IfIdempotent,
    /// The same request will fail again.
    Never,
}

impl ErrorCode {
    /// The code for the byte on the wire, if there is one.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0x01 => Self::Timeout,
            0x02 => Self::Cancelled,
            0x03 => Self::Busy,
            0x04 => Self::Declined,
            0x05 => Self::UnexpectedError,
            0x06 => Self::BadRequest,
            0x07 => Self::NetworkError,
            0x08 => Self::Unhealthy,
            0xFF => Self::FatalProtocolError,
            _ => return None,
        })
    }

    /// What the caller may do.
    pub fn retry_advice(self) -> RetryAdvice {
        match self {
            Self::Busy | Self::Declined => RetryAdvice::Safe,
            Self::Timeout
            | Self::UnexpectedError
            | Self::NetworkError
            | Self::FatalProtocolError => RetryAdvice::IfIdempotent,
            Self::Cancelled | Self::BadRequest | Self::Unhealthy => RetryAdvice::Never,
        }
    }

    /// The protocol's name for it, in lower case with hyphens.
    pub fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::Busy => "busy",
            Self::Declined => "declined",
            Self::UnexpectedError => "unexpected-error",
            Self::BadRequest => "bad-request",
            Self::NetworkError => "network-error",
            Self::Unhealthy => "unhealthy",
            Self::FatalProtocolError => "protocol-error",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Error frame as it stands on the wire, an unknown code included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorFrame {
    /// The byte on the wire; see [`ErrorFrame::known_code`].
    pub code: u8,
    /// The trace of the call, or zeros.
    pub tracing: Tracing,
    /// For people and logs.
    pub message: ByteString,
}

impl ErrorFrame {
    /// The code, or [`ErrorCode::UnexpectedError`] for one nobody has defined.
    pub fn known_code(&self) -> ErrorCode {
        ErrorCode::from_byte(self.code).unwrap_or(ErrorCode::UnexpectedError)
    }

    pub(crate) fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        Ok(Self {
            code: reader.u8("code")?,
            tracing: Tracing::decode(reader)?,
            message: reader.text2("message")?,
        })
    }

    pub(crate) fn encode(&self, out: &mut BytesMut) {
        out.put_u8(self.code);
        self.tracing.encode(out);
        put_text2(out, self.message.as_bytes());
    }
}

/// Appends an error frame; a message too long for the frame is cut at a character's edge.
pub(crate) fn encode_error(
    out: &mut BytesMut,
    id: MessageId,
    code: ErrorCode,
    tracing: Tracing,
    message: &str,
) {
    let start = open_frame(out, FrameType::Error, id);
    out.put_u8(code as u8);
    tracing.encode(out);
    put_text2(
        out,
        &message.as_bytes()[..message.floor_char_boundary(ERROR_MESSAGE_MAX)],
    );
    close_frame(out, start, 0);
}
