//! Requests: from the caller's connection to that of the chosen instance.

use std::time::Instant;
use std::vec::Drain;

use tchannel_proto::{ErrorCode, Frame, InboundKey, OutboundKey};

use super::pass::next_if;
use super::refusal::{Refusal, service_of, service_of_target};
use super::{PassedCall, Passing, Relay, Tie};
use crate::connection::{Conn, Core, Driver, RelayLink, RelayTicket, Served, Target};

impl Driver {
    /// Passes on the calls at the head of the list that go to `callee`.
    pub(super) fn pass_calls(
        &mut self,
        relay: &Relay,
        callee: &Conn,
        list: &mut Drain<'_, Passing>,
        now: Instant,
    ) {
        let mut refused = Vec::new();
        let mut core = callee.core();
        let goes_there =
            |next: &Passing| matches!(next, Passing::Call(call) if call.callee.is_same(callee));
        while let Some(Passing::Call(call)) = next_if(list, goes_there) {
            let key = call.key;
            match send_on(relay, &self.conn, &mut core, call, now) {
                Ok(tie) => self.ties.push(tie),
                Err(refusal) => refused.push((key, refusal)),
            }
        }
        drop(core);
        self.touch(callee);
        self.tie_all();
        for (key, (code, text)) in refused {
            self.refuse(key, code, &text);
        }
    }

    pub(super) fn pass_request(
        &mut self,
        relay: &Relay,
        key: InboundKey,
        frame: Frame,
        now: Instant,
    ) {
        let mut core = self.conn.core();
        match core.served(key) {
            Served::Relay(RelayLink::Open { callee, key: to }) => {
                let (callee, to) = (callee.clone(), *to);
                drop(core);
                self.pass_continuation(relay, key, &callee, to, frame, now);
            }
            Served::Relay(RelayLink::Dialling { waiting, bytes }) => {
                *bytes += frame.as_bytes().len();
                let held = *bytes;
                waiting.push(frame);
                drop(core);
                let limits = self.conn.limits();
                if held > limits.queued_soft {
                    self.hold(now);
                }
                if held > limits.queued_max {
                    let text = format!("{held} bytes of the request wait for a connection");
                    self.refuse(key, ErrorCode::Busy, &text);
                }
            }
            _ => {}
        }
    }

    fn pass_continuation(
        &mut self,
        relay: &Relay,
        key: InboundKey,
        callee: &Conn,
        to: OutboundKey,
        frame: Frame,
        now: Instant,
    ) {
        let limits = callee.limits();
        let mut core = callee.core();
        let queued = callee.queued(&core);
        if queued > limits.queued_max {
            let service = service_of_target(&core.take_target(to));
            core.proto.cancel(now, to, "the instance reads too slowly");
            drop(core);
            let (code, text) = relay.reads_too_slowly(&service, callee, queued);
            return self.refuse(key, code, &text);
        }
        let _ = core.proto.relay_request(to, frame);
        if queued > limits.queued_soft {
            core.hold_source(&self.conn);
            self.hold(now);
        }
        drop(core);
        self.touch(callee);
    }

    pub(super) fn pass_cancel(&mut self, key: InboundKey, why: &str) {
        let mut core = self.conn.core();
        if let Served::Relay(RelayLink::Open { callee, key: to }) = core.served(key) {
            let (callee, to) = (callee.clone(), *to);
            drop(core);
            callee.core().proto.relay_cancel(to, why);
            self.touch(&callee);
        } else {
            core.take_served(key);
            let _ = core.proto.respond_error(key, ErrorCode::Cancelled, why);
        }
    }

    /// The caller's side is gone: the callee need not go on.
    pub(super) fn pass_drop(&mut self, callee: &Conn, key: OutboundKey, now: Instant) {
        let mut core = callee.core();
        core.take_target(key);
        core.proto.cancel(now, key, "the caller is gone");
        drop(core);
        self.touch(callee);
    }

    fn refuse(&mut self, key: InboundKey, code: ErrorCode, text: &str) {
        let mut core = self.conn.core();
        core.take_served(key);
        let _ = core.proto.respond_error(key, code, text);
    }
}

/// Gives a call req to its callee, whose `core` this is, and says what it is to be tied to.
pub(super) fn send_on(
    relay: &Relay,
    caller: &Conn,
    core: &mut Core,
    call: PassedCall,
    now: Instant,
) -> Result<Tie, Refusal> {
    let PassedCall {
        key,
        mut frame,
        ttl,
        chosen,
        callee,
    } = call;
    let queued = callee.queued(core);
    if queued > callee.limits().queued_max {
        chosen.failed(ErrorCode::Busy);
        return Err(relay.reads_too_slowly(&service_of(&frame), &callee, queued));
    }
    let to = match core.proto.relay_call(now, &mut frame, ttl) {
        Ok(to) => to,
        Err(refused) => {
            let refusal = relay.not_taken(&frame, &chosen, &refused);
            chosen.failed(ErrorCode::Busy);
            return Err(refusal);
        }
    };
    core.proto.relay_frame(frame);
    let caller = caller.clone();
    let ticket = RelayTicket {
        caller,
        key,
        chosen,
    };
    core.set_target(to, Target::Relay(ticket));
    Ok(Tie { key, callee, to })
}
