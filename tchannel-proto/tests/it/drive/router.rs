//! A router as small as can be: two connections, and calls that pass from one to the other.
//!
//! Decides nothing. What it does with frames, events and failures is what a relay must do, so that a call
//! through it ends as a direct call does.

use std::time::Instant;

use bytes::{Buf, BytesMut};
use tchannel_proto::peek::CallReqPeek;
use tchannel_proto::{
    Connection, Decoder, ErrorCode, Event, Frame, FrameType, InboundKey, OutboundKey, Outbox,
    ProtocolError, RelayedAnswer,
};

use super::world::{Side, config};

/// What stands between the two ends.
pub(crate) struct Router {
    hops: [Hop; 2],
    ties: Vec<Tie>,
}

/// The router's connection to one of the ends.
struct Hop {
    connection: Connection,
    decoder: Decoder,
    wire: BytesMut,
    delivered: u64,
}

/// One call that passes through.
struct Tie {
    caller: Side,
    inbound: InboundKey,
    outbound: OutboundKey,
}

impl Router {
    pub(crate) fn new(now: Instant) -> Self {
        let hop = |connection| Hop {
            connection,
            decoder: Decoder::new(),
            wire: BytesMut::new(),
            delivered: 0,
        };
        let mut router = Self {
            hops: [
                hop(Connection::accept(now, config("near"))),
                hop(Connection::connect(now, config("far"))),
            ],
            ties: Vec::new(),
        };
        router.settle(now);
        router
    }

    /// Takes in bytes from the end at `side`.
    pub(crate) fn hear(
        &mut self,
        now: Instant,
        side: Side,
        bytes: &[u8],
    ) -> Result<(), ProtocolError> {
        self.hop(side).decoder.buffer_mut().extend_from_slice(bytes);
        while !self.hop(side).connection.is_closed() {
            let hop = self.hop(side);
            let outcome = match hop.decoder.next_frame() {
                Ok(None) => break,
                Ok(Some(frame)) => self.handle_frame(now, side, frame),
                Err(error) => Err(hop.connection.handle_broken_stream(error)),
            };
            self.settle(now);
            outcome?;
        }
        Ok(())
    }

    /// What is on its way to the end at `side`, `count` bytes at most.
    pub(crate) fn say(&mut self, side: Side, count: usize) -> BytesMut {
        let hop = self.hop(side);
        let bytes = hop.wire.split_to(count.min(hop.wire.len()));
        hop.delivered += bytes.len() as u64;
        bytes
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.hops.iter().all(|hop| hop.wire.is_empty())
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let timeouts = self
            .hops
            .iter()
            .filter_map(|hop| hop.connection.poll_timeout());
        timeouts.min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) -> Result<(), ProtocolError> {
        let outcomes = Side::BOTH.map(|side| self.hop(side).connection.handle_timeout(now));
        self.settle(now);
        assert!(self.poll_timeout().is_none_or(|next| next > now));
        outcomes.into_iter().collect()
    }

    /// The socket to one end breaks.
    pub(crate) fn disconnect(&mut self, now: Instant, side: Side) {
        let hop = self.hop(side);
        let written = hop.delivered + hop.wire.len() as u64;
        hop.connection.handle_disconnect(written);
        self.settle(now);
    }

    /// Nothing is left of any call.
    pub(crate) fn check_empty(&self) {
        assert!(self.ties.is_empty(), "calls are tied for ever");
        for hop in &self.hops {
            assert_eq!(hop.connection.outbound_in_flight(), 0);
            assert_eq!(hop.connection.inbound_in_flight(), 0);
            assert_eq!(hop.connection.tombstones(), 0);
        }
    }

    fn hop(&mut self, side: Side) -> &mut Hop {
        &mut self.hops[side as usize]
    }

    fn connection(&mut self, side: Side) -> &mut Connection {
        &mut self.hop(side).connection
    }

