//! Relay: calls of other services, passed on frame by frame without looking further than arg1.
//!
//! ```text
//! call req --accept--> route --> choose a peer --> same frame, other id, less ttl --> peer
//! caller <-- same frame, caller's id <----------------------------------------------- answer
//! ```
//!
//! A driver takes in all frames of a read under the lock of its own connection, which makes a list of
//! [`Passing`]; then it works through that list, and frames in a row for one connection share its lock. Nobody
//! holds the locks of both ends at once.
//!
//! Source: spec/hyperbahn/routing.md, "a relayed call".

mod accept;
mod answers;
mod calls;
mod dial;
mod pass;
mod refusal;
mod route;

use std::sync::Arc;
use std::time::Instant;

use bytestring::ByteString;
use tchannel_proto::{Failure, Frame, InboundKey, OutboundKey, Ttl};

use crate::connection::{Conn, RelayTicket};
use crate::peer::Chosen;

pub(crate) use accept::Accepted;
pub(crate) use dial::Dial;
pub(crate) use pass::Tie;
pub use route::{Route, RouteTo};

/// How a channel relays.
pub(crate) struct Relay {
    pub(crate) route: Arc<dyn Route>,
    /// No call is passed on with more than this.
    pub(crate) ttl_max: Ttl,
}

/// What is to be passed on to another connection, or said there.
pub(crate) enum Passing {
    /// A call req, and the connection that takes it.
    Call(PassedCall),
    /// A call req whose peer has to be dialled.
    Dial(Box<Dial>),
    /// More of a request.
    Request { key: InboundKey, frame: Frame },
    /// The caller has cancelled.
    Cancel { key: InboundKey, why: ByteString },
    /// A frame of an answer.
    Answer(PassedAnswer),
    /// The callee's side has failed: deadline, lost connection, or an answer that can not be passed on.
    Failed(Box<(RelayTicket, Failure)>),
    /// The caller's side is gone: the callee need not go on.
    Dropped { callee: Conn, key: OutboundKey },
}

pub(crate) struct PassedCall {
    key: InboundKey,
    frame: Frame,
    /// What the peer is told.
    ttl: Ttl,
    chosen: Chosen,
    callee: Conn,
}

pub(crate) struct PassedAnswer {
    pub(crate) caller: Conn,
    pub(crate) key: InboundKey,
    pub(crate) from: OutboundKey,
    pub(crate) frame: Frame,
    /// The instance, with the last frame.
    pub(crate) chosen: Option<Chosen>,
}

impl Relay {
    /// What is left of `ttl` after the time since `arrived`, and no more than is allowed.
    fn remaining(&self, ttl: Ttl, arrived: Instant, now: Instant) -> Option<Ttl> {
        let spent = now.saturating_duration_since(arrived);
        ttl.min(self.ttl_max).minus(spent)
    }
}
