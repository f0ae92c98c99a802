//! A unary call on its way.
//!
//! Most calls are answered over a connection that is there, in one frame each way. For these the first attempt is
//! made where the future is polled, with no other future inside: futures within futures are moved as often as they
//! are deep, and there are as many as calls in flight. Whatever takes longer goes on in a box.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use bytestring::ByteString;
use futures::future::BoxFuture;
use tchannel_proto::{Body, CallHead, CallRefused, OutboundKey, Progress, Tracing};
use tracing::{Instrument, Span};

use super::in_flight::{Awaits, InFlight};
use super::outbound::{Time, note_answer, note_failure};
use super::{Call, Response};
use crate::clock;
use crate::connection::{Conn, Core, Turn, is_large};
use crate::context::CallContext;
use crate::error::CallError;
use crate::layer::{NextCall, Outbound};
use crate::peer::Chosen;
use crate::stats::{End, OutboundStats, Stopwatch};

/// The future of a unary call.
pub(crate) struct Sending<'a> {
    /// There until the call goes on in a box, as are `body` and `trip`.
    call: Option<Call<'a>>,
    body: Body,
    /// There since the call began.
    trip: Option<Trip>,
    stage: Stage<'a>,
}

enum Stage<'a> {
    Begin { with_layers: bool },
    First(Attempt),
    Further(BoxFuture<'a, Outcome>),
    Over,
}

type Outcome = Result<Response, CallError>;

/// One call, however often it is tried.
struct Trip {
    started: Instant,
    deadline: Instant,
    tracing: Tracing,
    span: Span,
    stats: OutboundStats,
    attempts: u32,
    tried: Vec<ByteString>,
}

/// One try of it, sent and not yet answered.
struct Attempt {
    call: InFlight,
    chosen: Chosen,
    since: Stopwatch,
}

impl<'a> Sending<'a> {
    pub(super) fn new(call: Call<'a>, body: Body) -> Self {
        Self {
            call: Some(call),
            body,
            trip: None,
            stage: Stage::Begin { with_layers: true },
        }
    }

    /// Without regard to layers.
    pub(crate) fn alone(call: Call<'a>, body: Body) -> Self {
        Self {
            stage: Stage::Begin { with_layers: false },
            ..Self::new(call, body)
        }
    }

    fn begin(&mut self, with_layers: bool, cx: &Context<'_>) {
        let call = self.call.as_ref().expect("a call begins once");
        if with_layers && let Some(layers) = call.all_layers() {
            let outbound = Outbound::new(call, std::mem::take(&mut self.body), false);
            let next = NextCall::new(call.channel.clone(), layers);
            self.stage = Stage::Further(Box::pin(async { next.run(outbound).await?.whole() }));
            return;
        }
        let trip = self.trip.insert(Trip::begin(call, &self.body));
        let span = trip.span.clone();
        let _entered = span.enter();
        self.try_first(cx);
    }

    fn try_first(&mut self, cx: &Context<'_>) {
        let (Some(call), Some(trip)) = (&self.call, &self.trip) else {
            unreachable!("a call is tried once it has begun");
        };
        let time = trip.time(trip.started);
        let chosen = match call.choose(&trip.tried, time) {
            Ok(chosen) => chosen,
            Err(error) => return self.try_on(error),
        };
        let Some(conn) = chosen.peer().usable() else {
            return self.further(|call, trip, body| call.try_all(trip, body, chosen));
        };
        let mut turn = None;
        let mut must_wait = conn.is_full();
        if is_large(self.body.len()) {
            turn = conn.try_turn();
            must_wait |= turn.is_none();
        }
        if must_wait {
            drop(turn);
            return self.further(|call, trip, body| call.try_all(trip, body, chosen));
        }
        let since = Stopwatch::start();
        let reader = Awaits::Whole(Some(cx.waker().clone()));
        let body = &self.body;
        match call.start(conn, time, trip.tracing, reader, |conn, core, head| {
            begin_whole(conn, core, time.now, head, body, turn.as_mut())
        }) {
            Err(error) => {
                let error = trip.attempt_failed(chosen, since, error);
                self.try_on(error);
            }
            Ok((in_flight, rest)) => {
                let attempt = Attempt {
                    call: in_flight,
                    chosen,
                    since,
                };
                if let Some(rest) = rest {
                    return self.further(|call, trip, body| {
                        call.try_whole(trip, body, attempt, rest, turn)
                    });
                }
                self.stage = Stage::First(attempt);
            }
        }
    }

