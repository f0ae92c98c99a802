//! The first step of the driver, under the lock: frames become settled calls, and work for the second step.

use std::time::Instant;

use tchannel_proto::{
    Body, Closed, ErrorCode, Event, Failure, Frame, FrameType, InboundCall, InboundKey,
    OutboundKey, ProtocolError, RelayedAnswer, Response, Tracing,
};

use super::driver::{Driver, Parting};
use super::served::{RelayLink, Served, Target};
use super::{Core, Exchange, ResponseInfo};
use crate::clock;
use crate::handlers::EndpointId;
use crate::relay::{Accepted, PassedAnswer, Passing};
use crate::stats::{CloseReason, ConnectionError, End, ServedStats};

/// A unary call whose request is still arriving.
pub(crate) struct PendingCall {
    call: InboundCall,
    endpoint: EndpointId,
    stats: ServedStats,
}

/// What is left to do once the lock is released.
pub(crate) enum Work {
    Ready,
    Start {
        call: InboundCall,
        endpoint: EndpointId,
    },
    StartStream {
        call: InboundCall,
        endpoint: EndpointId,
        exchange: usize,
    },
}

impl Driver {
    pub(super) fn handle_frame(&mut self, core: &mut Core, now: Instant, frame: Frame) {
        let outcome = match self.dispatch.relay() {
            Some(relay) if frame.frame_type() == Ok(FrameType::CallReq) && core.proto.is_open() => {
                match relay.accept(core, now, frame) {
                    Accepted::Local(frame) => core.proto.handle_frame(now, frame),
                    Accepted::Relayed(passing) => return self.passing.push(passing),
                    Accepted::Refused => Ok(()),
                }
            }
            Some(_) => match core.proto.relay_frame_from_callee(now, frame) {
                Ok(Some(answer)) => {
                    self.settle_relayed_answer(core, answer);
                    Ok(())
                }
                other => other.map(drop),
            },
            None => core.proto.handle_frame(now, frame),
        };
        self.note_broken(outcome);
        self.settle(core);
    }

    pub(super) fn note_broken(&self, outcome: Result<(), ProtocolError>) {
        if let Err(error) = outcome {
            tracing::warn!(remote = %self.conn.remote_addr(), %error, "the peer broke the protocol");
        }
    }

    /// Takes in what the connection has to tell, as far as that needs no code of others.
    pub(super) fn settle(&mut self, core: &mut Core) {
        while let Some(event) = core.proto.poll_event() {
            match event {
                Event::Ready => self.work.push(Work::Ready),
                Event::Call(call) => self.settle_call(core, call),
                Event::CallBody { key, body } => self.settle_call_body(core, key, body),
                Event::CallEnded { key, why } => self.settle_call_ended(core, key, why),
                Event::Response(response) => self.settle_response(core, response),
                Event::ResponseBody { key, body } => self.settle_response_body(core, key, body),
                Event::Failed { key, why } => self.settle_failed(core, key, why),
                Event::RelayRequest { key, frame } => {
                    self.passing.push(Passing::Request { key, frame })
                }
                Event::RelayCancel { key, why } => self.passing.push(Passing::Cancel { key, why }),
                Event::RelayResponse(answer) => self.settle_relayed_answer(core, answer),
                Event::PeerDraining { reason } => {
                    self.conn.set_usable(false);
                    self.dispatch.peers.closing(&self.conn, clock::now());
                    tracing::debug!(remote = %self.conn.remote_addr(), %reason, "the peer is draining");
                }
                Event::Drained => self.linger(core),
                Event::Pong { id } => self.handle_pong(id),
                Event::Closed(why) => self.settle_closed(why),
                Event::UnknownFrame { frame_type } => {
                    tracing::debug!(remote = %self.conn.remote_addr(), frame_type, "ignored a frame of unknown type");
                }
                _ => {}
            }
        }
    }

    fn settle_closed(&mut self, why: Closed) {
        if let Closed::Broken(error) = why {
            let (what, reason) = blame(&error);
            if self.was_ready {
                self.conn.0.stats.on_error(what);
            }
            self.end(Parting::Farewell, reason);
            if let Some(ready) = self.ready.take() {
                let _ = ready.send(Err(error));
            }
        }
    }

