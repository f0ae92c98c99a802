//! All peers of a channel by host:port. One that nobody lists and that is not connected is forgotten.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::connections::{Dialer, Peer};
use crate::connection::Conn;

pub(crate) struct PeerTable {
    dialer: Arc<Dialer>,
    peers: Mutex<HashMap<String, Arc<Peer>>>,
}

impl PeerTable {
    pub(crate) fn new(dialer: Arc<Dialer>) -> Self {
        Self {
            dialer,
            peers: Mutex::default(),
        }
    }

    /// The peer at `host_port`, known or new.
    pub(crate) fn get(&self, host_port: &str) -> Arc<Peer> {
        let mut peers = self.peers();
        if let Some(peer) = peers.get(host_port) {
            return peer.clone();
        }
        let peer = Arc::new(Peer::new(host_port, self.dialer.clone()));
        peers.insert(host_port.to_owned(), peer.clone());
        peer
    }

    pub(crate) fn connected(&self, host_port: &str, conn: &Conn) {
        self.get(host_port).add(conn);
    }

    /// Forgets `conn`, whatever names it goes by: the one it was dialled under and the one it announces.
    pub(crate) fn disconnected(&self, conn: &Conn) {
        let mut peers = self.peers();
        peers.values().for_each(|peer| peer.remove(conn));
        peers.retain(|_, peer| Arc::strong_count(peer) > 1 || peer.count() != (0, 0));
    }

    fn peers(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Peer>>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
