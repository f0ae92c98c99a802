//! TChannel for Rust services: serve, call, stream, relay and advertise.

pub mod scheme;
