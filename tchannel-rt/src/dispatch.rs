//! What the drivers of a channel's connections share: handlers, the relay, peers, and who is connected.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use slab::Slab;
use tokio::sync::Notify;

use crate::connection::Conn;
use crate::handlers::Handlers;
use crate::peer::PeerTable;
use crate::relay::Relay;
use crate::stats::{ConnectionStats, Stats};

/// Shared by all drivers of one channel.
pub(crate) struct Dispatch {
    pub(crate) handlers: Handlers,
    relay: OnceLock<Relay>,
    pub(crate) peers: PeerTable,
    pub(crate) idle_close: Option<Duration>,
    pub(crate) stats: Stats,
    connection_stats: RwLock<ConnectionStats>,
    open: Mutex<Slab<Conn>>,
    /// No connection comes to be any more.
    is_shut: AtomicBool,
    /// Woken whenever a connection has closed.
    pub(crate) closed: Notify,
}

impl Dispatch {
    pub(crate) fn new(peers: PeerTable, idle_close: Option<Duration>, stats: Stats) -> Self {
        Self {
            connection_stats: RwLock::new(stats.connections("0.0.0.0:0")),
            stats,
            handlers: Handlers::default(),
            relay: OnceLock::new(),
            peers,
            idle_close,
            open: Mutex::default(),
            is_shut: AtomicBool::new(false),
            closed: Notify::new(),
        }
    }

    /// Connections are counted under `host_port` from now on.
    pub(crate) fn count_connections_as(&self, host_port: &str) {
        let mut stats = self
            .connection_stats
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *stats = self.stats.connections(host_port);
    }

    pub(crate) fn connection_stats(&self) -> ConnectionStats {
        self.connection_stats
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn set_relay(&self, relay: Relay) -> bool {
        self.relay.set(relay).is_ok()
    }

    pub(crate) fn relay(&self) -> Option<&Relay> {
        self.relay.get()
    }

    /// A connection exists, its handshake still to come. The error says why it must not.
    pub(crate) fn admit(&self, conn: &Conn, limit: usize) -> Result<(), String> {
        let mut open = self.open();
        if self.is_shut() {
            return Err("the channel is closed".to_owned());
        }
        if open.len() >= limit {
            return Err(format!(
                "{limit} connections are open, which is connections_max"
            ));
        }
        conn.set_place(open.insert(conn.clone()));
        Ok(())
    }

    /// Admits no connection from now on.
    pub(crate) fn shut(&self) {
        // Under the lock, so that whoever looks for connections afterwards finds them all.
        let _open = self.open();
        self.is_shut.store(true, Ordering::Release);
    }

    pub(crate) fn is_shut(&self) -> bool {
        self.is_shut.load(Ordering::Acquire)
    }

    /// A connection has shaken hands: its peer can be called over it, whoever dialled.
    pub(crate) fn opened(&self, conn: &Conn) {
        if conn.is_outbound() {
            return;
        }
        if let Some(info) = conn.peer()
            && !info.is_ephemeral()
        {
            self.peers.connected(&info.host_port, conn);
        }
    }

    pub(crate) fn closed(&self, conn: &Conn) {
        self.peers.disconnected(conn);
        let mut open = self.open();
        if let Some(place) = conn.place()
            && open.get(place).is_some_and(|other| other.is_same(conn))
        {
            open.remove(place);
        }
        drop(open);
        self.closed.notify_waiters();
    }

    pub(crate) fn connections(&self) -> Vec<Conn> {
        self.open().iter().map(|(_, conn)| conn.clone()).collect()
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Slab<Conn>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
