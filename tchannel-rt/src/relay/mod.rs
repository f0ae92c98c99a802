//! Relay: calls of other services, passed on frame by frame without looking further than arg1.
//!
//! ```text
//! call req --accept--> route --> choose a peer --> same frame, other id, less ttl --> peer
//! caller <-- same frame, caller's id <----------------------------------------------- answer
//! ```
//!
//! Source: spec/hyperbahn/routing.md, "a relayed call".

mod forward;
mod route;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tchannel_proto::peek::CallReqPeek;
use tchannel_proto::{ErrorCode, Frame, InboundKey, Ttl};

use crate::connection::Core;
use crate::peer::Destination;

pub use route::{Route, RouteTo};

/// How a channel relays.
pub(crate) struct Relay {
    pub(crate) route: Arc<dyn Route>,
    pub(crate) ttl_max: Duration,
}

/// What became of a call req on arrival.
pub(crate) enum Accepted {
    /// It is for this process.
    Local(Frame),
    /// It is to be passed on.
    Relayed {
        key: InboundKey,
        call: RelayedCall,
        to: Destination,
    },
    /// It was answered with an error.
    Refused,
}

/// A call req on its way through.
pub(crate) struct RelayedCall {
    pub(crate) frame: Frame,
    /// What the caller would wait when it arrived.
    ttl: Ttl,
    arrived: Instant,
}

impl Relay {
    /// Looks at a call req, asks where it goes, and takes it in if it can be passed on.
    pub(crate) fn accept(&self, core: &mut Core, now: Instant, frame: Frame) -> Accepted {
        let Some(from) = core.proto.peer() else {
            return Accepted::Local(frame);
        };
        let (route, ttl) = match CallReqPeek::parse(frame.payload()) {
            Ok(call) => (self.route.route(&call, from), call.ttl),
            Err(error) => {
                let text = format!("bad call request: {error} (at router {})", self.route.hop());
                core.proto
                    .relay_refuse(&frame, ErrorCode::BadRequest, &text);
                return Accepted::Refused;
            }
        };
        match (route, ttl) {
            (RouteTo::Local, _) => return Accepted::Local(frame),
            (_, None) => {
                let text = format!(
                    "ttl of the call to {} is 0, expected the milliseconds the caller will wait (at router {})",
                    forward::service_of(&frame),
                    self.route.hop()
                );
                core.proto
                    .relay_refuse(&frame, ErrorCode::BadRequest, &text);
            }
            (RouteTo::Refuse { code, message }, _) => {
                core.proto.relay_refuse(&frame, code, &message);
            }
            (RouteTo::Peers(peers), Some(ttl)) => {
                return accept(core, now, frame, ttl, Destination::any(peers));
            }
            (
                RouteTo::InOrder {
                    peers,
                    order,
                    bound,
                },
                Some(ttl),
            ) => {
                let to = Destination::in_order(peers, order, bound);
                return accept(core, now, frame, ttl, to);
            }
        }
        Accepted::Refused
    }

    /// What is left of the ttl of `call`, and no more than is allowed.
    fn remaining(&self, call: &RelayedCall, now: Instant) -> Option<Ttl> {
        let longest = Ttl::from_duration(self.ttl_max).unwrap_or(Ttl::MAX);
        let spent = now.saturating_duration_since(call.arrived);
        call.ttl.min(longest).minus(spent)
    }
}

fn accept(core: &mut Core, now: Instant, frame: Frame, ttl: Ttl, to: Destination) -> Accepted {
    match core.proto.relay_accept(now, &frame, ttl) {
        Ok(Some(key)) => {
            let arrived = now;
            let call = RelayedCall {
                frame,
                ttl,
                arrived,
            };
            Accepted::Relayed { key, call, to }
        }
        _ => Accepted::Refused,
    }
}
