//! Memory for messages of several frames: each chunk is copied to its place in the message while the processor
//! still has it at hand, so that nothing is left to be joined at the end.

use bytes::BytesMut;
use tchannel_proto::Body;

use super::spent::Spent;

/// Most bytes of messages that wait for their readers to let go of them.
const SPENT_MAX: usize = 8 * 1024 * 1024;
/// Most room for bytes of one message that are only expected.
const EXPECTED_MAX: usize = 2 * 1024 * 1024;
/// The same of all messages of a connection together. Beyond it, a message has at most twice the room that it fills.
const AHEAD_MAX: usize = 16 * 1024 * 1024;

/// What a connection knows of the messages it collects.
#[derive(Debug)]
pub(crate) struct Memory {
    spent: Spent,
    /// About how many bytes the next one has, by those before.
    expected: usize,
    /// Room that was given for bytes that were expected.
    ahead: usize,
    /// A message has come in part since the last look.
    goes_on: bool,
    /// Nothing was collected since the last look.
    is_idle: bool,
}

/// Args that arrive.
#[derive(Debug, Default)]
pub(super) struct Parts {
    arg2: BytesMut,
    pub(super) arg3: BytesMut,
    /// Bytes of the buffer that arg3 has.
    size: usize,
    ahead: usize,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            spent: Spent::new(SPENT_MAX),
            expected: 0,
            ahead: 0,
            goes_on: false,
            is_idle: true,
        }
    }
}

impl Memory {
    /// Adds what a frame has brought.
    pub(super) fn append(&mut self, parts: &mut Parts, body: &Body) {
        self.goes_on = !body.end;
        parts.arg2.extend_from_slice(&body.arg2);
        self.make_room(parts, body.arg3.len());
        parts.arg3.extend_from_slice(&body.arg3);
    }

    /// Sees to it that so many bytes of arg3 fit.
    pub(super) fn make_room(&mut self, parts: &mut Parts, more: usize) {
        if parts.arg3.capacity() - parts.arg3.len() < more {
            self.grow(parts, more);
        }
    }

    fn grow(&mut self, parts: &mut Parts, more: usize) {
        let filled = parts.arg3.len() + more;
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
        let (mut arg3, size) = self.spent.take(room);
        arg3.extend_from_slice(&parts.arg3);
        let old = std::mem::replace(&mut parts.arg3, arg3);
        self.spent
            .put(old, std::mem::replace(&mut parts.size, size));
    }

    /// The whole message.
    pub(super) fn finish(&mut self, mut parts: Parts) -> Body {
        self.is_idle = false;
        let bytes = parts.arg3.len();
        self.expected = bytes.max(self.expected - self.expected / 8);
        let (arg2, arg3) = (parts.arg2.split(), parts.arg3.split());
        self.take_back(parts);
        Body::whole(arg2, arg3)
    }

    /// Takes the memory of a message that is whole, or never will be.
    pub(super) fn take_back(&mut self, parts: Parts) {
        self.ahead -= parts.ahead;
        self.spent.put(parts.arg3, parts.size);
    }

    /// Whether more of a message is to come, by what has come since the last look.
    pub(super) fn take_goes_on(&mut self) -> bool {
        std::mem::take(&mut self.goes_on)
    }

    /// Gives back what a burst left behind, once it is over.
    pub(super) fn shrink(&mut self) {
        if std::mem::replace(&mut self.is_idle, true) {
            self.spent.clear();
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
        let room: usize = open.iter().map(|parts| parts.size).sum();
        assert!(
            room > EXPECTED_MAX && room <= AHEAD_MAX + SPENT_MAX + 1000 * 200,
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
        let room = memory.spent.take(60_000).1;
        assert_eq!((memory.expected, room), (0, 60_000));
    }
}
