//! Moving frames between two connections. The driver that read a frame moves it; it never holds the locks of
//! both ends at once.

use std::time::Instant;

use bytestring::ByteString;
use tchannel_proto::peek::CallReqPeek;
use tchannel_proto::{CallRefused, ErrorCode, Failure, Frame, InboundKey, OutboundKey, Ttl};

use super::{Relay, RelayedCall};
use crate::clock;
use crate::connection::{Conn, Driver, RelayLink, RelayTicket, Served, Target};
use crate::peer::{Chosen, Destination, patience};

impl Driver {
    pub(crate) fn relay_call(
        &mut self,
        key: InboundKey,
        call: RelayedCall,
        to: Destination,
        now: Instant,
    ) {
        let dispatch = self.dispatch.clone();
        let Some(relay) = dispatch.relay() else {
            return;
        };
        let chosen = match choose(relay, &call, &to, now) {
            Ok(chosen) => chosen,
            Err((code, text)) => return self.refuse(key, code, &text),
        };
        match chosen.peer.usable() {
            Some(callee) => {
                let sent = send_on(relay, &self.conn, key, &callee, call, chosen);
                self.touch(&callee);
                if let Err((code, text)) = sent {
                    self.refuse(key, code, &text);
                }
            }
            None => self.dial_and_send(key, call, to, chosen),
        }
    }

    /// Dials off the read path: other calls of this caller do not wait for it.
    fn dial_and_send(
        &mut self,
        key: InboundKey,
        call: RelayedCall,
        to: Destination,
        chosen: Chosen,
    ) {
        let dispatch = self.dispatch.clone();
        let caller = self.conn.clone();
        tokio::spawn(async move {
            let Some(relay) = dispatch.relay() else {
                return;
            };
            let outcome = match connect_to_one(relay, &call, &to, chosen).await {
                // Cancelled, or its caller is gone.
                Ok(_) if !is_waiting(&caller, key) => return,
                Ok((callee, chosen)) => {
                    let sent = send_on(relay, &caller, key, &callee, call, chosen);
                    callee.flush();
                    caller.read_on();
                    sent
                }
                Err(refusal) => Err(refusal),
            };
            if let Err((code, text)) = outcome {
                let mut core = caller.core();
                core.take_served(key);
                let _ = core.proto.respond_error(key, code, &text);
                caller.flush_soon(core);
            }
        });
    }

