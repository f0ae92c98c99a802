//! One peer as the member of a list: where it is, and how it has done.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytestring::ByteString;

use super::Standing;
use super::connections::Peer;
use super::pause::{Pause, REFUSED};
use super::score::{Score, Turn};
use super::strategy::{Candidate, Tried};

pub(super) struct Entry {
    pub(super) peer: Arc<Peer>,
    /// Shared with the entries of subsets.
    score: Arc<Mutex<Score>>,
    /// After a call that it has declined.
    pause: Pause,
}

/// What is known of one peer of a list.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PeerState {
    /// Where it is.
    pub host_port: ByteString,
    /// Open connections that it has dialled.
    pub inbound_connections: usize,
    /// Open connections that we have dialled.
    pub outbound_connections: usize,
    /// Calls in flight that were chosen from this list, from one that it is a subset of, or from a subset.
    pub in_flight: u32,
    /// Whether it is left out for having failed.
    pub ejected: bool,
}

impl Entry {
    pub(super) fn new(peer: Arc<Peer>, now: Instant) -> Arc<Self> {
        Arc::new(Self {
            peer,
            score: Arc::new(Mutex::new(Score::new(now))),
            pause: Pause::none(now),
        })
    }

    /// The same peer as a member of a subset.
    pub(super) fn of_subset(&self, now: Instant) -> Arc<Self> {
        Arc::new(Self {
            peer: self.peer.clone(),
            score: self.score.clone(),
            pause: Pause::none(now),
        })
    }

    pub(super) fn host_port(&self) -> &ByteString {
        self.peer.host_port()
    }

    pub(super) fn score(&self) -> MutexGuard<'_, Score> {
        self.score.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn candidate(&self, now: Instant, tried: &[ByteString]) -> Candidate {
        let tried = Tried::among(self.host_port(), tried.iter().map(|host_port| &**host_port));
        self.score().candidate(now, tried, self.is_paused(now))
    }

    /// Counts a call that is about to be sent, unless the peer is to be left out or has `most` calls already.
    pub(super) fn start_within(&self, now: Instant, most: u32) -> Option<Turn> {
        if self.is_paused(now) {
            return None;
        }
        self.score().start_within(now, most)
    }

    pub(super) fn note_decline(&self, now: Instant) {
        self.pause.last_until(now + REFUSED);
    }

    fn is_paused(&self, now: Instant) -> bool {
        self.pause.lasts(now) || self.peer.is_away(now)
    }

    pub(super) fn state(&self, now: Instant) -> PeerState {
        let (inbound_connections, outbound_connections) = self.peer.count();
        let score = self.score();
        PeerState {
            host_port: self.host_port().clone(),
            inbound_connections,
            outbound_connections,
            in_flight: score.in_flight(),
            ejected: score.standing(now) == Standing::Ejected,
        }
    }
}
