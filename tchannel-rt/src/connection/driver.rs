//! The task behind a connection: socket to [`tchannel_proto::Connection`] and back.
//!
//! One read brings many frames. They are handled in two steps: under the lock, frames become settled calls
//! and a list of work; without it, handlers start and relayed frames go to other connections. One write at
//! the end carries whatever came of it.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tchannel_proto::{FrameType, MessageId, PeerInfo, ProtocolError};
use tokio::sync::oneshot;
use tokio::task::coop;
use tokio::time::Sleep;

use super::flush::Written;
use super::intake::{Came, Intake};
use super::settle::Work;
use super::{Conn, Core, Limits, Reader};
use crate::clock;
use crate::dispatch::Dispatch;
use crate::handlers::KnownHandlers;
use crate::relay::{Passing, Tie};
use crate::stats::CloseReason;

/// What is read before others have their turn, in bytes.
const READ_TURN: usize = 512 * 1024;
/// How long a source is read no further for the sake of a slow destination that others share, and a peer that asks but
/// does not read, at most.
const HOLD: Duration = Duration::from_millis(50);
/// The same when nobody else is held up by it; any progress ends it earlier.
const HOLD_ALONE: Duration = Duration::from_secs(60);
/// How long a connection on which calls went past an open stream counts as shared.
const SHARED: Duration = Duration::from_secs(60);
/// Time for calls that were on their way although the peer knows that there should be none, or can not be asked.
/// They are declined, which is safe to try elsewhere; cut off, they might have run.
const LINGER: Duration = Duration::from_millis(20);
/// Time to say good-bye: for the peer to learn of it, for the last frames to leave, and for the peer to close
/// its side.
pub(super) const FAREWELL: Duration = Duration::from_secs(1);

/// Starts the driver of `conn`. The receiver hears how the handshake went.
pub(crate) fn drive(
    conn: Conn,
    reader: Reader,
    dispatch: Arc<Dispatch>,
) -> oneshot::Receiver<Result<(), ProtocolError>> {
    let (ready, receiver) = oneshot::channel();
    let driver = Driver {
        conn,
        reader,
        dispatch,
        handlers: KnownHandlers::default(),
        intake: Intake::new(),
        work: Vec::new(),
        passing: Vec::new(),
        ties: Vec::new(),
        touched: Vec::new(),
        ready: Some(ready),
        armed_for: None,
        arm_for: None,
        listens_for_timer: false,
        has_planned: false,
        hold_until: None,
        last_call: clock::now(),
        has_company: false,
        shared_until: clock::now(),
        read_in_turn: 0,
        asks: false,
        was_ready: false,
        is_idle: false,
        linger_until: None,
        last_ping: None,
        end: None,
    };
    tokio::spawn(driver.run());
    receiver
}

pub(crate) struct Driver {
    pub(crate) conn: Conn,
    pub(super) reader: Reader,
    pub(crate) dispatch: Arc<Dispatch>,
    pub(super) handlers: KnownHandlers,
    pub(super) intake: Intake,
    pub(super) work: Vec<Work>,
    /// What is to be passed on once the lock is released.
    pub(crate) passing: Vec<Passing>,
    /// Calls that were passed on and are yet to be tied; empty between two batches.
    pub(crate) ties: Vec<Tie>,
    /// Other connections that have frames to write after this batch.
    touched: Vec<Conn>,
    pub(super) ready: Option<oneshot::Sender<Result<(), ProtocolError>>>,
    armed_for: Option<Instant>,
    /// What the timer is yet to be set to.
    arm_for: Option<Instant>,
    /// The timer knows whom to wake. Telling it again with each look would cost several locked instructions.
    listens_for_timer: bool,
    /// Since the core was looked at for when to wake, nothing has come that is due earlier.
    has_planned: bool,
    pub(crate) hold_until: Option<Instant>,
    pub(super) last_call: Instant,
    /// A call has begun or ended beside another one since the last look.
    pub(super) has_company: bool,
    shared_until: Instant,
    /// Bytes that were read since others have had their turn.
    read_in_turn: usize,
    /// What was read last wants to be answered.
    asks: bool,
    /// Whether the handshake is done.
    pub(super) was_ready: bool,
    pub(super) is_idle: bool,
    /// When a connection that was drained closes.
    linger_until: Option<Instant>,
    /// The ping whose answer says that the peer knows.
    last_ping: Option<MessageId>,
    pub(super) end: Option<(Parting, CloseReason)>,
}

