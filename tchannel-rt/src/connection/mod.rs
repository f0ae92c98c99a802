//! One socket and the [`tchannel_proto::Connection`] it drives, shared by callers, handlers and the driver.
//!
//! ```text
//!   callers, handlers          driver task
//!         | encode under lock      | reads, cuts frames, settles calls, starts handlers
//!         v                        v
//!       core (Mutex) --- poll_transmit ---> writer (Mutex) --- one vectored write ---> socket
//! ```
//!
//! Nobody holds the core of two connections at once, and no lock is held across an await. Whoever finds the
//! connection idle writes by itself. Under load frames are gathered for one write, until they are so many that the
//! other end should begin with them; what is left is the driver's.

mod ahead;
mod alarm;
mod dial;
mod driver;
mod exchange;
mod farewell;
mod flush;
mod in_process;
mod intake;
mod keyed;
mod landing;
mod lent;
mod memory;
mod pipe;
mod serve;
mod served;
mod settle;
mod spent;
mod transport;
mod turns;

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bytestring::ByteString;
use slab::Slab;
use tchannel_proto::{
    Body, Connection, ConnectionConfig, InboundKey, OutboundKey, Outbox, PeerInfo,
};
use tokio::sync::{Notify, Semaphore};

use alarm::Alarm;
pub(crate) use dial::{DialError, dial};
pub(crate) use driver::{Driver, drive};
pub(crate) use exchange::{Exchange, ResponseInfo};
pub(crate) use in_process::{Listening, number_of};
use keyed::Keyed;
use memory::Memory;
pub(crate) use served::{RelayLink, RelayTicket, Served, Target};
use transport::Socket;
pub(crate) use transport::{Reader, RemoteAddr, Stream};
pub(crate) use turns::{TURN, Turn, is_large};

use crate::clock;
use crate::config::ChannelConfig;
use crate::handler::Remote;
use crate::stats::{ConnectionStats, ENABLED, End};

/// A handle to one connection; cheap to clone.
#[derive(Clone)]
pub(crate) struct Conn(Arc<Shared>);

pub(crate) struct Shared {
    socket: Socket,
    core: Mutex<Core>,
    writer: Mutex<Outbox>,
    /// Wakes the driver.
    alarm: Alarm,
    /// Woken whenever the queue has become short, a stream was read, or the connection closed.
    room: Notify,
    /// Held by the whole message that is being sent, if it is a large one.
    large: Arc<Semaphore>,
    /// Bytes of large answers that wait for their turn, as far as they count.
    owed: AtomicUsize,
    unwritten: AtomicUsize,
    written: AtomicU64,
    write_is_blocked: AtomicBool,
    write_has_failed: AtomicBool,
    drain_requested: AtomicBool,
    close_requested: AtomicBool,
    /// Another connection's driver has queued frames and will flush them.
    is_touched: AtomicBool,
    /// Whether new calls can be sent over it.
    usable: AtomicBool,
    /// Its place among the open connections of its channel.
    place: OnceLock<usize>,
    /// The peers that list it, by host:port.
    listed_as: Mutex<Vec<ByteString>>,
    remote_addr: RemoteAddr,
    is_outbound: bool,
    limits: Limits,
    pub(crate) stats: ConnectionStats,
}

/// Whoever drains a connection bounds that by closing it.
const NO_LIMIT: Duration = Duration::from_secs(24 * 3600);

/// What of [`ChannelConfig`] a connection looks at itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) queued_soft: usize,
    pub(crate) queued_max: usize,
    pub(crate) message_max: usize,
    pub(crate) chunk_max: usize,
    pub(crate) arriving_max: usize,
}

impl Limits {
    pub(crate) fn new(config: &ChannelConfig) -> Self {
        Self {
            queued_soft: config.queued_bytes_soft,
            queued_max: config.queued_bytes_max,
            message_max: config.message_bytes_max,
            chunk_max: config.chunk_bytes_max,
            arriving_max: config.arriving_bytes_max,
        }
    }
}

