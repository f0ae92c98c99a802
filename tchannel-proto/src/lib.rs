//! TChannel v2 as values: frames, fragments, checksums and the connection. No I/O, no clock, no tasks.
//!
//! Bytes and the time come in as arguments; bytes, events and the next wake-up come out. So one test can run
//! thousands of connections on a clock of its own, and a runtime, a router and a tool can share the rules.
//!
//! Reading order: [`limits`], [`Frame`] and [`Decoder`], [`message`], [`checksum`], [`fragment`], [`peek`],
//! [`Connection`].
//!
//! A peer's bytes never panic this crate and never make it hold more than the limits named in [`limits`]
//! and [`ConnectionConfig`].

pub mod checksum;
mod connection;
mod cursor;
mod decoder;
mod error;
pub mod fragment;
mod frame;
pub mod limits;
pub mod message;
mod outbox;
pub mod peek;
mod span;
mod transport_headers;
mod ttl;

pub use checksum::ChecksumType;
pub use connection::{
    Apart, CallHead, CallIsOver, CallRefused, Closed, Connection, ConnectionConfig, Event, Failure,
    Identity, InboundCall, InboundKey, OutboundKey, PeerInfo, RelayedAnswer, Response,
    ResponseHead,
};
pub use cursor::DecodeError;
pub use decoder::Decoder;
pub use error::ProtocolError;
pub use fragment::{Body, Progress};
pub use frame::{Frame, FrameType, MessageId};
pub use message::{ErrorCode, InboundHead, ResponseCode, RetryAdvice};
pub use outbox::Outbox;
pub use span::Tracing;
pub use transport_headers::{SendHeaders, TransportHeaders, key as header_key};
pub use ttl::Ttl;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
