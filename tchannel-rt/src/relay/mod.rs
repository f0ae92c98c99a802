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
    Relayed { key: InboundKey, frame: Frame },
    /// It was answered with an error.
    Refused,
}

impl Relay {
    /// Looks at a call req and takes it in if it can be passed on.
    pub(crate) fn accept(&self, core: &mut Core, now: Instant, frame: Frame) -> Accepted {
        let verdict = match CallReqPeek::parse(frame.payload()) {
            Ok(call) if self.route.is_local(call.service) => return Accepted::Local(frame),
            Ok(call) => self.check(&call),
            Err(error) => Err(format!("bad call request: {error}")),
        };
        match verdict {
            Ok(ttl) => match core.proto.relay_accept(now, &frame, ttl) {
                Ok(Some(key)) => Accepted::Relayed { key, frame },
                Ok(None) | Err(_) => Accepted::Refused,
            },
            Err(text) => {
                core.proto
                    .relay_refuse(&frame, ErrorCode::BadRequest, &text);
                Accepted::Refused
            }
        }
    }

    fn check(&self, call: &CallReqPeek<'_>) -> Result<Ttl, String> {
        let service = || String::from_utf8_lossy(call.service).into_owned();
        if call.service.is_empty() {
            return Err("no service name given".to_owned());
        }
        let ttl = call.ttl.ok_or_else(|| {
            format!(
                "ttl of the call to {:?} is 0, expected the milliseconds the caller will wait",
                service()
            )
        })?;
        if call.caller_name.is_empty() {
            return Err(format!(
                "the call to {:?} has no cn (caller name) header",
                service()
            ));
        }
        Ok(ttl)
    }

    /// What is left of a call's ttl once it has spent `spent` here, and no more than is allowed.
    pub(crate) fn remaining(&self, ttl: Ttl, spent: Duration) -> Option<Ttl> {
        let longest = Ttl::from_duration(self.ttl_max).unwrap_or(Ttl::MAX);
        ttl.min(longest).minus(spent)
    }
}
