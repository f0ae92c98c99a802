//! Answers: from the instance's connection back to the caller's.

use std::time::Instant;
use std::vec::Drain;

use tchannel_proto::{ErrorCode, Failure, Frame, FrameType, InboundKey, OutboundKey};

use super::pass::next_if;
use super::refusal::service_of_target;
use super::{PassedAnswer, Passing, Relay};
use crate::connection::{Conn, Core, Driver, RelayTicket};

/// Why an answer went no further. The callee is to be told.
enum Stuck {
    /// The caller is gone.
    Gone { from: OutboundKey },
    /// So many bytes are queued for the caller.
    Slow {
        from: OutboundKey,
        key: InboundKey,
        queued: usize,
    },
}

impl Driver {
    /// Passes on the frames at the head of the list that go to `caller`.
    pub(super) fn pass_answers(
        &mut self,
        relay: &Relay,
        caller: &Conn,
        list: &mut Drain<'_, Passing>,
        now: Instant,
    ) {
        let mut stuck = Vec::new();
        let mut core = caller.core();
        let goes_there = |next: &Passing| matches!(next, Passing::Answer(answer) if answer.caller.is_same(caller));
        while let Some(Passing::Answer(answer)) = next_if(list, goes_there) {
            stuck.extend(self.pass_answer(&mut core, answer, now).err());
        }
        drop(core);
        for stuck in stuck {
            self.give_up(relay, caller, stuck, now);
        }
        self.touch(caller);
    }

    /// Passes a frame on to its caller, whose `core` this is.
    fn pass_answer(
        &mut self,
        core: &mut Core,
        answer: PassedAnswer,
        now: Instant,
    ) -> Result<(), Stuck> {
        let PassedAnswer {
            caller,
            key,
            from,
            frame,
            chosen,
        } = answer;
        let last = chosen.is_some();
        if let Some(mut chosen) = chosen {
            match error_code(&frame) {
                None => chosen.answered_at(now),
                Some(code) => chosen.failed(code),
            }
        }
        let limits = caller.limits();
        let queued = caller.queued(core);
        if queued > limits.queued_max {
            return Err(Stuck::Slow { from, key, queued });
        }
        let passed = core.proto.relay_response(key, frame, last);
        if last {
            core.take_served(key);
        }
        if queued > limits.queued_soft {
            core.hold_source(&self.conn);
            self.hold(now);
        }
        match passed {
            Err(_) if !last => Err(Stuck::Gone { from }),
            _ => Ok(()),
        }
    }

    fn give_up(&mut self, relay: &Relay, caller: &Conn, stuck: Stuck, now: Instant) {
        match stuck {
            Stuck::Gone { from } => {
                let mut core = self.conn.core();
                core.take_target(from);
                core.proto.cancel(now, from, "the caller is gone");
            }
            Stuck::Slow { from, key, queued } => {
                let mut core = self.conn.core();
                let service = service_of_target(&core.take_target(from));
                core.proto.cancel(now, from, "the caller reads too slowly");
                drop(core);
                let (code, text) = relay.reads_too_slowly(&service, caller, queued);
                tell(caller, key, code, &text);
            }
        }
    }

    pub(super) fn pass_failure(&mut self, relay: &Relay, ticket: RelayTicket, why: &Failure) {
        let (code, text) = relay.callee_failed(&ticket, why);
        let RelayTicket {
            caller,
            key,
            chosen,
        } = ticket;
        chosen.failed(match code {
            ErrorCode::Declined => ErrorCode::NetworkError,
            code => code,
        });
        tell(&caller, key, code, &text);
        self.touch(&caller);
    }
}

fn tell(caller: &Conn, key: InboundKey, code: ErrorCode, text: &str) {
    let mut core = caller.core();
    core.take_served(key);
    let _ = core.proto.respond_error(key, code, text);
}

fn error_code(frame: &Frame) -> Option<ErrorCode> {
    let is_error = frame.frame_type() == Ok(FrameType::Error);
    is_error.then(|| {
        frame
            .payload()
            .first()
            .copied()
            .and_then(ErrorCode::from_byte)
            .unwrap_or(ErrorCode::UnexpectedError)
    })
}
