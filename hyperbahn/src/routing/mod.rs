//! The life of a routed call.
//!
//! A call request comes in on any connection. [`decide`] looks at the names it carries and at a
//! [`View`], an immutable picture of what the router knows, and says where the call goes: to an instance if
//! this router is an exit of the service, else to a router that is. Choosing one of several, dialling it
//! and passing frames on is the runtime's work. When the picture changes, the next call simply gets the new
//! one. Source: spec/hyperbahn/routing.md, "a relayed call".

mod affinity;
mod decide;
mod mesh;
mod shard;
mod view;

/// The init header by which routers know each other's connections.
///
/// Source: spec/hyperbahn/routing.md, "two hops".
pub const ROUTER_HEADER: &str = "hyperbahn_router";

pub use affinity::{AffinityConfig, Slice};
pub use decide::{Call, Origin, Route, decide};
pub use mesh::{ExitConfig, Mesh, SETTLING};
pub use shard::{beginning_at, instances_for, ring_of, turn_to};
pub use view::{OwnService, View};
