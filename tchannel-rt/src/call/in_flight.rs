//! One call on one connection, from its first frame to its end. Dropping it cancels the call.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytestring::ByteString;
use tchannel_proto::{Body, CallRefused, ErrorCode, Failure, OutboundKey};
use tracing::Span;

use super::Response;
use crate::clock;
use crate::connection::{Conn, Core, Exchange, ResponseInfo, Target, Turn};
use crate::error::CallError;
use crate::peer::Chosen;
use crate::stats::{End, OutboundStats, Stopwatch};

/// What a caller waits for.
type Collected = Result<Response, CallError>;

pub(crate) enum Awaits {
    /// The whole answer, and who is to be woken then.
    Whole(Option<Waker>),
    /// Its parts.
    Stream,
}

/// The end of a call; see the head of this file.
pub(crate) struct InFlight {
    conn: Conn,
    key: OutboundKey,
    exchange: usize,
    /// The answer was taken, and `exchange` is no longer this call's.
    is_collected: bool,
    stream: Option<Box<StreamWatch>>,
}

/// What a streaming call is seen by until it ends; whole calls are watched by whoever awaits them.
struct StreamWatch {
    span: Span,
    stats: OutboundStats,
    since: Stopwatch,
    /// The peer that was chosen for it, which has it in flight until it ends.
    chosen: Option<Chosen>,
}

impl InFlight {
    /// Has `call` queue the beginning of a call, and sends it. Also gives what that says of the rest.
    pub(crate) fn start<R>(
        conn: Conn,
        reader: Awaits,
        call: impl FnOnce(&Conn, &mut Core) -> Result<(OutboundKey, R), CallRefused>,
    ) -> Result<(Self, R), CallError> {
        let mut core = conn.core();
        let (key, rest) =
            call(&conn, &mut core).map_err(|refusal| CallError::from_refusal(&refusal))?;
        let exchange = core.exchanges.insert(match reader {
            Awaits::Whole(waker) => Exchange::collecting(waker),
            Awaits::Stream => Exchange::default(),
        });
        core.set_target(key, Target::Exchange(exchange));
        core.gathered += 1;
        conn.flush_soon(core);
        let call = Self {
            conn,
            key,
            exchange,
            is_collected: false,
            stream: None,
        };
        Ok((call, rest))
    }

    /// Ties `span`, `stats` and `chosen` to this call, which is a stream.
    pub(crate) fn for_as_long_as(
        mut self,
        span: Span,
        stats: OutboundStats,
        chosen: Chosen,
    ) -> Self {
        stats.on_sent(0);
        self.stream = Some(Box::new(StreamWatch {
            span,
            stats,
            since: Stopwatch::start(),
            chosen: Some(chosen),
        }));
        self
    }

    pub(crate) fn on_request_bytes(&self, bytes: usize) {
        if let Some(stream) = &self.stream {
            stream.stats.on_request_bytes(bytes as u64);
        }
    }

    pub(crate) fn conn(&self) -> &Conn {
        &self.conn
    }

    pub(crate) fn key(&self) -> OutboundKey {
        self.key
    }

    /// Sends the rest of a whole request, as fast as the peer takes it; returns early once the call is over.
    pub(crate) async fn send_rest(&self, mut body: Body, turn: Option<Turn>) {
        let send = |core: &mut Core| core.proto.send(self.key, &mut body);
        tokio::select! {
            biased;
            () = std::future::poll_fn(|cx| self.poll_over(cx)) => {}
            _ = self.conn.send_whole(turn, send) => {}
        }
    }

    /// The whole answer of `peer` to a call that began at `started`.
    pub(super) async fn collected(mut self, started: Instant, peer: &ByteString) -> Collected {
        std::future::poll_fn(|cx| self.poll_collected(started, peer, cx)).await
    }

    /// The same, once. It is made where it stays: what is moved from hand to hand is copied each time.
    pub(super) fn poll_collected(
        &mut self,
        started: Instant,
        peer: &ByteString,
        cx: &Context<'_>,
    ) -> Poll<Collected> {
        let mut core = self.conn.core();
        let exchange = self.exchange_in(&mut core);
        if !exchange.end && exchange.failure.is_none() {
            return wait(exchange, cx);
        }
        let mut exchange = core.exchanges.remove(self.exchange);
        let read_at = core.read_at;
        drop(core);
        self.is_collected = true;
        if let Some(failure) = &exchange.failure {
            return Poll::Ready(Err(CallError::from_failure(failure)));
        }
        let info = exchange
            .info
            .take()
            .expect("an answer ends after it has begun");
        let (arg2, arg3) = exchange.collect();
        Poll::Ready(Ok(Response {
            code: info.code,
            headers: info.headers,
            arg2,
            arg3,
            tracing: info.tracing,
            peer: peer.clone(),
            attempts: 1,
            elapsed: read_at.saturating_duration_since(started),
        }))
    }

