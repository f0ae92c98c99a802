//! A peer chosen for one attempt, and what its end teaches about the peer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytestring::ByteString;
use tchannel_proto::ErrorCode;

use super::connections::Peer;
use super::entry::Entry;
use super::list::PeerList;
use super::score::{Outcome, Turn};
use crate::clock;

/// The peer chosen for one attempt; to be told how that ended, or else it counts as nothing learned.
pub(crate) enum Chosen {
    /// A peer the caller has named: nothing to choose, nothing to learn.
    Named(Arc<Peer>),
    /// The member of a list.
    Turned(Turned),
}

pub(crate) struct Turned {
    list: PeerList,
    entry: Arc<Entry>,
    /// Until the call has ended.
    turn: Option<Turn>,
    started: Instant,
    ttl: Duration,
}

impl Chosen {
    /// `entry` of `list`, whose score has counted the call by `turn`.
    pub(super) fn from(
        list: PeerList,
        entry: Arc<Entry>,
        turn: Turn,
        started: Instant,
        ttl: Duration,
    ) -> Self {
        list.inner.load.start();
        Self::Turned(Turned {
            list,
            entry,
            turn: Some(turn),
            started,
            ttl,
        })
    }

    pub(crate) fn peer(&self) -> &Arc<Peer> {
        match self {
            Self::Named(peer) => peer,
            Self::Turned(turned) => &turned.entry.peer,
        }
    }

    /// The list it was chosen from.
    pub(super) fn list(&self) -> Option<&PeerList> {
        match self {
            Self::Named(_) => None,
            Self::Turned(turned) => Some(&turned.list),
        }
    }

    /// The service that the list it was chosen from is for; empty when it was named.
    pub(crate) fn service(&self) -> &str {
        self.list().map_or("", |list| &list.inner.service)
    }

    /// Whether the list has a peer besides this one and `tried`.
    pub(crate) fn has_another(&self, tried: &[ByteString]) -> bool {
        let at = self.peer().host_port();
        self.list()
            .is_some_and(|list| list.inner.has_another(at, tried))
    }

    pub(crate) fn answered_at(&mut self, now: Instant) {
        if let Self::Turned(turned) = self {
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

    fn end(self, outcome: impl FnOnce(Instant, &Turned) -> Outcome) {
        if let Self::Turned(mut turned) = self {
            let now = clock::now();
            let outcome = outcome(now, &turned);
            turned.end(now, outcome);
        }
    }
}

impl Turned {
    fn end(&mut self, now: Instant, outcome: Outcome) {
        if let Some(turn) = self.turn.take() {
            let load = &self.list.inner.load;
            load.end();
            self.entry.score().on_end(now, turn, outcome, load.group());
        }
    }
}

impl Drop for Turned {
    fn drop(&mut self) {
        if self.turn.is_some() {
            self.end(clock::now(), Outcome::Neither);
        }
    }
}
