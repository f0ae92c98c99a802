//! Memory that was given away with messages, to be filled again once nobody holds them.
//!
//! All of it has been written before, so that the system can read into several places of it at once. Like
//! [`Spent`](super::spent::Spent) for what is split up, this is for what stays in one piece.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

/// Most pieces that are kept, whatever their size: each of them is looked at when one is needed.
const PIECES_MAX: usize = 24;

/// A few pieces of memory, some of which others still hold.
#[derive(Debug)]
pub(super) struct Lent {
    pieces: VecDeque<Bytes>,
    bytes: usize,
    bytes_max: usize,
}

impl Lent {
    /// Keeps pieces of no more than `bytes_max` bytes together.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            pieces: VecDeque::new(),
            bytes: 0,
            bytes_max,
        }
    }

    /// A piece of at least `bytes` bytes, all of them there and none of them of any meaning: the last one that nobody
    /// holds any more, or a new one.
    ///
    /// None that is much larger: whoever holds a slice of it holds all of it.
    pub(super) fn take(&mut self, bytes: usize) -> BytesMut {
        let fits = |piece: &Bytes| (bytes..=4 * bytes).contains(&piece.len()) && piece.is_unique();
        let free = self.pieces.iter().rposition(fits);
        let piece = free.and_then(|index| self.pieces.remove(index));
        piece
            .and_then(|piece| {
                self.bytes -= piece.len();
                piece.try_into_mut().ok()
            })
            .unwrap_or_else(|| BytesMut::zeroed(bytes))
    }

    /// Keeps `piece` in place of those that have been here longest, and gives it to be lent.
    pub(super) fn lend(&mut self, piece: BytesMut) -> Bytes {
        let piece = piece.freeze();
        if !piece.is_empty() && piece.len() <= self.bytes_max {
            self.bytes += piece.len();
            self.pieces.push_back(piece.clone());
        }
        while self.bytes > self.bytes_max || self.pieces.len() > PIECES_MAX {
            let oldest = self.pieces.pop_front().expect("bytes are of pieces");
            self.bytes -= oldest.len();
        }
        piece
    }

    /// Gives all of it back.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.bytes_max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(lent: &mut Lent, bytes: usize) -> (*const u8, Bytes) {
        let mut piece = lent.take(bytes);
        assert!(piece.len() >= bytes);
        piece[..bytes].fill(7);
        let given = lent.lend(piece).slice(..bytes);
        (given.as_ptr(), given)
    }

    #[test]
    fn a_piece_is_used_again_once_its_slices_are_gone() {
        let mut lent = Lent::new(1000);
        let (first, held) = fill(&mut lent, 100);
        let (second, given) = fill(&mut lent, 100);
        assert_ne!(first, second, "a slice of the first is still held");
        drop(given);
        assert_eq!(fill(&mut lent, 100).0, second);
        assert_eq!(held, vec![7; 100]);
        drop(held);
        let (third, _third) = fill(&mut lent, 100);
        let (fourth, _) = fill(&mut lent, 100);
        assert_eq!([third, fourth], [second, first]);
    }

    #[test]
    fn a_larger_one_serves_too_and_a_smaller_one_does_not() {
        let mut lent = Lent::new(1000);
        let (large, _) = fill(&mut lent, 300);
        assert_eq!(fill(&mut lent, 200).0, large);
        assert_eq!(lent.take(301).len(), 301);
        assert_eq!(lent.take(74).len(), 74, "300 bytes are too many for so few");
        assert_eq!(lent.bytes, 300);
    }

    #[test]
    fn no_more_is_kept_than_allowed() {
        let mut lent = Lent::new(250);
        let given: Vec<_> = (0..5).map(|_| fill(&mut lent, 100)).collect();
        assert_eq!((lent.pieces.len(), lent.bytes), (2, 200));
        drop(given);
        fill(&mut lent, 251);
        assert_eq!((lent.pieces.len(), lent.bytes), (2, 200));
        let given: Vec<_> = (0..40).map(|_| fill(&mut lent, 10)).collect();
        assert_eq!((lent.pieces.len(), lent.bytes), (24, 240));
        drop(given);
        lent.clear();
        assert_eq!((lent.pieces.len(), lent.bytes), (0, 0));
    }
}
