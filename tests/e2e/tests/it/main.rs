//! Real processes, real sockets: what operators do and what happens to them.
#![expect(
    clippy::print_stdout,
    reason = "the counts of each scenario, for whoever runs it with --nocapture"
)]

mod ads;
mod hand_over;
mod instances;
mod mesh;
#[cfg(target_os = "linux")]
mod netns;
#[cfg(target_os = "linux")]
mod partition;
mod routers;
mod shards;
mod signals;
mod traffic;
