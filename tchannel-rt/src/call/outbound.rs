//! Making a call: who, how long, and what to do when it fails.

use std::future::{Future, ready};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use bytestring::ByteString;
use futures::future::Either;
use serde::Serialize;
use tchannel_proto::{
    Body, CallHead, CallRefused, ChecksumType, ErrorCode, OutboundKey, Progress, SendHeaders,
    Tracing, Ttl,
};
use tracing::field::Empty;
use tracing::{Instrument, Span};

use super::in_flight::{Awaits, InFlight};
use super::sending::Sending;
use super::{ArgWriter, PendingResponse, Response};
use crate::channel::Channel;
use crate::clock;
use crate::connection::{Conn, Core};
use crate::context::CallContext;
use crate::error::CallError;
use crate::layer::{CallLayers, NextCall, Outbound};
use crate::peer::{Chosen, PeerList, patience};
use crate::retry::{Acted, Decision, Failure, Retry, RetryFlags, RetryOn};
use crate::scheme::{Headers, SchemeError, json, msgpack, thrift};
use crate::stats::OutboundStats;

/// A call about to be made. See [`Channel::call`].
#[derive(Clone, Debug)]
#[must_use = "a call is made by one of the methods that send it"]
pub struct Call<'a> {
    pub(super) channel: Channel,
    pub(super) service: &'a str,
    pub(super) endpoint: &'a str,
    pub(super) peer: Option<&'a str>,
    pub(super) via: Option<&'a PeerList>,
    pub(super) ttl: Option<Duration>,
    pub(super) arg_scheme: &'a str,
    pub(super) shard_key: Option<&'a str>,
    pub(super) application_headers: Headers,
    pub(super) checksum_type: ChecksumType,
    pub(super) retry: Retry,
    /// Kept elsewhere: a call is moved some times before it is sent, and few calls have any of it.
    seldom: Option<Box<Seldom<'a>>>,
}

/// What few calls are told.
#[derive(Clone, Debug)]
pub(super) struct Seldom<'a> {
    pub(super) caller_name: Option<&'a str>,
    pub(super) routing_delegate: Option<&'a str>,
    pub(super) failure_domain: Option<&'a str>,
    pub(super) other_headers: Vec<(&'a str, &'a str)>,
    /// Those of a client; its channel's come before them.
    layers: Option<CallLayers>,
}

impl Seldom<'_> {
    const NOTHING: Self = Self {
        caller_name: None,
        routing_delegate: None,
        failure_domain: None,
        other_headers: Vec::new(),
        layers: None,
    };
}

/// The time of an attempt: read once for all that happens at once.
#[derive(Clone, Copy)]
pub(super) struct Time {
    pub(super) now: Instant,
    pub(super) deadline: Instant,
}

impl Time {
    fn left(self) -> Duration {
        self.deadline.saturating_duration_since(self.now)
    }
}

/// A streaming call whose first frame has left.
pub(crate) struct Begun {
    pub(crate) writer: ArgWriter,
    pub(crate) pending: PendingResponse,
    pub(crate) progress: Progress,
}

impl<'a> Call<'a> {
    pub(crate) fn new(channel: Channel, service: &'a str, endpoint: &'a str) -> Self {
        Self {
            channel,
            service,
            endpoint,
            peer: None,
            via: None,
            ttl: None,
            arg_scheme: "raw",
            shard_key: None,
            application_headers: Headers::default(),
            checksum_type: ChecksumType::default(),
            retry: Retry::default(),
            seldom: None,
        }
    }

