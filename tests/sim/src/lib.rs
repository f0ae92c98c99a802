//! Rings of members, and meshes of routers, on virtual time, from one seed.
//!
//! ```text
//!  World ── seats with a Node each, the same that routers run
//!    │  ╲── Network: delay, loss, cuts, slow members
//!    │   ╲─ Queue: what happens next
//!    ╰──── Observer: what members believe, held against the truth
//!
//!  Routers ── a World, a Router on each seat, and instances that advertise
//! ```
//!
//! Nothing here reads a clock or draws a number that the seed does not decide, so a run is repeated by its
//! seed, event by event; `World::trace` tells two runs apart. `faults` are what can go wrong, `experiments`
//! measure, `tests/it` check.

pub mod experiments;
pub mod faults;
mod network;
mod observer;
mod queue;
mod report;
mod routers;
pub mod seed;
mod world;

pub use network::Network;
pub use observer::{Observer, Verdict};
pub use routers::{Cost, Found, Routers, Told};
pub use world::World;

/// Time in nanoseconds since the beginning.
pub type Nanos = u64;

/// In [`Nanos`].
pub const MILLISECOND: Nanos = 1_000_000;

/// In [`Nanos`].
pub const SECOND: Nanos = 1_000 * MILLISECOND;
