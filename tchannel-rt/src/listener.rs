//! Listening: accept, back off when the system refuses, and say where one can be reached.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use tchannel_proto::Identity;
use tchannel_proto::message::InitHeaders;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::config::ChannelConfig;
use crate::connection::{Conn, Limits, Listening, RemoteAddr, Stream, drive};
use crate::dispatch::Dispatch;
use crate::peer::Dialer;

/// Waits between accepts that fail, such as for want of file descriptors.
const ACCEPT_BACKOFF: Backoff = Backoff::new(Duration::from_millis(5), Duration::from_secs(1));

/// What this channel says of itself in its init frames.
pub(crate) struct Announced {
    process_name: String,
    listening: RwLock<Option<SocketAddr>>,
    in_process: OnceLock<String>,
    host_port: RwLock<Option<String>>,
    further: InitHeaders,
}

impl Announced {
    pub(crate) fn new(process_name: String, config: &ChannelConfig) -> Self {
        Self {
            process_name,
            listening: RwLock::new(None),
            in_process: OnceLock::new(),
            host_port: RwLock::new(config.advertised_host_port.clone()),
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

    /// What is told instead of the address listened on, if anything.
    pub(crate) fn host_port(&self) -> Option<String> {
        let host_port = self.host_port.read();
        host_port.unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_host_port(&self, host_port: String) {
        let mut told = self
            .host_port
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *told = Some(host_port);
    }

    /// The address within this process; `start` makes one when there is none.
    pub(crate) fn in_process(&self, start: impl FnOnce() -> String) -> String {
        self.in_process.get_or_init(start).clone()
    }

    /// The identity for a connection whose own end is `local`; `None` when both ends are in this process.
    pub(crate) fn identity(&self, local: Option<SocketAddr>) -> Identity {
        let process_name = self.process_name.clone();
        let host_port = match (local, self.in_process.get()) {
            (None, Some(in_process)) => Some(in_process.clone()),
            (None, None) => self.reachable_from(Ipv4Addr::LOCALHOST.into()),
            (Some(local), _) => self.reachable_from(local.ip()),
        };
        let mut identity = match host_port {
            Some(host_port) => Identity::listening(host_port, process_name),
            None => Identity::ephemeral(process_name),
        };
        identity.further = self.further.clone();
        identity
    }

    /// Where a peer reaches the socket that is listened on, if one is, given that it has reached `local`.
    ///
    /// Behind a wildcard bind the connection's own address is the one that its peer can reach.
    /// Source: spec/protocol/init.md, "ephemeral peers".
    fn reachable_from(&self, local: IpAddr) -> Option<String> {
        let addr = self.listening()?;
        if let Some(host_port) = self.host_port() {
            return Some(host_port);
        }
        let ip = if addr.ip().is_unspecified() {
            unmapped(local)
        } else {
            addr.ip()
        };
        Some(SocketAddr::new(ip, addr.port()).to_string())
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
                take_in_socket(stream, remote, &dialer, &dispatch);
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

/// Takes connections from channels of this process, for as long as the value lives.
pub(crate) fn listen_in_process(dialer: &Arc<Dialer>, dispatch: &Arc<Dispatch>) -> Listening {
    let (dialer, dispatch) = (Arc::downgrade(dialer), Arc::downgrade(dispatch));
    Listening::start(Arc::new(move |stream| {
        if let (Some(dialer), Some(dispatch)) = (dialer.upgrade(), dispatch.upgrade()) {
            take_in(stream, RemoteAddr::InProcess, None, &dialer, &dispatch);
        }
    }))
}

fn take_in_socket(
    stream: TcpStream,
    remote: SocketAddr,
    dialer: &Dialer,
    dispatch: &Arc<Dispatch>,
) {
    let Ok(local) = stream.local_addr() else {
        return;
    };
    let (stream, remote) = (Stream::Tcp(stream), RemoteAddr::Tcp(remote));
    take_in(stream, remote, Some(local), dialer, dispatch);
}

fn take_in(
    stream: Stream,
    remote: RemoteAddr,
    local: Option<SocketAddr>,
    dialer: &Dialer,
    dispatch: &Arc<Dispatch>,
) {
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