    /// Cancels a call whose request will never be whole.
    pub(crate) fn abandon(&self, why: &str) {
        let mut core = self.conn.core();
        let exchange = self.exchange_in(&mut core);
        if exchange.end || exchange.failure.is_some() {
            return;
        }
        exchange.fail(Failure::Cancelled { why: why.into() });
        core.take_target(self.key);
        core.proto.cancel(clock::now(), self.key, why);
        self.conn.flush_soon(core);
    }

    fn poll_over(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut core = self.conn.core();
        let exchange = self.exchange_in(&mut core);
        if exchange.end || exchange.failure.is_some() {
            Poll::Ready(())
        } else {
            wait(exchange, cx)
        }
    }

    fn exchange_in<'a>(&self, core: &'a mut Core) -> &'a mut Exchange {
        &mut core.exchanges[self.exchange]
    }
}

/// The reader's half of a streaming call. Once it is dropped, what still comes is not kept.
pub(crate) struct Answer(Arc<InFlight>);

impl Answer {
    pub(crate) fn of(call: Arc<InFlight>) -> Self {
        Self(call)
    }

    pub(crate) fn conn(&self) -> &Conn {
        &self.0.conn
    }

    /// Waits for the first frame.
    pub(crate) async fn begun(&self) -> Result<ResponseInfo, CallError> {
        std::future::poll_fn(|cx| {
            let mut core = self.0.conn.core();
            let exchange = self.0.exchange_in(&mut core);
            match (&exchange.info, &exchange.failure) {
                (Some(info), _) => Poll::Ready(Ok(info.clone())),
                (None, Some(failure)) => Poll::Ready(Err(CallError::from_failure(failure))),
                (None, None) => wait(exchange, cx),
            }
        })
        .await
    }

    /// The next part; `None` once it is complete.
    pub(crate) fn poll_body(&self, cx: &Context<'_>) -> Poll<Option<Result<Body, CallError>>> {
        let mut core = self.0.conn.core();
        let body = poll_body(&self.0.conn, &mut core, self.0.exchange, cx);
        if let (Poll::Ready(Some(Ok(body))), Some(stream)) = (&body, &self.0.stream) {
            stream.stats.on_response_bytes(body.len() as u64);
        }
        body
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        let mut core = self.0.conn.core();
        let rest = self.0.exchange_in(&mut core).forget();
        self.0.conn.note_read(&mut core, rest);
    }
}

/// Remembers whom to wake.
pub(crate) fn wait<T>(exchange: &mut Exchange, cx: &Context<'_>) -> Poll<T> {
    match &mut exchange.waker {
        Some(waker) => waker.clone_from(cx.waker()),
        none => *none = Some(cx.waker().clone()),
    }
    Poll::Pending
}

/// The next part of a streamed message; `None` once it is complete.
pub(crate) fn poll_body(
    conn: &Conn,
    core: &mut Core,
    exchange: usize,
    cx: &Context<'_>,
) -> Poll<Option<Result<Body, CallError>>> {
    let entry = &mut core.exchanges[exchange];
    if let Some(body) = entry.pop() {
        conn.note_read(core, body.len());
        return Poll::Ready(Some(Ok(body)));
    }
    match &entry.failure {
        Some(failure) => Poll::Ready(Some(Err(CallError::from_failure(failure)))),
        None if entry.end => Poll::Ready(None),
        None => wait(entry, cx),
    }
}

impl StreamWatch {
    fn end(&mut self, exchange: &Exchange) {
        // How long a stream goes on says nothing about its peer; that its answer never began does.
        if let (Some(chosen), None, Some(failure)) =
            (self.chosen.take(), &exchange.info, &exchange.failure)
        {
            chosen.failed(CallError::from_failure(failure).code());
        }

        let (end, code) = match (&exchange.info, &exchange.failure) {
            (_, Some(failure)) => (
                End::of(failure),
                CallError::from_failure(failure).code().name(),
            ),
            (Some(info), None) if exchange.end && info.code.is_ok() => (End::Success, "ok"),
            (Some(_), None) if exchange.end => (End::AppError, "application-error"),
            _ => (
                End::OperationalError(ErrorCode::Cancelled),
                ErrorCode::Cancelled.name(),
            ),
        };
        self.span.record("code", code);
        let elapsed = self.since.elapsed();
        self.stats.on_attempt_end(elapsed, end);
        self.stats.on_end(elapsed, end);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.is_collected {
            return;
        }
        let mut core = self.conn.core();
        let exchange = core.remove_exchange(self.exchange);
        if let Some(stream) = &mut self.stream {
            stream.end(&exchange);
        }
        self.conn.note_read(
            &mut core,
            if exchange.collects {
                0
            } else {
                exchange.buffered()
            },
        );
        if !exchange.end && exchange.failure.is_none() {
            core.take_target(self.key);
            core.proto
                .cancel(clock::now(), self.key, "the caller no longer waits");
            self.conn.flush_soon(core);
        }
    }
}
