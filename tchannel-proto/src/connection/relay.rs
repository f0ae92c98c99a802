//! Calls that only pass through: frames in, the same frames out under another id.
//!
//! A relay ties an inbound call of one connection to an outbound call of another. This connection holds one
//! end of the tie and never looks further than a frame's flags.
//!
//! Source: spec/hyperbahn/routing.md, "a relayed call" and spec/hyperbahn/routing.md, "answers".

use std::time::Instant;

use super::timers::TimerKey;
use super::{
    CallIsOver, CallRefused, Connection, Event, Failure, InboundKey, OutboundKey, RelayedAnswer,
};
use crate::error::ProtocolError;
use crate::frame::{Frame, FrameType};
use crate::message::ErrorCode;
use crate::outbox::Outbox;
use crate::peek;
use crate::ttl::Ttl;

impl Connection {
    /// Takes in a call req that is to be passed on. `None` when it was refused, and answered, right here.
    ///
    /// # Errors
    ///
    /// [`ProtocolError`] as [`handle_frame`](Self::handle_frame); the connection is then closed.
    pub fn relay_accept(
        &mut self,
        now: Instant,
        frame: &Frame,
        ttl: Ttl,
    ) -> Result<Option<InboundKey>, ProtocolError> {
        if !self.is_open() {
            return Ok(None);
        }
        self.keepalive.heard(now);
        let admitted = self.admit(frame);
        match admitted {
            Ok(true) => {
                self.end_rest(now);
                Ok(Some(self.open_relayed_inbound(frame, ttl)))
            }
            Ok(false) => Ok(None),
            Err(error) => {
                self.close_on_error(Err(error.clone()))?;
                Err(error)
            }
        }
    }

    /// Refuses a call req that has not been taken in, with an error frame.
    pub fn relay_refuse(&mut self, frame: &Frame, code: ErrorCode, text: &str) {
        self.write_error(frame.id(), code, peek::call_req_tracing(frame), text);
    }

    /// Sends a call req on under a fresh id.
    ///
    /// # Errors
    ///
    /// [`CallRefused`]; the frame is as it was and nothing was queued.
    pub fn relay_call(
        &mut self,
        now: Instant,
        frame: &mut Frame,
        ttl: Ttl,
    ) -> Result<OutboundKey, CallRefused> {
        self.check_open_for_calls()?;
        let key = self.open_relayed(now, ttl);
        frame.set_id(key.id());
        peek::rewrite_ttl(frame, ttl);
        Ok(key)
    }

    /// Queues a frame whose id has been set: the call req of [`relay_call`](Self::relay_call).
    pub fn relay_frame(&mut self, frame: Frame) {
        self.enqueued += frame.as_bytes().len() as u64;
        put_frame(&mut self.outbox, frame);
    }

    /// Sends a continuation of a request on.
    ///
    /// # Errors
    ///
    /// [`CallIsOver`] when it has been answered or has failed; the frame is dropped.
    pub fn relay_request(&mut self, key: OutboundKey, mut frame: Frame) -> Result<(), CallIsOver> {
        if !self.outbound_is_open(key) {
            return Err(CallIsOver);
        }
        frame.set_id(key.id());
        self.relay_frame(frame);
        Ok(())
    }

    /// Passes a frame of the answer back to the caller; `last` as in [`RelayedAnswer`].
    ///
    /// # Errors
    ///
    /// [`CallIsOver`] when the caller is no longer waiting; the frame is dropped.
    pub fn relay_response(
        &mut self,
        key: InboundKey,
        mut frame: Frame,
        last: bool,
    ) -> Result<(), CallIsOver> {
        let id = self.relayed_id(key)?;
        frame.set_id(id);
        self.relay_frame(frame);
        if last {
            self.end_inbound(key);
        }
        Ok(())
    }

    /// Passes a cancel on. The call stays open: the callee's answer, whatever it is, goes back as usual.
    pub fn relay_cancel(&mut self, key: OutboundKey, why: &str) {
        if self.outbound_is_open(key) {
            self.write_cancel(key.id(), why);
        }
    }

    /// As [`handle_frame`](Self::handle_frame), for a relay: an answer to a call that only passes through is given
    /// at once instead of by an event. There may be other events nevertheless.
    ///
    /// # Errors
    ///
    /// [`ProtocolError`] as [`handle_frame`](Self::handle_frame).
    pub fn relay_frame_from_callee(
        &mut self,
        now: Instant,
        frame: Frame,
    ) -> Result<Option<RelayedAnswer>, ProtocolError> {
        let is_answer = matches!(
            frame.frame_type(),
            Ok(FrameType::CallRes | FrameType::CallResContinue)
        );
        if is_answer
            && self.is_open()
            && let Some(key) = self.outbound.find_relayed(frame.id())
        {
            self.keepalive.heard(now);
            return Ok(self.take_answer(now, key, frame));
        }
        self.handle_frame(now, frame).map(|()| None)
    }

    /// A call res or continuation for a call that only passes through.
    pub(super) fn relay_answer(&mut self, now: Instant, key: OutboundKey, frame: Frame) {
        // It comes before what its end may bring about.
        let at = self.events.len();
        if let Some(answer) = self.take_answer(now, key, frame) {
            self.events.insert(at, Event::RelayResponse(answer));
        }
    }

    fn take_answer(
        &mut self,
        now: Instant,
        key: OutboundKey,
        frame: Frame,
    ) -> Option<RelayedAnswer> {
        if !peek::is_safe_to_forward(&frame) {
            let error = crate::cursor::DecodeError::Short {
                field: "answer",
                needed: 1,
                left: 0,
            };
            self.fail_outbound_call(key.id(), Failure::Malformed(error));
            return None;
        }
        let last = !peek::more_fragments(&frame);
        if last {
            self.end_outbound(key);
        } else {
            // A relay can not tell a stream from a long answer, so once it has begun only silence ends it.
            let due = now + self.config.relayed_stream_silence;
            self.timers
                .schedule(TimerKey::Outbound(key.slot() as u32), due);
        }
        Some(RelayedAnswer { key, frame, last })
    }

    /// An error frame for a call that only passes through. Codes that would kill or mislead the caller's
    /// side are turned into "unexpected error". Source: spec/hyperbahn/routing.md, "answers".
    pub(super) fn relay_error(&mut self, key: OutboundKey, mut frame: Frame) {
        match frame.payload().first().copied().map(ErrorCode::from_byte) {
            Some(Some(code)) if code != ErrorCode::FatalProtocolError => {}
            Some(_) => frame.payload_mut()[0] = ErrorCode::UnexpectedError as u8,
            None => {
                let error = crate::cursor::DecodeError::Short {
                    field: "error frame",
                    needed: 1,
                    left: 0,
                };
                return self.fail_outbound_call(key.id(), Failure::Malformed(error));
            }
        }
        debug_assert_eq!(frame.frame_type(), Ok(FrameType::Error));
        self.events.push_back(Event::RelayResponse(RelayedAnswer {
            key,
            frame,
            last: true,
        }));
        self.end_outbound(key);
    }
}

fn put_frame(outbox: &mut Outbox, frame: Frame) {
    if frame.as_bytes().len() <= crate::outbox::GATHER_MAX {
        outbox.tail().extend_from_slice(frame.as_bytes());
    } else {
        outbox.put_bytes(frame.into_bytes());
    }
}
