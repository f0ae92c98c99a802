//! A peer chosen for one attempt, and what its end teaches about the peer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytestring::ByteString;
use tchannel_proto::ErrorCode;

use super::connections::Peer;
use super::entry::Entry;
use super::list::Inner;
use super::score::{Outcome, Turn};
use crate::clock;

/// The peer chosen for one attempt; to be told how that ended, or else it counts as nothing learned.
pub(crate) struct Chosen {
    pub(crate) peer: Arc<Peer>,
    turned: Option<Turned>,
}

struct Turned {
    list: Arc<Inner>,
    entry: Arc<Entry>,
    turn: Turn,
    started: Instant,
    ttl: Duration,
}

impl Chosen {
    /// A peer the caller has named: nothing to choose, nothing to learn.
    pub(crate) fn named(peer: Arc<Peer>) -> Self {
        Self { peer, turned: None }
    }

    /// `entry` of `list`, whose score has counted the call by `turn`.
    pub(super) fn from(
        list: &Arc<Inner>,
        entry: &Arc<Entry>,
        turn: Turn,
        started: Instant,
        ttl: Duration,
    ) -> Self {
        list.load.start();
        let turned = Turned {
            list: list.clone(),
            entry: entry.clone(),
            turn,
            started,
            ttl,
        };
        Self {
            peer: entry.peer.clone(),
            turned: Some(turned),
        }
    }

    /// The service that the list it was chosen from is for; empty when it was named.
    pub(crate) fn service(&self) -> &str {
        self.turned
            .as_ref()
            .map_or("", |turned| &turned.list.service)
    }

    /// Whether the list has a peer besides this one and `tried`.
    pub(crate) fn has_another(&self, tried: &[ByteString]) -> bool {
        let turned = self.turned.as_ref();
        turned.is_some_and(|turned| turned.list.has_another(self.peer.host_port(), tried))
    }

    pub(crate) fn answered_at(mut self, now: Instant) {
        if let Some(turned) = self.turned.take() {
            let latency = now.saturating_duration_since(turned.started);
            turned.end(now, Outcome::Answered { latency });
        }
    }

    /// The attempt ended in an error. What is the caller's fault is still an answer.
    pub(crate) fn failed(self, code: ErrorCode) {
        self.end(|now, turned| match code {
            ErrorCode::Declined => {
                turned.entry.note_decline(now);
                Outcome::Neither
            }
            ErrorCode::BadRequest => Outcome::Answered {
                latency: now.saturating_duration_since(turned.started),
            },
            ErrorCode::Busy => Outcome::Busy { ttl: turned.ttl },
            ErrorCode::Cancelled | ErrorCode::Unhealthy => Outcome::Neither,
            _ => Outcome::Failed { ttl: turned.ttl },
        });
    }

    fn end(mut self, outcome: impl FnOnce(Instant, &Turned) -> Outcome) {
        if let Some(turned) = self.turned.take() {
            let now = clock::now();
            let outcome = outcome(now, &turned);
            turned.end(now, outcome);
        }
    }
}

impl Turned {
    fn end(self, now: Instant, outcome: Outcome) {
        self.list.load.end();
        let group = self.list.load.group();
        self.entry.score().on_end(now, self.turn, outcome, group);
    }
}

impl Drop for Chosen {
    fn drop(&mut self) {
        if let Some(turned) = self.turned.take() {
            turned.end(clock::now(), Outcome::Neither);
        }
    }
}
