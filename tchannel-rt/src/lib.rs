//! TChannel for Rust services: serve, call, stream, relay and advertise.
//!
//! ```text
//!  Channel   listens, dials, serves, calls, advertises
//!    |  Service   handlers by method        Call   a call about to be made
//!    |  Route     where relayed calls go    PeerList   who can take them
//!  connection   one socket, one driver task, one tchannel_proto::Connection
//! ```
//!
//! Reading order: [`Channel`], [`Service`] and [`Request`], [`Call`] and [`Response`], [`CallError`],
//! [`ArgReader`] and [`ArgWriter`] for streams, [`scheme`] for what the args mean, [`Route`] for relays.
//!
//! Handlers inherit their call's deadline and trace to the calls they make; see [`CallContext`].
//! The tokio runtime must have its I/O and time drivers enabled.

pub mod backoff;
mod call;
mod channel;
mod clock;
mod config;
mod connection;
mod context;
mod dispatch;
mod error;
mod handler;
mod handlers;
pub mod hyperbahn;
mod in_process;
pub mod layer;
mod listener;
pub mod peer;
mod relay;
pub mod retry;
pub mod scheme;
mod serve;
mod service;
pub mod stats;
pub mod thrift;
mod typed;

pub use call::{
    ArgReader, ArgWriter, Call, PendingResponse, Responder, Response, ResponseError, StreamRequest,
    StreamResponse,
};
pub use channel::Channel;
pub use config::ChannelConfig;
pub use context::CallContext;
pub use error::{CallError, ChannelError};
pub use futures::Stream;
pub use handler::{HandlerError, HandlerResult, Remote, Reply, Request};
pub use in_process::in_process;
pub use peer::{LoadBound, PeerList, PeerState};
pub use relay::{Route, RouteTo};
#[cfg(feature = "macros")]
pub use schemars;
pub use serve::{Ended, Offer, Serve, Serving, Why, serve};
pub use service::{Incoming, Service};
#[cfg(feature = "macros")]
pub use tchannel_macros::service;
pub use tchannel_proto as proto;
pub use tchannel_proto::{ChecksumType, ErrorCode, PeerInfo, ResponseCode, RetryAdvice};
#[cfg(feature = "macros")]
pub use typed::from_trait;
pub use typed::generated::meta;
pub use typed::{
    Client, Exchange, Format, Interface, IntoValues, MethodCall, MethodError, ServiceBuilder,
    StreamAnswer, StreamCall, StreamError, StreamItem, Streaming, SystemError, ThriftFiles,
    TraitSchema, TypedService, Values,
};

// Generated code names this crate as its users do.
extern crate self as tchannel_rt;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
