//! A router for TChannel.

pub mod config;
pub mod control;
pub mod duration;
pub mod host_port;
pub mod refusal;
pub mod registry;
pub mod routing;