    fn settle_call(&mut self, core: &mut Core, call: InboundCall) {
        self.has_company |= core.in_flight() > 1;
        let stats = ServedStats::begin(&self.dispatch.stats, &call);
        let queued = self.conn.owed(core);
        if queued > self.conn.limits().queued_max {
            let text = format!(
                "{queued} bytes of answers are queued for this connection; read them first"
            );
            let _ = core.proto.respond_error(call.key, ErrorCode::Busy, &text);
            stats.on_end(End::SystemError(ErrorCode::Busy), 0);
            return;
        }
        let head = &call.head;
        let endpoint = match self.handlers.find(head.service_bytes(), head.arg1()) {
            Ok(endpoint) => endpoint,
            Err(refusal) => {
                let _ = core
                    .proto
                    .respond_error(call.key, ErrorCode::BadRequest, &refusal);
                stats.on_end(End::SystemError(ErrorCode::BadRequest), 0);
                return;
            }
        };
        let key = call.key;
        stats.on_request_bytes(call.body.len() + core.memory.landed());
        if self.handlers.get(endpoint).is_streaming() {
            let exchange = core.exchanges.insert(Exchange::default());
            core.unread += core.push(exchange, call.body.clone());
            core.set_served(
                key,
                Served::Running {
                    task: None,
                    cancelled: None,
                    requests: Some(exchange),
                    stats,
                },
            );
            self.work.push(Work::StartStream {
                call,
                endpoint,
                exchange,
            });
        } else if call.body.end {
            core.set_served(
                key,
                Served::Running {
                    task: None,
                    cancelled: None,
                    requests: None,
                    stats,
                },
            );
            self.work.push(Work::Start { call, endpoint });
        } else {
            let mut call = call;
            let exchange = core.exchanges.insert(Exchange::collecting(None));
            core.arriving += core.push(exchange, std::mem::take(&mut call.body));
            core.set_served(
                key,
                Served::Collecting {
                    exchange,
                    call: Box::new(PendingCall {
                        call,
                        endpoint,
                        stats,
                    }),
                },
            );
        }
    }

    fn settle_call_body(&mut self, core: &mut Core, key: InboundKey, body: Body) {
        let end = body.end;
        match core.served.get(key.slot(), key) {
            Served::Collecting { exchange, call } => {
                let index = *exchange;
                let bytes = core.exchanges[index].push(body, &mut core.memory);
                call.stats.on_request_bytes(bytes);
                core.arriving += bytes;
                let exchange = &core.exchanges[index];
                let limits = self.conn.limits();
                if exchange.buffered() > limits.message_max {
                    let text = format!(
                        "request is larger than {} bytes, the most this endpoint collects",
                        limits.message_max
                    );
                    self.refuse_collecting(core, key, ErrorCode::BadRequest, &text);
                } else if end {
                    self.start_collected(core, key);
                } else if core.arriving > limits.arriving_max {
                    let text = format!(
                        "{} bytes of requests are arriving over this connection, which is over its limit",
                        core.arriving
                    );
                    self.refuse_collecting(core, key, ErrorCode::Busy, &text);
                }
            }
            Served::Running {
                requests: Some(exchange),
                stats,
                ..
            } => {
                stats.on_request_bytes(body.len());
                let index = *exchange;
                core.unread += core.push(index, body);
                let exchange = &mut core.exchanges[index];
                exchange.wake();
                if exchange.buffered() > self.conn.limits().queued_max {
                    self.fail_slow_reader(core, key);
                }
            }
            _ => {}
        }
    }

    fn refuse_collecting(&mut self, core: &mut Core, key: InboundKey, code: ErrorCode, text: &str) {
        if let Served::Collecting { exchange, call } = core.take_served(key) {
            core.arriving -= core.remove_exchange(exchange).buffered();
            call.stats.on_end(End::SystemError(code), 0);
        }
        let _ = core.proto.respond_error(key, code, text);
    }

    fn start_collected(&mut self, core: &mut Core, key: InboundKey) {
        let Served::Collecting { exchange, call } = core.take_served(key) else {
            return;
        };
        let mut exchange = core.remove_exchange(exchange);
        core.arriving -= exchange.buffered();
        let (arg2, arg3) = exchange.collect();
        let PendingCall {
            mut call,
            endpoint,
            stats,
        } = *call;
        call.body = Body::whole(arg2, arg3);
        core.set_served(
            key,
            Served::Running {
                task: None,
                cancelled: None,
                requests: None,
                stats,
            },
        );
        self.work.push(Work::Start { call, endpoint });
    }

