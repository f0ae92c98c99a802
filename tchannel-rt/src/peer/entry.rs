//! One peer as the member of a list: where it is, and how it has done.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytestring::ByteString;

use super::Standing;
use super::connections::Peer;
use super::decline::Decline;
use super::score::{Score, Turn};
use super::strategy::{Candidate, Tried};

pub(super) struct Entry {
    pub(super) peer: Arc<Peer>,
    /// Shared with the entries of subsets.
    score: Arc<Mutex<Score>>,
    decline: Decline,
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
            decline: Decline::none(now),
        })
    }

    /// The same peer as a member of a subset.
    pub(super) fn of_subset(&self, now: Instant) -> Arc<Self> {
        Arc::new(Self {
            peer: self.peer.clone(),
            score: self.score.clone(),
            decline: Decline::none(now),
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
        let declined = self.decline.lasts(now);
        self.score().candidate(now, tried, declined)
    }

    /// Counts a call that is about to be sent, unless the peer is to be left out or has `most` calls already.
    pub(super) fn start_within(&self, now: Instant, most: u32) -> Option<Turn> {
        if self.decline.lasts(now) {
            return None;
        }
        self.score().start_within(now, most)
    }

    pub(super) fn note_decline(&self, now: Instant) {
        self.decline.note(now);
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
