//! One peer: its connections of either direction, and one dial at a time.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

use bytestring::ByteString;
use tchannel_proto::ErrorCode;

use super::pause::{Pause, REFUSED};
use crate::backoff::Backoff;
use crate::clock;
use crate::config::ChannelConfig;
use crate::connection::{Conn, DialError, Limits, dial};
use crate::dispatch::Dispatch;
use crate::error::CallError;
use crate::listener::Announced;
use crate::retry::Acted;

/// How this channel dials.
pub(crate) struct Dialer {
    pub(crate) config: ChannelConfig,
    pub(crate) announced: Announced,
    pub(crate) dispatch: Weak<Dispatch>,
}

/// A host:port and the connections to it.
pub(crate) struct Peer {
    host_port: ByteString,
    dialer: Arc<Dialer>,
    connections: Mutex<Vec<Conn>>,
    dialling: Arc<tokio::sync::Mutex<Redial>>,
    /// While it is closing, or must not be dialled.
    away: Pause,
}

#[derive(Default)]
struct Redial {
    failures: u32,
    not_before: Option<(Instant, DialError)>,
}

impl Peer {
    pub(crate) fn new(host_port: &str, dialer: Arc<Dialer>) -> Self {
        Self {
            host_port: ByteString::from(host_port),
            dialer,
            connections: Mutex::default(),
            dialling: Arc::default(),
            away: Pause::none(clock::now()),
        }
    }

    pub(crate) fn host_port(&self) -> &ByteString {
        &self.host_port
    }

    /// Whether calls should rather go elsewhere.
    pub(super) fn is_away(&self, now: Instant) -> bool {
        self.away.lasts(now)
    }

    /// It has said that it is closing.
    pub(super) fn note_closing(&self, now: Instant) {
        self.away.last_until(now + REFUSED);
    }

    pub(crate) fn add(&self, conn: &Conn) {
        self.away.end();
        self.connections().push(conn.clone());
        conn.note_listed_as(self.host_port.clone());
    }

    pub(crate) fn remove(&self, conn: &Conn) {
        self.connections().retain(|other| !other.is_same(conn));
    }

    /// Open connections as (inbound, outbound).
    pub(crate) fn count(&self) -> (usize, usize) {
        let connections = self.connections();
        let outbound = connections.iter().filter(|conn| conn.is_outbound()).count();
        (connections.len() - outbound, outbound)
    }

    /// A connection that takes a new call right now.
    pub(crate) fn usable(self: &Arc<Self>) -> Option<Conn> {
        let (conn, count) = self.draw();
        if conn.is_some() && count < self.dialer.config.connections_per_peer {
            self.dial_one_more();
        }
        conn
    }

    /// One of the connections that take calls, and how many there are.
    fn draw(&self) -> (Option<Conn>, usize) {
        let connections = self.connections();
        if let [only] = &connections[..] {
            return match only.is_usable() {
                true => (Some(only.clone()), 1),
                false => (None, 0),
            };
        }
        // More than one only when asked for, or when both ends have dialled.
        let usable = || connections.iter().filter(|conn| conn.is_usable());
        match usable().count() {
            0 => (None, 0),
            count => (usable().nth(fastrand::usize(..count)).cloned(), count),
        }
    }

    /// A connection that takes a new call, dialled if there is none.
    ///
    /// # Errors
    ///
    /// A network error of a call of which nothing was sent; at once while a back-off lasts.
    pub(crate) async fn connection(self: &Arc<Self>) -> Result<Conn, CallError> {
        if let Some(conn) = self.usable() {
            return Ok(conn);
        }
        let peer = self.clone();
        // A task of its own: when this caller gives up, the dial goes on for those who come later.
        let dialled = tokio::spawn(async move {
            let mut redial = peer.dialling.lock().await;
            // Whoever had the lock before may have dialled for all.
            match peer.usable() {
                Some(conn) => Ok(conn),
                None => peer.dial_in_turn(&mut redial).await,
            }
        });
        dialled
            .await
            .unwrap_or_else(|_| Err(self.network_error("the runtime is shutting down")))
    }

    /// Calls go on over the connections there are, so nobody needs to know how this ends.
    fn dial_one_more(self: &Arc<Self>) {
        let Ok(mut redial) = self.dialling.clone().try_lock_owned() else {
            return;
        };
        let peer = self.clone();
        tokio::spawn(async move {
            if peer.draw().1 < peer.dialer.config.connections_per_peer {
                let _ = peer.dial_in_turn(&mut redial).await;
            }
        });
    }

    async fn dial_in_turn(&self, redial: &mut Redial) -> Result<Conn, CallError> {
        if let Some((not_before, reason)) = &redial.not_before {
            let wait = not_before.saturating_duration_since(clock::now());
            if !wait.is_zero() {
                let text = format!(
                    "{reason}; the next attempt is due in {} ms",
                    wait.as_millis()
                );
                return Err(self.network_error(text).refused(reason.is_refused()));
            }
        }
        match self.dial().await {
            Ok(conn) => {
                *redial = Redial::default();
                self.add(&conn);
                // It may have closed before it was listed, and would then stay for ever.
                if conn.core().proto.is_closed() {
                    self.remove(&conn);
                }
                Ok(conn)
            }
            Err(reason) => {
                if let Some(dispatch) = self.dialer.dispatch.upgrade() {
                    dispatch.connection_stats().on_connect_error();
                }
                let config = &self.dialer.config;
                let backoff = Backoff::new(config.redial_min, config.redial_max);
                let wait =
                    config.redial_min / 2 + backoff.delay(redial.failures, fastrand::u64(..));
                redial.failures = redial.failures.saturating_add(1);
                let not_before = clock::now() + wait;
                redial.not_before = Some((not_before, reason.clone()));
                self.away.last_until(not_before);
                let is_refused = reason.is_refused();
                Err(self.network_error(reason.to_string()).refused(is_refused))
            }
        }
    }

    async fn dial(&self) -> Result<Conn, DialError> {
        let dispatch = self.dialer.dispatch.upgrade();
        let dispatch = dispatch.ok_or_else(|| DialError::Connect {
            host_port: self.host_port.to_string(),
            reason: "the channel is closed".to_owned(),
        })?;
        let limits = Limits::new(&self.dialer.config);
        dial(&self.host_port, &self.dialer, limits, dispatch).await
    }

    fn network_error(&self, reason: impl Into<String>) -> CallError {
        CallError::new(ErrorCode::NetworkError, Acted::No, reason).at_peer(&self.host_port)
    }

    fn connections(&self) -> std::sync::MutexGuard<'_, Vec<Conn>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
