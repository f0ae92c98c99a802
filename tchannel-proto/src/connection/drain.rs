//! Closing without losing calls: no new ones, finish those in flight, then say so.
//!
//! Source: spec/protocol/errors.md, "situations".

use std::time::{Duration, Instant};

use bytestring::ByteString;

use super::timers::TimerKey;
use super::{Connection, Event, State};
use crate::frame::MessageId;
use crate::message::ErrorCode;
use crate::span::Tracing;

#[derive(Debug)]
pub(super) struct Drain {
    reason: String,
    is_reported: bool,
}

impl Drain {
    pub(super) fn reason(&self) -> &str {
        &self.reason
    }
}

impl Connection {
    /// Takes and makes no new calls. Those in flight go on, for `limit` at the most; then
    /// [`Event::Drained`] comes. The peer is told `draining: <reason>`.
    pub fn drain(&mut self, now: Instant, reason: &str, limit: Duration) {
        if self.draining.is_some() || self.state == State::Closed {
            return;
        }
        self.draining = Some(Drain {
            reason: reason.to_owned(),
            is_reported: false,
        });
        self.timers.schedule(TimerKey::Drain, now + limit);
        if self.state == State::Open {
            self.announce_drain();
        }
        self.check_drained();
    }

    pub(super) fn announce_drain(&mut self) {
        let Some(drain) = &self.draining else { return };
        let text = format!("draining: {}", drain.reason);
        self.write_error(
            MessageId::NONE,
            ErrorCode::Declined,
            Tracing::default(),
            &text,
        );
    }

    pub(super) fn handle_peer_drain(&mut self, reason: ByteString) {
        self.peer_is_draining = true;
        self.events.push_back(Event::PeerDraining { reason });
    }

    pub(super) fn handle_drain_timeout(&mut self) {
        self.report_drained();
    }

    /// To be called whenever a call has ended.
    pub(super) fn check_drained(&mut self) {
        if self.draining.is_some()
            && self.inbound.in_flight() == 0
            && self.outbound.in_flight() == 0
        {
            self.report_drained();
        }
    }

    fn report_drained(&mut self) {
        if let Some(drain) = &mut self.draining
            && !drain.is_reported
        {
            drain.is_reported = true;
            self.events.push_back(Event::Drained);
        }
    }
}
