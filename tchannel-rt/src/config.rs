//! Every limit and time of a channel, with unit, default and what the extremes mean.

use std::time::Duration;

use tchannel_proto::{ConnectionConfig, Identity};

/// Limits and times of a [`Channel`](crate::Channel). `ChannelConfig::default()` suits a service.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChannelConfig {
    /// What a caller waits when it does not say. Default 1 s.
    ///
    /// Source: spec/protocol/deadlines.md, "ttl".
    pub default_ttl: Duration,
    /// Time for dialling a peer, TCP and handshake together. Default 1 s.
    pub connect_timeout: Duration,
    /// Time for the handshake of whoever dials us. Default 5 s.
    pub init_timeout: Duration,
    /// After a failed dial, the first back-off. Doubles up to `redial_max`, jittered. Default 100 ms.
    pub redial_min: Duration,
    /// The longest back-off between dials. Default 10 s.
    pub redial_max: Duration,
    /// Connections of either direction that are open at once; more are closed on arrival. Default 10,000.
    pub connections_max: usize,
    /// Connections to one peer that this end dials. Default 1: calls are multiplexed.
    pub connections_per_peer: usize,
    /// Calls one peer may have open here, over one connection; more are answered `busy`. Default 10,000.
    pub inbound_in_flight_max: usize,
    /// Calls this end may have open at one peer, over one connection; more fail as `busy`. Default 100,000.
    pub outbound_in_flight_max: usize,
    /// Bytes queued on one connection above which writers and new calls wait, and sources are read no further for a
    /// moment. Default 1 MiB.
    pub queued_bytes_soft: usize,
    /// Bytes queued on one connection above which relayed calls are failed with `busy`. Default 16 MiB.
    ///
    /// Source: spec/hyperbahn/routing.md, "bounds".
    pub queued_bytes_max: usize,
    /// Largest request or response, arg2 and arg3 together, that is collected in memory. Default 16 MiB.
    /// Streams have no such bound.
    pub message_bytes_max: usize,
    /// Largest value of a typed stream, in bytes as encoded; one that is larger ends its stream, at the sender
    /// already. Default 16 MiB.
    ///
    /// Source: spec/schemes/sthrift.md, "chunks".
    pub chunk_bytes_max: usize,
    /// Bytes of requests and of values of streams over one connection, all together, that are collected while
    /// they still arrive. A call that goes over it is answered `busy`. Default 256 MiB.
    pub arriving_bytes_max: usize,
    /// Silence after which a peer is pinged, if it is one that answers, while there are calls; without any it is
    /// six times as long, so that thousands of connections at rest cost next to nothing. Default 5 s; `None` never
    /// pings.
    ///
    /// Source: spec/protocol/control.md, "silent peers".
    pub ping_after: Option<Duration>,
    /// Two calls to a peer that time out this far apart, with nothing heard of it in between, close the
    /// connection, and the next call dials anew. Default 10 s; should be longer than `ping_after`.
    ///
    /// Source: spec/protocol/control.md, "silent peers".
    pub stale_after: Duration,
    /// Time without a call after which a connection is closed. Default `None`: never.
    pub idle_close: Option<Duration>,
    /// Longest ttl a relay passes on. Default 120 s.
    ///
    /// Source: spec/hyperbahn/routing.md, "deadlines".
    pub relay_ttl_max: Duration,
    /// The host:port that peers are told, where it differs from the one listened on, such as behind a port
    /// mapping. Default `None`: the address listened on, or that of each connection behind a wildcard.
    pub advertised_host_port: Option<String>,
    /// Headers that peers are told in the handshake, besides the standard ones; see
    /// [`PeerInfo::header`](crate::PeerInfo::header). Default: none. One with an empty, a standard or a repeated
    /// key, or beyond 32 headers or 4 KiB, is left out with a warning.
    ///
    /// Source: spec/protocol/init.md, "further headers".
    pub init_headers: Vec<(String, String)>,
    /// Time for calls in flight when the channel closes. Default 30 s.
    pub drain_limit: Duration,
}

impl Default for ChannelConfig {
    fn default() -> Self {
        Self {
            default_ttl: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(1),
            init_timeout: Duration::from_secs(5),
            redial_min: Duration::from_millis(100),
            redial_max: Duration::from_secs(10),
            connections_max: 10_000,
            connections_per_peer: 1,
            inbound_in_flight_max: 10_000,
            outbound_in_flight_max: 100_000,
            queued_bytes_soft: 1024 * 1024,
            queued_bytes_max: 16 * 1024 * 1024,
            message_bytes_max: 16 * 1024 * 1024,
            chunk_bytes_max: 16 * 1024 * 1024,
            arriving_bytes_max: 256 * 1024 * 1024,
            ping_after: Some(Duration::from_secs(5)),
            stale_after: Duration::from_secs(10),
            idle_close: None,
            relay_ttl_max: Duration::from_secs(120),
            advertised_host_port: None,
            init_headers: Vec::new(),
            drain_limit: Duration::from_secs(30),
        }
    }
}

impl ChannelConfig {
    pub(crate) fn connection(&self, identity: Identity) -> ConnectionConfig {
        let mut config = ConnectionConfig::new(identity);
        config.init_timeout = self.init_timeout;
        config.inbound_in_flight_max = self.inbound_in_flight_max;
        config.outbound_in_flight_max = self.outbound_in_flight_max;
        config.ping_after = self.ping_after;
        config.stale_after = self.stale_after;
        config
    }
}
