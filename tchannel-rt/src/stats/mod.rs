//! Every metric this runtime emits, under the names that TChannel libraries share.
//!
//! With the feature `metrics` they go to the recorder of the facade of that name; without it every
//! type here is empty and every function does nothing. Handles are made once for each set of labels,
//! so install the recorder before the channel: a handle made earlier records nothing.
//!
//! Every metric carries the label `app`. Counters of `size` and `bytes` count bytes, latencies are in
//! milliseconds.

#[cfg(feature = "metrics")]
mod recording;
#[cfg(feature = "metrics")]
use recording as facade;
#[cfg(not(feature = "metrics"))]
mod silent;
#[cfg(not(feature = "metrics"))]
use silent as facade;

mod served;

use std::time::Duration;

use tchannel_proto::{ErrorCode, Failure};

pub(crate) use facade::Stopwatch;
use facade::{Counter, Gauge, Histogram, Labels, PerKind, Shared, Table};
pub(crate) use served::ServedStats;

/// Whether anything is recorded. What is done only for the sake of a record stands behind it.
pub(crate) const ENABLED: bool = cfg!(feature = "metrics");

/// Where a channel finds the handles of its metrics.
///
/// Peers choose service and endpoint names, so at most [`MAX_LABEL_SETS`] of them are told apart, for
/// each direction; later ones are counted together as `other`.
#[derive(Debug)]
pub struct Stats {
    labels: Labels,
    outbound: Table<Outbound>,
    inbound: Table<Inbound>,
}

impl Stats {
    /// Handles for the metrics of `app`, the name of this process.
    #[must_use]
    pub fn new(app: &str) -> Self {
        Self {
            labels: Labels::new(app),
            outbound: Table::default(),
            inbound: Table::default(),
        }
    }

    /// For calls made as `service` to an endpoint of another service.
    #[must_use]
    pub fn outbound(
        &self,
        service: &str,
        target_service: &str,
        target_endpoint: &str,
    ) -> OutboundStats {
        let names = [service, target_service, target_endpoint];
        OutboundStats(self.outbound.get(names, |names| {
            let keys = ["service", "target-service", "target-endpoint"];
            Outbound::new(self.labels.with_each(keys, names))
        }))
    }

    /// For calls that come from `calling_service` to an endpoint of ours.
    #[must_use]
    pub fn inbound(&self, calling_service: &str, service: &str, endpoint: &str) -> InboundStats {
        let names = [calling_service, service, endpoint];
        InboundStats(self.inbound.get(names, |names| {
            let keys = ["calling-service", "service", "endpoint"];
            Inbound::new(self.labels.with_each(keys, names))
        }))
    }

    /// For all connections of a channel known as `host_port`.
    ///
    /// Peers are not told apart: each client process is one, and they come and go without end.
    #[must_use]
    pub fn connections(&self, host_port: &str) -> ConnectionStats {
        ConnectionStats(Shared::new(Connections::new(
            self.labels.with_each(["host-port"], [host_port]),
        )))
    }
}

/// How a call or an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With response code 0.
    Success,
    /// With response code 1.
    AppError,
    /// With an error frame.
    SystemError(ErrorCode),
    /// With a failure that this side noticed, such as a lost connection or a deadline that passed.
    OperationalError(ErrorCode),
}

impl End {
    pub(crate) fn of(why: &Failure) -> Self {
        match why {
            Failure::Refused { code, .. } => Self::SystemError(*code),
            Failure::TimedOut => Self::OperationalError(ErrorCode::Timeout),
            Failure::Cancelled { .. } => Self::OperationalError(ErrorCode::Cancelled),
            Failure::ConnectionLost { .. } => Self::OperationalError(ErrorCode::NetworkError),
            _ => Self::OperationalError(ErrorCode::BadRequest),
        }
    }

    pub(crate) fn of_answer(ok: bool) -> Self {
        if ok { Self::Success } else { Self::AppError }
    }
}

/// Handles for outbound calls of one service to one endpoint; cheap to clone.
#[derive(Clone, Debug)]
pub struct OutboundStats(Shared<Outbound>);

impl OutboundStats {
    /// A call goes out for the first time, with this many bytes in its args.
    pub fn on_sent(&self, request_bytes: u64) {
        self.0.sent.increment(1);
        self.0.request_size.increment(request_bytes);
    }

    /// More of a streamed request goes out, this many bytes of its args.
    pub fn on_request_bytes(&self, request_bytes: u64) {
        self.0.request_size.increment(request_bytes);
    }

    /// A call goes out again; `number` is 1 for its first retry.
    pub fn on_retry(&self, number: u32) {
        let kind = (number as usize).clamp(1, RETRY_NUMBERS.len()) - 1;
        let label = ("retry-count", RETRY_NUMBERS[kind]);
        self.0
            .retries
            .increment(kind, "outbound.calls.retries", &self.0.labels, label);
    }

