//! What the owner is told, and what it is asked to send.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::error::Refusal;
use crate::labels::Labels;
use crate::status::Status;

/// What a node knows about a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// `host:port`.
    pub address: Arc<str>,
    /// What it is said to be.
    pub status: Status,
    /// Which life of the member that is about, in wall-clock milliseconds by convention.
    pub incarnation: u64,
    /// What it says about itself, if anything.
    pub labels: Option<Arc<Labels>>,
}

impl Member {
    /// The name under which it owns keys: its identity, or else its address.
    pub fn ring_name(&self) -> &str {
        let identity = self.labels.as_deref().and_then(Labels::identity);
        identity.unwrap_or(&self.address)
    }
}

/// One member that is no longer what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What was known before, or `None` if it was unknown.
    pub before: Option<Member>,
    /// What is known now, or `None` if it is forgotten.
    pub after: Option<Member>,
    /// Who says so: a member's address, or empty when nobody signed it.
    pub source: Arc<str>,
}

/// What the owner is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The node has joined and answers pings from now on.
    Ready {
        /// How many members let it in. 0 if there is nobody else, or nobody answered.
        joined: usize,
    },
    /// The node has looked and stays aside: what it knows now is the ring that it would enter.
    Looked {
        /// How many members answered. 0 if there is nobody else, or nobody answered.
        joined: usize,
    },
    /// These members changed, in one step: change a ring once for the whole batch.
    Changed(Vec<Change>),
    /// Find out who should be in the ring and say so in [`handle_hosts`](crate::Node::handle_hosts), even if
    /// the answer is the old one.
    HostsWanted,
    /// Somebody said that this node was not what it is, and it contradicted.
    Refuted {
        /// What was said.
        claimed: Status,
        /// Who said so.
        source: Arc<str>,
        /// Since then the incarnation of this node.
        incarnation: u64,
    },
    /// A member let us in whose checksum is made in a way that we cannot: its ring hashes with something
    /// other than fingerprint32. It does not count as joined.
    ForeignChecksum {
        /// The member.
        member: Arc<str>,
        /// Its checksum.
        checksum: u32,
    },
    /// The node has taken itself out of the ring, and those it wanted to tell know or do not answer.
    Evicted,
}

/// One request to make. Unless [`handle_response`](crate::Node::handle_response) is called in time, it counts
/// as timed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// To be given back with the outcome.
    pub id: RequestId,
    /// Which member to call.
    pub to: Arc<str>,
    /// Arg1.
    pub path: &'static str,
    /// Arg3. Arg2 is `null`.
    pub body: Bytes,
    /// How long the member has to answer; the ttl of the call.
    pub timeout: Duration,
}

/// Names a request of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub(crate) u64);

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// Response code 0, with arg3.
    Answered(&'a [u8]),
    /// An application error or an error frame: somebody is there, but did not do it.
    Rejected,
    /// Nobody listens there, or the connection was reset: the process is gone, the host is not.
    Refused,
    /// No answer in time, no route, a broken connection: nothing is known.
    Lost,
}

/// What a request of a peer gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This response, at once.
    Now(Response),
    /// The one that [`poll_response`](crate::Node::poll_response) brings for this id.
    Later(AnswerId),
}

/// Names a request of a peer that is answered later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnswerId(pub(crate) u64);

/// What a peer is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Whether it is response code 0; otherwise an application error, code 1.
    pub ok: bool,
    /// Arg3. Arg2 is `null`.
    pub body: Bytes,
}

impl Response {
    pub(crate) fn new(body: impl Into<Bytes>) -> Self {
        Self {
            ok: true,
            body: body.into(),
        }
    }
}

impl From<Refusal> for Response {
    fn from(refusal: Refusal) -> Self {
        Self {
            ok: false,
            body: refusal.body(),
        }
    }
}
