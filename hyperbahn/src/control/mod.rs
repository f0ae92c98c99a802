//! The endpoints that a router answers itself: bytes in, a command out; facts in, bytes out.
//!
//! ```text
//!   call req ──▶ read(request) ──▶ Command ──▶ (the node acts) ──▶ Answer ──▶ call res or error
//! ```
//!
//! | service | endpoints | scheme |
//! | --- | --- | --- |
//! | `hyperbahn` | `ad`, `unad`, `relay-ad`, `relay-unad` | json |
//! | `hyperbahn` | `Hyperbahn::discover`, `Hyperbahn::discoverAffine` | thrift |
//! | `autobahn` | `hosts_v1`, `connections_v1`, `exit_connections_v1`, `channels_v1`, `health_v1` | json |
//! | each own service | `Meta::health`, `Meta::versionInfo` | thrift |
//!
//! Everything here is a function; nothing acts, waits or remembers.
//! Source: spec/hyperbahn/api.md, "Endpoints of a router".

mod advertise;
mod answer;
mod channels;
mod connections;
mod discover;
mod health;
mod hosts;
mod json;
mod read;
mod thrift;

pub use advertise::{advertised, relayed};
pub use answer::{Answer, Body, answer};
pub use connections::{Link, PeerLinks};
pub use read::{Command, MAX_BODY_BYTES, Request, read};

#[cfg(test)]
mod tests;
