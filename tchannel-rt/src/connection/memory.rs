//! Memory for messages of several frames: each chunk comes to its place in the message at once, read or copied, so
//! that nothing is left to be joined at the end.

use bytes::BytesMut;
use tchannel_proto::Body;

use super::lent::Lent;

/// Most bytes of messages that wait for their readers to let go of them.
const LENT_MAX: usize = 24 * 1024 * 1024;
/// Most room for bytes of one message that are only expected.
const EXPECTED_MAX: usize = 2 * 1024 * 1024;
/// The same of all messages of a connection together. Beyond it, a message has at most twice the room that it fills.
const AHEAD_MAX: usize = 16 * 1024 * 1024;

/// What a connection knows of the messages it collects.
#[derive(Debug)]
pub(crate) struct Memory {
    lent: Lent,
    /// About how many bytes the next one has, by those before.
    expected: usize,
    /// Room that was given for bytes that were expected.
    ahead: usize,
    /// A frame of a message of several frames has come since the last look.
    has_joined: bool,
    /// A message up to a chunk that has landed, of so many bytes, while what its frame says is settled.
    landed: Option<(Box<Parts>, usize)>,
    /// Nothing was collected since the last look.
    is_idle: bool,
}

/// Args that arrive.
#[derive(Debug, Default)]
pub(super) struct Parts {
    arg2: BytesMut,
    /// Where arg3 is put together: what has come of it, and room for more.
    arg3: BytesMut,
    /// Bytes of arg3 that have come.
    filled: usize,
    ahead: usize,
}

impl Parts {
    /// What has come of arg3.
    pub(super) fn arg3(&self) -> &[u8] {
        &self.arg3[..self.filled]
    }

    /// Room for what comes next.
    pub(super) fn room(&self) -> &[u8] {
        &self.arg3[self.filled..]
    }

    /// The same, to be filled.
    pub(super) fn room_mut(&mut self) -> &mut [u8] {
        &mut self.arg3[self.filled..]
    }

    /// Says that so many bytes of the room have been filled.
    pub(super) fn fill(&mut self, bytes: usize) {
        self.filled += bytes;
    }

    /// Fills the room with `bytes`.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        self.room_mut()[..bytes.len()].copy_from_slice(bytes);
        self.fill(bytes.len());
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            lent: Lent::new(LENT_MAX),
            expected: 0,
            ahead: 0,
            has_joined: false,
            landed: None,
            is_idle: true,
        }
    }
}

impl Memory {
    /// Adds what a frame has brought.
    pub(super) fn append(&mut self, parts: &mut Parts, body: &Body) {
        self.has_joined = true;
        parts.arg2.extend_from_slice(&body.arg2);
        self.make_room(parts, body.arg3.len());
        parts.put(&body.arg3);
    }

    /// Sees to it that so many bytes of arg3 fit.
    pub(super) fn make_room(&mut self, parts: &mut Parts, more: usize) {
        if parts.room().len() < more {
            self.grow(parts, more);
        }
    }

    fn grow(&mut self, parts: &mut Parts, more: usize) {
        let filled = parts.filled + more;
        // A little more than the last one had is no reason to start over.
        let expected = (self.expected + self.expected / 16).min(EXPECTED_MAX);
        self.ahead -= std::mem::take(&mut parts.ahead);
        let room = if expected > 2 * filled && self.ahead + expected <= AHEAD_MAX {
            parts.ahead = expected;
            expected
        } else {
            2 * filled
        };
        self.ahead += parts.ahead;
        let mut arg3 = self.lent.take(room);
        arg3[..parts.filled].copy_from_slice(parts.arg3());
        self.lent.lend(std::mem::replace(&mut parts.arg3, arg3));
    }

    /// Bytes of a message that have not come, by those before, and for which there is room.
    pub(super) fn left(&self, parts: &Parts) -> usize {
        let left = self.expected.saturating_sub(parts.filled);
        left.min(parts.room().len())
    }

