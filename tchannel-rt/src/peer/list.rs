//! The peers that serve one purpose, such as the instances of a service, and the choice among them.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bytestring::ByteString;
use tchannel_proto::ErrorCode;

use super::connections::Peer;
use super::score::{Outcome, Score, Turn};
use super::strategy::{Candidate, Tried, choose};
use super::{Group, Standing};
use crate::dispatch::Dispatch;

/// Peers that can stand in for each other; cheap to clone.
///
/// Each call goes to the better of two drawn at random: lower latency and fewer calls in flight is better.
/// A peer that keeps failing is left out for a while.
#[derive(Clone)]
pub struct PeerList {
    inner: Arc<Inner>,
}

struct Inner {
    service: ByteString,
    dispatch: std::sync::Weak<Dispatch>,
    entries: RwLock<Arc<[Arc<Entry>]>>,
    group: Group,
}

struct Entry {
    peer: Arc<Peer>,
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
    /// Calls in flight that were chosen from this list.
    pub in_flight: u32,
    /// Whether it is left out for having failed.
    pub ejected: bool,
}

impl PeerList {
    pub(crate) fn new(dispatch: &Arc<Dispatch>, service: &str) -> Self {
        let inner = Inner {
            service: service.into(),
            dispatch: Arc::downgrade(dispatch),
            entries: RwLock::new(Arc::from([])),
            group: Group::new(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Adds a peer; `false` when it is there already, or the channel is closed.
    pub fn add(&self, host_port: &str) -> bool {
        let Some(dispatch) = self.inner.dispatch.upgrade() else {
            return false;
        };
        let mut entries = self
            .inner
            .entries
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if entries
            .iter()
            .any(|entry| entry.peer.host_port() == host_port)
        {
            return false;
        }
        self.inner.group.join();
        let entry = Arc::new(Entry {
            peer: dispatch.peers.get(host_port),
            score: Mutex::new(Score::new(Instant::now())),
        });
        *entries = entries.iter().cloned().chain([entry]).collect();
        true
    }

    /// Removes a peer; `false` when it is not there. Calls in flight to it go on.
    pub fn remove(&self, host_port: &str) -> bool {
        let mut entries = self
            .inner
            .entries
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = entries
            .iter()
            .find(|entry| entry.peer.host_port() == host_port)
            .cloned()
        else {
            return false;
        };
        entry.score().clone().leave(&self.inner.group);
        *entries = entries
            .iter()
            .filter(|other| !Arc::ptr_eq(other, &entry))
            .cloned()
            .collect();
        true
    }

    /// Dials a peer of this list in the background, so that its first call need not wait. Does nothing when
    /// it is connected.
    pub fn connect(&self, host_port: &str) {
        let entries = self.entries();
        if let Some(entry) = entries
            .iter()
            .find(|entry| entry.peer.host_port() == host_port)
        {
            let peer = entry.peer.clone();
            tokio::spawn(async move {
                if let Err(error) = peer.connection().await {
                    tracing::debug!(%error, "could not connect ahead of the first call");
                }
            });
        }
    }

    /// How many peers there are.
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What is known of each peer.
    pub fn states(&self) -> Vec<PeerState> {
        let now = Instant::now();
        self.entries()
            .iter()
            .map(|entry| entry.state(now))
            .collect()
    }

    /// Chooses a peer for one attempt of a call whose earlier attempts went to `tried`.
    pub(crate) fn choose(
        &self,
        now: Instant,
        ttl: Duration,
        tried: &[ByteString],
    ) -> Option<Chosen> {
        let entries = self.entries();
        let look = |index: usize| entries[index].candidate(now, tried);
        let index = choose(entries.len(), look, &mut |below| fastrand::usize(..below))?;
        let entry = entries[index].clone();
        let turn = entry.score().on_start(now);
        let chosen = Turned {
            list: self.inner.clone(),
            entry: entry.clone(),
            turn,
            started: now,
            ttl,
        };
        Some(Chosen {
            peer: entry.peer.clone(),
            turned: Some(chosen),
        })
    }

    fn entries(&self) -> Arc<[Arc<Entry>]> {
        self.inner
            .entries
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Entry {
    fn score(&self) -> std::sync::MutexGuard<'_, Score> {
        self.score.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn candidate(&self, now: Instant, tried: &[ByteString]) -> Candidate {
        let tried = Tried::among(
            self.peer.host_port(),
            tried.iter().map(|host_port| &**host_port),
        );
        self.score().candidate(now, tried)
    }

    fn state(&self, now: Instant) -> PeerState {
        let (inbound_connections, outbound_connections) = self.peer.count();
        let score = self.score();
        PeerState {
            host_port: self.peer.host_port().clone(),
            inbound_connections,
            outbound_connections,
            in_flight: score.in_flight(),
            ejected: score.standing(now) == Standing::Ejected,
        }
    }
}

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

    /// The service that the list it was chosen from is for; empty when it was named.
    pub(crate) fn service(&self) -> &str {
        self.turned
            .as_ref()
            .map_or("", |turned| &turned.list.service)
    }

    pub(crate) fn answered(self) {
        self.end(|now, turned| Outcome::Answered {
            latency: now.saturating_duration_since(turned.started),
        });
    }

    /// The attempt ended in an error. What is the caller's fault is still an answer.
    pub(crate) fn failed(self, code: ErrorCode) {
        self.end(|now, turned| match code {
            ErrorCode::BadRequest => Outcome::Answered {
                latency: now.saturating_duration_since(turned.started),
            },
            ErrorCode::Busy => Outcome::Busy { ttl: turned.ttl },
            ErrorCode::Cancelled | ErrorCode::Declined | ErrorCode::Unhealthy => Outcome::Neither,
            _ => Outcome::Failed { ttl: turned.ttl },
        });
    }

    fn end(mut self, outcome: impl FnOnce(Instant, &Turned) -> Outcome) {
        if let Some(turned) = self.turned.take() {
            let now = Instant::now();
            let outcome = outcome(now, &turned);
            turned
                .entry
                .score()
                .on_end(now, turned.turn, outcome, &turned.list.group);
        }
    }
}

impl Drop for Chosen {
    fn drop(&mut self) {
        if let Some(turned) = self.turned.take() {
            turned.entry.score().on_end(
                Instant::now(),
                turned.turn,
                Outcome::Neither,
                &turned.list.group,
            );
        }
    }
}

impl std::fmt::Debug for PeerList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let peers: Vec<ByteString> = self
            .entries()
            .iter()
            .map(|entry| entry.peer.host_port().clone())
            .collect();
        f.debug_tuple("PeerList").field(&peers).finish()
    }
}