    fn poll_first(&mut self, cx: &mut Context<'_>) -> Poll<Outcome> {
        let (Some(trip), Stage::First(attempt)) = (&self.trip, &mut self.stage) else {
            unreachable!("only the first attempt is polled here");
        };
        let peer = attempt.chosen.peer().host_port();
        let mut polled = attempt.call.poll_collected(trip.started, peer, cx);
        if let Poll::Ready(Ok(response)) = &mut polled {
            let _entered = trip.span.enter();
            trip.attempt_answered(&mut attempt.chosen, attempt.since, response);
            trip.answered(1, response);
            self.stage = Stage::Over;
        }
        if let Poll::Ready(Err(error)) = polled {
            self.go_on(error);
            polled = self.poll_further(cx);
        }
        polled
    }

    fn poll_further(&mut self, cx: &mut Context<'_>) -> Poll<Outcome> {
        match &mut self.stage {
            Stage::Further(further) => further.as_mut().poll(cx),
            _ => panic!("a call was polled after it had ended"),
        }
    }

    /// After a first attempt that has failed.
    fn go_on(&mut self, error: CallError) {
        let first = std::mem::replace(&mut self.stage, Stage::Over);
        if let (Some(trip), Stage::First(attempt)) = (&self.trip, first) {
            let error = trip.attempt_failed(attempt.chosen, attempt.since, error);
            self.try_on(error);
        }
    }

    fn try_on(&mut self, error: CallError) {
        self.further(|call, trip, body| call.try_on(trip, body, Err(error)));
    }

    fn further<F>(&mut self, go_on: impl FnOnce(Call<'a>, Trip, Body) -> F)
    where
        F: Future<Output = Outcome> + Send + 'a,
    {
        let (Some(call), Some(trip)) = (self.call.take(), self.trip.take()) else {
            unreachable!("a call goes on once");
        };
        let body = std::mem::take(&mut self.body);
        let span = trip.span.clone();
        self.stage = Stage::Further(Box::pin(go_on(call, trip, body).instrument(span)));
    }
}

impl Future for Sending<'_> {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        let this = &mut *self;
        if let Stage::Begin { with_layers } = this.stage {
            this.begin(with_layers, cx);
            // The answer's waker went along with the call.
            if matches!(this.stage, Stage::First(_)) {
                return Poll::Pending;
            }
        }
        match this.stage {
            Stage::First(_) => this.poll_first(cx),
            _ => this.poll_further(cx),
        }
    }
}

impl Trip {
    fn begin(call: &Call<'_>, body: &Body) -> Self {
        let started = clock::now();
        let (inherited, tracing) = CallContext::inherited();
        call.channel.state.retry_budget.on_call(started);
        let stats = call.stats();
        stats.on_sent(body.len() as u64);
        Self {
            started,
            deadline: call.deadline(started, inherited),
            tracing,
            span: call.span(),
            stats,
            attempts: 0,
            tried: Vec::new(),
        }
    }

    fn time(&self, now: Instant) -> Time {
        Time {
            now,
            deadline: self.deadline,
        }
    }

    fn attempt_ended(&self, mut chosen: Chosen, since: Stopwatch, outcome: Outcome) -> Outcome {
        match outcome {
            Ok(response) => {
                self.attempt_answered(&mut chosen, since, &response);
                Ok(response)
            }
            Err(error) => Err(self.attempt_failed(chosen, since, error)),
        }
    }

    fn attempt_answered(&self, chosen: &mut Chosen, since: Stopwatch, response: &Response) {
        chosen.answered_at(self.started + response.elapsed);
        self.stats
            .on_attempt_end(since.elapsed(), End::of_answer(response.is_ok()));
        self.stats
            .on_response_bytes((response.arg2.len() + response.arg3.len()) as u64);
    }

    fn attempt_failed(&self, chosen: Chosen, since: Stopwatch, error: CallError) -> CallError {
        let error = error.at_peer(chosen.peer().host_port());
        chosen.failed(error.code());
        self.stats.on_attempt_end(since.elapsed(), error.end());
        error
    }

    fn answered(&self, attempts: u32, response: &mut Response) {
        response.attempts = attempts;
        self.stats
            .on_end(response.elapsed, End::of_answer(response.is_ok()));
        note_answer(&self.span, response);
    }

    fn failed(&self, call: &Call<'_>, error: CallError) -> CallError {
        let elapsed = clock::since(self.started);
        self.stats.on_end(elapsed, error.end());
        let error = error.finished(call.target(), self.attempts, elapsed);
        note_failure(&self.span, &error);
        error
    }
}