/// How the connection ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Parting {
    /// The socket is gone.
    Gone,
    /// What is queued should still leave.
    Farewell,
}

enum Wake {
    Read(std::io::Result<usize>),
    Alarmed,
    Writable,
    Timer,
}

impl Driver {
    async fn run(mut self) {
        let sleep = tokio::time::sleep(Duration::ZERO);
        tokio::pin!(sleep);
        // With a handle beside its own, it can hold the core and be changed itself.
        let conn = self.conn.clone();
        conn.write_all();
        self.arm(&conn, sleep.as_mut());
        while self.end.is_none() {
            match poll_fn(|cx| self.poll_wake(sleep.as_mut(), cx)).await {
                Wake::Read(Ok(0)) => self.end(Parting::Gone, CloseReason::Peer),
                Wake::Read(Err(_)) => self.end(Parting::Gone, CloseReason::Network),
                Wake::Read(Ok(bytes)) => {
                    self.handle_read(&conn, bytes);
                    self.take_turns(bytes).await;
                }
                Wake::Alarmed => self.handle_alarm(&conn).await,
                Wake::Writable => {
                    conn.0.write_is_blocked.store(false, Ordering::Release);
                    conn.write_all();
                    self.hold_until = None;
                }
                Wake::Timer => self.handle_timer(&conn),
            }
            self.arm(&conn, sleep.as_mut());
        }
        self.finish().await;
    }

    /// What comes next; of several things the first of these.
    fn poll_wake(&mut self, sleep: Pin<&mut Sleep>, cx: &mut Context<'_>) -> Poll<Wake> {
        if self.hold_until.is_none()
            && let Poll::Ready(read) = self.intake.poll_read(&mut self.reader, cx)
        {
            return Poll::Ready(Wake::Read(read));
        }
        let shared = &self.conn.0;
        if shared.alarm.poll(cx).is_ready() {
            return Poll::Ready(Wake::Alarmed);
        }
        if shared.write_is_blocked.load(Ordering::Acquire)
            && shared.socket.poll_writable(cx).is_ready()
        {
            return Poll::Ready(Wake::Writable);
        }
        self.poll_timer(sleep, cx).map(|()| Wake::Timer)
    }

    fn poll_timer(&mut self, sleep: Pin<&mut Sleep>, cx: &mut Context<'_>) -> Poll<()> {
        if self.armed_for.is_none() || self.listens_for_timer && !sleep.is_elapsed() {
            return Poll::Pending;
        }
        // Without a budget it puts us off, and does not listen.
        self.listens_for_timer = coop::has_budget_remaining();
        sleep.poll(cx)
    }

    /// Lets others have their turn once much has been read: whoever answers should begin while the processor still has
    /// at hand what was read.
    async fn take_turns(&mut self, bytes: usize) {
        self.read_in_turn += bytes;
        if self.read_in_turn >= READ_TURN {
            self.read_in_turn = 0;
            tokio::task::yield_now().await;
        }
    }

    fn handle_read(&mut self, conn: &Conn, bytes: usize) {
        conn.0.stats.on_bytes_received(bytes as u64);
        if self.intake.is_landing() {
            return;
        }
        let now = clock::now();
        self.dispatch.handlers.look(&mut self.handlers);
        let mut core = conn.core();
        core.read_at = now;
        if core.in_flight() > 0 {
            self.last_call = now;
        }
        loop {
            match self.intake.next() {
                Ok(Some(Came::Frame(frame))) => {
                    self.asks |= frame.frame_type().is_ok_and(FrameType::asks);
                    self.handle_frame(&mut core, now, frame);
                }
                Ok(Some(Came::Landed(landing))) => self.handle_landed(&mut core, now, landing),
                Ok(None) => break,
                Err(error) => {
                    core.proto.handle_broken_stream(error);
                    self.settle(&mut core);
                    break;
                }
            }
        }
        self.begin_landing(&mut core);
        self.hold_for_readers(&core, now);
        self.pass_time(&mut core, now);
        self.plan(&mut core);
        self.has_planned = true;
        let asks = std::mem::take(&mut self.asks);
        if self.work.is_empty() && self.passing.is_empty() && conn.is_written(&core) {
            return;
        }
        drop(core);
        self.perform(now);
        if self.flush_all() != Written::All {
            self.hold_for_a_deaf_peer(asks, now);
        }
    }

