//! What a connection tells its owner.

use std::sync::Arc;
use std::time::Instant;

use bytestring::ByteString;

use super::{InboundKey, OutboundKey};
use crate::error::ProtocolError;
use crate::fragment::{Body, FragmentError};
use crate::frame::{Frame, MessageId};
use crate::message::{ErrorCode, InboundHead, InitHeaders, ResponseCode, is_ephemeral};
use crate::span::Tracing;
use crate::transport_headers::TransportHeaders;
use crate::ttl::Ttl;

/// Something the owner should know. Every call that was begun ends in exactly one of the ways below.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// The handshake is done; [`Connection::peer`](super::Connection::peer) says with whom.
    Ready,
    /// The peer calls. Answer with [`respond`](super::Connection::respond) or
    /// [`respond_error`](super::Connection::respond_error).
    Call(InboundCall),
    /// More args of an inbound call.
    CallBody {
        /// The call.
        key: InboundKey,
        /// What the frame added.
        body: Body,
    },
    /// An inbound call is over before it was answered; the peer has been told what it must know.
    CallEnded {
        /// The call.
        key: InboundKey,
        /// Why.
        why: Failure,
    },
    /// The answer to an outbound call, or its first frame.
    Response(Response),
    /// More args of an answer.
    ResponseBody {
        /// The call.
        key: OutboundKey,
        /// What the frame added.
        body: Body,
    },
    /// An outbound call has failed.
    Failed {
        /// The call.
        key: OutboundKey,
        /// Why.
        why: Failure,
    },
    /// A frame of a call that only passes through, from the caller.
    RelayRequest {
        /// The call.
        key: InboundKey,
        /// A continuation, its id still the caller's.
        frame: Frame,
    },
    /// The caller of a call that only passes through has cancelled it.
    RelayCancel {
        /// The call.
        key: InboundKey,
        /// What the caller said.
        why: ByteString,
    },
    /// A frame of a call that only passes through, from the callee.
    RelayResponse(RelayedAnswer),
    /// The peer takes no new calls; those in flight go on.
    PeerDraining {
        /// What it said.
        reason: ByteString,
    },
    /// The peer has answered a ping, or says so: a pong that nobody asked for is reported as well.
    Pong {
        /// That of the ping.
        id: MessageId,
    },
    /// A frame of a type nobody has defined was ignored.
    UnknownFrame {
        /// The byte on the wire.
        frame_type: u8,
    },
    /// This end was draining and has nothing left in flight: close the socket.
    Drained,
    /// Nothing more will happen. Write what is left, then close the socket.
    Closed(Closed),
}

/// A frame of a call that only passes through, from the callee.
#[derive(Debug)]
pub struct RelayedAnswer {
    /// The call.
    pub key: OutboundKey,
    /// Call res, continuation or error, its id still this connection's.
    pub frame: Frame,
    /// No frame follows; the key is no longer valid.
    pub last: bool,
}

/// Why a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The socket ended.
    Disconnected,
    /// The protocol was broken.
    Broken(ProtocolError),
}

/// An inbound call, as far as its first frames go.
#[derive(Debug)]
#[non_exhaustive]
pub struct InboundCall {
    /// What to answer with.
    pub key: InboundKey,
    /// What the caller will wait.
    pub ttl: Ttl,
    /// When that is over, by this end's clock.
    pub deadline: Instant,
    /// The trace it belongs to.
    pub tracing: Tracing,
    /// Who should answer, transport headers and the method.
    pub head: InboundHead,
    /// What has arrived of arg2 and arg3.
    pub body: Body,
}

/// An answer, as far as its first frame goes.
#[derive(Debug)]
#[non_exhaustive]
pub struct Response {
    /// The call.
    pub key: OutboundKey,
    /// Ok or application error.
    pub code: ResponseCode,
    /// The trace it belongs to.
    pub tracing: Tracing,
    /// Transport headers.
    pub headers: TransportHeaders,
    /// What has arrived of arg2 and arg3.
    pub body: Body,
}

/// Why a call ended without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The peer sent an error frame.
    Refused {
        /// Its code; one nobody has defined counts as unexpected.
        code: ErrorCode,
        /// Its message.
        message: ByteString,
        /// Its trace.
        tracing: Tracing,
    },
    /// The deadline has passed.
    TimedOut,
    /// The caller has cancelled.
    Cancelled {
        /// What it said.
        why: ByteString,
    },
    /// The args can not be put together.
    Args(FragmentError),
    /// A frame can not be read.
    Malformed(crate::cursor::DecodeError),
    /// The connection is gone.
    ConnectionLost {
        /// Whether a byte of the call had left: if not, nobody can have acted on it.
        sent: bool,
    },
}

/// What the peer said of itself in the handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerInfo {
    /// Where it listens, as it said.
    pub host_port: ByteString,
    /// What it calls its process.
    pub process_name: ByteString,
    /// The language of its implementation, empty when it did not say.
    pub language: ByteString,
    /// The version of that language, empty when it did not say.
    pub language_version: ByteString,
    /// The version of its implementation, empty when it did not say.
    pub version: ByteString,
    pub(super) further: Arc<InitHeaders>,
}

impl PeerInfo {
    /// What it said under a key that is not one of the standard five. Of very many such headers only the
    /// first are known.
    ///
    /// Source: spec/protocol/init.md, "further headers".
    pub fn header(&self, key: &str) -> Option<&str> {
        self.further.get(key).map(|value| &**value)
    }

    /// Whether the peer does not listen, so that it can only be called over this connection.
    ///
    /// Source: spec/protocol/init.md, "ephemeral peers".
    pub fn is_ephemeral(&self) -> bool {
        is_ephemeral(&self.host_port)
    }

    /// Whether the peer is one of those that are known to answer every ping.
    ///
    /// Source: spec/protocol/control.md, "silent peers".
    pub fn always_answers_pings(&self) -> bool {
        matches!(&*self.language, "go" | "node" | "rust")
    }

    /// Whether the peer answers pings. Source: spec/protocol/control.md, "ping".
    pub fn answers_pings(&self) -> bool {
        !matches!(&*self.language, "python" | "java" | "jvm")
    }
}