    /// The whole message.
    pub(super) fn finish(&mut self, mut parts: Parts) -> Body {
        self.is_idle = false;
        let bytes = parts.filled;
        self.expected = bytes.max(self.expected - self.expected / 8);
        let (arg2, arg3) = (parts.arg2.split(), std::mem::take(&mut parts.arg3));
        self.take_back(parts);
        Body::whole(arg2, self.lent.lend(arg3).slice(..bytes))
    }

    /// Takes the memory of a message that is whole, or never will be.
    pub(super) fn take_back(&mut self, parts: Parts) {
        self.ahead -= parts.ahead;
        self.lent.lend(parts.arg3);
    }

    /// Whether frames of large messages come, by what has come since the last look.
    pub(super) fn take_has_joined(&mut self) -> bool {
        std::mem::take(&mut self.has_joined)
    }

    /// Keeps a message, whose last `chunk_size` bytes have landed, for the exchange that their frame is for.
    pub(super) fn land(&mut self, parts: Box<Parts>, chunk_size: usize) {
        self.landed = Some((parts, chunk_size));
    }

    /// Bytes that have landed, and are in no exchange.
    pub(super) fn landed(&self) -> usize {
        self.landed.as_ref().map_or(0, |(_, bytes)| *bytes)
    }

    pub(super) fn take_landed(&mut self) -> Option<(Box<Parts>, usize)> {
        self.landed.take()
    }

    /// Takes back the memory of what has landed for nobody.
    pub(super) fn forget_landed(&mut self) {
        if let Some((parts, _)) = self.landed.take() {
            self.take_back(*parts);
        }
    }

    /// Gives back what a burst left behind, once it is over.
    pub(super) fn shrink(&mut self) {
        if std::mem::replace(&mut self.is_idle, true) {
            self.lent.clear();
            self.expected = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn frame(size: usize, end: bool) -> Body {
        Body {
            arg2_end: true,
            arg3: Bytes::from(vec![7; size]),
            end,
            ..Body::default()
        }
    }

    fn message(memory: &mut Memory, sizes: &[usize]) -> Body {
        let mut parts = Parts::default();
        for size in sizes {
            memory.append(&mut parts, &frame(*size, false));
        }
        memory.finish(parts)
    }

    #[test]
    fn a_message_of_the_size_of_the_last_gets_its_memory_once_that_is_free() {
        let mut memory = Memory::default();
        message(&mut memory, &[60_000; 10]);
        let first = message(&mut memory, &[60_000; 10]);
        let place = first.arg3.as_ptr();
        assert_ne!(message(&mut memory, &[60_000; 10]).arg3.as_ptr(), place);
        drop(first);
        let second = message(&mut memory, &[60_000; 10]);
        let third = message(&mut memory, &[60_000; 10]);
        assert!([second.arg3.as_ptr(), third.arg3.as_ptr()].contains(&place));
        assert_eq!(third.arg3, vec![7; 600_000]);
    }

    #[test]
    fn what_is_only_expected_takes_no_more_room_than_allowed() {
        let mut memory = Memory::default();
        message(&mut memory, &[1_000_000; 4]);
        let open: Vec<Parts> = (0..1000)
            .map(|_| {
                let mut parts = Parts::default();
                memory.append(&mut parts, &frame(100, false));
                parts
            })
            .collect();
        let room: usize = open.iter().map(|parts| parts.arg3.len()).sum();
        assert!(
            room > EXPECTED_MAX && room <= AHEAD_MAX + LENT_MAX + 1000 * 200,
            "{room}"
        );
        open.into_iter().for_each(|parts| memory.take_back(parts));
        assert_eq!(memory.ahead, 0);
    }

    #[test]
    fn memory_is_given_back_once_nothing_large_has_come_for_a_while() {
        let mut memory = Memory::default();
        message(&mut memory, &[60_000; 10]);
        memory.shrink();
        assert_ne!(memory.expected, 0);
        memory.shrink();
        let room = memory.lent.take(60_000).len();
        assert_eq!((memory.expected, room), (0, 60_000));
    }
}
