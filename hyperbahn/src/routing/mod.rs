//! The life of a routed call.
//!
//! A call request comes in on any connection. [`decide`] looks at the names it carries and at a
//! [`View`], an immutable picture of what the router knows, and says where the call goes. Choosing
//! one of several instances, dialling it and passing frames on is the runtime's work. When the
//! picture changes, the next call simply gets the new one. Source: spec/hyperbahn/routing.md, "a relayed call".

mod decide;
mod view;

pub use decide::{Call, Route, decide};
pub use view::{OwnService, View};