    fn handle_frame(
        &mut self,
        now: Instant,
        side: Side,
        mut frame: Frame,
    ) -> Result<(), ProtocolError> {
        let is_call = frame.frame_type() == Ok(FrameType::CallReq);
        let ttl = CallReqPeek::parse(frame.payload())
            .ok()
            .and_then(|call| call.ttl);
        let connection = self.connection(side);
        let Some(ttl) = ttl.filter(|_| is_call && connection.is_open()) else {
            return connection.handle_frame(now, frame);
        };
        let Some(inbound) = connection.relay_accept(now, &frame, ttl)? else {
            return Ok(());
        };
        let callee = self.connection(side.other());
        match callee.relay_call(now, &mut frame, ttl) {
            Ok(outbound) => {
                callee.relay_frame(frame);
                self.ties.push(Tie {
                    caller: side,
                    inbound,
                    outbound,
                });
            }
            Err(refused) => self.fail(side, inbound, &refused.to_string()),
        }
        Ok(())
    }

    fn fail(&mut self, caller: Side, key: InboundKey, text: &str) {
        let caller = self.connection(caller);
        let told = caller.respond_error(key, ErrorCode::Declined, text);
        assert!(told.is_ok() || caller.is_closed(), "the caller waits");
    }

    fn settle(&mut self, now: Instant) {
        while let Some((side, event)) = self.next_event() {
            self.handle_event(now, side, event);
        }
        for hop in &mut self.hops {
            let mut outbox = Outbox::new();
            while hop.connection.poll_transmit(&mut outbox) {
                let waiting = outbox.remaining();
                hop.wire.extend_from_slice(&outbox.copy_to_bytes(waiting));
            }
        }
        for side in Side::BOTH {
            let tied = self.ties.iter().filter(|tie| tie.caller == side).count();
            assert_eq!(self.connection(side).inbound_in_flight(), tied);
            assert_eq!(self.connection(side.other()).outbound_in_flight(), tied);
        }
    }

    fn next_event(&mut self) -> Option<(Side, Event)> {
        Side::BOTH
            .into_iter()
            .find_map(|side| Some((side, self.connection(side).poll_event()?)))
    }

    fn handle_event(&mut self, now: Instant, side: Side, event: Event) {
        let other = side.other();
        match event {
            Event::RelayRequest { key, frame } => {
                if let Some(at) = self.find(side, |tie| tie.inbound == key) {
                    let to = self.ties[at].outbound;
                    let sent = self.connection(other).relay_request(to, frame);
                    sent.expect("the call is tied");
                }
            }
            Event::RelayCancel { key, why } => {
                if let Some(at) = self.find(side, |tie| tie.inbound == key) {
                    let to = self.ties[at].outbound;
                    self.connection(other).relay_cancel(to, &why);
                }
            }
            Event::CallEnded { key, .. } => {
                if let Some(at) = self.find(side, |tie| tie.inbound == key) {
                    let to = self.ties.remove(at).outbound;
                    self.connection(other).cancel(now, to, "the caller is gone");
                }
            }
            Event::RelayResponse(RelayedAnswer { key, frame, last }) => {
                if let Some(at) = self.find(other, |tie| tie.outbound == key) {
                    let to = self.ties[at].inbound;
                    let sent = self.connection(other).relay_response(to, frame, last);
                    sent.expect("the call is tied");
                    if last {
                        self.ties.remove(at);
                    }
                }
            }
            Event::Failed { key, why } => {
                if let Some(at) = self.find(other, |tie| tie.outbound == key) {
                    let to = self.ties.remove(at).inbound;
                    self.fail(other, to, &format!("{why:?}"));
                }
            }
            Event::Closed(_) => assert!(self.ties.is_empty(), "a tie needs both ends"),
            Event::Call(_) | Event::CallBody { .. } => panic!("only passes through: {event:?}"),
            Event::Response(_) | Event::ResponseBody { .. } => panic!("never asked: {event:?}"),
            _ => {}
        }
    }

    /// The tie of a call from `caller`. There is one, unless an end was lost at the same moment.
    fn find(&mut self, caller: Side, is_it: impl Fn(&Tie) -> bool) -> Option<usize> {
        let at = self
            .ties
            .iter()
            .position(|tie| tie.caller == caller && is_it(tie));
        let is_lost = self.hops.iter().any(|hop| hop.connection.is_closed());
        assert!(
            at.is_some() || is_lost,
            "an event of a call that is not tied"
        );
        at
    }
}
