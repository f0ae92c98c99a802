//! Chunks of large messages, read from the socket straight to where they belong: no copy is made of them.

use std::time::Instant;

use tchannel_proto::Continues;
use tchannel_proto::message::ContinuationHead;

use super::driver::Driver;
use super::memory::Parts;
use super::{Core, Served, Target};

/// A chunk on its way to its place.
pub(super) struct Landing {
    pub(super) head: ContinuationHead,
    /// The message, up to what has come of the chunk. Its exchange goes without until the chunk is whole.
    pub(super) parts: Box<Parts>,
    /// Bytes of the chunk that have not come.
    pub(super) missing: usize,
}

/// Less than this is no reason to read apart from what follows, in bytes.
const LANDING_MIN: usize = 4 * 1024;

impl Driver {
    /// Sees to it that what is missing of a large chunk is read to its place, and that no more of the next than
    /// needed is read with what comes before it.
    pub(super) fn begin_landing(&mut self, core: &mut Core) {
        self.intake.expect_more(core.memory.take_goes_on());
        if self.intake.missing() < LANDING_MIN {
            return;
        }
        let Some(head) = self.intake.arriving() else {
            return;
        };
        let Some(index) = core.collecting(&head) else {
            return;
        };
        if let Some(mut parts) = core.exchanges[index].parts.take() {
            let missing = self.intake.missing();
            core.memory.make_room(&mut parts, head.chunk_size);
            parts
                .arg3
                .extend_from_slice(&self.intake.take_arriving(&head));
            self.intake.land(Landing {
                head,
                parts,
                missing,
            });
        }
    }

    /// A chunk is in its place: the same as if its frame had come.
    pub(super) fn handle_landed(&mut self, core: &mut Core, now: Instant, landing: Landing) {
        let Landing { head, parts, .. } = landing;
        let exchange = core.collecting(&head);
        let start = parts.arg3.len() - head.chunk_size;
        core.proto
            .handle_continuation(now, &head, &parts.arg3[start..]);
        match exchange {
            Some(index) => core.exchanges[index].put_back(parts, head.chunk_size),
            None => core.memory.take_back(*parts),
        }
        self.settle(core);
    }
}

impl Core {
    /// Who collects the message that goes on behind `head`.
    fn collecting(&mut self, head: &ContinuationHead) -> Option<usize> {
        match self.proto.continues(head)? {
            Continues::Inbound(key) => match self.served(key) {
                Served::Collecting { exchange, .. } => Some(*exchange),
                _ => None,
            },
            Continues::Outbound(key) => match self.target(key) {
                Target::Exchange(index) => Some(*index),
                _ => None,
            }
            .filter(|index| self.exchanges[*index].collects),
        }
    }
}
