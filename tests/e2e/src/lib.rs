//! Routers and services as processes of their own, to be started, frozen, stopped and killed by a test.
//!
//! `cargo test -p test-e2e -- --nocapture` prints a line for each scenario: calls sent, answered, tried more than
//! once, and failed, the failures by code and message. Only the counts are held to anything; the times in the
//! line are for the reader, and "held back" are calls that waited because the machine was too slow. Scenarios
//! take turns, since each one loads the machine. `CONTRIBUTING.md` says what the one on network namespaces needs.

mod address;
mod process;

pub use address::free_address;
pub use process::Process;

/// The root README, whose code must compile.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
