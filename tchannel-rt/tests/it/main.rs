//! The public API on loopback.

mod calls;
mod cancellation;
mod deadlines;
mod errors;
mod hyperbahn;
mod limits;
mod peers;
mod relay;
mod retries;
mod schemes;
mod shutdown;
mod streams;
mod support;
mod wire;