    fn fail_slow_reader(&mut self, core: &mut Core, key: InboundKey) {
        let limit = self.conn.limits().queued_max;
        let text = format!("the handler left {limit} bytes of its request unread");
        let _ = core.proto.respond_error(key, ErrorCode::Busy, &text);
        core.count_answer(key, End::SystemError(ErrorCode::Busy), 0);
        self.stop_serving(core, key, Failure::Cancelled { why: text.into() });
    }

    fn settle_call_ended(&mut self, core: &mut Core, key: InboundKey, why: Failure) {
        match core.served(key) {
            Served::Running { stats, .. } => stats.on_failure(&why),
            Served::Collecting { call, .. } => call.stats.on_failure(&why),
            _ => {}
        }
        self.stop_serving(core, key, why);
    }

    fn stop_serving(&mut self, core: &mut Core, key: InboundKey, why: Failure) {
        match core.take_served(key) {
            Served::Nobody => {}
            Served::Collecting { exchange, .. } => {
                core.arriving -= core.remove_exchange(exchange).buffered();
            }
            Served::Running {
                task,
                cancelled,
                requests,
                ..
            } => {
                if let Some(exchange) = requests.and_then(|index| core.exchanges.get_mut(index)) {
                    exchange.fail(why);
                }
                if let Some(cancelled) = cancelled {
                    cancelled.cancel();
                }
                if let Some(task) = task {
                    task.abort();
                }
            }
            Served::Relay(RelayLink::Open { callee, key }) => {
                self.passing.push(Passing::Dropped { callee, key })
            }
            Served::Relay(RelayLink::Dialling { .. }) => {}
        }
    }

    fn settle_response(&mut self, core: &mut Core, response: Response) {
        let Response {
            key,
            code,
            tracing,
            headers,
            body,
            ..
        } = response;
        if let Target::Exchange(index) = *core.target(key) {
            core.exchanges[index].info = Some(ResponseInfo {
                code,
                headers,
                tracing,
            });
            self.settle_response_body(core, key, body);
        }
    }

    fn settle_response_body(&mut self, core: &mut Core, key: OutboundKey, body: Body) {
        let Target::Exchange(index) = *core.target(key) else {
            return;
        };
        let end = body.end;
        let collects = core.exchanges[index].collects;
        self.has_company |= collects && core.proto.outbound_in_flight() > 0;
        let bytes = core.push(index, body);
        if !collects {
            core.unread += bytes;
        }
        if end {
            core.take_target(key);
        }
        let limits = self.conn.limits();
        let limit = if collects {
            limits.message_max
        } else {
            limits.queued_max
        };
        let exchange = &mut core.exchanges[index];
        if exchange.buffered() > limit {
            let why = format!("the response holds more than {limit} bytes");
            exchange.fail(Failure::Refused {
                code: ErrorCode::Cancelled,
                message: why.as_str().into(),
                tracing: Tracing::default(),
            });
            core.take_target(key);
            core.proto.cancel(clock::now(), key, &why);
        } else if end || !collects {
            exchange.wake();
        }
    }

    fn settle_failed(&mut self, core: &mut Core, key: OutboundKey, why: Failure) {
        match core.take_target(key) {
            Target::Nobody => {}
            Target::Exchange(index) => {
                core.exchanges[index].fail(why);
            }
            Target::Relay(ticket) => {
                self.passing.push(Passing::Failed(Box::new((ticket, why))));
            }
        }
    }

    fn settle_relayed_answer(&mut self, core: &mut Core, answer: RelayedAnswer) {
        let RelayedAnswer {
            key: from,
            frame,
            last,
        } = answer;
        let (caller, key, chosen) = if last {
            match core.take_target(from) {
                Target::Relay(ticket) => (ticket.caller, ticket.key, Some(ticket.chosen)),
                _ => return,
            }
        } else {
            match core.target(from) {
                Target::Relay(ticket) => (ticket.caller.clone(), ticket.key, None),
                _ => return,
            }
        };
        self.passing.push(Passing::Answer(PassedAnswer {
            caller,
            key,
            from,
            frame,
            chosen,
        }));
    }
}

/// Whose fault a broken connection is, for those who count.
fn blame(error: &ProtocolError) -> (ConnectionError, CloseReason) {
    match error {
        ProtocolError::PeerFatal { .. } => (ConnectionError::Protocol, CloseReason::Protocol),
        ProtocolError::PingsMissed { .. }
        | ProtocolError::Stale { .. }
        | ProtocolError::InitTimeout { .. } => {
            (ConnectionError::NetworkTimeout, CloseReason::NetworkTimeout)
        }
        _ => (ConnectionError::PeerProtocol, CloseReason::Protocol),
    }
}
