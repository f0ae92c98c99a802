//! The public API on loopback.

mod calls;
mod cancellation;
mod deadlines;
mod errors;
mod fairness;
mod hyperbahn;
mod in_process;
mod large;
mod layers;
mod limits;
#[cfg(feature = "metrics")]
mod metrics;
mod peers;
mod relay;
mod retries;
mod schemes;
mod serve;
mod shutdown;
mod spans;
mod streams;
mod support;
#[cfg(feature = "tower")]
mod tower;
mod typed_streams;
mod wire;
