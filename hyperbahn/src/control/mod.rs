//! The endpoints that a router answers itself: bytes in, a command out; facts in, bytes out.
//!
//! ```text
//!   call req ──▶ read(request) ──▶ Command ──▶ (the node acts) ──▶ Answer ──▶ call res or error
//! ```
//!
//! | service | endpoints | scheme |
//! | --- | --- | --- |
//! | `hyperbahn` | `ad`, `unad`, `relay-ad`, `relay-unad`, `take-over` | json |
//! | `hyperbahn` | `Hyperbahn::discover`, `Hyperbahn::discoverAffine` | thrift |
//! | `autobahn` | `hosts_v1`, `connections_v1`, `exit_connections_v1`, `channels_v1`, `health_v1` | json |
//! | `autobahn` | `members_v1`, `services_v1`, `exit_services_v1` | json |
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
mod members;
mod read;
mod services;
mod thrift;

pub use advertise::{
    Relayed, advertised, hand_over_body, relay_body, relayed, take_over_body, taken_over,
};
pub use answer::{Answer, Body, answer, passed_on, read_back};
pub use connections::{Link, PeerLinks, connections_by_exit};
pub use members::members;
pub use read::{Command, MAX_BODY_BYTES, Request, read};
pub use services::{ExitServices, services_by_exit};

#[cfg(test)]
mod tests;
