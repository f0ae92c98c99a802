//! The bodies that members exchange: JSON in arg3.
//!
//! Read leniently, since absent, null and zero all occur; written within the schemas that peers check.
//! `lenient` reads a field that may be missing, `claim` what is said about a member, `read` whole bodies;
//! `write` makes them.
//!
//! Source: spec/ringpop/membership.md, "bodies".

mod claim;
mod lenient;
mod read;
mod write;

pub(crate) use claim::Claim;
pub(crate) use read::{Exchange, JoinRequest, JoinResponse, Keyed, read};
pub(crate) use write::{
    Object, Said, Sender, join_request, join_response, list, ping, ping_req, ping_req_response,
    ping_response,
};

/// Arg1 of the requests that members make of each other.
///
/// Source: spec/ringpop/membership.md, "endpoints".
pub mod path {
    /// Asks for the membership.
    pub const JOIN: &str = "/protocol/join";
    /// Is the member alive? Changes travel both ways.
    pub const PING: &str = "/protocol/ping";
    /// Is another member alive, seen from there?
    pub const PING_REQ: &str = "/protocol/ping-req";
    /// Who flaps? Nobody, as far as we know.
    pub const DAMP_REQ: &str = "/protocol/damp-req";
}
