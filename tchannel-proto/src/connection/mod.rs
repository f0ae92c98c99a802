//! One TChannel connection as a value: bytes and time in, bytes and events out.
//!
//! Four kinds of method:
//!
//! - `handle_*`: something arrives. A frame, the passing of time, the end of the socket.
//! - `poll_*`: what to do next. Write ([`Connection::poll_transmit`]), tell the application
//!   ([`Connection::poll_event`]), wake up ([`Connection::poll_timeout`]).
//! - plain verbs: the application wants something. `call`, `send`, `respond`, `cancel`, `ping`, `drain`.
//! - `relay_*`: frames of calls that only pass through.
//!
//! After any `handle_*` or verb, poll events until there are none, then transmit, then sleep until the
//! timeout. Both ends of a connection are equals once the handshake is done.

mod apart;
mod config;
mod drain;
mod event;
mod handshake;
mod inbound;
mod keepalive;
mod outbound;
mod relay;
mod timers;

use std::collections::VecDeque;
use std::time::Instant;

pub use apart::Apart;
pub use config::{ConnectionConfig, Identity};
pub use event::{Closed, Event, Failure, InboundCall, PeerInfo, RelayedAnswer, Response};
pub use inbound::{InboundKey, ResponseHead};
pub use outbound::{CallHead, CallRefused, OutboundKey};

use crate::error::ProtocolError;
use crate::frame::{Frame, FrameType, MessageId};
use crate::message::{self, ErrorCode, Message};
use crate::outbox::Outbox;
use crate::span::Tracing;
use handshake::Handshake;
use inbound::InboundTable;
use keepalive::Keepalive;
use outbound::OutboundTable;
use timers::{TimerKey, Timers};

/// A call that is already over: answered, failed, cancelled or past its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the call is already over")]
pub struct CallIsOver;

/// One connection, either end of it.
#[derive(Debug)]
pub struct Connection {
    config: ConnectionConfig,
    state: State,
    handshake: Handshake,
    draining: Option<drain::Drain>,
    peer_is_draining: bool,
    outbound: OutboundTable,
    inbound: InboundTable,
    timers: Timers,
    keepalive: Keepalive,
    outbox: Outbox,
    /// Bytes ever put into the outbox, for telling which calls had left when the socket broke.
    enqueued: u64,
    events: VecDeque<Event>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Handshaking,
    Open,
    Closed,
}

impl Connection {
    /// The end that dialled. Its init req is ready to be transmitted.
    ///
    /// Source: spec/protocol/init.md, "init req".
    pub fn connect(now: Instant, config: ConnectionConfig) -> Self {
        let mut connection = Self::new(now, config, Handshake::awaiting_res());
        connection.send_init_req();
        connection
    }

    /// The end that accepted. It says nothing before the peer's init req.
    ///
    /// Source: spec/protocol/init.md, "acceptor policy".
    pub fn accept(now: Instant, config: ConnectionConfig) -> Self {
        Self::new(now, config, Handshake::awaiting_req())
    }

    fn new(now: Instant, config: ConnectionConfig, handshake: Handshake) -> Self {
        let mut timers = Timers::new(now);
        timers.schedule(TimerKey::Handshake, now + config.init_timeout);
        Self {
            keepalive: Keepalive::new(now),
            config,
            state: State::Handshaking,
            handshake,
            draining: None,
            peer_is_draining: false,
            outbound: OutboundTable::default(),
            inbound: InboundTable::default(),
            timers,
            outbox: Outbox::new(),
            enqueued: 0,
            events: VecDeque::new(),
        }
    }

    /// Takes in one frame from the peer.
    ///
    /// # Errors
    ///
    /// [`ProtocolError`] when the peer broke the protocol. The connection is then closed: its calls have
    /// failed, and what the peer is to be told waits in [`poll_transmit`](Self::poll_transmit).
    pub fn handle_frame(&mut self, now: Instant, frame: Frame) -> Result<(), ProtocolError> {
        self.handle_frame_apart(now, frame, &[])
    }

