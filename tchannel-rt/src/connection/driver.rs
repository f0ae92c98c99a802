//! The task behind a connection: socket to [`tchannel_proto::Connection`] and back.
//!
//! One read brings many frames. They are handled in two steps: under the lock, frames become settled calls
//! and a list of work; without it, handlers start and relayed frames go to other connections. One write at
//! the end carries whatever came of it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use tchannel_proto::{
    Body, Decoder, ErrorCode, Event, Failure, Frame, FrameType, InboundCall, InboundKey,
    OutboundKey, ProtocolError, Response,
};
use tokio::io::AsyncReadExt;
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::oneshot;
use tokio::time::Sleep;

use super::served::{RelayLink, RelayTicket, Served, Target};
use super::{Conn, Core, Exchange, ResponseInfo};
use crate::dispatch::Dispatch;
use crate::handler::Endpoint;
use crate::peer::{Chosen, PeerList};
use crate::relay::Accepted;

/// First read buffer, in bytes; it grows to [`CHUNK_MAX`] while reads fill it.
const CHUNK_MIN: usize = 8 * 1024;
const CHUNK_MAX: usize = 256 * 1024;
/// A buffer with less room than this is replaced, or taken back if nobody holds a slice of it.
const SPARE_MIN: usize = 1024;
/// How long a source is read no further for the sake of a slow destination that others share.
const HOLD: Duration = Duration::from_millis(50);
/// The same when nobody else is held up by it; any progress ends it earlier.
const HOLD_ALONE: Duration = Duration::from_secs(60);
/// Time to say good-bye: for the last frames to leave, and for the peer to close its side.
const FAREWELL: Duration = Duration::from_secs(1);

/// A unary call whose request is still arriving.
pub(crate) struct PendingCall {
    call: InboundCall,
    endpoint: Arc<Endpoint>,
}

/// What is left to do once the lock is released.
pub(crate) enum Work {
    Ready,
    Start {
        call: InboundCall,
        endpoint: Arc<Endpoint>,
    },
    StartStream {
        call: InboundCall,
        endpoint: Arc<Endpoint>,
        exchange: usize,
    },
    RelayCall {
        key: InboundKey,
        frame: Frame,
        peers: PeerList,
        arrived: Instant,
    },
    RelayRequest {
        key: InboundKey,
        frame: Frame,
    },
    RelayCancel {
        key: InboundKey,
        why: String,
    },
    RelayResponse {
        caller: Conn,
        key: InboundKey,
        from: OutboundKey,
        frame: Frame,
        chosen: Option<Chosen>,
    },
    RelayFailed {
        ticket: RelayTicket,
        why: Failure,
    },
    RelayDropped {
        callee: Conn,
        key: OutboundKey,
    },
}

/// Starts the driver of `conn`. The receiver hears how the handshake went.
pub(crate) fn drive(
    conn: Conn,
    reader: OwnedReadHalf,
    dispatch: Arc<Dispatch>,
) -> oneshot::Receiver<Result<(), ProtocolError>> {
    let (ready, receiver) = oneshot::channel();
    let driver = Driver {
        conn,
        reader,
        dispatch,
        decoder: Decoder::new(),
        chunk: CHUNK_MIN,
        work: Vec::new(),
        touched: Vec::new(),
        ready: Some(ready),
        armed_for: None,
        hold_until: None,
        last_call: Instant::now(),
        end: None,
    };
    tokio::spawn(driver.run());
    receiver
}

pub(crate) struct Driver {
    pub(crate) conn: Conn,
    reader: OwnedReadHalf,
    pub(crate) dispatch: Arc<Dispatch>,
    decoder: Decoder,
    chunk: usize,
    work: Vec<Work>,
    /// Other connections that have frames to write after this batch.
    pub(crate) touched: Vec<Conn>,
    ready: Option<oneshot::Sender<Result<(), ProtocolError>>>,
    armed_for: Option<Instant>,
    pub(crate) hold_until: Option<Instant>,
    last_call: Instant,
    end: Option<End>,
}

