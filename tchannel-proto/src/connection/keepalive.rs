//! Keepalive: pings after silence, and giving up on a peer that should answer, or that calls do not reach.
//!
//! While a connection is at rest, silence is what is to be expected: pings are then few, and those of one end do for
//! both.
//!
//! Source: spec/protocol/control.md, "ping" and "silent peers".

use std::time::{Duration, Instant};

use super::timers::TimerKey;
use super::{Connection, Event, PeerInfo, State};
use crate::error::ProtocolError;
use crate::frame::{FrameType, MessageId};
use crate::message::encode_ping;

/// Ping ids lie below those of calls, so neither can be taken for the other.
const FIRST_PING_ID: u32 = 0x2000_0001;
/// A connection at rest is pinged after so many times the silence that one in use is.
const AT_REST: u32 = 6;

#[derive(Debug)]
pub(super) struct Keepalive {
    last_heard: Instant,
    last_pinged: Instant,
    next_id: u32,
    unanswered: u32,
    has_answered: bool,
    /// The first call made since the peer was last heard of.
    called: Option<Instant>,
    /// The first call that has timed out since the peer was last heard of.
    timed_out: Option<Instant>,
    /// This end has accepted the connection: it leaves the pings of a connection at rest to the other one.
    leaves_it_to_peer: bool,
    /// The timer is set for a connection at rest.
    rests: bool,
}

impl Keepalive {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            last_heard: now,
            last_pinged: now,
            next_id: FIRST_PING_ID,
            unanswered: 0,
            has_answered: false,
            called: None,
            timed_out: None,
            leaves_it_to_peer: false,
            rests: false,
        }
    }

    pub(super) fn heard(&mut self, now: Instant) {
        self.last_heard = now;
        self.unanswered = 0;
        self.called = None;
        self.timed_out = None;
    }

    /// When to ping, if nothing is heard until then.
    fn due(&self, after: Duration) -> Instant {
        let times = match (self.rests, self.leaves_it_to_peer) {
            (false, _) => 1,
            (true, false) => AT_REST,
            (true, true) => AT_REST + 1,
        };
        let since = match self.unanswered {
            // Before the call, there was nothing to be heard.
            0 => self.called.unwrap_or(self.last_heard),
            _ => self.last_pinged,
        };
        since + after * times
    }

    /// Whether the peer was not heard of since a call was made, or since one has timed out.
    fn was_called(&self) -> bool {
        self.called.is_some() || self.timed_out.is_some()
    }

    fn take_id(&mut self) -> MessageId {
        let id = MessageId(self.next_id);
        self.next_id = if self.next_id >= 0x3FFF_FFFF {
            FIRST_PING_ID
        } else {
            self.next_id + 1
        };
        id
    }
}

impl Connection {
    /// Sends a ping req; its answer, [`Event::Pong`] with the same id, says that the peer has read everything
    /// that was sent before. Does nothing, and gives nothing, before the handshake is done.
    pub fn ping(&mut self) -> Option<MessageId> {
        if self.state != State::Open {
            return None;
        }
        let id = self.keepalive.take_id();
        self.write(|out| encode_ping(out, FrameType::PingReq, id));
        Some(id)
    }

    pub(super) fn handle_pong(&mut self, id: MessageId) {
        self.keepalive.has_answered = true;
        self.events.push_back(Event::Pong { id });
    }

    /// The handshake is done: pings begin, if the peer answers them.
    pub(super) fn begin_pings(&mut self, peer: &PeerInfo, is_accepted: bool) {
        let Some(after) = self.config.ping_after else {
            return;
        };
        if peer.answers_pings() {
            self.keepalive.leaves_it_to_peer = is_accepted;
            let due = self.next_ping(after);
            self.timers.schedule(TimerKey::Keepalive, due);
        }
    }

    /// A call was made: the peer should be heard of.
    pub(super) fn expect_to_hear(&mut self, now: Instant) {
        self.keepalive.called.get_or_insert(now);
        self.end_rest(now);
    }

    /// There is a call now that would be lost with the peer.
    pub(super) fn end_rest(&mut self, now: Instant) {
        if self.keepalive.rests
            && let Some(after) = self.config.ping_after
        {
            self.keepalive.rests = false;
            self.timers.schedule(TimerKey::Keepalive, now + after);
        }
    }

    pub(super) fn handle_keepalive_timeout(&mut self, now: Instant) -> Result<(), ProtocolError> {
        let Some(after) = self.config.ping_after else {
            return Ok(());
        };
        if self.next_ping(after) <= now {
            let missed = self.keepalive.unanswered;
            if missed >= self.config.pings_missed_max && self.must_answer_pings() {
                return Err(ProtocolError::PingsMissed { missed });
            }
            self.keepalive.unanswered += 1;
            self.keepalive.last_pinged = now;
            self.ping();
        }
        let due = self.next_ping(after);
        self.timers.schedule(TimerKey::Keepalive, due);
        Ok(())
    }

    /// When the peer is to be pinged, as things stand.
    fn next_ping(&mut self, after: Duration) -> Instant {
        let in_flight = self.outbound.in_flight() + self.inbound.in_flight();
        let awaits_pong = self.keepalive.unanswered > 0 && self.must_answer_pings();
        self.keepalive.rests = in_flight == 0 && !awaits_pong && !self.keepalive.was_called();
        self.keepalive.due(after)
    }

    /// Whether silence after pings says that the peer is gone, and not only that it knows no pings.
    fn must_answer_pings(&self) -> bool {
        self.keepalive.has_answered || self.peer().is_some_and(PeerInfo::always_answers_pings)
    }

    /// A call has timed out. When that happens to two of them, far enough apart, and nothing was heard between,
    /// not even the answer to a ping, packets no longer arrive.
    pub(super) fn handle_call_timed_out(&mut self, now: Instant) -> Result<(), ProtocolError> {
        let first = *self.keepalive.timed_out.get_or_insert(now);
        if now.saturating_duration_since(first) < self.config.stale_after {
            return Ok(());
        }
        let silent = now.saturating_duration_since(self.keepalive.last_heard);
        let silent_ms = u64::try_from(silent.as_millis()).unwrap_or(u64::MAX);
        Err(ProtocolError::Stale { silent_ms })
    }

    /// This end has read nothing for a while, on purpose, until `now`: the silence was its own.
    pub fn note_not_reading(&mut self, now: Instant) {
        self.keepalive.heard(now);
    }

    /// When the peer was last heard of.
    pub fn last_heard(&self) -> Instant {
        self.keepalive.last_heard
    }
}
