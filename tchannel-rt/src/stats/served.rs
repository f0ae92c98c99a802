//! One inbound call, from its first frame to whichever way it ends.

use tchannel_proto::{Failure, InboundCall, header_key};

use super::{ENABLED, End, InboundStats, Stats, Stopwatch};

/// What is counted of a call while it is served. Takes no room when nobody records.
#[derive(Clone, Debug)]
pub(crate) struct ServedStats {
    handles: InboundStats,
    since: Stopwatch,
}

impl ServedStats {
    pub(crate) fn begin(stats: &Stats, call: &InboundCall) -> Self {
        let (caller, service, endpoint) = if ENABLED {
            let caller = call.head.headers().get(header_key::CALLER_NAME);
            let endpoint = std::str::from_utf8(call.head.arg1());
            let endpoint = endpoint.unwrap_or("not-utf-8");
            (caller.unwrap_or_default(), call.head.service(), endpoint)
        } else {
            Default::default()
        };
        let handles = stats.inbound(caller, service, endpoint);
        handles.on_received();
        let since = Stopwatch::start();
        Self { handles, since }
    }

    pub(crate) fn on_request_bytes(&self, bytes: usize) {
        self.handles.on_request_bytes(bytes as u64);
    }

    pub(crate) fn on_end(&self, end: End, response_bytes: usize) {
        self.handles
            .on_end(self.since.elapsed(), end, response_bytes as u64);
    }

    /// The call has ended before it was answered.
    pub(crate) fn on_failure(&self, why: &Failure) {
        match why {
            Failure::Cancelled { .. } => {
                self.handles.on_cancel_requested();
                self.handles.on_cancel_honored();
            }
            Failure::Args(_) | Failure::Malformed(_) => self.handles.on_protocol_error(),
            _ => {}
        }
        self.on_end(End::of(why), 0);
    }
}