/// How the connection ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// The socket is gone.
    Gone,
    /// What is queued should still leave.
    Farewell,
}

enum Wake {
    Read(std::io::Result<usize>),
    Notified,
    Writable,
    Timer,
}

impl Driver {
    async fn run(mut self) {
        let sleep = tokio::time::sleep(Duration::ZERO);
        tokio::pin!(sleep);
        self.conn.flush();
        self.arm(sleep.as_mut());
        while self.end.is_none() {
            match self.wait(sleep.as_mut()).await {
                Wake::Read(Ok(0) | Err(_)) => self.end = Some(End::Gone),
                Wake::Read(Ok(bytes)) => self.handle_read(bytes),
                Wake::Notified => self.handle_notified().await,
                Wake::Writable => {
                    self.conn.0.write_is_blocked.store(false, Ordering::Release);
                    self.conn.flush();
                    self.hold_until = None;
                }
                Wake::Timer => self.handle_timer(),
            }
            self.arm(sleep.as_mut());
        }
        self.finish().await;
    }

    async fn wait(&mut self, sleep: Pin<&mut Sleep>) -> Wake {
        let may_read = self.hold_until.is_none();
        let is_blocked = self.conn.0.write_is_blocked.load(Ordering::Acquire);
        let is_armed = self.armed_for.is_some();
        make_room(&mut self.decoder, self.chunk);
        tokio::select! {
            biased;
            read = self.reader.read_buf(self.decoder.buffer_mut()), if may_read => Wake::Read(read),
            () = self.conn.0.wake.notified() => Wake::Notified,
            _ = self.conn.0.socket.writable(), if is_blocked => Wake::Writable,
            () = sleep, if is_armed => Wake::Timer,
        }
    }

    fn handle_read(&mut self, bytes: usize) {
        if bytes >= self.chunk {
            self.chunk = (self.chunk * 2).min(CHUNK_MAX);
        }
        let now = Instant::now();
        let conn = self.conn.clone();
        let mut core = conn.core();
        if core.proto.inbound_in_flight() + core.proto.outbound_in_flight() > 0 {
            self.last_call = now;
        }
        loop {
            match self.decoder.next_frame() {
                Ok(Some(frame)) => self.handle_frame(&mut core, now, frame),
                Ok(None) => break,
                Err(error) => {
                    core.proto.handle_broken_stream(error);
                    self.settle(&mut core);
                    break;
                }
            }
        }
        self.hold_for_readers(&core, now);
        drop(core);
        self.perform(now);
        self.pass_time(now);
        self.flush_all();
        self.hold_for_a_deaf_peer(now);
    }

    /// Other tasks have queued frames, taken bytes of a stream, or want the connection closed.
    async fn handle_notified(&mut self) {
        self.hold_until = None;
        if self.conn.0.close_requested.load(Ordering::Acquire) {
            self.end = Some(End::Farewell);
            return;
        }
        if self.conn.0.write_has_failed.load(Ordering::Acquire) {
            self.end = Some(End::Gone);
            return;
        }
        // Whoever else is ready to send now gets into the same write.
        tokio::task::yield_now().await;
        let conn = self.conn.clone();
        self.settle(&mut conn.core());
        self.perform(Instant::now());
        self.flush_all();
    }

    fn handle_timer(&mut self) {
        let now = Instant::now();
        self.armed_for = None;
        if self.hold_until.is_some_and(|until| until <= now) {
            self.hold_until = None;
        }
        self.pass_time(now);
        self.close_if_idle(now);
        self.give_back_memory();
        self.flush_all();
    }

    fn pass_time(&mut self, now: Instant) {
        let conn = self.conn.clone();
        let mut core = conn.core();
        if core.proto.poll_timeout().is_none_or(|due| due > now) {
            return;
        }
        if let Err(error) = core.proto.handle_timeout(now) {
            tracing::debug!(remote = %conn.remote_addr(), %error, "giving the connection up");
        }
        self.settle(&mut core);
        drop(core);
        self.perform(now);
    }

