//! Large messages on their way out: a turn at a time, so that one of them holds nobody up for longer.

use std::sync::atomic::{AtomicUsize, Ordering};

use tchannel_proto::limits::FRAME_SIZE_MAX;
use tchannel_proto::{CallIsOver, Progress};
use tokio::sync::OwnedSemaphorePermit;

use super::{Conn, Core};

/// What a large message puts into one write, in bytes, before the driver and other calls have their turn: what is
/// hashed is still in the processor's cache when the kernel copies it, and the peer has something to do meanwhile.
pub(crate) const TURN: usize = 128 * 1024;
/// The same of a whole message, while nobody else has anything to write.
const TURN_ALONE: usize = 512 * 1024;

/// Whether a message whose args have so many bytes is a large one: more than a frame.
pub(crate) fn is_large(bytes: usize) -> bool {
    bytes > FRAME_SIZE_MAX
}

/// Held by the large message that is being sent. Others of its kind wait for its end, best with their first frame: all
/// of them would be later if they took turns, and the peer would have to keep all of them in part.
pub(crate) struct Turn(
    #[expect(dead_code, reason = "is held, not looked at")] Option<OwnedSemaphorePermit>,
);

impl Conn {
    /// The turn of a large message, if nobody has it.
    pub(crate) fn try_turn(&self) -> Option<Turn> {
        let permit = self.0.large.clone().try_acquire_owned().ok()?;
        Some(Turn(Some(permit)))
    }

    /// The turn of a large message, after those that came before.
    pub(crate) async fn turn(&self) -> Turn {
        Turn(self.0.large.clone().acquire_owned().await.ok())
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

    /// Sends the rest of a whole message, whose turn it is.
    pub(crate) async fn send_whole(
        &self,
        turn: Option<Turn>,
        send: impl FnMut(&mut Core) -> Result<Progress, CallIsOver>,
    ) -> Result<Progress, CallIsOver> {
        let _turn = match turn {
            Some(turn) => turn,
            None => self.turn().await,
        };
        self.send_shares(Share::up_to(TURN_ALONE), send).await
    }

    /// Sends a message as fast as the peer takes it; `send` queues its next frame. Done, or starved, in the end.
    pub(crate) async fn send_in_turns(
        &self,
        send: impl FnMut(&mut Core) -> Result<Progress, CallIsOver>,
    ) -> Result<Progress, CallIsOver> {
        self.send_shares(Share::up_to(TURN), send).await
    }

    async fn send_shares(
        &self,
        mut share: Share,
        mut send: impl FnMut(&mut Core) -> Result<Progress, CallIsOver>,
    ) -> Result<Progress, CallIsOver> {
        loop {
            self.wait_for_room().await;
            match self.send_share(&mut share, &mut send)? {
                Progress::Full => self.flush(),
                progress => return Ok(progress),
            }
            tokio::task::yield_now().await;
        }
    }

    fn send_share(
        &self,
        share: &mut Share,
        send: &mut impl FnMut(&mut Core) -> Result<Progress, CallIsOver>,
    ) -> Result<Progress, CallIsOver> {
        let mut core = self.core();
        let bytes = share.begin(core.proto.enqueued());
        let bytes = bytes.min(self.limits().queued_soft);
        loop {
            match send(&mut core) {
                Ok(Progress::Full) if self.queued(&core) < bytes => {}
                Ok(Progress::Full) => {
                    share.end(core.proto.enqueued());
                    return Ok(Progress::Full);
                }
                progress => {
                    self.flush_soon(core);
                    return progress;
                }
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

    fn begin(&mut self, enqueued: u64) -> usize {
        self.bytes = if self.enqueued == Some(enqueued) {
            (2 * self.bytes).min(self.bytes_max)
        } else {
            TURN
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

    #[test]
    fn a_message_gets_larger_turns_only_as_long_as_nobody_else_writes() {
        let mut share = Share::up_to(TURN_ALONE);
        let turns = [0, 7, 7, 7, 7, 8, 8].map(|enqueued| {
            let bytes = share.begin(enqueued);
            share.end(enqueued.max(7));
            bytes / TURN
        });
        assert_eq!(turns, [1, 2, 4, 4, 4, 1, 2]);
    }

    #[test]
    fn a_stream_gets_the_same_turn_each_time() {
        let mut share = Share::up_to(TURN);
        share.end(7);
        assert_eq!([share.begin(7), share.begin(8)], [TURN, TURN]);
    }
}
