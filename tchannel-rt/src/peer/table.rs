//! All peers of a channel by host:port. One that nobody lists and that is not connected is forgotten.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::connections::{Dialer, Peer};
use crate::connection::Conn;

/// Peers below this number are not worth looking through for such as are no longer needed.
const FEW: usize = 64;

pub(crate) struct PeerTable {
    dialer: Arc<Dialer>,
    inner: Mutex<Inner>,
}

struct Inner {
    /// In order: most tables are small, and looking through few names takes less than a hash of one.
    peers: BTreeMap<String, Arc<Peer>>,
    /// At this size, peers that were named once and never connected are looked for.
    sweep_at: usize,
}

impl PeerTable {
    pub(crate) fn new(dialer: Arc<Dialer>) -> Self {
        let inner = Inner {
            peers: BTreeMap::new(),
            sweep_at: FEW,
        };
        Self {
            dialer,
            inner: Mutex::new(inner),
        }
    }

    /// The peer at `host_port`, known or new.
    pub(crate) fn get(&self, host_port: &str) -> Arc<Peer> {
        let mut inner = self.inner();
        if let Some(peer) = inner.peers.get(host_port) {
            return peer.clone();
        }
        inner.sweep();
        let peer = Arc::new(Peer::new(host_port, self.dialer.clone()));
        inner.peers.insert(host_port.to_owned(), peer.clone());
        peer
    }

    pub(crate) fn connected(&self, host_port: &str, conn: &Conn) {
        self.get(host_port).add(conn);
    }

    /// Whoever is at the other end of `conn` is closing.
    pub(crate) fn closing(&self, conn: &Conn, now: Instant) {
        let inner = self.inner();
        for name in conn.listed_as().iter() {
            if let Some(peer) = inner.peers.get(&**name) {
                peer.note_closing(now);
            }
        }
    }

    /// Forgets `conn`, whatever names it goes by: the one it was dialled under and the one it announces.
    pub(crate) fn disconnected(&self, conn: &Conn) {
        let mut inner = self.inner();
        for name in conn.take_listed_as() {
            let Some(peer) = inner.peers.get(&*name) else {
                continue;
            };
            peer.remove(conn);
            if is_idle(peer) {
                inner.peers.remove(&*name);
            }
        }
    }

    fn inner(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn sweep(&mut self) {
        if self.peers.len() >= self.sweep_at {
            self.peers.retain(|_, peer| !is_idle(peer));
            self.sweep_at = FEW.max(2 * self.peers.len());
        }
    }
}

/// Whether nothing but the table knows this peer.
fn is_idle(peer: &Arc<Peer>) -> bool {
    Arc::strong_count(peer) == 1 && peer.count() == (0, 0)
}
