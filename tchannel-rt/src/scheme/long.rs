//! Memory of long args, to be written again once nobody holds them.
//!
//! Given back to the C library it would often go back to the system with each call, and be cleared anew for the next.

use std::collections::VecDeque;

use bytes::Bytes;

/// Most args whose memory is kept: each is looked at when some is needed.
const PIECES_MAX: usize = 16;
/// Most memory that a thread keeps.
const BYTES_MAX: usize = 4 * 1024 * 1024;
/// Args in a row that were short, after which nothing is kept.
const SHORT_MAX: u32 = 64;
/// Args hold at most so many times the memory that they fill, since their holder may keep them.
const SPARE: usize = 4;

/// Long args, some of which others still hold.
#[derive(Default)]
pub(super) struct Long {
    pieces: VecDeque<Piece>,
    bytes: usize,
    shorts: u32,
}

struct Piece {
    args: Bytes,
    capacity: usize,
}

impl Long {
    /// A buffer, empty, that has been written before and that nobody holds.
    pub(super) fn take(&mut self) -> Option<Vec<u8>> {
        let free = |piece: &Piece| piece.args.is_unique();
        let index = self.pieces.iter().rposition(free)?;
        let Piece { mut args, capacity } = self.pieces.remove(index)?;
        self.bytes -= capacity;
        // Or they would be moved to where they are.
        args.clear();
        Some(args.into())
    }

    /// Long args, of what `buffer` holds.
    pub(super) fn give(&mut self, buffer: Vec<u8>) -> Bytes {
        self.shorts = 0;
        if buffer.capacity() <= SPARE * buffer.len() {
            return self.keep(buffer);
        }
        let args = Bytes::copy_from_slice(&buffer);
        self.keep(buffer);
        args
    }

    /// Keeps a buffer that short args were written to.
    pub(super) fn put_back(&mut self, buffer: Vec<u8>) {
        self.keep(buffer);
        self.note_short();
    }

    fn note_short(&mut self) {
        self.shorts += 1;
        if self.shorts >= SHORT_MAX {
            *self = Self::default();
        }
    }

    fn keep(&mut self, buffer: Vec<u8>) -> Bytes {
        let capacity = buffer.capacity();
        let args = Bytes::from(buffer);
        if capacity <= BYTES_MAX {
            self.bytes += capacity;
            let args = args.clone();
            self.pieces.push_back(Piece { args, capacity });
        }
        while self.bytes > BYTES_MAX || self.pieces.len() > PIECES_MAX {
            let oldest = self.pieces.pop_front().expect("bytes are of pieces");
            self.bytes -= oldest.capacity;
        }
        args
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(long: &mut Long, size: usize) -> Bytes {
        let mut buffer = long.take().unwrap_or_default();
        assert!(buffer.is_empty());
        buffer.extend((0..size).map(|n| n as u8));
        long.give(buffer)
    }

    #[test]
    fn memory_is_written_again_once_its_args_are_gone() {
        let mut long = Long::default();
        let first = written(&mut long, 100_000);
        let second = written(&mut long, 100_000);
        assert_ne!(first.as_ptr(), second.as_ptr());
        let place = first.as_ptr();
        drop(first);
        assert_eq!(written(&mut long, 90_000).as_ptr(), place);
        assert!(second.iter().enumerate().all(|(n, byte)| *byte == n as u8));
    }

    #[test]
    fn args_do_not_hold_much_more_than_they_fill() {
        let mut long = Long::default();
        let place = written(&mut long, 100_000).as_ptr();
        assert_ne!(written(&mut long, 2000).as_ptr(), place);
        assert_eq!(written(&mut long, 50_000).as_ptr(), place);
    }

    #[test]
    fn no_more_is_kept_than_allowed() {
        let mut long = Long::default();
        let held: Vec<_> = (0..40).map(|_| written(&mut long, 10_000)).collect();
        assert_eq!(long.pieces.len(), PIECES_MAX);
        drop(held);
        let held: Vec<_> = (0..8).map(|_| written(&mut long, 1 << 20)).collect();
        assert!(long.bytes <= BYTES_MAX, "{}", long.bytes);
        drop(held);
        drop(written(&mut long, BYTES_MAX + 1));
        assert!(long.bytes <= BYTES_MAX, "{}", long.bytes);
    }

    #[test]
    fn nothing_is_kept_once_args_have_been_short_for_a_while() {
        let mut long = Long::default();
        drop(written(&mut long, 100_000));
        for _ in 0..SHORT_MAX {
            let buffer = long.take().expect("it is kept");
            long.put_back(buffer);
        }
        assert!(long.take().is_none());
        assert_eq!(long.bytes, 0);
    }
}