    fn close_if_idle(&mut self, now: Instant) {
        let Some(limit) = self.dispatch.idle_close else {
            return;
        };
        let mut core = self.conn.core();
        let in_flight = core.proto.inbound_in_flight() + core.proto.outbound_in_flight();
        if in_flight > 0 {
            self.last_call = now;
        } else if now >= self.last_call + limit && core.proto.is_open() {
            core.proto.drain(now, "idle", FAREWELL);
            drop(core);
            let conn = self.conn.clone();
            self.settle(&mut conn.core());
        }
    }

    fn give_back_memory(&mut self) {
        let mut core = self.conn.core();
        if core.proto.inbound_in_flight() + core.proto.outbound_in_flight() == 0 {
            core.proto.shrink();
            if self.decoder.is_empty() && self.chunk > CHUNK_MIN {
                self.chunk = CHUNK_MIN;
                *self.decoder.buffer_mut() = BytesMut::new();
            }
        }
    }

    fn arm(&mut self, sleep: Pin<&mut Sleep>) {
        let idle = self.dispatch.idle_close.map(|limit| self.last_call + limit);
        let due = [self.conn.core().proto.poll_timeout(), self.hold_until, idle]
            .into_iter()
            .flatten()
            .min();
        // A timer that is set too early costs one look; setting it anew for each call would cost more.
        if let Some(due) = due
            && self.armed_for.is_none_or(|armed| due < armed)
        {
            self.armed_for = Some(due);
            sleep.reset(due.into());
        }
    }

    fn flush_all(&mut self) {
        self.conn.flush();
        for conn in self.touched.drain(..) {
            conn.flush();
        }
    }

    fn handle_frame(&mut self, core: &mut Core, now: Instant, frame: Frame) {
        let frame = match self.dispatch.relay() {
            Some(relay) if frame.frame_type() == Ok(FrameType::CallReq) && core.proto.is_open() => {
                match relay.accept(core, now, frame) {
                    Accepted::Local(frame) => frame,
                    Accepted::Relayed { key, frame, peers } => {
                        core.set_served(
                            key,
                            Served::Relay(RelayLink::Dialling {
                                waiting: Vec::new(),
                                bytes: 0,
                            }),
                        );
                        self.work.push(Work::RelayCall {
                            key,
                            frame,
                            peers,
                            arrived: now,
                        });
                        return;
                    }
                    Accepted::Refused => return self.settle(core),
                }
            }
            _ => frame,
        };
        if let Err(error) = core.proto.handle_frame(now, frame) {
            tracing::warn!(remote = %self.conn.remote_addr(), %error, "the peer broke the protocol");
        }
        self.settle(core);
    }

    /// Takes in what the connection has to tell, as far as that needs no code of others.
    fn settle(&mut self, core: &mut Core) {
        while let Some(event) = core.proto.poll_event() {
            match event {
                Event::Ready => self.work.push(Work::Ready),
                Event::Call(call) => self.settle_call(core, call),
                Event::CallBody { key, body } => self.settle_call_body(core, key, body),
                Event::CallEnded { key, why } => self.settle_call_ended(core, key, why),
                Event::Response(response) => self.settle_response(core, response),
                Event::ResponseBody { key, body } => self.settle_response_body(core, key, body),
                Event::Failed { key, why } => self.settle_failed(core, key, why),
                Event::RelayRequest { key, frame } => {
                    self.work.push(Work::RelayRequest { key, frame })
                }
                Event::RelayCancel { key, why } => self.work.push(Work::RelayCancel {
                    key,
                    why: why.to_string(),
                }),
                Event::RelayResponse { key, frame, last } => {
                    self.settle_relay_response(core, key, frame, last)
                }
                Event::PeerDraining { reason } => {
                    self.conn.set_usable(false);
                    tracing::debug!(remote = %self.conn.remote_addr(), %reason, "the peer is draining");
                }
                Event::Drained => self.end = self.end.or(Some(End::Farewell)),
                Event::Closed(why) => self.settle_closed(why),
                Event::UnknownFrame { frame_type } => {
                    tracing::debug!(remote = %self.conn.remote_addr(), frame_type, "ignored a frame of unknown type");
                }
                _ => {}
            }
        }
    }

