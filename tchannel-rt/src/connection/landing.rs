//! Chunks of large messages, read from the socket straight to where they belong: no copy is made of them.

use std::time::Instant;

use tchannel_proto::message::ArrivingHead;
use tchannel_proto::{Apart, Frame};

use super::ahead::Foreseen;
use super::driver::Driver;
use super::memory::Parts;
use super::{Core, Exchange, Served, Target};

/// A chunk on its way to its place.
pub(super) struct Landing {
    pub(super) head: ArrivingHead,
    /// Its frame, without it.
    pub(super) frame: Frame,
    /// The message, up to what has come of the chunk. Its exchange goes without until the chunk is whole.
    pub(super) parts: Box<Parts>,
    /// Bytes of the chunk that have not come.
    pub(super) missing: usize,
    /// What of the same message has come with the end of the chunk.
    pub(super) behind: Vec<Foreseen>,
}

/// Less than this is no reason to read apart from what follows, in bytes.
const LANDING_MIN: usize = 4 * 1024;

impl Driver {
    /// Sees to it that what is missing of a large chunk is read to its place, and that no more of the next than
    /// needed is read with what comes before it.
    pub(super) fn begin_landing(&mut self, core: &mut Core) {
        self.intake.expect_more(core.memory.take_has_joined());
        if self.intake.missing() < LANDING_MIN {
            return;
        }
        let Some(head) = self.intake.arriving() else {
            return;
        };
        let Some(mut parts) = self.parts_before(core, &head) else {
            return;
        };
        let (frame, come) = self.intake.take_arriving(&head);
        core.memory.make_room(&mut parts, head.chunk_size);
        parts.put(&come);
        self.land(core, head, frame, parts, come.len());
    }

    /// Reads what is missing of a chunk of which so much has come.
    fn land(
        &mut self,
        core: &Core,
        head: ArrivingHead,
        frame: Frame,
        parts: Box<Parts>,
        come: usize,
    ) {
        let missing = head.chunk_size - come;
        let left = core.memory.left(&parts).saturating_sub(missing);
        let landing = Landing {
            head,
            frame,
            parts,
            missing,
            behind: Vec::new(),
        };
        self.intake.land(landing, left);
    }

    /// What has come of the message before the chunk behind `head`, if it is one that is collected.
    fn parts_before(&self, core: &mut Core, head: &ArrivingHead) -> Option<Box<Parts>> {
        let exchange = match core.proto.apart(head)? {
            // Whether a relay serves it by itself or passes it on is only known once it is whole.
            Apart::NewCall => return self.dispatch.relay().is_none().then(Box::default),
            Apart::Call(key) => match core.served(key) {
                Served::Collecting { exchange, .. } => *exchange,
                _ => return None,
            },
            Apart::Answer(key) => match core.target(key) {
                Target::Exchange(index) => *index,
                _ => return None,
            },
        };
        let exchange = &mut core.exchanges[exchange];
        exchange.joins().then(|| exchange.take_parts())
    }

    /// A chunk is in its place, and some of those behind it.
    pub(super) fn handle_landed(&mut self, core: &mut Core, now: Instant, landing: Landing) {
        let Landing {
            head,
            frame,
            parts,
            behind,
            ..
        } = landing;
        self.handle_chunk(core, now, &head, frame, parts);
        for Foreseen { head, frame, come } in behind {
            // Without an exchange the call is over, and nobody looks at the chunk.
            let mut parts = self.parts_before(core, &head).unwrap_or_default();
            core.memory.make_room(&mut parts, head.chunk_size);
            parts.fill(come);
            if come < head.chunk_size {
                return self.land(core, head, frame, parts, come);
            }
            self.handle_chunk(core, now, &head, frame, parts);
        }
    }

    /// A chunk ends what has come of its message: the same as if its frame had come.
    fn handle_chunk(
        &mut self,
        core: &mut Core,
        now: Instant,
        head: &ArrivingHead,
        frame: Frame,
        parts: Box<Parts>,
    ) {
        let start = parts.arg3().len() - head.chunk_size;
        let chunk = &parts.arg3()[start..];
        let outcome = core.proto.handle_frame_apart(now, frame, chunk);
        self.note_broken(outcome);
        core.memory.land(parts, head.chunk_size);
        self.settle(core);
        core.memory.forget_landed();
    }
}

impl Exchange {
    fn take_parts(&mut self) -> Box<Parts> {
        self.parts.take().unwrap_or_default()
    }
}
