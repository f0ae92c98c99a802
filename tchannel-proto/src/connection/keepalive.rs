//! Keepalive: pings after silence, and giving up on a peer that should answer, or that calls do not reach.
//!
//! Source: spec/protocol/control.md, "ping" and "silent peers".

use std::time::Instant;

use super::timers::TimerKey;
use super::{Connection, Event, PeerInfo, State};
use crate::error::ProtocolError;
use crate::frame::{FrameType, MessageId};
use crate::message::encode_ping;

/// Ping ids lie below those of calls, so neither can be taken for the other.
const FIRST_PING_ID: u32 = 0x2000_0001;

#[derive(Debug)]
pub(super) struct Keepalive {
    last_heard: Instant,
    next_id: u32,
    unanswered: u32,
    has_answered: bool,
    /// The first call that has timed out since the peer was last heard of.
    timed_out: Option<Instant>,
}

impl Keepalive {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            last_heard: now,
            next_id: FIRST_PING_ID,
            unanswered: 0,
            has_answered: false,
            timed_out: None,
        }
    }

    pub(super) fn heard(&mut self, now: Instant) {
        self.last_heard = now;
        self.unanswered = 0;
        self.timed_out = None;
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

    pub(super) fn handle_keepalive_timeout(&mut self, now: Instant) -> Result<(), ProtocolError> {
        let Some(after) = self.config.ping_after else {
            return Ok(());
        };
        let quiet_until = self.keepalive.last_heard + after;
        if now < quiet_until {
            self.timers.schedule(TimerKey::Keepalive, quiet_until);
            return Ok(());
        }
        let missed = self.keepalive.unanswered;
        let would_answer =
            self.keepalive.has_answered || self.peer().is_some_and(PeerInfo::always_answers_pings);
        if would_answer && missed >= self.config.pings_missed_max {
            return Err(ProtocolError::PingsMissed { missed });
        }
        self.keepalive.unanswered += 1;
        self.ping();
        self.timers.schedule(TimerKey::Keepalive, now + after);
        Ok(())
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