impl Call<'_> {
    /// The first attempt to a peer that has to be dialled, and what comes after it.
    async fn try_all(self, trip: Trip, body: Body, chosen: Chosen) -> Outcome {
        let outcome = self.attempt(&trip, &body, chosen, trip.started).await;
        self.try_on(trip, body, outcome).await
    }

    /// The first attempt of which `rest` has still to be sent, and what comes after it.
    async fn try_whole(
        self,
        trip: Trip,
        body: Body,
        attempt: Attempt,
        rest: Body,
        turn: Option<Turn>,
    ) -> Outcome {
        attempt.call.send_rest(rest, turn).await;
        let peer = attempt.chosen.peer().host_port();
        let outcome = attempt.call.collected(trip.started, peer).await;
        let outcome = trip.attempt_ended(attempt.chosen, attempt.since, outcome);
        self.try_on(trip, body, outcome).await
    }

    /// Tries again until there is an answer, or no sense in going on.
    async fn try_on(self, mut trip: Trip, body: Body, first: Outcome) -> Outcome {
        let mut outcome = first;
        loop {
            trip.attempts += 1;
            let error = match outcome {
                Ok(mut response) => {
                    trip.answered(trip.attempts, &mut response);
                    return Ok(response);
                }
                Err(error) => error,
            };
            trip.tried.extend(error.peer().map(ByteString::from));
            if !self.goes_on(&error, trip.attempts, trip.deadline).await {
                return Err(trip.failed(&self, error));
            }
            trip.stats.on_retry(trip.attempts);
            // Another try of the same call: its own span within the same trace.
            trip.tracing.span_id = fastrand::u64(1..);
            let now = clock::now();
            outcome = match self.choose(&trip.tried, trip.time(now)) {
                Ok(chosen) => self.attempt(&trip, &body, chosen, now).await,
                Err(error) => Err(error),
            };
        }
    }

    async fn attempt(&self, trip: &Trip, body: &Body, chosen: Chosen, now: Instant) -> Outcome {
        let since = Stopwatch::start();
        let outcome = self.exchange(trip, body, &chosen, now).await;
        trip.attempt_ended(chosen, since, outcome)
    }

    async fn exchange(&self, trip: &Trip, body: &Body, chosen: &Chosen, now: Instant) -> Outcome {
        let goes_on = || self.goes_on_unsent(trip.attempts + 1);
        let may_turn = || goes_on() && chosen.has_another(&trip.tried);
        let (conn, time) = self.connect(chosen, trip.time(now), may_turn).await?;
        let (mut turn, time) = wait_for_turn(&conn, body, time).await;
        let reader = Awaits::Whole(None);
        let (call, rest) = self.start(conn, time, trip.tracing, reader, |conn, core, head| {
            begin_whole(conn, core, time.now, head, body, turn.as_mut())
        })?;
        match rest {
            Some(rest) => call.send_rest(rest, turn).await,
            None => drop(turn),
        }
        call.collected(trip.started, chosen.peer().host_port())
            .await
    }
}

/// Queues the first frame of a call, and of one whose turn it is what leaves with that. Also gives what is left.
fn begin_whole(
    conn: &Conn,
    core: &mut Core,
    now: Instant,
    head: &CallHead<'_>,
    body: &Body,
    turn: Option<&mut Turn>,
) -> Result<(OutboundKey, Option<Body>), CallRefused> {
    let call = core.proto.call_whole(now, head, body);
    let Some(turn) = turn else {
        return call;
    };
    let (key, mut rest) = call?;
    if let Some(body) = &mut rest
        && conn.begin_whole(core, turn, |core| core.proto.send(key, body)) == Ok(Progress::Done)
    {
        rest = None;
    }
    Ok((key, rest))
}

/// Waits for the turn of a call with a large body, or for room, until its deadline, and gives the time then.
async fn wait_for_turn(conn: &Conn, body: &Body, time: Time) -> (Option<Turn>, Time) {
    let is_large = is_large(body.len());
    if !is_large && !conn.is_full() {
        return (None, time);
    }
    let turn = async {
        if is_large {
            return Some(conn.turn().await);
        }
        conn.wait_for_room().await;
        None
    };
    let turn = tokio::time::timeout_at(time.deadline.into(), turn).await;
    let now = clock::now();
    (turn.ok().flatten(), Time { now, ..time })
}