    /// Other tasks have queued frames, taken bytes of a stream, or want the connection closed.
    async fn handle_alarm(&mut self, conn: &Conn) {
        self.hold_until = None;
        if conn.0.close_requested.load(Ordering::Acquire) {
            self.end(Parting::Farewell, CloseReason::App);
            return;
        }
        if conn.0.write_has_failed.load(Ordering::Acquire) {
            self.end(Parting::Gone, CloseReason::Network);
            return;
        }
        // Whoever else is ready to send now gets into the same write. Where callers have written by themselves
        // there is no need: yielding has the runtime look at its sockets, which is a system call.
        if conn.core().proto.buffered() > 0 {
            tokio::task::yield_now().await;
        }
        self.settle(&mut conn.core());
        self.perform(clock::now());
        self.flush_all();
    }

    fn handle_timer(&mut self, conn: &Conn) {
        let now = clock::now();
        self.armed_for = None;
        if self.hold_until.is_some() {
            conn.core().proto.note_not_reading(now);
        }
        if self.hold_until.is_some_and(|until| until <= now) {
            self.hold_until = None;
        }
        self.pass_time(&mut conn.core(), now);
        self.perform(now);
        self.close_if_idle(conn, now);
        self.close_if_drained(now);
        self.give_back_memory();
        self.flush_all();
    }

    fn pass_time(&mut self, core: &mut Core, now: Instant) {
        if core.proto.poll_timeout().is_none_or(|due| due > now) {
            return;
        }
        if let Err(error) = core.proto.handle_timeout(now) {
            tracing::debug!(remote = %self.conn.remote_addr(), %error, "giving the connection up");
        }
        self.settle(core);
    }

    fn close_if_idle(&mut self, conn: &Conn, now: Instant) {
        let Some(limit) = self.idle_limit() else {
            return;
        };
        let mut core = conn.core();
        if core.in_flight() > 0 {
            self.last_call = now;
        } else if now >= self.last_call + limit && core.proto.is_open() {
            self.is_idle = true;
            core.proto.drain(now, "idle", FAREWELL);
            self.settle(&mut core);
        }
    }

    fn idle_limit(&self) -> Option<Duration> {
        self.dispatch.idle_close.filter(|_| !self.is_idle)
    }

    fn close_if_drained(&mut self, now: Instant) {
        if self.linger_until.is_some_and(|until| until <= now) {
            let why = if self.is_idle {
                CloseReason::Idle
            } else {
                CloseReason::App
            };
            self.end(Parting::Farewell, why);
        }
    }

    /// After the last call of a connection that takes no more: waits until the peer has read that, for calls may
    /// be on their way for as long.
    pub(super) fn linger(&mut self, core: &mut Core) {
        let can_tell = core.proto.peer().is_some_and(PeerInfo::answers_pings);
        self.last_ping = can_tell.then(|| core.proto.ping()).flatten();
        let limit = self.last_ping.map_or(LINGER, |_| FAREWELL);
        self.linger_until = Some(clock::now() + limit);
    }

    pub(super) fn handle_pong(&mut self, id: MessageId) {
        if self.last_ping == Some(id) {
            self.linger_until = Some(clock::now() + LINGER);
        }
    }

    fn give_back_memory(&mut self) {
        let mut core = self.conn.core();
        if core.in_flight() == 0 {
            core.proto.shrink();
            self.intake.shrink();
        }
        core.memory.shrink();
    }

    fn arm(&mut self, conn: &Conn, sleep: Pin<&mut Sleep>) {
        if !std::mem::take(&mut self.has_planned) {
            self.plan(&mut conn.core());
        }
        if let Some(due) = self.arm_for.take() {
            sleep.reset(due.into());
            self.listens_for_timer = false;
        }
    }

    /// Looks when to wake. Whoever makes a call that is due earlier sees to that.
    fn plan(&mut self, core: &mut Core) {
        let idle = self.idle_limit().map(|limit| self.last_call + limit);
        let due = [
            core.proto.poll_timeout(),
            self.hold_until,
            self.linger_until,
            idle,
        ];
        let due = due.into_iter().flatten().min();
        // A timer that is set too early costs one look; setting it anew for each call would cost more.
        if let Some(due) = due
            && self.armed_for.is_none_or(|armed| due < armed)
        {
            self.armed_for = Some(due);
            self.arm_for = Some(due);
        }
        core.driver_wakes_at = self.armed_for;
    }

    /// Frames were queued on `conn`: they leave once this batch is done.
    pub(crate) fn touch(&mut self, conn: &Conn) {
        // Whoever touched it first flushes it after this, and takes these frames along.
        if !conn.0.is_touched.swap(true, Ordering::AcqRel) {
            self.touched.push(conn.clone());
        }
    }