/// What callers, handlers and the driver share.
pub(crate) struct Core {
    pub(crate) proto: Connection,
    /// By slot of an outbound call: who gets its answer.
    targets: Keyed<OutboundKey, Target>,
    /// By slot of an inbound call: who serves it.
    served: Keyed<InboundKey, Served>,
    pub(crate) exchanges: Slab<Exchange>,
    pub(crate) memory: Memory,
    /// Other drivers that read no further until this queue is short again.
    waiting_sources: Vec<Conn>,
    /// Somebody waits for the queue to become short.
    room_is_wanted: bool,
    /// Bytes of streams that their readers have not taken.
    unread: usize,
    /// Messages begun since the last write.
    pub(crate) gathered: usize,
    /// Bytes of requests of which more is to come before their handlers begin, and of values in streams of
    /// which more is to come before they can be read.
    arriving: usize,
    /// When the driver has read last. What was read by then was not late if it is looked at later.
    pub(crate) read_at: Instant,
    /// When the driver wakes by itself, if it does.
    driver_wakes_at: Option<Instant>,
}

impl Conn {
    pub(crate) fn new(
        stream: Stream,
        remote_addr: RemoteAddr,
        is_outbound: bool,
        config: ConnectionConfig,
        limits: Limits,
        stats: ConnectionStats,
    ) -> (Self, Reader) {
        let now = clock::now();
        let proto = if is_outbound {
            Connection::connect(now, config)
        } else {
            Connection::accept(now, config)
        };
        let core = Core {
            proto,
            targets: Keyed::default(),
            served: Keyed::default(),
            exchanges: Slab::new(),
            memory: Memory::default(),
            waiting_sources: Vec::new(),
            room_is_wanted: false,
            unread: 0,
            gathered: 0,
            arriving: 0,
            read_at: now,
            driver_wakes_at: None,
        };
        let (reader, socket) = stream.split();
        let shared = Arc::new(Shared {
            socket,
            core: Mutex::new(core),
            writer: Mutex::new(Outbox::new()),
            alarm: Alarm::default(),
            room: Notify::new(),
            large: Arc::new(Semaphore::new(1)),
            owed: AtomicUsize::new(0),
            unwritten: AtomicUsize::new(0),
            written: AtomicU64::new(0),
            write_is_blocked: AtomicBool::new(false),
            write_has_failed: AtomicBool::new(false),
            drain_requested: AtomicBool::new(false),
            close_requested: AtomicBool::new(false),
            is_touched: AtomicBool::new(false),
            usable: AtomicBool::new(false),
            place: OnceLock::new(),
            listed_as: Mutex::default(),
            remote_addr,
            is_outbound,
            limits,
            stats,
        });
        (Self(shared), reader)
    }

    pub(crate) fn core(&self) -> MutexGuard<'_, Core> {
        // A panic under the lock would be a bug of ours; other calls may still end in order.
        self.0.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn limits(&self) -> Limits {
        self.0.limits
    }

    pub(crate) fn remote_addr(&self) -> RemoteAddr {
        self.0.remote_addr
    }

