//! How a peer can break the protocol, and the one map from that to wire codes.

use crate::cursor::DecodeError;
use crate::frame::MessageId;
use crate::message::ErrorCode;

/// How the peer broke the protocol. Any of these closes the connection.
///
/// Source: spec/protocol/errors.md, "situations".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A frame that is shorter than its own header.
    #[error("frame size {size} is below the 16 bytes of a frame header")]
    FrameSize {
        /// The size it announced.
        size: usize,
    },
    /// Another frame where the handshake was due.
    #[error("expected {expected}, got frame type {got:#04x}")]
    NotInit {
        /// What was due.
        expected: &'static str,
        /// The type that came.
        got: u8,
        /// The id of the frame that came.
        id: MessageId,
    },
    /// The handshake frame can not be read or lacks a header.
    #[error("bad init frame: {reason}")]
    BadInit {
        /// What is wrong with it.
        reason: String,
        /// Its id.
        id: MessageId,
    },
    /// A version that is not spoken here.
    #[error("unsupported protocol version {version}, expected 2")]
    Version {
        /// The version it announced.
        version: u16,
        /// The id of the init frame.
        id: MessageId,
    },
    /// The peer did not finish the handshake in time.
    #[error("no handshake within {limit_ms} ms")]
    InitTimeout {
        /// The limit, in milliseconds.
        limit_ms: u64,
    },
    /// The handshake was answered by an error frame.
    #[error("the peer refused the handshake: {code}: {message}")]
    InitRefused {
        /// Its code.
        code: ErrorCode,
        /// Its message.
        message: String,
    },
    /// A second call under an id that is still open.
    #[error("message id {id} is already in use")]
    IdInUse {
        /// The id.
        id: MessageId,
    },
    /// A checksum type nobody has defined: the args behind it can not be found.
    #[error("checksum type {value:#04x} of message {id} is unknown")]
    ChecksumType {
        /// The byte on the wire.
        value: u8,
        /// The id of the message.
        id: MessageId,
    },
    /// An error frame that can not be read.
    #[error("bad error frame: {source}")]
    BadErrorFrame {
        /// What is wrong with it.
        source: DecodeError,
    },
    /// The peer ended the connection with a fatal error frame.
    #[error("the peer ended the connection: {message}")]
    PeerFatal {
        /// What it said.
        message: String,
    },
    /// Pings stayed without answers.
    #[error("{missed} pings in a row were not answered")]
    PingsMissed {
        /// How many.
        missed: u32,
    },
    /// Calls timed out and nothing at all was heard of the peer meanwhile.
    #[error("calls time out and the peer has been silent for {silent_ms} ms")]
    Stale {
        /// Since the last frame, in milliseconds.
        silent_ms: u64,
    },
}

impl ProtocolError {
    /// The id the fatal error frame should carry: that of the offending frame where there is one.
    pub fn id(&self) -> MessageId {
        match self {
            Self::NotInit { id, .. }
            | Self::BadInit { id, .. }
            | Self::Version { id, .. }
            | Self::IdInUse { id }
            | Self::ChecksumType { id, .. } => *id,
            _ => MessageId::NONE,
        }
    }

    /// Whether the peer should be told: not when it spoke last, or is not listening.
    pub fn is_told_to_peer(&self) -> bool {
        !matches!(
            self,
            Self::PeerFatal { .. }
                | Self::InitRefused { .. }
                | Self::PingsMissed { .. }
                | Self::Stale { .. }
        )
    }
}
