//! Hyperbahn client: advertise, stay advertised, withdraw, discover.
//!
//! Source: spec/hyperbahn/api.md, "ad".

mod advertise;
mod discover;
mod routers;

pub use advertise::{AdvertiseEvent, Advertisement};
pub(crate) use routers::check_host_port;
pub use routers::{DEFAULT_ROUTER, ROUTERS_VARIABLE, Routers};