    pub(crate) fn is_outbound(&self) -> bool {
        self.0.is_outbound
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether a new call could be sent over it.
    pub(crate) fn is_usable(&self) -> bool {
        self.0.usable.load(Ordering::Acquire)
    }

    pub(crate) fn set_place(&self, place: usize) {
        self.0.place.get_or_init(|| place);
    }

    pub(crate) fn place(&self) -> Option<usize> {
        self.0.place.get().copied()
    }

    pub(crate) fn note_listed_as(&self, host_port: ByteString) {
        self.listed_as().push(host_port);
    }

    pub(crate) fn take_listed_as(&self) -> Vec<ByteString> {
        std::mem::take(&mut *self.listed_as())
    }

    pub(crate) fn listed_as(&self) -> MutexGuard<'_, Vec<ByteString>> {
        self.0
            .listed_as
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn set_usable(&self, usable: bool) {
        self.0.usable.store(usable, Ordering::Release);
    }

    pub(crate) fn peer(&self) -> Option<PeerInfo> {
        self.core().proto.peer().cloned()
    }

    pub(crate) fn remote(&self) -> Remote {
        let peer = self.peer().unwrap_or_default();
        Remote {
            addr: self.remote_addr().socket(),
            peer,
            is_outbound: self.is_outbound(),
        }
    }

    /// Calls in flight, of both directions.
    pub(crate) fn in_flight(&self) -> usize {
        self.core().in_flight()
    }

    /// Bytes queued and not yet written.
    pub(crate) fn queued(&self, core: &Core) -> usize {
        core.proto.buffered() + self.0.unwritten.load(Ordering::Relaxed)
    }

    /// Whether writers wait for the socket to take something of what is queued.
    pub(crate) fn is_full(&self) -> bool {
        self.0.write_is_blocked.load(Ordering::Acquire)
            && self.queued(&self.core()) >= self.0.limits.queued_soft
    }

    /// Waits until the queue is short, or the connection closed.
    pub(crate) async fn wait_for_room(&self) {
        loop {
            let room = self.0.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            {
                let mut core = self.core();
                if core.proto.is_closed() || self.queued(&core) < self.0.limits.queued_soft {
                    return;
                }
                core.room_is_wanted = true;
            }
            room.await;
        }
    }

    /// See [`Core::count_answer`].
    pub(crate) fn count_answer(&self, key: InboundKey, end: End, response_bytes: usize) {
        if ENABLED {
            self.core().count_answer(key, end, response_bytes);
        }
    }

    /// Takes no new calls, finishes those in flight, then closes.
    pub(crate) fn drain(&self, reason: &str) {
        if !self.0.drain_requested.swap(true, Ordering::AcqRel) {
            self.set_usable(false);
            self.core().proto.drain(clock::now(), reason, NO_LIMIT);
            self.wake_driver();
        }
    }

    /// Closes at once; calls in flight fail.
    pub(crate) fn close(&self) {
        self.set_usable(false);
        self.0.close_requested.store(true, Ordering::Release);
        self.wake_driver();
    }

    /// Ends a hold on reading.
    pub(crate) fn read_on(&self) {
        self.wake_driver();
    }

    fn wake_driver(&self) {
        self.0.alarm.set();
    }

    /// Wakes the driver if the deadline of a call just made comes before it wakes by itself.
    pub(crate) fn wake_for_deadline(&self, core: &Core) {
        let due = core.proto.poll_timeout();
        if due.is_some_and(|due| core.driver_wakes_at.is_none_or(|wakes_at| due < wakes_at)) {
            self.wake_driver();
        }
    }

    /// Says that bytes of a stream have been taken, so that its source may be read on.
    pub(crate) fn note_read(&self, core: &mut Core, bytes: usize) {
        let before = core.unread;
        core.unread = before.saturating_sub(bytes);
        let soft = self.0.limits.queued_soft;
        if before >= soft && core.unread < soft {
            self.wake_driver();
        }
    }
}

impl Core {
    /// Calls in flight, of both directions.
    fn in_flight(&self) -> usize {
        self.proto.inbound_in_flight() + self.proto.outbound_in_flight()
    }

    pub(crate) fn set_target(&mut self, key: OutboundKey, target: Target) {
        self.targets.put(key.slot(), key, target);
    }

    fn target(&mut self, key: OutboundKey) -> &mut Target {
        self.targets.get(key.slot(), key)
    }

    pub(crate) fn take_target(&mut self, key: OutboundKey) -> Target {
        std::mem::take(self.target(key))
    }

    pub(crate) fn set_served(&mut self, key: InboundKey, served: Served) {
        self.served.put(key.slot(), key, served);
    }

    pub(crate) fn served(&mut self, key: InboundKey) -> &mut Served {
        self.served.get(key.slot(), key)
    }

    /// A stream that kept `before` bytes of an unfinished value keeps `now`. Gives what arrives altogether.
    pub(crate) fn note_kept(&mut self, before: usize, now: usize) -> usize {
        self.arriving = (self.arriving + now).saturating_sub(before);
        self.arriving
    }

    /// An inbound call was answered, with this many bytes in its args.
    pub(crate) fn count_answer(&mut self, key: InboundKey, end: End, response_bytes: usize) {
        if ENABLED && let Served::Running { stats, .. } = self.served(key) {
            stats.on_end(end, response_bytes);
        }
    }

    /// Adds what a frame has brought to an exchange, and gives how many bytes of it wait from now on.
    fn push(&mut self, exchange: usize, body: Body) -> usize {
        self.exchanges[exchange].push(body, &mut self.memory)
    }

    /// Nobody is there any more for an exchange.
    pub(crate) fn remove_exchange(&mut self, exchange: usize) -> Exchange {
        let mut exchange = self.exchanges.remove(exchange);
        if let Some(parts) = exchange.parts.take() {
            self.memory.take_back(*parts);
        }
        exchange
    }

    pub(crate) fn take_served(&mut self, key: InboundKey) -> Served {
        std::mem::take(self.served(key))
    }

    /// Lets go of other connections: theirs may in turn hold this one.
    fn forget_calls(&mut self) {
        self.targets = Keyed::default();
        self.served = Keyed::default();
    }

    /// Stops reading from `source` until this connection's queue is short again.
    pub(crate) fn hold_source(&mut self, source: &Conn) {
        if !self
            .waiting_sources
            .iter()
            .any(|waiting| waiting.is_same(source))
        {
            self.waiting_sources.push(source.clone());
        }
    }
}
