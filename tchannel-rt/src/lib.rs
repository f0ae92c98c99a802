//! TChannel for Rust services: serve, call, stream, relay and advertise.

pub mod backoff;
pub mod peer;
pub mod retry;
pub mod scheme;
pub mod stats;