    /// Takes in one frame from the peer, whose last chunk is empty, for the owner has read it elsewhere: `chunk`.
    /// The event that follows has an empty chunk in its place. See [`apart`](Self::apart).
    ///
    /// # Errors
    ///
    /// As for [`handle_frame`](Self::handle_frame).
    pub fn handle_frame_apart(
        &mut self,
        now: Instant,
        frame: Frame,
        chunk: &[u8],
    ) -> Result<(), ProtocolError> {
        if self.state == State::Closed {
            return Ok(());
        }
        self.keepalive.heard(now);
        let outcome = match self.state {
            State::Handshaking => self.handle_handshake(frame),
            _ => self.handle_open(now, frame, chunk),
        };
        self.close_on_error(outcome)
    }

    fn handle_open(
        &mut self,
        now: Instant,
        frame: Frame,
        apart: &[u8],
    ) -> Result<(), ProtocolError> {
        let id = frame.id();
        match frame.frame_type() {
            Ok(FrameType::CallReq) => return self.handle_call_req(now, frame, apart),
            Ok(FrameType::CallReqContinue) => return self.handle_call_req_continue(frame, apart),
            Ok(FrameType::CallRes) => return self.handle_call_res(now, frame, apart),
            Ok(FrameType::CallResContinue) => self.handle_call_res_continue(now, frame, apart),
            Ok(FrameType::Error) => return self.handle_error_frame(frame),
            Ok(FrameType::Cancel) => self.handle_cancel(frame),
            Ok(FrameType::PingReq) => {
                self.write(|out| message::encode_ping(out, FrameType::PingRes, id))
            }
            Ok(FrameType::PingRes) => self.handle_pong(frame.id()),
            // A claim speaks of a trace that nobody here has; a second init changes nothing; an unknown type is
            // from a future version. Source: spec/protocol/control.md, "claim".
            Ok(FrameType::Claim | FrameType::InitReq | FrameType::InitRes) => {}
            Err(frame_type) => self.events.push_back(Event::UnknownFrame { frame_type }),
        }
        Ok(())
    }

    /// Reports a stream that can no longer be cut into frames; the connection closes.
    pub fn handle_broken_stream(&mut self, error: ProtocolError) -> ProtocolError {
        let told = error.clone();
        let _ = self.close_on_error(Err(error));
        told
    }

    /// The socket is gone, of whose outgoing bytes `written` left.
    ///
    /// Every call fails at once, and each says whether a byte of it had left.
    /// Source: spec/hyperbahn/routing.md, "connection loss".
    pub fn handle_disconnect(&mut self, written: u64) {
        self.close(Closed::Disconnected, written);
    }

    /// Lets `now` pass: deadlines, tombstones, handshake, pings, drain.
    ///
    /// # Errors
    ///
    /// [`ProtocolError`] when the peer is found to be silent; the connection is then closed.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), ProtocolError> {
        while let Some(key) = self.timers.pop_due(now) {
            let outcome = match key {
                _ if self.state == State::Closed => Ok(()),
                TimerKey::Handshake => self.handle_handshake_timeout(),
                TimerKey::Keepalive => self.handle_keepalive_timeout(now),
                TimerKey::Drain => {
                    self.handle_drain_timeout();
                    Ok(())
                }
                TimerKey::Inbound(slot) => {
                    self.handle_inbound_timeout(slot);
                    Ok(())
                }
                TimerKey::Outbound(slot) => self.handle_outbound_timeout(now, slot),
            };
            self.close_on_error(outcome)?;
        }
        Ok(())
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due at the latest.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// The next thing the application should know.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Moves what is to be written into `into`, which must have been written out; says whether there was any.
    ///
    /// Buffers change places, so neither side allocates once both have grown.
    pub fn poll_transmit(&mut self, into: &mut Outbox) -> bool {
        if self.outbox.is_empty() || !into.is_empty() {
            return false;
        }
        std::mem::swap(&mut self.outbox, into);
        true
    }

