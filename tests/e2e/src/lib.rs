//! Routers and services as processes of their own, to be started, stopped and killed by a test.

mod process;

pub use process::Process;

/// The root README, whose code must compile.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