    pub(crate) fn relay_request(&mut self, key: InboundKey, frame: Frame, now: Instant) {
        let mut core = self.conn.core();
        match core.served(key) {
            Served::Relay(RelayLink::Open { callee, key: to }) => {
                let (callee, to) = (callee.clone(), *to);
                drop(core);
                self.send_continuation(key, &callee, to, frame, now);
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
                    self.refuse(
                        key,
                        ErrorCode::Busy,
                        &format!("{held} bytes of the request wait for a connection"),
                    );
                }
            }
            _ => {}
        }
    }

    fn send_continuation(
        &mut self,
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
            let text = self.at_hop(&service, &too_slow(callee, queued));
            return self.refuse(key, ErrorCode::Busy, &text);
        }
        let _ = core.proto.relay_request(to, frame);
        if queued > limits.queued_soft {
            core.hold_source(&self.conn);
            self.hold(now);
        }
        drop(core);
        self.touch(callee);
    }

    pub(crate) fn relay_cancel(&mut self, key: InboundKey, why: &str) {
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

    pub(crate) fn relay_response(
        &mut self,
        caller: Conn,
        key: InboundKey,
        from: OutboundKey,
        frame: Frame,
        chosen: Option<Chosen>,
        now: Instant,
    ) {
        let last = chosen.is_some();
        if let Some(chosen) = chosen {
            match error_code(&frame) {
                None => chosen.answered(),
                Some(code) => chosen.failed(code),
            }
        }
        let limits = caller.limits();
        let mut core = caller.core();
        let queued = caller.queued(&core);
        if queued > limits.queued_max {
            drop(core);
            let mut core = self.conn.core();
            let service = service_of_target(&core.take_target(from));
            core.proto.cancel(now, from, "the caller reads too slowly");
            drop(core);
            let text = self.at_hop(&service, &too_slow(&caller, queued));
            let mut core = caller.core();
            core.take_served(key);
            let _ = core.proto.respond_error(key, ErrorCode::Busy, &text);
            drop(core);
            self.touch(&caller);
            return;
        }
        let is_over = core.proto.relay_response(key, frame, last).is_err();
        if last {
            core.take_served(key);
        }
        if queued > limits.queued_soft {
            core.hold_source(&self.conn);
            self.hold(now);
        }
        drop(core);
        if is_over && !last {
            let mut core = self.conn.core();
            core.take_target(from);
            core.proto.cancel(now, from, "the caller is gone");
        }
        self.touch(&caller);
    }

    /// The callee's side has failed: deadline, lost connection, or an answer that can not be passed on.
    pub(crate) fn relay_failed(&mut self, ticket: RelayTicket, why: &Failure) {
        let RelayTicket {
            caller,
            key,
            chosen,
        } = ticket;
        let hop = self.dispatch.relay().map_or("", |relay| relay.route.hop());
        let at = format!("{}: instance {}", chosen.service(), chosen.peer.host_port());
        let (code, text) = match why {
            Failure::TimedOut => (
                ErrorCode::Timeout,
                format!("{at} did not answer within the ttl (at router {hop})"),
            ),
            Failure::ConnectionLost { sent: false } => (
                ErrorCode::Declined,
                format!("{at}: the connection was lost before the call had left (at router {hop})"),
            ),
            Failure::ConnectionLost { .. } => (
                ErrorCode::NetworkError,
                format!("{at}: the connection was lost during the call (at router {hop})"),
            ),
            other => (
                ErrorCode::UnexpectedError,
                format!(
                    "{at} gave an answer that can not be passed on: {other:?} (at router {hop})"
                ),
            ),
        };
        chosen.failed(if code == ErrorCode::Declined {
            ErrorCode::NetworkError
        } else {
            code
        });
        let mut core = caller.core();
        core.take_served(key);
        let _ = core.proto.respond_error(key, code, &text);
        drop(core);
        self.touch(&caller);
    }

    /// The caller's side is gone: the callee need not go on.
    pub(crate) fn relay_dropped(&mut self, callee: Conn, key: OutboundKey, now: Instant) {
        let mut core = callee.core();
        core.take_target(key);
        core.proto.cancel(now, key, "the caller is gone");
        drop(core);
        self.touch(&callee);
    }

    fn at_hop(&self, service: &str, cause: &str) -> String {
        let hop = self.dispatch.relay().map_or("", |relay| relay.route.hop());
        format!("{service}: {cause} (at router {hop})")
    }

    fn refuse(&mut self, key: InboundKey, code: ErrorCode, text: &str) {
        let mut core = self.conn.core();
        core.take_served(key);
        let _ = core.proto.respond_error(key, code, text);
    }
}

type Refusal = (ErrorCode, String);

fn choose(
    relay: &Relay,
    call: &RelayedCall,
    to: &Destination,
    now: Instant,
) -> Result<Chosen, Refusal> {
    let chosen = to.choose(now, call.ttl.as_duration(), NO_EARLIER_ATTEMPT);
    chosen.ok_or_else(|| {
        let text = format!(
            "no peer available for request: {:?} has no instance (at router {})",
            service_of(&call.frame),
            relay.route.hop()
        );
        (ErrorCode::Declined, text)
    })
}

const NO_EARLIER_ATTEMPT: &[ByteString] = &[];

/// Gives a call req to `callee` and ties both calls together.
fn send_on(
    relay: &Relay,
    caller: &Conn,
    key: InboundKey,
    callee: &Conn,
    call: RelayedCall,
    chosen: Chosen,
) -> Result<(), Refusal> {
    let now = clock::now();
    let remaining = relay.remaining(&call, now);
    let mut frame = call.frame;
    let Some(ttl) = remaining else {
        let text = format!(
            "the ttl of the call to {} passed (at router {})",
            service_of(&frame),
            relay.route.hop()
        );
        return Err((ErrorCode::Timeout, text));
    };
    let mut core = callee.core();
    let queued = callee.queued(&core);
    if queued > callee.limits().queued_max {
        drop(core);
        chosen.failed(ErrorCode::Busy);
        let text = format!(
            "{}: {} (at router {})",
            service_of(&frame),
            too_slow(callee, queued),
            relay.route.hop()
        );
        return Err((ErrorCode::Busy, text));
    }
    let to = match core.proto.relay_call(now, &mut frame, ttl) {
        Ok(to) => to,
        Err(refused) => {
            drop(core);
            let code = if matches!(refused, CallRefused::TooManyInFlight { .. }) {
                ErrorCode::Busy
            } else {
                ErrorCode::Declined
            };
            let text = format!(
                "{}: instance {}: {refused} (at router {})",
                service_of(&frame),
                chosen.peer.host_port(),
                relay.route.hop()
            );
            chosen.failed(ErrorCode::Busy);
            return Err((code, text));
        }
    };
    core.proto.relay_frame(frame);
    core.set_target(
        to,
        Target::Relay(RelayTicket {
            caller: caller.clone(),
            key,
            chosen,
        }),
    );
    drop(core);
    tie(caller, key, callee, to);
    Ok(())
}

