//! Layers: what is done around handlers, and around calls.
//!
//! ```text
//!  call        channel's call layers > the client's > retries, span, counts > attempts > wire
//!  handler     wire > span, counts, panics > channel's layers > the service's > the typed service's > handler
//! ```
//!
//! Of layers at the same place, the one that was added first is outermost: it sees a request first and its
//! outcome last. A layer is a closure, or a value with [`HandlerLayer`] or [`CallLayer`].
//!
//! ```
//! use tchannel_rt::layer::{Inbound, NextHandler, ConcurrencyLimit};
//! use tchannel_rt::{Channel, HandlerError};
//!
//! let channel = Channel::new("greeter");
//! channel.layer(ConcurrencyLimit::new(100));
//! channel.layer(async |call: Inbound, next: NextHandler| {
//!     if call.context().caller().is_empty() {
//!         return Err(HandlerError::bad_request("say who you are"));
//!     }
//!     next.run(call).await
//! });
//! ```
//!
//! Spans, counts, latencies and the answer to a panic are there without a layer; see [`crate::stats`]. Where no
//! layer is set, nothing is allocated or asked for its sake.

mod call;
mod handler;
mod limit;
mod timeout;
#[cfg(feature = "tower")]
pub mod tower;

pub use call::{Answer, CallLayer, NextCall, OpenStream, Outbound};
pub(crate) use call::{CallLayers, ChannelLayers, extend};
pub use handler::{Handled, HandlerLayer, Inbound, NextHandler};
pub(crate) use handler::{SharedLayer, layered, share};
pub use limit::ConcurrencyLimit;
pub use timeout::Timeout;
