//! Foreign TChannel peers for tests: where they are installed, how they are started, how they are asked.
//!
//! The programs and their command line are described in `peers/README.md`. In reading order: [`Peer`] is
//! a language and its installation, [`Server`] and [`Client`] are its running programs, [`Call`] is what a
//! client is told to do, and [`Answer`] what came of it. [`RingMember`] is a member of a Ringpop ring.

mod answer;
mod call;
mod client;
mod installation;
mod peer;
mod process;
mod ring_member;
mod server;
mod thrift_files;

pub use answer::Answer;
pub use call::{Args, CALLER, Call, DEFAULT_TTL, Way, pattern};
pub use client::Client;
pub use peer::Peer;
pub use ring_member::RingMember;
pub use server::Server;
pub use thrift_files::thrift_files;
