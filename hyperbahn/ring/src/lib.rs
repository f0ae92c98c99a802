//! Who owns a key, and who comes next: a consistent hash ring equal to Ringpop's.
//!
//! ```text
//!  servers  ──▶ 100 points each, by fingerprint32 ──▶ one circle of 2^32 positions
//!  key      ──▶ one position; its owner is the first point clockwise from there
//! ```
//!
//! A ring is a function of a set of servers: it reads no clock, draws no random number, keeps no history and
//! knows nothing of health. A [`Ring`] never changes, so any number of threads look keys up without a lock;
//! a change of members makes the next one, which moves only the keys it must.
//!
//! Reading order: [`Server`], [`Ring`], [`Walk`], [`fingerprint32`].

mod checksum;
mod point;
mod ring;
mod server;
mod walk;

pub use ring::Ring;
pub use server::{REPLICA_POINTS, Server};
pub use tchannel_farmhash::fingerprint32;
pub use walk::Walk;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
