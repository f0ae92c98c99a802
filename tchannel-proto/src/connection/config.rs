//! What a connection is told at birth.

use std::time::Duration;

use bytestring::ByteString;

use crate::message::{InitHeaders, init_header};

/// Limits and times of one connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionConfig {
    /// Who this end says it is.
    pub identity: Identity,
    /// Time for the handshake, on either end. Default 5 s.
    ///
    /// Source: spec/protocol/init.md, "acceptor policy".
    pub init_timeout: Duration,
    /// Most calls the peer may have open here; more are answered `busy`. Default 10,000.
    pub inbound_in_flight_max: usize,
    /// Most calls this end may have open there; more are refused before they are sent. Default 100,000.
    pub outbound_in_flight_max: usize,
    /// How long a call that was given up is remembered, so that its late answer is recognised. Default 5 s.
    pub tombstone: Duration,
    /// Silence after which the peer is pinged while calls are in flight, while a call waits to be heard of, and while
    /// the ping before waits for its answer. Default 5 s; `None` never pings. A connection at rest is pinged after
    /// six times that by the end that connected, or after seven times by the other one.
    ///
    /// Peers written in Python or Java are never pinged: they do not answer, and Python mistakes it for an
    /// answer. Source: spec/protocol/control.md, "ping".
    pub ping_after: Option<Duration>,
    /// Unanswered pings in a row after which the connection is given up. Default 3. Does not apply to a peer
    /// that has never answered one.
    pub pings_missed_max: u32,
    /// Two calls that time out this far apart, or further, with no frame from the peer in between, close the
    /// connection. Default 10 s: longer than `ping_after`, so that a peer that answers pings is heard in between.
    ///
    /// Source: spec/protocol/control.md, "silent peers".
    pub stale_after: Duration,
    /// Silence, counted from the last frame, after which a relayed answer that has begun is given up.
    /// Default 120 s. Source: spec/protocol/deadlines.md, "streaming".
    pub relayed_stream_silence: Duration,
}

impl ConnectionConfig {
    /// The defaults, for an end that is `identity`.
    pub fn new(identity: Identity) -> Self {
        Self {
            identity,
            init_timeout: Duration::from_secs(5),
            inbound_in_flight_max: 10_000,
            outbound_in_flight_max: 100_000,
            tombstone: Duration::from_secs(5),
            ping_after: Some(Duration::from_secs(5)),
            pings_missed_max: 3,
            stale_after: Duration::from_secs(10),
            relayed_stream_silence: Duration::from_secs(120),
        }
    }
}

/// Who one end says it is in its init frame.
///
/// Source: spec/protocol/init.md, "init req".
#[derive(Clone, Debug)]
pub struct Identity {
    /// Where it listens, `0.0.0.0:0` when it does not.
    pub host_port: ByteString,
    /// What it calls its process.
    pub process_name: ByteString,
    /// What else it says, to those who know the keys. Default: nothing. What
    /// [`InitHeaders::push_further`] does not take is not sent.
    pub further: InitHeaders,
}

impl Identity {
    /// An end that does not listen.
    pub fn ephemeral(process_name: impl Into<ByteString>) -> Self {
        Self {
            host_port: ByteString::from_static("0.0.0.0:0"),
            process_name: process_name.into(),
            further: InitHeaders::default(),
        }
    }

    /// An end that listens at `host_port`.
    pub fn listening(
        host_port: impl Into<ByteString>,
        process_name: impl Into<ByteString>,
    ) -> Self {
        Self {
            host_port: host_port.into(),
            process_name: process_name.into(),
            further: InitHeaders::default(),
        }
    }

    pub(super) fn headers(&self) -> InitHeaders {
        let mut headers = InitHeaders::default();
        headers.push(init_header::HOST_PORT, self.host_port.clone());
        headers.push(init_header::PROCESS_NAME, self.process_name.clone());
        headers.push(init_header::LANGUAGE, "rust");
        headers.push(
            init_header::LANGUAGE_VERSION,
            env!("CARGO_PKG_RUST_VERSION"),
        );
        headers.push(init_header::VERSION, env!("CARGO_PKG_VERSION"));
        for (key, value) in &self.further.0 {
            headers.push_further(key, value);
        }
        headers
    }
}
