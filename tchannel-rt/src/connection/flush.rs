//! Writing: many frames, one system call, by whoever comes first.

use std::io::{ErrorKind, IoSlice};
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, TryLockError};

use bytes::Buf;
use tchannel_proto::Outbox;

use super::{Conn, Core};

/// Slices handed to one vectored write.
const SLICES: usize = 64;

/// Messages are gathered for one write until they are this share of what is in flight. All of it would leave one end
/// idle while the other works; with a little more than half, what has come apart once does not come apart further.
const GATHERED: (usize, usize) = (5, 8);
/// But no fewer, for which a system call would be too much,
const GATHERED_MIN: usize = 8;
/// and no more, since the first of them waits for the last.
pub(super) const GATHERED_MAX: usize = 64;

/// How often in a row a caller writes for others who queue meanwhile. One that went on for as long as they do would
/// not get to its own answer.
const TIMES_BY_CALLER: usize = 2;

/// How far writing has come.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    All,
    UntilFull,
    /// As often as was asked for; there may be more.
    AsOften,
    /// Somebody else is at it.
    ByAnother,
    /// The socket is broken, and the driver knows.
    ByNobody,
}

impl Core {
    /// Whether so much is queued that it should leave before more is.
    pub(super) fn is_due(&self) -> bool {
        let in_flight = self.in_flight();
        let share = in_flight * GATHERED.0 / GATHERED.1;
        in_flight <= 1 || self.gathered >= share.clamp(GATHERED_MIN, GATHERED_MAX)
    }

    fn transmit(&mut self, into: &mut Outbox) -> bool {
        self.gathered = 0;
        self.proto.poll_transmit(into)
    }
}

impl Conn {
    /// Gets what was just encoded under way: at once when the connection is otherwise idle, else with
    /// whatever else piles up until the driver has its turn.
    pub(crate) fn flush_soon(&self, core: MutexGuard<'_, Core>) {
        self.wake_for_deadline(&core);
        if core.is_due() {
            self.flush_now(core);
        } else {
            // As long as the lock is held, a driver that has yet to look will find what it guards.
            let will_look = self.0.alarm.is_set();
            drop(core);
            if !will_look {
                self.wake_driver();
            }
        }
    }

    /// Writes what is queued, or what of it the socket takes; the driver does the rest. Never waits itself.
    pub(crate) fn flush(&self) {
        self.flush_now(self.core());
    }

    /// Whether nothing is left to be written, and nobody waits to hear of that.
    pub(super) fn is_written(&self, core: &Core) -> bool {
        self.queued(core) == 0 && !core.room_is_wanted && core.waiting_sources.is_empty()
    }

    pub(super) fn flush_now(&self, core: MutexGuard<'_, Core>) {
        match self.write(core, TIMES_BY_CALLER) {
            Written::UntilFull | Written::AsOften => self.wake_driver(),
            Written::All | Written::ByAnother | Written::ByNobody => {}
        }
    }

    /// Writes all, or what the socket takes, for the driver. Were it to wake itself, it would go round and round until
    /// the peer reads. Others can not keep it here for long: while it writes, nobody's answers are read.
    pub(super) fn write_all(&self) -> Written {
        self.write(self.core(), usize::MAX)
    }

    fn write(&self, mut core: MutexGuard<'_, Core>, times: usize) -> Written {
        self.0.is_touched.store(false, Ordering::Release);
        let mut outbox = match self.0.writer.try_lock() {
            Ok(outbox) => outbox,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Whoever holds it looks again before letting go.
            Err(TryLockError::WouldBlock) => return Written::ByAnother,
        };
        if outbox.is_empty() && !core.transmit(&mut outbox) {
            return self.all_is_written(core, outbox);
        }
        drop(core);
        self.write_out(outbox, times - 1)
    }

    fn write_out(&self, mut outbox: MutexGuard<'_, Outbox>, mut times: usize) -> Written {
        loop {
            match self.write_once(&outbox) {
                Ok(written) => self.note_written(&mut outbox, written),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.0.write_is_blocked.store(true, Ordering::Release);
                    return Written::UntilFull;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => {
                    self.0.write_has_failed.store(true, Ordering::Release);
                    self.wake_driver();
                    return Written::ByNobody;
                }
            }
            if outbox.is_empty() {
                let mut core = self.core();
                if core.proto.buffered() == 0 {
                    return self.all_is_written(core, outbox);
                }
                self.make_room_known(&mut core);
                if times == 0 {
                    return Written::AsOften;
                }
                times -= 1;
                core.transmit(&mut outbox);
            }
        }
    }

    fn note_written(&self, outbox: &mut Outbox, written: usize) {
        outbox.advance(written);
        self.0.stats.on_bytes_sent(written as u64);
        // Whoever has the outbox is the only one to change it.
        let before = self.0.written.load(Ordering::Relaxed);
        let sum = before + written as u64;
        self.0.written.store(sum, Ordering::Relaxed);
        let left = outbox.len();
        self.0.unwritten.store(left, Ordering::Relaxed);
        if left > 0 && left < self.0.limits.queued_soft / 2 {
            self.make_room_known(&mut self.core());
        }
    }

    /// The queue is empty: writers may go on, and so may the drivers that hold back for it.
    fn all_is_written(
        &self,
        mut core: MutexGuard<'_, Core>,
        outbox: MutexGuard<'_, Outbox>,
    ) -> Written {
        // Before the other: whoever queues from now on finds nobody writing.
        drop(outbox);
        self.make_room_known(&mut core);
        if !core.waiting_sources.is_empty() {
            let sources = std::mem::take(&mut core.waiting_sources);
            drop(core);
            sources.iter().for_each(Self::wake_driver);
        }
        Written::All
    }

    fn make_room_known(&self, core: &mut Core) {
        if std::mem::take(&mut core.room_is_wanted) {
            self.0.room.notify_waiters();
        }
    }

    fn write_once(&self, outbox: &Outbox) -> std::io::Result<usize> {
        let first = outbox.chunk();
        let written = if first.len() == outbox.len() {
            self.0.socket.try_write(first)?
        } else {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let count = outbox.chunks_vectored(&mut slices);
            self.0.socket.try_write_vectored(&slices[..count])?
        };
        if written == 0 {
            Err(ErrorKind::WriteZero.into())
        } else {
            Ok(written)
        }
    }
}