    /// An attempt ended, this long after it was sent.
    pub fn on_attempt_end(&self, latency: Duration, end: End) {
        self.0.attempt_latency.record(millis(latency));
        self.0
            .attempt_errors
            .count(&ATTEMPT_ERRORS, &self.0.labels, end);
    }

    /// A call ended, this long after its first attempt was sent.
    pub fn on_end(&self, latency: Duration, end: End) {
        self.0.latency.record(millis(latency));
        match end {
            End::Success => self.0.success.increment(1),
            error => self.0.errors.count(&OUTBOUND_ERRORS, &self.0.labels, error),
        }
    }

    /// This many bytes of an answer's args came in.
    pub fn on_response_bytes(&self, response_bytes: u64) {
        self.0.response_size.increment(response_bytes);
    }
}

/// Handles for inbound calls of one service to one endpoint; cheap to clone.
#[derive(Clone, Debug)]
pub struct InboundStats(Shared<Inbound>);

impl InboundStats {
    /// A call came in.
    pub fn on_received(&self) {
        self.0.received.increment(1);
    }

    /// This many bytes of a call's args came in.
    pub fn on_request_bytes(&self, request_bytes: u64) {
        self.0.request_size.increment(request_bytes);
    }

    /// A call was answered, this long after it came in, with this many bytes in its args.
    pub fn on_end(&self, latency: Duration, end: End, response_bytes: u64) {
        self.0.latency.record(millis(latency));
        self.0.response_size.increment(response_bytes);
        match end {
            End::Success => self.0.success.increment(1),
            error => self.0.errors.count(&INBOUND_ERRORS, &self.0.labels, error),
        }
    }

    /// The caller asked to cancel a call.
    pub fn on_cancel_requested(&self) {
        self.0.cancels_requested.increment(1);
    }

    /// A call was stopped because of that.
    pub fn on_cancel_honored(&self) {
        self.0.cancels_honored.increment(1);
    }

    /// A call broke the protocol.
    pub fn on_protocol_error(&self) {
        self.0.protocol_errors.increment(1);
    }
}

/// Handles for the connections of a channel; cheap to clone.
#[derive(Clone, Debug)]
pub struct ConnectionStats(Shared<Connections>);

impl ConnectionStats {
    /// A connection that we dialled is ready.
    pub fn on_initiated(&self) {
        self.0.initiated.increment(1);
        self.0.active.increment(1.0);
    }

    /// A peer could not be dialled, or did not shake hands.
    pub fn on_connect_error(&self) {
        self.0.connect_errors.increment(1);
    }

    /// A connection that a peer dialled is ready.
    pub fn on_accepted(&self) {
        self.0.accepted.increment(1);
        self.0.active.increment(1.0);
    }

    /// A connection could not be accepted, or the peer did not shake hands.
    pub fn on_accept_error(&self) {
        self.0.accept_errors.increment(1);
    }

    /// Something went wrong on a connection that was ready.
    pub fn on_error(&self, error: ConnectionError) {
        let (kind, label) = (error as usize, ("type", error.as_str()));
        self.0
            .errors
            .increment(kind, "connections.errors", &self.0.labels, label);
    }

    /// A connection that was ready is gone.
    pub fn on_closed(&self, reason: CloseReason) {
        self.0.active.decrement(1.0);
        let (kind, label) = (reason as usize, ("reason", reason.as_str()));
        self.0
            .closed
            .increment(kind, "connections.closed", &self.0.labels, label);
    }

    /// This many bytes were written to a socket.
    pub fn on_bytes_sent(&self, bytes: u64) {
        self.0.bytes_sent.increment(bytes);
    }

    /// This many bytes were read from a socket.
    pub fn on_bytes_received(&self, bytes: u64) {
        self.0.bytes_received.increment(bytes);
    }
}

/// What went wrong on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionError {
    /// The socket failed.
    Network,
    /// Nothing came for too long.
    NetworkTimeout,
    /// We broke the protocol, as the peer says.
    Protocol,
    /// The peer broke the protocol.
    PeerProtocol,
}

impl ConnectionError {
    fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network-error",
            Self::NetworkTimeout => "network-timeout",
            Self::Protocol => "protocol-error",
            Self::PeerProtocol => "peer-protocol-error",
        }
    }
}

/// Why a connection was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// No call for a long time.
    Idle,
    /// This process closed its channel.
    App,
    /// The protocol was broken.
    Protocol,
    /// The socket failed.
    Network,
    /// Nothing came for too long.
    NetworkTimeout,
    /// The peer closed it.
    Peer,
}

impl CloseReason {
    fn as_str(self) -> &'static str {
        match self {
            Self::Idle => "idle-timeout",
            Self::App => "app-initiated",
            Self::Protocol => "protocol-error",
            Self::Network => "network-error",
            Self::NetworkTimeout => "network-timeout",
            Self::Peer => "peer-closed",
        }
    }
}

#[derive(Clone, Debug)]
struct Outbound {
    labels: Labels,
    sent: Counter,
    success: Counter,
    errors: Errors,
    attempt_errors: Errors,
    retries: PerKind<{ RETRY_NUMBERS.len() }>,
    request_size: Counter,
    response_size: Counter,
    latency: Histogram,
    attempt_latency: Histogram,
}