    fn settle_closed(&mut self, why: tchannel_proto::Closed) {
        if let tchannel_proto::Closed::Broken(error) = why {
            if let Some(ready) = self.ready.take() {
                let _ = ready.send(Err(error));
            }
            self.end = self.end.or(Some(End::Farewell));
        }
    }

    fn settle_call(&mut self, core: &mut Core, call: InboundCall) {
        let queued = self.conn.queued(core);
        if queued > self.conn.limits().queued_max {
            let text = format!(
                "{queued} bytes of answers are queued for this connection; read them first"
            );
            let _ = core.proto.respond_error(call.key, ErrorCode::Busy, &text);
            return;
        }
        let endpoint = match self.dispatch.find(&call.service, &call.arg1) {
            Ok(endpoint) => endpoint,
            Err(refusal) => {
                let _ = core
                    .proto
                    .respond_error(call.key, ErrorCode::BadRequest, &refusal);
                return;
            }
        };
        let key = call.key;
        if endpoint.is_streaming() {
            let mut exchange = Exchange::default();
            core.unread += call.body.len();
            exchange.push(call.body.clone());
            let exchange = core.exchanges.insert(exchange);
            core.set_served(
                key,
                Served::Running {
                    task: None,
                    cancelled: None,
                    requests: Some(exchange),
                },
            );
            self.work.push(Work::StartStream {
                call,
                endpoint,
                exchange,
            });
        } else if call.body.end {
            core.set_served(
                key,
                Served::Running {
                    task: None,
                    cancelled: None,
                    requests: None,
                },
            );
            self.work.push(Work::Start { call, endpoint });
        } else {
            let mut call = call;
            let mut exchange = Exchange::collecting();
            exchange.push(std::mem::take(&mut call.body));
            let exchange = core.exchanges.insert(exchange);
            core.set_served(
                key,
                Served::Collecting {
                    exchange,
                    call: Box::new(PendingCall { call, endpoint }),
                },
            );
        }
    }

    fn settle_call_body(&mut self, core: &mut Core, key: InboundKey, body: Body) {
        let end = body.end;
        match core.served(key) {
            Served::Collecting { exchange, .. } => {
                let index = *exchange;
                let exchange = &mut core.exchanges[index];
                exchange.push(body);
                let limit = self.conn.limits().message_max;
                if exchange.buffered() > limit {
                    core.exchanges.remove(index);
                    core.take_served(key);
                    let text = format!(
                        "request is larger than {limit} bytes, the most this endpoint collects"
                    );
                    let _ = core.proto.respond_error(key, ErrorCode::BadRequest, &text);
                } else if end {
                    self.start_collected(core, key);
                }
            }
            Served::Running {
                requests: Some(exchange),
                ..
            } => {
                let index = *exchange;
                let exchange = &mut core.exchanges[index];
                core.unread += body.len();
                exchange.push(body);
                exchange.wake();
                if exchange.buffered() > self.conn.limits().queued_max {
                    self.fail_slow_reader(core, key);
                }
            }
            _ => {}
        }
    }

    fn start_collected(&mut self, core: &mut Core, key: InboundKey) {
        let Served::Collecting { exchange, call } = core.take_served(key) else {
            return;
        };
        let (arg2, arg3) = core.exchanges.remove(exchange).collect();
        let PendingCall { mut call, endpoint } = *call;
        call.body = Body::whole(arg2, arg3);
        core.set_served(
            key,
            Served::Running {
                task: None,
                cancelled: None,
                requests: None,
            },
        );
        self.work.push(Work::Start { call, endpoint });
    }

    fn fail_slow_reader(&mut self, core: &mut Core, key: InboundKey) {
        let limit = self.conn.limits().queued_max;
        let text = format!("the handler left {limit} bytes of its request unread");
        let _ = core.proto.respond_error(key, ErrorCode::Busy, &text);
        self.settle_call_ended(core, key, Failure::Cancelled { why: text.into() });
    }

