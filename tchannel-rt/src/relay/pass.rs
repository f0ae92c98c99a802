//! Working through the list of what is to be passed on, and tying both ends of a call together.

use std::sync::Arc;
use std::time::Instant;
use std::vec::Drain;

use tchannel_proto::{InboundKey, OutboundKey};

use super::{Passing, Relay};
use crate::clock;
use crate::connection::{Conn, Driver, RelayLink, Served};
use crate::dispatch::Dispatch;

/// The next of the list, if it is one to go on with.
pub(super) fn next_if(
    rest: &mut Drain<'_, Passing>,
    goes_on: impl FnOnce(&Passing) -> bool,
) -> Option<Passing> {
    let next = rest.as_slice().first()?;
    goes_on(next).then(|| rest.next()).flatten()
}

/// Both ends of a call that has been passed on: what the caller sends now goes to `callee`.
pub(crate) struct Tie {
    pub(super) key: InboundKey,
    pub(super) callee: Conn,
    pub(super) to: OutboundKey,
}

impl Driver {
    /// Passes on what came in, in the order of the wire.
    pub(crate) fn pass_on(&mut self, now: Instant) {
        let dispatch = self.dispatch.clone();
        let Some(relay) = dispatch.relay() else {
            return;
        };
        let mut list = std::mem::take(&mut self.passing);
        let mut rest = list.drain(..);
        while let Some(next) = rest.as_slice().first() {
            match next {
                Passing::Call(call) => {
                    let callee = call.callee.clone();
                    self.pass_calls(relay, &callee, &mut rest, now);
                }
                Passing::Answer(answer) => {
                    let caller = answer.caller.clone();
                    self.pass_answers(relay, &caller, &mut rest, now);
                }
                _ => {
                    if let Some(next) = rest.next() {
                        self.pass_alone(relay, &dispatch, next, now);
                    }
                }
            }
        }
        drop(rest);
        self.passing = list;
    }

    /// What does not go in rows.
    fn pass_alone(
        &mut self,
        relay: &Relay,
        dispatch: &Arc<Dispatch>,
        passing: Passing,
        now: Instant,
    ) {
        match passing {
            Passing::Dial(dial) => dial.start(self.conn.clone(), dispatch.clone()),
            Passing::Request { key, frame } => self.pass_request(relay, key, frame, now),
            Passing::Cancel { key, why } => self.pass_cancel(key, &why),
            Passing::Failed(failed) => self.pass_failure(relay, failed.0, &failed.1),
            Passing::Dropped { callee, key } => self.pass_drop(&callee, key, now),
            Passing::Call(_) | Passing::Answer(_) => unreachable!("these go in rows"),
        }
    }

    /// Ties the calls that have just been passed on.
    pub(super) fn tie_all(&mut self) {
        let mut ties = std::mem::take(&mut self.ties);
        let mut core = self.conn.core();
        let mut odd = Vec::new();
        for Tie { key, callee, to } in ties.drain(..) {
            match core.served(key) {
                Served::Relay(link) if link.has_nothing_waiting() => {
                    *link = RelayLink::Open { callee, key: to };
                }
                _ => odd.push(Tie { key, callee, to }),
            }
        }
        drop(core);
        odd.into_iter().for_each(|odd| tie(&self.conn, odd));
        self.ties = ties;
    }
}

/// Lets the caller's further frames go to the callee, behind those that have been waiting.
pub(super) fn tie(caller: &Conn, Tie { key, callee, to }: Tie) {
    loop {
        let mut core = caller.core();
        let Served::Relay(link @ RelayLink::Dialling { .. }) = core.served(key) else {
            // The caller gave up meanwhile.
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
            *link = RelayLink::Open { callee, key: to };
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