/// Lets the caller's further frames go to `callee`, behind those that have been waiting.
fn tie(caller: &Conn, key: InboundKey, callee: &Conn, to: OutboundKey) {
    loop {
        let mut core = caller.core();
        let Served::Relay(link @ RelayLink::Dialling { .. }) = core.served(key) else {
            // The caller gave up while we dialled.
            drop(core);
            let mut core = callee.core();
            core.take_target(to);
            return core.proto.cancel(clock::now(), to, "the caller is gone");
        };
        let RelayLink::Dialling { waiting, .. } = link else {
            return;
        };
        let waiting = std::mem::take(waiting);
        if waiting.is_empty() {
            *link = RelayLink::Open {
                callee: callee.clone(),
                key: to,
            };
            return;
        }
        // Frames that arrive meanwhile wait behind these, so the order within the call is kept.
        drop(core);
        let mut core = callee.core();
        for frame in waiting {
            let _ = core.proto.relay_request(to, frame);
        }
    }
}

fn is_waiting(caller: &Conn, key: InboundKey) -> bool {
    matches!(
        caller.core().served(key),
        Served::Relay(RelayLink::Dialling { .. })
    )
}

/// Connects to the chosen peer, or to another one while none can be reached: nothing has been sent yet.
async fn connect_to_one(
    relay: &Relay,
    call: &RelayedCall,
    to: &Destination,
    first: Chosen,
) -> Result<(Conn, Chosen), Refusal> {
    let hop = relay.route.hop();
    let service = service_of(&call.frame);
    let mut chosen = first;
    let mut tried: Vec<ByteString> = Vec::new();
    loop {
        let at = chosen.peer.host_port().clone();
        let left = relay.remaining(call, clock::now());
        let left = left.map_or_else(Default::default, Ttl::as_duration);
        let has_another = to.has_another(&at, &tried);
        let limit = if has_another { patience(left) } else { left };
        let failure = match tokio::time::timeout(limit, chosen.peer.connection()).await {
            Ok(Ok(callee)) => return Ok((callee, chosen)),
            Ok(Err(error)) => error.message().to_owned(),
            Err(_) if has_another => {
                format!("no connection to {at} within {} ms", limit.as_millis())
            }
            Err(_) => {
                chosen.failed(ErrorCode::Timeout);
                let text = format!(
                    "{service}: the ttl passed while connecting to instance {at} (at router {hop})"
                );
                return Err((ErrorCode::Timeout, text));
            }
        };
        chosen.failed(ErrorCode::NetworkError);
        tried.push(at);
        match to.choose(clock::now(), left, &tried) {
            Some(next) if !tried.contains(next.peer.host_port()) => chosen = next,
            _ => {
                let text = format!(
                    "{service}: no instance can be reached, {} tried: {failure} (at router {hop})",
                    tried.len()
                );
                return Err((ErrorCode::NetworkError, text));
            }
        }
    }
}

fn error_code(frame: &Frame) -> Option<ErrorCode> {
    let is_error = frame.frame_type() == Ok(tchannel_proto::FrameType::Error);
    is_error.then(|| {
        frame
            .payload()
            .first()
            .copied()
            .and_then(ErrorCode::from_byte)
            .unwrap_or(ErrorCode::UnexpectedError)
    })
}

pub(super) fn service_of(frame: &Frame) -> String {
    CallReqPeek::parse(frame.payload()).map_or_else(
        |_| String::new(),
        |call| String::from_utf8_lossy(call.service).into_owned(),
    )
}

fn service_of_target(target: &Target) -> String {
    match target {
        Target::Relay(ticket) => ticket.chosen.service().to_owned(),
        _ => String::new(),
    }
}

fn too_slow(conn: &Conn, queued: usize) -> String {
    format!(
        "{queued} bytes are queued for {}, which reads too slowly",
        conn.remote_addr()
    )
}
