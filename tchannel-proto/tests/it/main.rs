//! What holds for any message, any args and any order of events, over the public API.
//!
//! The bodies of these properties stand in [`drive`], where the fuzz targets find them too.

mod codec;
mod connection;
mod drive;
mod early_ends;
mod fragmentation;
mod rest;
mod silence;

use proptest::test_runner::Config;

/// A failure prints its smallest input, which becomes a test of its own; nothing is written beside the code.
fn config() -> Config {
    Config {
        failure_persistence: None,
        ..Config::default()
    }
}