    fn settle_call_ended(&mut self, core: &mut Core, key: InboundKey, why: Failure) {
        match core.take_served(key) {
            Served::Nobody => {}
            Served::Collecting { exchange, .. } => {
                core.exchanges.remove(exchange);
            }
            Served::Running {
                task,
                cancelled,
                requests,
            } => {
                if let Some(exchange) = requests.and_then(|index| core.exchanges.get_mut(index)) {
                    exchange.failure = Some(why);
                    exchange.wake();
                }
                if let Some(cancelled) = cancelled {
                    cancelled.cancel();
                }
                if let Some(task) = task {
                    task.abort();
                }
            }
            Served::Relay(RelayLink::Open { callee, key }) => {
                self.work.push(Work::RelayDropped { callee, key })
            }
            Served::Relay(RelayLink::Dialling { .. }) => {}
        }
    }

    fn settle_response(&mut self, core: &mut Core, response: Response) {
        let Response {
            key,
            code,
            tracing,
            headers,
            body,
            ..
        } = response;
        if let Target::Exchange(index) = *core.target(key) {
            core.exchanges[index].info = Some(ResponseInfo {
                code,
                headers,
                tracing,
            });
            self.settle_response_body(core, key, body);
        }
    }

    fn settle_response_body(&mut self, core: &mut Core, key: OutboundKey, body: Body) {
        let Target::Exchange(index) = *core.target(key) else {
            return;
        };
        let exchange = &mut core.exchanges[index];
        let end = body.end;
        let collects = exchange.collects;
        if !collects {
            core.unread += body.len();
        }
        exchange.push(body);
        if end {
            core.take_target(key);
        }
        let limits = self.conn.limits();
        let limit = if collects {
            limits.message_max
        } else {
            limits.queued_max
        };
        let exchange = &mut core.exchanges[index];
        if exchange.buffered() > limit {
            let why = format!("the response holds more than {limit} bytes");
            exchange.failure = Some(Failure::Refused {
                code: ErrorCode::Cancelled,
                message: why.as_str().into(),
                tracing: tchannel_proto::Tracing::default(),
            });
            exchange.wake();
            core.take_target(key);
            core.proto.cancel(Instant::now(), key, &why);
        } else if end || !collects {
            exchange.wake();
        }
    }

    fn settle_failed(&mut self, core: &mut Core, key: OutboundKey, why: Failure) {
        match core.take_target(key) {
            Target::Nobody => {}
            Target::Exchange(index) => {
                let exchange = &mut core.exchanges[index];
                exchange.failure = Some(why);
                exchange.wake();
            }
            Target::Relay(ticket) => self.work.push(Work::RelayFailed { ticket, why }),
        }
    }

    fn settle_relay_response(
        &mut self,
        core: &mut Core,
        from: OutboundKey,
        frame: Frame,
        last: bool,
    ) {
        if last {
            if let Target::Relay(RelayTicket {
                caller,
                key,
                chosen,
            }) = core.take_target(from)
            {
                self.work.push(Work::RelayResponse {
                    caller,
                    key,
                    from,
                    frame,
                    chosen: Some(chosen),
                });
            }
        } else if let Target::Relay(RelayTicket { caller, key, .. }) = core.target(from) {
            self.work.push(Work::RelayResponse {
                caller: caller.clone(),
                key: *key,
                from,
                frame,
                chosen: None,
            });
        }
    }

    /// Streams that are not read: read no further from the peer until they are, or for a moment when others
    /// wait behind them.
    fn hold_for_readers(&mut self, core: &Core, now: Instant) {
        if core.unread >= self.conn.limits().queued_soft {
            let in_flight = core.proto.inbound_in_flight() + core.proto.outbound_in_flight();
            self.hold_until = Some(now + if in_flight > 1 { HOLD } else { HOLD_ALONE });
        }
    }

