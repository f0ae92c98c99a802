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
//! - [`control`]: what a router answers itself
//! - [`node`]: the parts put together
//!
//! All but the last are values and functions: no I/O, no clock, no tasks.

pub mod config;
pub mod control;
pub mod duration;
pub mod error;
pub mod host_port;
pub mod node;
pub mod refusal;
pub mod registry;
pub mod routing;
