//! The public API on loopback.

mod calls;
mod cancellation;
mod deadlines;
mod errors;
mod retries;
mod support;
mod wire;
