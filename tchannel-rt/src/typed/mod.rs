//! Typed services: methods with arguments and results instead of args and headers.
//!
//! Generated code stands on this. A [`TypedService`] is what a server puts on a channel, a
//! [`MethodCall`] is a call that a client is about to make, a [`MethodError`] is how either can fail.

mod client;
mod error;
mod exchange;
mod format;
#[cfg(feature = "macros")]
pub mod from_trait;
pub(crate) mod generated;
mod interface;
mod meta;
mod method_call;
mod service;
mod stream;

pub use client::Client;
pub use error::{MethodError, SystemError};
pub use exchange::Exchange;
pub use format::Format;
pub use interface::{Interface, ThriftFiles, TraitSchema};
pub(crate) use meta::Published;
pub use method_call::MethodCall;
pub use service::{ServiceBuilder, TypedService};
pub use stream::{
    IntoValues, StreamAnswer, StreamCall, StreamError, StreamItem, Streaming, Values,
};
