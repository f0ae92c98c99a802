//! Methods that take or give a stream of values: arg3 is a sequence of chunks, one for each value.
//!
//! ```text
//! request   response
//! whole     whole      not here: a MethodCall
//! stream    whole      request_stream
//! whole     stream     response_stream
//! stream    stream     both_streams
//! ```
//!
//! A [`Format`](super::Format) says how values become bytes, so that Thrift, msgpack and json have all else in common.
//! Source: spec/schemes/sthrift.md, "chunks".

mod call;
mod error;
mod incoming;
mod outgoing;
mod serve;
mod sthrift;

pub use call::StreamCall;
pub use error::StreamError;
pub use incoming::Streaming;
pub use outgoing::{IntoValues, StreamItem, Values};
pub use serve::StreamAnswer;

/// Largest arg2 of a streaming call, in bytes.
const HEADER_BYTES_MAX: usize = 64 * 1024;