    pub(super) fn seldom(&self) -> &Seldom<'a> {
        static NOTHING: Seldom<'static> = Seldom::NOTHING;
        self.seldom.as_deref().unwrap_or(&NOTHING)
    }

    pub(super) fn seldom_mut(&mut self) -> &mut Seldom<'a> {
        self.seldom.get_or_insert_with(|| Box::new(Seldom::NOTHING))
    }

    /// Calls this host:port instead of one chosen by service name.
    pub fn peer(mut self, host_port: &'a str) -> Self {
        self.peer = Some(host_port);
        self
    }

    /// Calls one of these peers instead of those that the channel has for the service.
    pub fn via(mut self, peers: &'a PeerList) -> Self {
        self.via = Some(peers);
        self
    }

    /// How long to wait for the whole answer, all attempts together; for a stream, for its first frame.
    ///
    /// Default: what is left of the call being served, else
    /// [`ChannelConfig::default_ttl`](crate::ChannelConfig::default_ttl). Never more than what is left of the
    /// call being served. Source: spec/protocol/deadlines.md, "ttl".
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    pub(crate) fn or_ttl(mut self, ttl: Duration) -> Self {
        self.ttl.get_or_insert(ttl);
        self
    }

    /// The arg scheme, `raw` unless a method such as [`json`](Self::json) sets it.
    pub fn arg_scheme(mut self, scheme: &'a str) -> Self {
        self.arg_scheme = scheme;
        self
    }

    /// Who calls. Default: the channel's service name.
    pub fn caller_name(mut self, name: &'a str) -> Self {
        self.seldom_mut().caller_name = Some(name);
        self
    }

    /// Calls with the same shard key are for the same instance, where the mesh can arrange it.
    pub fn shard_key(mut self, key: &'a str) -> Self {
        self.shard_key = Some(key);
        self
    }

    /// Routes the call as if it were for this service; the service name stays.
    pub fn routing_delegate(mut self, service: &'a str) -> Self {
        self.seldom_mut().routing_delegate = Some(service);
        self
    }

    /// The failure domain header.
    pub fn failure_domain(mut self, domain: &'a str) -> Self {
        self.seldom_mut().failure_domain = Some(domain);
        self
    }

    /// A transport header of your own: key of at most 15 bytes, value of at most 255.
    ///
    /// Source: spec/protocol/headers.md, "limits".
    pub fn transport_header(mut self, key: &'a str, value: &'a str) -> Self {
        self.seldom_mut().other_headers.push((key, value));
        self
    }

    /// An application header, for the schemes that have them: json, msgpack and thrift.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.application_headers.insert(name, value);
        self
    }

    pub(crate) fn application_headers(&self) -> &Headers {
        &self.application_headers
    }

    /// The checksum over the args. Default CRC-32C.
    pub fn checksum_type(mut self, checksum_type: ChecksumType) -> Self {
        self.checksum_type = checksum_type;
        self
    }

    /// Vouches that the call may run twice, so that it is tried again after more failures.
    pub fn idempotent(mut self) -> Self {
        self.retry.on = RetryOn::Idempotent;
        self
    }

    /// When and how often to try again. Default: [`Retry::default`].
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Sends args as they are and waits for the answer.
    ///
    /// # Errors
    ///
    /// [`CallError`] when there is no answer; it says whether trying again is safe. Dropping the future
    /// cancels the call at the peer.
    pub fn send(
        self,
        arg2: impl Into<Bytes>,
        arg3: impl Into<Bytes>,
    ) -> impl Future<Output = Result<Response, CallError>> + Send + 'a {
        Sending::new(self, Body::whole(arg2, arg3))
    }

    /// The layers around this call, outermost first.
    pub(super) fn all_layers(&self) -> Option<CallLayers> {
        match (self.channel.state.call_layers.get(), &self.seldom().layers) {
            (layers, None) => layers,
            (None, Some(layers)) => Some(layers.clone()),
            (Some(outer), Some(inner)) => Some(outer.iter().chain(&**inner).cloned().collect()),
        }
    }

    pub(crate) fn layers(mut self, layers: CallLayers) -> Self {
        self.seldom_mut().layers = Some(layers);
        self
    }

    pub(crate) fn service(&self) -> &str {
        self.service
    }

    pub(crate) fn endpoint(&self) -> &str {
        self.endpoint
    }

    pub(crate) fn given_ttl(&self) -> Option<Duration> {
        self.ttl
    }

    pub(crate) fn given_retry(&self) -> Retry {
        self.retry
    }

    /// Waits as long as it takes before the next attempt; gives whether there is one.
    pub(super) async fn goes_on(
        &self,
        error: &CallError,
        attempts: u32,
        deadline: Instant,
    ) -> bool {
        let failure = Failure {
            code: error.code(),
            acted: error.acted(),
        };
        let budget = &self.channel.state.retry_budget;
        let random = fastrand::u64(..);
        let decision = self
            .retry
            .next(failure, attempts, clock::now(), deadline, random, budget);
        match decision {
            Decision::Retry { after } if after.is_zero() => true,
            Decision::Retry { after } => {
                tokio::time::sleep(after).await;
                true
            }
            Decision::GiveUp(_) => false,
        }
    }

    /// Whether attempt number `attempt` would be followed by another if nothing of it could be sent.
    pub(super) fn goes_on_unsent(&self, attempt: u32) -> bool {
        self.retry.goes_on_unsent(attempt)
    }

    pub(super) fn stats(&self) -> OutboundStats {
        let state = &self.channel.state;
        state
            .dispatch
            .stats
            .outbound(&state.name, self.service, self.endpoint)
    }

    pub(super) fn span(&self) -> Span {
        tracing::debug_span!(
            target: "tchannel_rt",
            "call",
            service = self.service,
            endpoint = self.endpoint,
            peer = Empty,
            attempts = Empty,
            code = Empty,
        )
    }

    /// Sends `body` as JSON and waits for the answer; see [`Response::decode`].
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send); a body that can not be encoded is a `bad request` that was not sent.
    pub fn json<T: Serialize + ?Sized>(
        self,
        body: &T,
    ) -> impl Future<Output = Result<Response, CallError>> + Send + use<'a, T> {
        let arg2 = json::encode_headers(&self.application_headers);
        self.send_encoded("json", Ok(arg2), json::encode(body))
    }

    /// Sends `body` as MessagePack with named fields and waits for the answer; see [`Response::decode`].
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send); a body that can not be encoded is a `bad request` that was not sent.
    pub fn msgpack<T: Serialize + ?Sized>(
        self,
        body: &T,
    ) -> impl Future<Output = Result<Response, CallError>> + Send + use<'a, T> {
        let arg2 = msgpack::encode_headers(&self.application_headers);
        self.send_encoded("msgpack", Ok(arg2), msgpack::encode(body))
    }

    /// Sends a Thrift argument struct, already encoded, and waits for the result struct.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn thrift(
        self,
        arguments: impl Into<Bytes>,
    ) -> impl Future<Output = Result<Response, CallError>> + Send + 'a {
        let arg2 = thrift::encode_headers(&self.application_headers);
        self.send_encoded("thrift", arg2, Ok(arguments.into()))
    }

    /// Sends args that could be encoded.
    pub(crate) fn send_encoded(
        self,
        scheme: &'a str,
        arg2: Result<Bytes, SchemeError>,
        arg3: Result<Bytes, SchemeError>,
    ) -> impl Future<Output = Result<Response, CallError>> + Send + use<'a> {
        match arg2.and_then(|arg2| Ok((arg2, arg3?))) {
            Ok((arg2, arg3)) => Either::Left(self.arg_scheme(scheme).send(arg2, arg3)),
            Err(error) => Either::Right(ready(Err(CallError::unsendable(error)))),
        }
    }

    /// Begins a streaming call. Until its first frame has left, another peer may be tried; from then on it is not
    /// retried, and the ttl ends with the answer's first frame.
    ///
    /// # Errors
    ///
    /// [`CallError`] when no peer can be reached; nothing was sent then.
    pub async fn stream(self) -> Result<(ArgWriter, PendingResponse), CallError> {
        let begun = self.begin(&mut Body::default()).await?;
        Ok((begun.writer, begun.pending))
    }

    /// Begins a streaming call with what is at hand of `body`, and takes from it what the first frame holds.
    pub(crate) async fn begin(self, body: &mut Body) -> Result<Begun, CallError> {
        match self.all_layers() {
            None => self.begin_alone(body).await,
            Some(layers) => {
                let call = Outbound::new(&self, std::mem::take(body), true);
                let next = NextCall::new(self.channel, layers);
                let (begun, rest) = Box::pin(next.run(call)).await?.stream()?;
                *body = rest;
                Ok(begun)
            }
        }
    }

    /// The same without regard to layers.
    pub(crate) async fn begin_alone(&self, body: &mut Body) -> Result<Begun, CallError> {
        let span = self.span();
        let opened = self.open(&span, body).instrument(span.clone()).await?;
        let (call, progress, chosen) = opened;
        let call = Arc::new(call.for_as_long_as(span, self.stats(), chosen));
        Ok(Begun {
            writer: ArgWriter::of_request(call.clone()),
            pending: PendingResponse::new(call),
            progress,
        })
    }

    async fn open(
        &self,
        span: &Span,
        body: &mut Body,
    ) -> Result<(InFlight, Progress, Chosen), CallError> {
        let started = clock::now();
        let (inherited, tracing) = CallContext::inherited();
        let deadline = self.deadline(started, inherited);
        self.channel.state.retry_budget.on_call(started);
        let mut tried: Vec<ByteString> = Vec::new();
        let mut attempts = 0;
        loop {
            attempts += 1;
            let now = clock::now();
            let time = Time { now, deadline };
            // Where it fails, nothing has left, and `body` is as it was.
            let error = match self
                .attempt_open(attempts, &tried, time, tracing, body)
                .await
            {
                Ok(opened) => {
                    span.record("peer", &**opened.2.peer().host_port());
                    return Ok(opened);
                }
                Err(error) => error,
            };
            tried.extend(error.peer().map(ByteString::from));
            if !self.goes_on(&error, attempts, deadline).await {
                let error = error.finished(self.target(), attempts, clock::since(started));
                note_failure(span, &error);
                return Err(error);
            }
        }
    }

    async fn attempt_open(
        &self,
        attempt: u32,
        tried: &[ByteString],
        time: Time,
        tracing: Tracing,
        body: &mut Body,
    ) -> Result<(InFlight, Progress, Chosen), CallError> {
        let chosen = self.choose(tried, time)?;
        let may_turn = || self.goes_on_unsent(attempt) && chosen.has_another(tried);
        let opened = match self.connect(&chosen, time, may_turn).await {
            Ok((conn, time)) => self.start(conn, time, tracing, Awaits::Stream, |_, core, head| {
                core.proto.call(time.now, head, body)
            }),
            Err(error) => Err(error),
        };
        match opened {
            Ok((call, progress)) => Ok((call, progress, chosen)),
            Err(error) => {
                let error = error.at_peer(chosen.peer().host_port());
                chosen.failed(error.code());
                Err(error)
            }
        }
    }

    pub(super) fn choose(&self, tried: &[ByteString], time: Time) -> Result<Chosen, CallError> {
        let state = &self.channel.state;
        if let Some(host_port) = self.peer {
            return Ok(Chosen::Named(state.dispatch.peers.get(host_port)));
        }
        let peers = self
            .via
            .cloned()
            .unwrap_or_else(|| state.peers_of(self.service));
        peers.choose(time.now, time.left(), tried).ok_or_else(|| {
            let text = format!(
                "no peer for {:?}: name one with .peer(..), add some with channel.peers(..), or routers with channel.routers(..)",
                self.service
            );
            CallError::new(ErrorCode::Declined, Acted::No, text).finished(self.target(), 1, Duration::ZERO)
        })
    }

    /// A connection to the chosen peer, and the time by then. Where the call `may_turn` to another, time is left
    /// for that.
    pub(super) async fn connect(
        &self,
        chosen: &Chosen,
        time: Time,
        may_turn: impl FnOnce() -> bool,
    ) -> Result<(Conn, Time), CallError> {
        if let Some(conn) = chosen.peer().usable() {
            return Ok((conn, time));
        }
        // Boxed, for it is seldom needed and large.
        let conn = Box::pin(self.dial(chosen, time.deadline, may_turn())).await?;
        let now = clock::now();
        Ok((conn, Time { now, ..time }))
    }

    async fn dial(
        &self,
        chosen: &Chosen,
        deadline: Instant,
        may_turn: bool,
    ) -> Result<Conn, CallError> {
        let left = deadline.saturating_duration_since(clock::now());
        let limit = if may_turn { patience(left) } else { left };
        let connected = tokio::time::timeout(limit, chosen.peer().connection()).await;
        connected.unwrap_or_else(|_| {
            Err(if may_turn {
                let text = format!("no connection within {} ms", limit.as_millis());
                CallError::new(ErrorCode::NetworkError, Acted::No, text)
            } else {
                timed_out("the ttl passed while connecting")
            })
        })
    }

    pub(super) fn start<R>(
        &self,
        conn: Conn,
        time: Time,
        tracing: Tracing,
        reader: Awaits,
        call: impl FnOnce(&Conn, &mut Core, &CallHead<'_>) -> Result<(OutboundKey, R), CallRefused>,
    ) -> Result<(InFlight, R), CallError> {
        let ttl = Ttl::from_duration(time.left())
            .ok_or_else(|| timed_out("less than 1 ms of the ttl is left"))?;
        let head = CallHead {
            service: self.service,
            arg1: self.endpoint.as_bytes(),
            ttl,
            tracing,
            headers: self.send_headers(),
            checksum_type: self.checksum_type,
            streaming: matches!(reader, Awaits::Stream),
        };
        InFlight::start(conn, reader, |conn, core| call(conn, core, &head))
    }

    fn send_headers(&self) -> SendHeaders<'_> {
        let seldom = self.seldom();
        SendHeaders {
            arg_scheme: self.arg_scheme,
            caller_name: Some(seldom.caller_name.unwrap_or(&self.channel.state.name)),
            retry_flags: Some(RetryFlags::from(self.retry.on).as_str()),
            shard_key: self.shard_key,
            routing_delegate: seldom.routing_delegate,
            failure_domain: seldom.failure_domain,
            other: &seldom.other_headers,
            ..SendHeaders::default()
        }
    }

    pub(super) fn deadline(&self, now: Instant, inherited: Option<Instant>) -> Instant {
        match (self.ttl, inherited) {
            (Some(ttl), Some(deadline)) => deadline.min(now + ttl),
            (Some(ttl), None) => now + ttl,
            (None, Some(deadline)) => deadline,
            (None, None) => now + self.channel.state.dialer.config.default_ttl,
        }
    }

    pub(super) fn target(&self) -> String {
        format!("{}::{}", self.service, self.endpoint)
    }
}

pub(super) fn note_answer(span: &Span, response: &Response) {
    span.record("peer", &*response.peer);
    span.record("attempts", response.attempts);
    let code = if response.is_ok() {
        "ok"
    } else {
        "application-error"
    };
    span.record("code", code);
}

pub(super) fn note_failure(span: &Span, error: &CallError) {
    span.record("peer", error.peer());
    span.record("attempts", error.attempts());
    span.record("code", error.code().name());
}

fn timed_out(text: &str) -> CallError {
    CallError::new(ErrorCode::Timeout, Acted::No, text)
}
