//! What `spec/` says, one module for each page, and the vectors it comes with.
//!
//! `vectors` reads the files, `value` turns frames into their values and back, `peer` is one end of a
//! connection on a clock of its own, `service` is what that end serves. `channel` and `client` put the same to
//! the runtime over `wire`, a socket. `ledger` says which test holds which requirement.

mod api;
mod call;
mod channel;
mod checksums;
mod client;
mod control;
mod conventions;
mod deadlines;
mod errors;
mod fragments;
mod framing;
mod headers;
mod hostile;

mod init;
mod ledger;
mod misbehaving;
mod peer;
mod routing;
mod schemes;
mod service;
mod tracing;
mod value;
mod vectors;
mod wire;