    /// Bytes waiting for [`poll_transmit`](Self::poll_transmit).
    pub fn buffered(&self) -> usize {
        self.outbox.len()
    }

    /// Bytes ever queued; compare with bytes written to know what has left.
    pub fn enqueued(&self) -> u64 {
        self.enqueued
    }

    /// Whether calls can be made and taken.
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// Whether nothing more will happen.
    pub fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Whether this end takes no new calls, or the peer has said that it does not.
    pub fn is_draining(&self) -> bool {
        self.draining.is_some() || self.peer_is_draining
    }

    /// Who the peer is, once the handshake is done.
    pub fn peer(&self) -> Option<&PeerInfo> {
        self.handshake.peer()
    }

    /// Calls in flight that this end made.
    pub fn outbound_in_flight(&self) -> usize {
        self.outbound.in_flight()
    }

    /// Calls in flight that the peer made.
    pub fn inbound_in_flight(&self) -> usize {
        self.inbound.in_flight()
    }

    /// Calls of either direction that are remembered for the sake of late frames only.
    pub fn tombstones(&self) -> usize {
        self.outbound.tombstones()
    }

    /// Gives back memory that a burst left behind.
    pub fn shrink(&mut self) {
        self.outbox.shrink();
        if self.events.is_empty() && self.events.capacity() > 64 {
            self.events = VecDeque::new();
        }
        self.outbound.shrink();
        self.inbound.shrink();
    }

    fn write(&mut self, encode: impl FnOnce(&mut bytes::BytesMut)) {
        let before = self.outbox.len();
        encode(self.outbox.tail());
        self.enqueued += (self.outbox.len() - before) as u64;
    }

    fn write_error(&mut self, id: MessageId, code: ErrorCode, tracing: Tracing, text: &str) {
        self.write(|out| message::encode_error(out, id, code, tracing, text));
    }

    fn close_on_error(&mut self, outcome: Result<(), ProtocolError>) -> Result<(), ProtocolError> {
        let Err(error) = outcome else { return Ok(()) };
        if error.is_told_to_peer() {
            self.write_error(
                error.id(),
                ErrorCode::FatalProtocolError,
                Tracing::default(),
                &error.to_string(),
            );
        }
        // Whatever was queued before may still leave; calls whose frames are among it may therefore have run.
        self.close(Closed::Broken(error.clone()), u64::MAX);
        Err(error)
    }

    fn close(&mut self, why: Closed, written: u64) {
        if self.state == State::Closed {
            return;
        }
        self.state = State::Closed;
        self.timers.clear();
        self.fail_outbound(written);
        self.drop_inbound();
        self.events.push_back(Event::Closed(why));
    }

    /// An error frame from the peer: about one call, or about the connection.
    ///
    /// Source: spec/protocol/errors.md, "error frame".
    fn handle_error_frame(&mut self, frame: Frame) -> Result<(), ProtocolError> {
        let id = frame.id();
        if let Some(key) = self.outbound.find_relayed(id) {
            self.relay_error(key, frame);
            return Ok(());
        }
        let error = match Message::decode(frame) {
            Ok(Message::Error(error)) => error,
            Ok(_) => return Ok(()),
            Err(source) => return Err(ProtocolError::BadErrorFrame { source }),
        };
        let code = error.known_code();
        match code {
            ErrorCode::Declined if id == MessageId::NONE => self.handle_peer_drain(error.message),
            ErrorCode::FatalProtocolError if self.outbound.find(id).is_none() => {
                return Err(ProtocolError::PeerFatal {
                    message: error.message.to_string(),
                });
            }
            _ => self.fail_outbound_call(
                id,
                Failure::Refused {
                    code,
                    message: error.message,
                    tracing: error.tracing,
                },
            ),
        }
        Ok(())
    }
}
