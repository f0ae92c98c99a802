//! Connecting: TCP, or within the process, and handshake, within one time limit.

use std::net::SocketAddr;
use std::sync::Arc;

use tchannel_proto::ProtocolError;
use tokio::net::TcpStream;

use super::{Conn, Limits, RemoteAddr, Stream, drive, in_process};
use crate::dispatch::Dispatch;
use crate::peer::Dialer;

/// Why a peer could not be reached. No call has been sent to it.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum DialError {
    #[error("can not resolve {host_port}: {reason}")]
    Resolve { host_port: String, reason: String },
    #[error("can not connect to {host_port}: {reason}")]
    Connect { host_port: String, reason: String },
    #[error("can not connect to {host_port}: {reason}")]
    Refused { host_port: String, reason: String },
    #[error("no connection to {host_port} within {limit_ms} ms")]
    Timeout { host_port: String, limit_ms: u128 },
    #[error("handshake with {host_port} failed: {reason}")]
    Handshake { host_port: String, reason: String },
}

impl DialError {
    /// Whether the machine is there and nobody listens.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }
}

/// Connects to `host_port` and shakes hands. The driver of the connection runs from then on.
pub(crate) async fn dial(
    host_port: &str,
    dialer: &Dialer,
    limits: Limits,
    dispatch: Arc<Dispatch>,
) -> Result<Conn, DialError> {
    let limit = dialer.config.connect_timeout;
    let attempt = async {
        let (stream, remote, local) = connect(host_port).await?;
        let mut config = dialer.config.connection(dialer.announced.identity(local));
        config.init_timeout = limit;
        let (conn, reader) = Conn::new(
            stream,
            remote,
            true,
            config,
            limits,
            dispatch.connection_stats(),
        );
        dispatch
            .admit(&conn, dialer.config.connections_max)
            .map_err(|reason| DialError::Connect {
                host_port: host_port.to_owned(),
                reason,
            })?;
        let unfinished = Unfinished(Some(conn));
        match drive(unfinished.conn(), reader, dispatch).await {
            Ok(Ok(())) => Ok(unfinished.finish()),
            Ok(Err(error)) => Err(handshake_error(host_port, &error)),
            Err(_) => {
                let reason = "the peer closed the connection".to_owned();
                Err(DialError::Handshake {
                    host_port: host_port.to_owned(),
                    reason,
                })
            }
        }
    };
    match tokio::time::timeout(limit, attempt).await {
        Ok(outcome) => outcome,
        Err(_) => Err(DialError::Timeout {
            host_port: host_port.to_owned(),
            limit_ms: limit.as_millis(),
        }),
    }
}

/// A connection that closes unless its handshake comes to an end in time: nobody would ever use it.
struct Unfinished(Option<Conn>);

impl Unfinished {
    fn conn(&self) -> Conn {
        self.0.clone().expect("it is taken out at the end only")
    }

    fn finish(mut self) -> Conn {
        self.0.take().expect("it is taken out at the end only")
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(conn) = &self.0 {
            conn.close();
        }
    }
}

/// A stream, where it leads, and this end of it.
async fn connect(host_port: &str) -> Result<(Stream, RemoteAddr, Option<SocketAddr>), DialError> {
    if let Some(number) = in_process::number_of(host_port) {
        let stream = in_process::connect(number).ok_or_else(|| DialError::Refused {
            host_port: host_port.to_owned(),
            reason: "no channel of this process is there any more".to_owned(),
        })?;
        return Ok((stream, RemoteAddr::InProcess, None));
    }
    let stream = connect_over_tcp(host_port).await?;
    let addrs = stream
        .peer_addr()
        .and_then(|remote| Ok((remote, stream.local_addr()?)));
    let (remote, local) = addrs.map_err(|error| connect_error(host_port, &error))?;
    Ok((Stream::Tcp(stream), RemoteAddr::Tcp(remote), Some(local)))
}

async fn connect_over_tcp(host_port: &str) -> Result<TcpStream, DialError> {
    if let Ok(addr) = host_port.parse::<SocketAddr>() {
        return TcpStream::connect(addr)
            .await
            .map_err(|error| connect_error(host_port, &error));
    }
    let resolved = tokio::net::lookup_host(host_port).await;
    let addrs = resolved.map_err(|error| DialError::Resolve {
        host_port: host_port.to_owned(),
        reason: error.to_string(),
    })?;
    let mut last = None;
    for addr in addrs {
        match TcpStream::connect(addr).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    Err(match last {
        Some(error) => connect_error(host_port, &error),
        None => DialError::Connect {
            host_port: host_port.to_owned(),
            reason: "the name has no address".to_owned(),
        },
    })
}

fn connect_error(host_port: &str, error: &std::io::Error) -> DialError {
    let (host_port, reason) = (host_port.to_owned(), error.to_string());
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => DialError::Refused { host_port, reason },
        _ => DialError::Connect { host_port, reason },
    }
}

fn handshake_error(host_port: &str, error: &ProtocolError) -> DialError {
    DialError::Handshake {
        host_port: host_port.to_owned(),
        reason: error.to_string(),
    }
}
