//! Large messages on their way out: a turn at a time, so that one of them holds nobody up for longer.

use tchannel_proto::{CallIsOver, Progress};

use super::{Conn, Core};

/// What a large message puts into one write, in bytes, before the driver and other calls have their turn: what is
/// hashed is still in the processor's cache when the kernel copies it, and the peer has something to do meanwhile.
pub(crate) const TURN: usize = 128 * 1024;

impl Conn {
    /// Sends the rest of a whole message. Others of its kind wait for its end: all of them would be later if they
    /// took turns, and the peer would have to keep all of them in part.
    pub(crate) async fn send_whole(
        &self,
        send: impl FnMut(&mut Core) -> Result<Progress, CallIsOver>,
    ) -> Result<Progress, CallIsOver> {
        let _in_line = self.0.large.acquire().await;
        self.send_in_turns(send).await
    }

    /// Sends a message as fast as the peer takes it; `send` queues its next frame. Done, or starved, in the end.
    pub(crate) async fn send_in_turns(
        &self,
        mut send: impl FnMut(&mut Core) -> Result<Progress, CallIsOver>,
    ) -> Result<Progress, CallIsOver> {
        loop {
            self.wait_for_room().await;
            match self.send_turn(&mut send)? {
                Progress::Full => self.flush(),
                progress => return Ok(progress),
            }
            tokio::task::yield_now().await;
        }
    }

    fn send_turn(
        &self,
        send: &mut impl FnMut(&mut Core) -> Result<Progress, CallIsOver>,
    ) -> Result<Progress, CallIsOver> {
        let turn = self.limits().queued_soft.min(TURN);
        let mut core = self.core();
        loop {
            match send(&mut core) {
                Ok(Progress::Full) if self.queued(&core) < turn => {}
                Ok(Progress::Full) => return Ok(Progress::Full),
                progress => {
                    self.flush_soon(core);
                    return progress;
                }
            }
        }
    }
}
