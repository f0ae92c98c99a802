//! Buffers that were given away in slices, to be filled again once nobody holds one of them.
//!
//! The allocator gives memory of this size back to the system, and takes it from there again page by page. Its
//! pages would cost more than what is read into them.

use std::collections::VecDeque;

use bytes::BytesMut;

/// Most buffers that are kept, whatever their size: each of them is looked at when one is needed.
const BUFFERS_MAX: usize = 8;

/// A few buffers that were used up, each kept by an empty slice of it.
#[derive(Debug)]
pub(super) struct Spent {
    buffers: VecDeque<(BytesMut, usize)>,
    bytes: usize,
    bytes_max: usize,
}

impl Spent {
    /// Keeps buffers of no more than `bytes_max` bytes together.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            buffers: VecDeque::new(),
            bytes: 0,
            bytes_max,
        }
    }

    /// An empty buffer with room for `room` bytes and its size: the last one that nobody holds any more, or a new one.
    ///
    /// None that is much larger: whoever holds a slice of it holds all of it.
    pub(super) fn take(&mut self, room: usize) -> (BytesMut, usize) {
        let is_free =
            |(buffer, size): &mut (BytesMut, usize)| *size <= 4 * room && buffer.try_reclaim(room);
        let free = self.buffers.iter_mut().rposition(is_free);
        match free.and_then(|index| self.buffers.remove(index)) {
            Some((buffer, size)) => {
                self.bytes -= size;
                (buffer, size)
            }
            None => (BytesMut::with_capacity(room), room),
        }
    }

    /// Keeps `buffer`, of `size` bytes from its very beginning, in place of those that have been here longest.
    pub(super) fn put(&mut self, mut buffer: BytesMut, size: usize) {
        if size == 0 || size > self.bytes_max {
            return;
        }
        buffer.clear();
        self.bytes += size;
        self.buffers.push_back((buffer, size));
        while self.bytes > self.bytes_max || self.buffers.len() > BUFFERS_MAX {
            let (_, size) = self.buffers.pop_front().expect("bytes are of buffers");
            self.bytes -= size;
        }
    }

    /// Gives all of it back.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.bytes_max);
    }
}

#[cfg(test)]
mod tests {
    use bytes::{BufMut, Bytes};

    use super::*;

    fn fill(spent: &mut Spent, room: usize) -> (*const u8, Bytes) {
        let (mut buffer, size) = spent.take(room);
        assert_eq!(buffer.len(), 0);
        buffer.put_bytes(7, room);
        let given = buffer.split().freeze();
        spent.put(buffer, size);
        (given.as_ptr(), given)
    }

    #[test]
    fn a_buffer_is_used_again_once_its_slices_are_gone() {
        let mut spent = Spent::new(1000);
        let (first, held) = fill(&mut spent, 100);
        let (second, given) = fill(&mut spent, 100);
        assert_ne!(first, second, "a slice of the first is still held");
        drop(given);
        assert_eq!(fill(&mut spent, 100).0, second);
        assert_eq!(held, vec![7; 100]);
        drop(held);
        let (third, _third) = fill(&mut spent, 100);
        let (fourth, _) = fill(&mut spent, 100);
        assert_eq!([third, fourth], [second, first]);
    }

    #[test]
    fn a_larger_one_serves_too_and_a_smaller_one_does_not() {
        let mut spent = Spent::new(1000);
        let (large, _) = fill(&mut spent, 300);
        assert_eq!(fill(&mut spent, 200).0, large);
        assert_eq!(spent.take(301).1, 301);
        assert_eq!(spent.take(74).1, 74, "300 bytes are too many for so few");
        assert_eq!(spent.bytes, 300);
    }

    #[test]
    fn no_more_buffers_are_kept_than_allowed() {
        let mut spent = Spent::new(250);
        let given: Vec<_> = (0..5).map(|_| fill(&mut spent, 100)).collect();
        assert_eq!((spent.buffers.len(), spent.bytes), (2, 200));
        drop(given);
        fill(&mut spent, 251);
        assert_eq!((spent.buffers.len(), spent.bytes), (2, 200));
        let given: Vec<_> = (0..20).map(|_| fill(&mut spent, 10)).collect();
        assert_eq!((spent.buffers.len(), spent.bytes), (8, 80));
        drop(given);
        spent.clear();
        assert_eq!((spent.buffers.len(), spent.bytes), (0, 0));
    }
}
