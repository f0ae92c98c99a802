//! A router for TChannel: services call each other by name, without knowing hosts or ports.
//!
//! A service process advertises its names to a router; whoever calls one of them, through that
//! router, reaches an instance. [`Node`](node::Node) is a router; `hyperbahn serve` runs one.
//!
//! Reading order:
//!
//! - [`config`]: what a node is told; [`error`]: what can stop it
//! - [`host_port`] and [`refusal`]: two words that the rest uses
//! - [`registry`]: who offers which service
//! - [`routing`]: where a call goes
//! - [`hand_over`] and [`quorum`]: what routers pass on to each other, and when it is enough
//! - [`control`]: what a router answers itself
//! - [`interface`]: what services publish about themselves, and values by it
//! - [`membership`]: who else is in the mesh
//! - [`node`]: the parts put together
//!
//! All but the last two are values and functions: no I/O, no clock, no tasks.

mod clock;
pub mod config;
pub mod control;
pub mod duration;
pub mod error;
pub mod hand_over;
pub mod host_port;
pub mod interface;
pub mod membership;
pub mod node;
pub mod quorum;
pub mod refusal;
pub mod registry;
pub mod routing;
