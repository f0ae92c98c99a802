//! Listening: accept, back off when the system refuses, and say where one can be reached.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tchannel_proto::Identity;
use tchannel_proto::message::InitHeaders;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::config::ChannelConfig;
use crate::connection::{Conn, Limits, drive};
use crate::dispatch::Dispatch;
use crate::peer::Dialer;

/// Waits between accepts that fail, such as for want of file descriptors.
const ACCEPT_BACKOFF: Backoff = Backoff::new(Duration::from_millis(5), Duration::from_secs(1));

/// What this channel says of itself in its init frames.
pub(crate) struct Announced {
    process_name: String,
    listening: RwLock<Option<SocketAddr>>,
    host_port: Option<String>,
    further: InitHeaders,
}

impl Announced {
    pub(crate) fn new(process_name: String, config: &ChannelConfig) -> Self {
        Self {
            process_name,
            listening: RwLock::new(None),
            host_port: config.advertised_host_port.clone(),
            further: further(&config.init_headers),
        }
    }

    pub(crate) fn listening(&self) -> Option<SocketAddr> {
        *self
            .listening
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_listening(&self, addr: SocketAddr) {
        *self
            .listening
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(addr);
    }

    /// The identity for a connection whose own end is `local`.
    ///
    /// Behind a wildcard bind the connection's own address is the one that its peer can reach.
    /// Source: spec/protocol/init.md, "ephemeral peers".
    pub(crate) fn identity(&self, local: SocketAddr) -> Identity {
        let process_name = self.process_name.clone();
        let mut identity = match (&self.host_port, self.listening()) {
            (_, None) => Identity::ephemeral(process_name),
            (Some(host_port), _) => Identity::listening(host_port.clone(), process_name),
            (None, Some(addr)) => {
                let ip = if addr.ip().is_unspecified() {
                    unmapped(local.ip())
                } else {
                    addr.ip()
                };
                Identity::listening(SocketAddr::new(ip, addr.port()).to_string(), process_name)
            }
        };
        identity.further = self.further.clone();
        identity
    }
}

fn further(headers: &[(String, String)]) -> InitHeaders {
    let mut further = InitHeaders::default();
    for (key, value) in headers {
        if !further.push_further(key, value) {
            tracing::warn!(
                key,
                "an init header is not sent: its key is empty, standard or repeated, or they are too many"
            );
        }
    }
    further
}

// Node peers take nothing but dotted quads, and a dual-stack socket has them inside IPv6 addresses.
fn unmapped(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

/// Accepts until `stop`.
pub(crate) async fn accept(
    listener: TcpListener,
    dialer: Arc<Dialer>,
    dispatch: Arc<Dispatch>,
    stop: CancellationToken,
) {
    let mut failures = 0;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return,
        };
        match accepted {
            Ok((stream, remote)) => {
                failures = 0;
                take_in(stream, remote, &dialer, &dispatch);
            }
            Err(error) => {
                dispatch.connection_stats().on_accept_error();
                tracing::warn!(%error, "can not accept a connection");
                let wait = ACCEPT_BACKOFF.ceiling(failures);
                failures = failures.saturating_add(1);
                tokio::time::sleep(wait).await;
            }
        }
    }
}

fn take_in(
    stream: tokio::net::TcpStream,
    remote: SocketAddr,
    dialer: &Dialer,
    dispatch: &Arc<Dispatch>,
) {
    let Ok(local) = stream.local_addr() else {
        return;
    };
    let config = dialer.config.connection(dialer.announced.identity(local));
    let (conn, reader) = Conn::new(
        stream,
        remote,
        false,
        config,
        Limits::new(&dialer.config),
        dispatch.connection_stats(),
    );
    let limit = dialer.config.connections_max;
    match dispatch.admit(&conn, limit) {
        // How the handshake goes is the driver's concern alone on this end.
        Ok(()) => drop(drive(conn, reader, dispatch.clone())),
        Err(reason) => {
            dispatch.connection_stats().on_accept_error();
            tracing::warn!(%remote, %reason, "closed a connection on arrival");
        }
    }
}