impl Outbound {
    fn new(labels: Labels) -> Self {
        Self {
            sent: labels.counter("outbound.calls.sent"),
            success: labels.counter("outbound.calls.success"),
            errors: Errors::default(),
            attempt_errors: Errors::default(),
            retries: PerKind::default(),
            request_size: labels.counter("outbound.request.size"),
            response_size: labels.counter("outbound.response.size"),
            latency: labels.histogram("outbound.calls.latency"),
            attempt_latency: labels.histogram("outbound.calls.per-attempt.latency"),
            labels,
        }
    }
}

#[derive(Clone, Debug)]
struct Inbound {
    labels: Labels,
    received: Counter,
    success: Counter,
    errors: Errors,
    cancels_requested: Counter,
    cancels_honored: Counter,
    protocol_errors: Counter,
    request_size: Counter,
    response_size: Counter,
    latency: Histogram,
}

impl Inbound {
    fn new(labels: Labels) -> Self {
        Self {
            received: labels.counter("inbound.calls.recvd"),
            success: labels.counter("inbound.calls.success"),
            errors: Errors::default(),
            cancels_requested: labels.counter("inbound.cancels.requested"),
            cancels_honored: labels.counter("inbound.cancels.honored"),
            protocol_errors: labels.counter("inbound.protocol-errors"),
            request_size: labels.counter("inbound.request.size"),
            response_size: labels.counter("inbound.response.size"),
            latency: labels.histogram("inbound.calls.latency"),
            labels,
        }
    }
}

#[derive(Clone, Debug)]
struct Connections {
    labels: Labels,
    active: Gauge,
    initiated: Counter,
    connect_errors: Counter,
    accepted: Counter,
    accept_errors: Counter,
    errors: PerKind<4>,
    closed: PerKind<6>,
    bytes_sent: Counter,
    bytes_received: Counter,
}

impl Connections {
    fn new(labels: Labels) -> Self {
        Self {
            active: labels.gauge("connections.active"),
            initiated: labels.counter("connections.initiated"),
            connect_errors: labels.counter("connections.connect-errors"),
            accepted: labels.counter("connections.accepted"),
            accept_errors: labels.counter("connections.accept-errors"),
            errors: PerKind::default(),
            closed: PerKind::default(),
            bytes_sent: labels.counter("connections.bytes-sent"),
            bytes_received: labels.counter("connections.bytes-recvd"),
            labels,
        }
    }
}

/// Counters of the ways to fail, each registered when it first happens.
#[derive(Clone, Debug, Default)]
struct Errors {
    app: PerKind<1>,
    system: PerKind<ERROR_CODES>,
    operational: PerKind<ERROR_CODES>,
}

impl Errors {
    fn count(&self, names: &ErrorNames, labels: &Labels, end: End) {
        match end {
            End::Success => {}
            End::AppError => self.app.increment(0, names.app, labels, NO_LABEL),
            End::SystemError(code) => {
                self.system
                    .increment(kind(code), names.system, labels, ("type", code.name()));
            }
            End::OperationalError(code) => {
                self.operational.increment(
                    kind(code),
                    names.operational,
                    labels,
                    ("type", code.name()),
                );
            }
        }
    }
}

struct ErrorNames {
    app: &'static str,
    system: &'static str,
    operational: &'static str,
}

const OUTBOUND_ERRORS: ErrorNames = ErrorNames {
    app: "outbound.calls.app-errors",
    system: "outbound.calls.system-errors",
    operational: "outbound.calls.operational-errors",
};

const ATTEMPT_ERRORS: ErrorNames = ErrorNames {
    app: "outbound.calls.per-attempt.app-errors",
    system: "outbound.calls.per-attempt.system-errors",
    operational: "outbound.calls.per-attempt.operational-errors",
};

// A server has one counter for both, as the shared names have it.
const INBOUND_ERRORS: ErrorNames = ErrorNames {
    app: "inbound.calls.app-errors",
    system: "inbound.calls.system-errors",
    operational: "inbound.calls.system-errors",
};

fn kind(code: ErrorCode) -> usize {
    match code {
        ErrorCode::Timeout => 0,
        ErrorCode::Cancelled => 1,
        ErrorCode::Busy => 2,
        ErrorCode::Declined => 3,
        ErrorCode::UnexpectedError => 4,
        ErrorCode::BadRequest => 5,
        ErrorCode::NetworkError => 6,
        ErrorCode::Unhealthy => 7,
        ErrorCode::FatalProtocolError => 8,
    }
}

const ERROR_CODES: usize = 9;

const RETRY_NUMBERS: [&str; 4] = ["1", "2", "3", "4"];

/// For a counter that needs no label of its own.
const NO_LABEL: (&str, &str) = ("", "");

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Label sets told apart for each direction before all others become `other`.
pub const MAX_LABEL_SETS: usize = 1000;

#[cfg(test)]
mod tests;
