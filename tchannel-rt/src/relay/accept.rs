//! A call req on arrival: where it goes, and whether it is taken in.

use std::time::Instant;

use tchannel_proto::peek::CallReqPeek;
use tchannel_proto::{Frame, InboundKey, Ttl};

use super::refusal::Refusal;
use super::{Dial, PassedCall, Passing, Relay, RouteTo};
use crate::connection::{Core, RelayLink, Served};
use crate::peer::Destination;

/// What became of a call req on arrival.
pub(crate) enum Accepted {
    /// It is for this process.
    Local(Frame),
    /// It is to be passed on.
    Relayed(Passing),
    /// It was answered with an error.
    Refused,
}

impl Relay {
    /// Looks at a call req, asks where it goes, and takes it in if it can be passed on.
    pub(crate) fn accept(&self, core: &mut Core, now: Instant, frame: Frame) -> Accepted {
        let Some(from) = core.proto.peer() else {
            return Accepted::Local(frame);
        };
        let (route, ttl) = match CallReqPeek::parse(frame.payload()) {
            Ok(call) => (self.route.route(&call, from), call.ttl),
            Err(error) => return refuse(core, &frame, self.bad_request(&error)),
        };
        let to = match route {
            RouteTo::Local => return Accepted::Local(frame),
            _ if ttl.is_none() => return refuse(core, &frame, self.no_ttl(&frame)),
            RouteTo::Refuse { code, message } => return refuse(core, &frame, (code, message)),
            RouteTo::Peers(peers) => Destination::any(peers),
            RouteTo::InOrder {
                peers,
                order,
                bound,
            } => Destination::in_order(peers, order, bound),
        };
        match ttl {
            Some(ttl) => self.take_in(core, now, frame, ttl, to),
            None => Accepted::Refused,
        }
    }

    fn take_in(
        &self,
        core: &mut Core,
        now: Instant,
        frame: Frame,
        ttl: Ttl,
        to: Destination,
    ) -> Accepted {
        let Ok(Some(key)) = core.proto.relay_accept(now, &frame, ttl) else {
            return Accepted::Refused;
        };
        let Some((chosen, order)) = to.choose_first(now, ttl.as_duration()) else {
            return refuse_taken(core, key, self.nobody(&frame));
        };
        let passing = match chosen.peer().usable() {
            None => Passing::Dial(Box::new(Dial {
                key,
                frame,
                ttl,
                arrived: now,
                order,
                chosen,
            })),
            Some(callee) => Passing::Call(PassedCall {
                key,
                frame,
                ttl: ttl.min(self.ttl_max),
                chosen,
                callee,
            }),
        };
        core.set_served(key, Served::Relay(RelayLink::new()));
        Accepted::Relayed(passing)
    }
}

fn refuse(core: &mut Core, frame: &Frame, (code, text): Refusal) -> Accepted {
    core.proto.relay_refuse(frame, code, &text);
    Accepted::Refused
}

fn refuse_taken(core: &mut Core, key: InboundKey, (code, text): Refusal) -> Accepted {
    let _ = core.proto.respond_error(key, code, &text);
    Accepted::Refused
}