    /// A peer that sends but does not read: take in less, and in the end nothing.
    ///
    /// Not reading at all would leave two ends that both wait for the other to read.
    fn hold_for_a_deaf_peer(&mut self, now: Instant) {
        let limits = self.conn.limits();
        let queued = self.conn.queued(&self.conn.core());
        if queued > 2 * limits.queued_max {
            tracing::warn!(remote = %self.conn.remote_addr(), queued, "closing: the peer does not read its answers");
            self.end = Some(End::Gone);
        } else if queued > limits.queued_soft {
            self.hold(now);
        }
    }

    pub(crate) fn hold(&mut self, now: Instant) {
        self.hold_until = Some(now + HOLD);
    }

    /// Does what needs other code or other connections, in the order of the wire.
    fn perform(&mut self, now: Instant) {
        if self.work.is_empty() {
            return;
        }
        self.last_call = now;
        let mut work = std::mem::take(&mut self.work);
        for item in work.drain(..) {
            match item {
                Work::Ready => self.report_ready(),
                Work::Start { call, endpoint } => self.conn.start_unary(call, &endpoint),
                Work::StartStream {
                    call,
                    endpoint,
                    exchange,
                } => self.conn.start_stream(call, &endpoint, exchange),
                Work::RelayCall {
                    key,
                    frame,
                    peers,
                    arrived,
                } => self.relay_call(key, frame, peers, arrived),
                Work::RelayRequest { key, frame } => self.relay_request(key, frame, now),
                Work::RelayCancel { key, why } => self.relay_cancel(key, &why),
                Work::RelayResponse {
                    caller,
                    key,
                    from,
                    frame,
                    chosen,
                } => self.relay_response(caller, key, from, frame, chosen, now),
                Work::RelayFailed { ticket, why } => self.relay_failed(ticket, &why),
                Work::RelayDropped { callee, key } => self.relay_dropped(callee, key, now),
            }
        }
        self.work = work;
    }

    fn report_ready(&mut self) {
        let is_draining = self.conn.core().proto.is_draining();
        self.conn.set_usable(!is_draining);
        self.dispatch.opened(&self.conn);
        if let Some(ready) = self.ready.take() {
            let _ = ready.send(Ok(()));
        }
    }

    async fn finish(mut self) {
        let end = self.end.unwrap_or(End::Gone);
        self.conn.set_usable(false);
        self.flush_all();
        if end == End::Farewell {
            let _ = tokio::time::timeout(FAREWELL, self.write_rest()).await;
        }
        let written = self.conn.0.written.load(Ordering::Relaxed);
        let conn = self.conn.clone();
        conn.core().proto.handle_disconnect(written);
        self.settle(&mut conn.core());
        self.perform(Instant::now());
        self.flush_all();
        self.dispatch.closed(&self.conn);
        self.release_everybody();
        self.conn.core().forget_calls();
        if end == End::Farewell {
            let _ = tokio::time::timeout(FAREWELL, self.part()).await;
        }
    }

    async fn write_rest(&mut self) {
        while self.conn.0.write_is_blocked.swap(false, Ordering::AcqRel) {
            if self.conn.0.socket.writable().await.is_err() {
                return;
            }
            self.conn.flush();
        }
    }

    fn release_everybody(&mut self) {
        let sources = std::mem::take(&mut self.conn.core().waiting_sources);
        for source in sources {
            source.wake_driver();
        }
        self.conn.0.room.notify_waiters();
    }

    // Closing with unread input would reset the connection and could take our last frame with it.
    async fn part(&mut self) {
        let socket = socket2::SockRef::from(self.conn.0.socket.as_ref());
        if socket.shutdown(std::net::Shutdown::Write).is_err() {
            return;
        }
        let mut rest = BytesMut::with_capacity(CHUNK_MIN);
        while self
            .reader
            .read_buf(&mut rest)
            .await
            .is_ok_and(|bytes| bytes > 0)
        {
            rest.clear();
        }
    }
}

fn make_room(decoder: &mut Decoder, chunk: usize) {
    let missing = decoder.missing();
    let buffer = decoder.buffer_mut();
    let spare = buffer.capacity() - buffer.len();
    if spare < SPARE_MIN.max(missing) {
        buffer.reserve(chunk.max(missing));
    }
}