    pub(super) fn flush_all(&mut self) -> Written {
        for conn in self.touched.drain(..) {
            conn.wake_for_deadline(&conn.core());
            conn.flush();
        }
        self.conn.write_all()
    }

    /// Streams that are not read: read no further from the peer until they are, or for a moment when others
    /// wait behind them.
    fn hold_for_readers(&mut self, core: &Core, now: Instant) {
        if std::mem::take(&mut self.has_company) {
            self.shared_until = now + SHARED;
        }
        if core.unread >= self.conn.limits().queued_soft {
            // Most calls are short: that none is in flight right now does not mean that none is on its way.
            let is_shared = core.in_flight() > 1 || now < self.shared_until;
            self.hold_for(if is_shared { HOLD } else { HOLD_ALONE }, now);
        }
    }

    /// A peer that asks but does not read: take in less, and in the end nothing.
    ///
    /// Not reading at all would leave two ends that both wait for the other to read. So would holding back what
    /// asks for nothing: an end that only calls always reads.
    fn hold_for_a_deaf_peer(&mut self, asks: bool, now: Instant) {
        let limits = self.conn.limits();
        let queued = self.conn.queued(&self.conn.core());
        if queued > 2 * limits.queued_max {
            tracing::warn!(remote = %self.conn.remote_addr(), queued, "closing: the peer does not read its answers");
            self.end(Parting::Gone, CloseReason::Network);
        } else if asks && queued > limits.queued_soft {
            self.hold_for(hold_for_queue(queued, limits), now);
        }
    }

    /// Ends the connection; what happens first counts.
    pub(super) fn end(&mut self, how: Parting, why: CloseReason) {
        self.end.get_or_insert((how, why));
    }

    pub(crate) fn hold(&mut self, now: Instant) {
        self.hold_for(HOLD, now);
    }

    fn hold_for(&mut self, time: Duration, now: Instant) {
        self.hold_until = Some(now + time);
        self.has_planned = false;
    }

    /// Does what needs other code or other connections, in the order of the wire: that of a call is all of one
    /// kind.
    pub(super) fn perform(&mut self, now: Instant) {
        if !self.work.is_empty() {
            self.last_call = now;
            self.perform_local();
        }
        if !self.passing.is_empty() {
            self.last_call = now;
            self.pass_on(now);
        }
    }

    fn perform_local(&mut self) {
        let mut work = std::mem::take(&mut self.work);
        // Where it is, since each call that is moved is copied.
        for item in &mut work {
            match item {
                Work::Ready => self.report_ready(),
                Work::Start { call, endpoint } => {
                    let endpoint = self.handlers.get(*endpoint);
                    self.conn.start_unary(call, endpoint);
                }
                Work::StartStream {
                    call,
                    endpoint,
                    exchange,
                } => {
                    let endpoint = self.handlers.get(*endpoint).clone();
                    self.conn.start_stream(call, endpoint, *exchange);
                }
            }
        }
        work.clear();
        self.work = work;
    }

    fn report_ready(&mut self) {
        let is_draining = self.conn.core().proto.is_draining();
        self.conn.set_usable(!is_draining);
        self.was_ready = true;
        if self.conn.is_outbound() {
            self.conn.0.stats.on_initiated();
        } else {
            self.conn.0.stats.on_accepted();
        }
        self.dispatch.opened(&self.conn);
        if let Some(ready) = self.ready.take() {
            let _ = ready.send(Ok(()));
        }
    }
}

/// How long a peer that asks is read no further while so much is queued for it: the more, the longer. Two ends that ask
/// each other for much both hold back, and nothing moves until one of them reads.
fn hold_for_queue(queued: usize, limits: Limits) -> Duration {
    let over = queued.saturating_sub(limits.queued_soft);
    let most = limits.queued_max.saturating_sub(limits.queued_soft);
    HOLD.mul_f64((over as f64 / most.max(1) as f64).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ChannelConfig;

    #[test]
    fn the_more_is_queued_the_longer_a_peer_that_asks_is_read_no_further() {
        let mut config = ChannelConfig::default();
        (config.queued_bytes_soft, config.queued_bytes_max) = (1000, 11_000);
        let limits = Limits::new(&config);
        let holds = [1000, 1200, 6000, 11_000, 22_000].map(|queued| hold_for_queue(queued, limits));
        assert_eq!(holds.map(|hold| hold.as_millis()), [0, 1, 25, 50, 50]);
    }
}
