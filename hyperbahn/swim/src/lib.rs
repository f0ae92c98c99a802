//! Ringpop's membership as a value: who is in the ring, agreed on by gossip, without I/O or a clock.
//!
//! ```text
//!            requests of peers        outcomes of ours          time
//!                   │                        │                   │
//!            handle_request          handle_response      handle_timeout
//!                   ▼                        ▼                   ▼
//!              ┌──────────────────── Node ─────────────────────────┐
//!              │ probe · suspicion · dissemination · join · heal   │
//!              │                   members                         │
//!              └───────────────────────────────────────────────────┘
//!                   │               │              │             │
//!             poll_request    poll_response   poll_event   poll_timeout
//! ```
//!
//! **SWIM in a page.** Every 200 ms a node pings one member, all of them in turn. If it is silent, three
//! others ping it; if they cannot reach it either, it is suspect, and faulty unless it refutes in time. What
//! anybody learns rides on the pings and their answers, each news a limited number of times, so that it
//! reaches n members in about log n periods. Only a member itself raises its incarnation, and a higher
//! incarnation outranks whatever was said before. Members compare a checksum of their lists with every ping
//! and exchange the lists when nothing else explains a difference.
//!
//! **What Ringpop adds** to the paper: JSON over TChannel, a ping that retries nothing and a helper that says
//! whether it got through, tombstones so that the dead are forgotten everywhere, full sync both ways, healing
//! of partitions, leaving and coming back, labels.
//!
//! **What we add**, invisible on the wire: three pings in the time of one; suspicion that shortens as others
//! confirm it, and a last look at the suspect before it ends; a node that hears nobody blames nobody
//! (Lifeguard's local health, and silence); a join that one dead seed cannot block. Two bugs of deployed
//! peers are mended: a suspect whose incarnation rises still becomes faulty, and a refutation never goes back
//! in time.
//!
//! **The owner's part.** It serves the paths of [`Endpoint::PATHS`] and, from the ring it keeps, [`LOOKUP`] and
//! [`STATS`], also on connections that it opened itself. After every call of a `handle_*` it carries out all that
//! the `poll_*` name: each request within its timeout and without trying again, each event in order. Then it waits
//! for a request, an outcome or the time of [`Node::poll_timeout`]. It tells [`Outcome::Refused`], nobody
//! listens there, from [`Outcome::Lost`], nothing is known: the one ends a wait at once, the other may be its own fault.
//!
//! Reading order: [`Config`], [`Status`], [`Event`], [`Endpoint`], [`Node`].
//!
//! Bodies of peers never panic this crate and never make it hold more than [`Limits`] allow.

mod admin;
mod calls;
mod checksum;
mod config;
mod dissemination;
mod error;
mod event;
mod heal;
mod health;
mod join;
mod labels;
mod members;
mod node;
mod probe;
mod reach;
mod rng;
mod status;
mod suspicion;
#[cfg(test)]
mod tests;
mod wire;

pub use admin::{Endpoint, LOOKUP, STATS, Surroundings, lookup_key, lookup_response};
pub use checksum::Flavour;
pub use config::{Config, HealConfig, JoinConfig, Limits};
pub use error::Refusal;
pub use event::{Answer, AnswerId, Change, Event, Member, Outcome, Request, RequestId, Response};
pub use labels::{IDENTITY, Labels};
pub use node::Node;
pub use status::{MAX_INCARNATION, Status};
pub use wire::path;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
