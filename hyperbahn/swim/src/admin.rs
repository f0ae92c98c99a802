//! What operators and their tools ask a member: the endpoints, and bodies that need facts from outside.
//!
//! Source: spec/ringpop/membership.md, "endpoints".

use bytes::Bytes;
use serde_json::json;

use crate::config::Limits;
use crate::error::Refusal;
use crate::event::Response;
use crate::wire::{Keyed, Object, path, read};

/// What a node answers itself. Everything under the service name of the ring that is not here, nor
/// [`LOOKUP`] or [`STATS`], does not exist.
///
/// Source: spec/ringpop/membership.md, "endpoints".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// Our membership.
    Join,
    /// Are we alive?
    Ping,
    /// Is another member alive?
    PingReq,
    /// Damp scores of members: none are kept.
    DampReq,
    /// Is the process up?
    Health,
    /// Probe from now on.
    GossipStart,
    /// Probe no more; go on answering.
    GossipStop,
    /// The one or the other.
    GossipToggle,
    /// Probe once, now.
    GossipTick,
    /// Do we probe?
    GossipStatus,
    /// Leave the ring, but stay a member.
    Leave,
    /// Come back.
    Rejoin,
    /// Make tombstones of all that are faulty.
    Reap,
    /// Look for lost members.
    Heal,
    /// Debug logs on or off, which is up to the owner.
    Debug,
}

impl Endpoint {
    /// Each arg1 and what it means, aliases included.
    pub const PATHS: [(&str, Self); 19] = [
        (path::JOIN, Self::Join),
        (path::PING, Self::Ping),
        (path::PING_REQ, Self::PingReq),
        (path::DAMP_REQ, Self::DampReq),
        ("/health", Self::Health),
        ("/admin/gossip/start", Self::GossipStart),
        ("/admin/gossip/stop", Self::GossipStop),
        ("/admin/gossip/tick", Self::GossipTick),
        ("/admin/gossip/status", Self::GossipStatus),
        ("/admin/gossip", Self::GossipToggle),
        ("/admin/tick", Self::GossipTick),
        ("/admin/member/leave", Self::Leave),
        ("/admin/member/join", Self::Rejoin),
        ("/admin/leave", Self::Leave),
        ("/admin/join", Self::Rejoin),
        ("/admin/reap", Self::Reap),
        ("/admin/healpartition/disco", Self::Heal),
        ("/admin/debugSet", Self::Debug),
        ("/admin/debugClear", Self::Debug),
    ];

    /// What this arg1 means, or `None` if there is no such endpoint.
    pub fn from_path(path: &str) -> Option<Self> {
        let found = Self::PATHS.iter().find(|(known, _)| *known == path);
        found.map(|(_, endpoint)| *endpoint)
    }
}

/// Who owns a key? Answered by the owner of the ring: [`lookup_key`], then [`lookup_response`].
pub const LOOKUP: &str = "/admin/lookup";

/// How is it going? Answered by the owner: [`stats`](crate::Node::stats).
pub const STATS: &str = "/admin/stats";

/// The key that a lookup is about.
///
/// # Errors
///
/// The response to give, when the body has no key or is not JSON.
pub fn lookup_key(body: &[u8]) -> Result<String, Response> {
    let keyed: Keyed<'_> = read(body, Limits::default().body_bytes)?;
    match keyed.key.0.is_empty() {
        true => Err(Refusal::NoKey.into()),
        false => Ok(keyed.key.0.into_owned()),
    }
}

/// Says who owns the key.
pub fn lookup_response(owner: &str) -> Response {
    let mut body = Object::new();
    body.text("dest", owner);
    Response::new(body.done())
}

/// What the stats show beside the membership: facts that only the owner has.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// Checksum of the ring.
    pub ring_checksum: u32,
    /// Checksum over all points of the ring, if there is one.
    pub replica_checksum: Option<u32>,
    /// Addresses on the ring.
    pub servers: Vec<String>,
    /// Process id.
    pub pid: u32,
    /// Resident memory, bytes.
    pub memory_bytes: u64,
    /// Version of the program.
    pub version: String,
    /// Version of the TChannel library.
    pub tchannel_version: String,
}

/// Bodies that say no more than that it was done.
pub(crate) fn done(word: &str) -> Response {
    let mut body = Object::new();
    body.text("status", word);
    Response::new(body.done())
}

pub(crate) fn empty() -> Response {
    Response::new(Bytes::from_static(b"{}"))
}

pub(crate) fn health() -> Response {
    Response::new(Bytes::from_static(b"ok"))
}

pub(crate) fn no_damp_scores() -> Response {
    Response::new(Bytes::from_static(b"{\"scores\":[]}"))
}

pub(crate) fn checksum(checksum: u32) -> Response {
    let mut body = Object::new();
    body.number("checksum", u64::from(checksum));
    Response::new(body.done())
}

pub(crate) fn reaped(count: usize) -> Response {
    Response::new(json!({"status": "ok", "reaped": count}).to_string())
}

pub(crate) fn healed(targets: &[impl AsRef<str>]) -> Response {
    let targets: Vec<&str> = targets.iter().map(AsRef::as_ref).collect();
    Response::new(json!({"targets": targets, "error": ""}).to_string())
}

pub(crate) fn not_healed(why: &str) -> Response {
    Response::new(json!({"targets": [], "error": why}).to_string())
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, lookup_key, lookup_response};

    #[test]
    fn every_path_leads_somewhere() {
        for (path, endpoint) in Endpoint::PATHS {
            assert_eq!(Endpoint::from_path(path), Some(endpoint));
        }
        assert_eq!(Endpoint::from_path("/proxy/req"), None);
    }

    #[test]
    fn a_lookup_needs_a_key() {
        assert_eq!(lookup_key(br#"{"key":"k"}"#), Ok("k".to_owned()));
        for body in [&b""[..], b"null", b"{}", b"[", br#"{"key":7}"#] {
            assert!(!lookup_key(body).expect_err("no key").ok);
        }
        assert_eq!(&*lookup_response("a:1").body, br#"{"dest":"a:1"}"#);
    }
}
