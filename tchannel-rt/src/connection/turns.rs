//! Large messages on their way out: a turn at a time, so that one of them holds nobody up for longer.

use std::sync::atomic::{AtomicUsize, Ordering};

use tchannel_proto::limits::FRAME_SIZE_MAX;
use tchannel_proto::{CallIsOver, Progress};
use tokio::sync::OwnedSemaphorePermit;

use super::{Conn, Core};

/// What a large message puts into one write, in bytes, before the driver and other calls have their turn: what is
/// hashed is still in the processor's cache when the kernel copies it, and the peer has something to do meanwhile.
pub(crate) const TURN: usize = 128 * 1024;
/// The same of a whole message, while nobody else has anything to write,
const TURN_ALONE: usize = 512 * 1024;
/// and of its beginning, when there is no other call: a first frame that left by itself would cost a system call, and
/// wake up a peer that finds little to do.
const TURN_BEGUN: usize = 320 * 1024;

/// Whether a message whose args have so many bytes is a large one: more than a frame.
pub(crate) fn is_large(bytes: usize) -> bool {
    bytes > FRAME_SIZE_MAX
}

/// Held by the large message that is being sent. Others of its kind wait for its end, best with their first frame: all
/// of them would be later if they took turns, and the peer would have to keep all of them in part.
pub(crate) struct Turn {
    #[expect(dead_code, reason = "is held, not looked at")]
    permit: Option<OwnedSemaphorePermit>,
    share: Share,
}

impl Turn {
    fn new(permit: Option<OwnedSemaphorePermit>) -> Self {
        Self {
            permit,
            share: Share::up_to(TURN_ALONE),
        }
    }
}

impl Conn {
    /// The turn of a large message, if nobody has it.
    pub(crate) fn try_turn(&self) -> Option<Turn> {
        let permit = self.0.large.clone().try_acquire_owned().ok()?;
        Some(Turn::new(Some(permit)))
    }

    /// The turn of a large message, after those that came before.
    pub(crate) async fn turn(&self) -> Turn {
        Turn::new(self.0.large.clone().acquire_owned().await.ok())
    }

    /// The same for an answer. While it waits it counts as owed to the peer.
    pub(crate) async fn turn_to_answer(&self) -> Turn {
        let _owed = Owed::add(&self.0.owed);
        self.turn().await
    }

    /// Bytes of answers that are queued, and of the first frames of those that wait for their turn.
    pub(crate) fn owed(&self, core: &Core) -> usize {
        self.queued(core) + self.0.owed.load(Ordering::Relaxed)
    }

    /// Queues what leaves together with the first frame of a whole message, which is queued already.
    pub(crate) fn begin_whole(
        &self,
        core: &mut Core,
        turn: &mut Turn,
        send: impl FnMut(&mut Core) -> Result<Progress, CallIsOver>,
    ) -> Result<Progress, CallIsOver> {
        self.queue_share(core, &mut turn.share, send)
    }

    /// Sends the rest of a whole message, whose turn it is.
    pub(crate) async fn send_whole(
        &self,
        turn: Option<Turn>,
        send: impl FnMut(&mut Core) -> Result<Progress, CallIsOver>,
    ) -> Result<Progress, CallIsOver> {
        let mut turn = match turn {
            Some(turn) => turn,
            None => self.turn().await,
        };
        self.send_shares(&mut turn.share, send).await
    }

    /// Sends a message as fast as the peer takes it; `send` queues its next frame. Done, or starved, in the end.
    pub(crate) async fn send_in_turns(
        &self,
        send: impl FnMut(&mut Core) -> Result<Progress, CallIsOver>,
    ) -> Result<Progress, CallIsOver> {
        self.send_shares(&mut Share::up_to(TURN), send).await
    }

    async fn send_shares(
        &self,
        share: &mut Share,
        mut send: impl FnMut(&mut Core) -> Result<Progress, CallIsOver>,
    ) -> Result<Progress, CallIsOver> {
        loop {
            self.wait_for_room().await;
            match self.send_share(share, &mut send)? {
                Progress::Full => {}
                progress => return Ok(progress),
            }
            tokio::task::yield_now().await;
        }
    }

    fn send_share(
        &self,
        share: &mut Share,
        send: impl FnMut(&mut Core) -> Result<Progress, CallIsOver>,
    ) -> Result<Progress, CallIsOver> {
        let mut core = self.core();
        let progress = self.queue_share(&mut core, share, send);
        match progress {
            Ok(Progress::Full) => self.flush_now(core),
            _ => self.flush_soon(core),
        }
        progress
    }

    fn queue_share(
        &self,
        core: &mut Core,
        share: &mut Share,
        mut send: impl FnMut(&mut Core) -> Result<Progress, CallIsOver>,
    ) -> Result<Progress, CallIsOver> {
        let bytes = share.begin(core.proto.enqueued(), core.in_flight() <= 1);
        let bytes = bytes.min(self.limits().queued_soft);
        loop {
            match send(core)? {
                Progress::Full if self.queued(core) < bytes => {}
                Progress::Full => {
                    share.end(core.proto.enqueued());
                    return Ok(Progress::Full);
                }
                progress => return Ok(progress),
            }
        }
    }
}

/// What a message may put into its next write: twice as much each time that nobody else had something to write.
struct Share {
    bytes: usize,
    bytes_max: usize,
    /// All that the connection had ever queued at the end of the last turn.
    enqueued: Option<u64>,
}

impl Share {
    fn up_to(bytes_max: usize) -> Self {
        Self {
            bytes: TURN,
            bytes_max,
            enqueued: None,
        }
    }

    fn begin(&mut self, enqueued: u64, is_alone: bool) -> usize {
        self.bytes = match self.enqueued {
            None if is_alone => TURN_BEGUN.min(self.bytes_max),
            Some(before) if before == enqueued => (2 * self.bytes).min(self.bytes_max),
            _ => TURN,
        };
        self.bytes
    }

    fn end(&mut self, enqueued: u64) {
        self.enqueued = Some(enqueued);
    }
}

/// The first frame of an answer that waits.
struct Owed<'a>(&'a AtomicUsize);

impl<'a> Owed<'a> {
    fn add(owed: &'a AtomicUsize) -> Self {
        owed.fetch_add(FRAME_SIZE_MAX, Ordering::Relaxed);
        Self(owed)
    }
}

impl Drop for Owed<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(FRAME_SIZE_MAX, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What such turns are in KiB, when so much had ever been queued before each of them, and 7 bytes in the end.
    fn turns<const N: usize>(mut share: Share, is_alone: bool, enqueued: [u64; N]) -> [usize; N] {
        enqueued.map(|enqueued| {
            let bytes = share.begin(enqueued, is_alone);
            share.end(enqueued.max(7));
            bytes / 1024
        })
    }

    #[test]
    fn a_message_gets_larger_turns_only_as_long_as_nobody_else_writes() {
        let whole = || Share::up_to(TURN_ALONE);
        let enqueued = [0, 7, 7, 7, 8, 8];
        assert_eq!(
            turns(whole(), false, enqueued),
            [128, 256, 512, 512, 128, 256]
        );
        assert_eq!(
            turns(whole(), true, enqueued),
            [320, 512, 512, 512, 128, 256]
        );
    }

    #[test]
    fn a_stream_gets_the_same_turn_each_time() {
        assert_eq!(turns(Share::up_to(TURN), true, [0, 7, 8]), [128; 3]);
    }
}
