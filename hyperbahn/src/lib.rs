//! A router for TChannel.

pub mod host_port;
pub mod refusal;
pub mod registry;
pub mod routing;
