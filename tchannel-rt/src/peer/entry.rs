//! One peer as the member of a list: where it is, and how it has done.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytestring::ByteString;

use super::Standing;
use super::connections::Peer;
use super::score::Score;
use super::strategy::{Candidate, Tried};

pub(super) struct Entry {
    pub(super) peer: Arc<Peer>,
    score: Mutex<Score>,
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
            score: Mutex::new(Score::new(now)),
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
        self.score().candidate(now, tried)
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
