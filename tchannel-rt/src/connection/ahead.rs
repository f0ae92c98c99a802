//! Reading ahead: with the rest of a chunk, the system reads the chunks that will follow it to their places, and the
//! heads between them aside.
//!
//! ```text
//! on the wire   ..chunk | head | chunk | head | chunk | whatever comes
//! read into     message   aside  message aside  message tail
//! ```
//!
//! What comes otherwise than foreseen is put together again, in the order of the wire, as if it had been read plainly.

use std::io::IoSliceMut;

use bytes::BytesMut;
use tchannel_proto::Frame;
use tchannel_proto::limits::FRAME_SIZE_MAX;
use tchannel_proto::message::ArrivingHead;

/// Most chunks that are read ahead. What is read is checked next, and should still be in the processor's cache.
pub(super) const CHUNKS_MAX: usize = 4;
/// Longest head of a continuation.
const HEAD_MAX: usize = 24;
/// Read at most where the head of a frame that is not foreseen is expected, in bytes: what comes with it must be
/// copied.
pub(super) const TAIL: usize = 2 * 1024;

/// What is foreseen behind a chunk.
pub(super) struct Ahead {
    heads: [[u8; HEAD_MAX]; CHUNKS_MAX],
    head_size: usize,
    /// Bytes of the chunks, none of them empty.
    chunks: [usize; CHUNKS_MAX],
    foreseen: usize,
    tail: [u8; TAIL],
    /// How many chunks may be foreseen: as many as came true in a row, and one more.
    trust: usize,
}

/// What of a foreseen frame has come: all of it, or its chunk not yet.
pub(super) struct Foreseen {
    pub(super) head: ArrivingHead,
    pub(super) frame: Frame,
    /// Bytes of the chunk that are in their place.
    pub(super) come: usize,
}

impl Ahead {
    pub(super) fn new() -> Self {
        Self {
            heads: [[0; HEAD_MAX]; CHUNKS_MAX],
            head_size: 0,
            chunks: [0; CHUNKS_MAX],
            foreseen: 0,
            tail: [0; TAIL],
            trust: 0,
        }
    }

    /// A frame has gone on with the message of the one before it.
    pub(super) fn note_in_row(&mut self) {
        self.trust = self.trust.max(1);
    }

    /// Foresees full frames behind that of `head`, whose message has place for `left` more bytes.
    pub(super) fn foresee(&mut self, head: &ArrivingHead, mut left: usize) {
        self.head_size = head.continuation_size.min(HEAD_MAX);
        self.foreseen = 0;
        let most = if head.more { self.trust } else { 0 };
        while self.foreseen < most && left > 0 {
            let chunk = left.min(FRAME_SIZE_MAX - self.head_size);
            self.chunks[self.foreseen] = chunk;
            self.foreseen += 1;
            left -= chunk;
        }
    }

    /// Gives `read` what is to be filled in the order of the wire: the first `missing` bytes of `place`, and what is
    /// foreseen behind them.
    pub(super) fn read_into<T>(
        &mut self,
        place: &mut [u8],
        missing: usize,
        read: impl FnOnce(&mut [IoSliceMut<'_>]) -> T,
    ) -> T {
        let mut slices = [const { None }; 2 * CHUNKS_MAX + 2];
        let (rest, mut place) = place.split_at_mut(missing);
        slices[0] = Some(rest);
        let mut count = 1;
        for (head, chunk) in self.heads.iter_mut().zip(self.chunks).take(self.foreseen) {
            let (chunk, behind) = place.split_at_mut(chunk);
            slices[count] = Some(&mut head[..self.head_size]);
            slices[count + 1] = Some(chunk);
            count += 2;
            place = behind;
        }
        slices[count] = Some(&mut self.tail[..]);
        let mut slices = slices.map(|slice| IoSliceMut::new(slice.unwrap_or_default()));
        read(&mut slices[..=count])
    }

    /// Tells apart what the last read has brought behind the chunk: `come` bytes. `place` is the message behind that
    /// chunk. Gives the frames that go on with the message of `before`, and puts what else has come into `others`.
    pub(super) fn sort(
        &mut self,
        mut before: ArrivingHead,
        place: &[u8],
        mut come: usize,
        others: &mut BytesMut,
    ) -> Vec<Foreseen> {
        let mut frames = Vec::new();
        let mut at = 0;
        for (index, (head, chunk)) in self.heads.iter().zip(self.chunks).enumerate() {
            if index == self.foreseen || come == 0 {
                break;
            }
            let found = (come >= self.head_size)
                .then(|| ArrivingHead::frame(&head[..self.head_size]))
                .flatten()
                .filter(|(head, _)| before.goes_on_with(head) && head.chunk_size <= chunk);
            let Some((head, frame)) = found else {
                if come >= self.head_size {
                    self.trust = 0;
                }
                self.put_together(index, 0, &place[at..], come, others);
                return frames;
            };
            come -= self.head_size;
            let come_of_it = come.min(head.chunk_size);
            come -= come_of_it;
            frames.push(Foreseen {
                head,
                frame,
                come: come_of_it,
            });
            if head.chunk_size < chunk && come > 0 {
                let skipped = self.head_size + head.chunk_size;
                self.put_together(index, skipped, &place[at..], come, others);
                self.trust = 0;
                return frames;
            }
            self.trust = (self.trust + 1).min(CHUNKS_MAX);
            at += chunk;
            before = head;
        }
        others.extend_from_slice(&self.tail[..come]);
        frames
    }

    /// Appends to `others` the `come` bytes that were read behind the first `skipped` ones of the frame foreseen at
    /// `first`, whose chunk would begin `place`.
    fn put_together(
        &self,
        first: usize,
        mut skipped: usize,
        mut place: &[u8],
        mut come: usize,
        others: &mut BytesMut,
    ) {
        let mut put = |slice: &[u8]| {
            let (before, slice) = slice.split_at(skipped.min(slice.len()));
            skipped -= before.len();
            let slice = &slice[..come.min(slice.len())];
            come -= slice.len();
            others.extend_from_slice(slice);
        };
        for index in first..self.foreseen {
            let (chunk, behind) = place.split_at(self.chunks[index]);
            put(&self.heads[index][..self.head_size]);
            put(chunk);
            place = behind;
        }
        put(&self.tail);
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use tchannel_proto::MessageId;
    use tchannel_proto::checksum::Checksum;
    use tchannel_proto::message::{Chunks, Continuation, Message, flags};

    use super::*;

    const FULL: usize = FRAME_SIZE_MAX - HEAD_MAX;
    /// A message of three full frames and a bit behind the one that is landing.
    const LEFT: usize = 3 * FULL + 100;

    /// A frame that goes on with message `id`.
    fn frame(id: u32, chunk: usize, more: bool) -> BytesMut {
        let mut bytes = BytesMut::new();
        let message = Message::CallReqContinue(Continuation {
            flags: if more { flags::MORE_FRAGMENTS } else { 0 },
            checksum: Checksum {
                checksum_type: tchannel_proto::ChecksumType::Crc32c,
                value: id,
            },
            chunks: Chunks::from_slices([&vec![(id as u8).wrapping_add(chunk as u8); chunk][..]]),
        });
        let encoded = message.encode(MessageId(id), &mut bytes);
        encoded.expect("it fits in a frame");
        bytes
    }

    /// What comes of a read of `wire`, behind a chunk of message 1 of which a byte was missing.
    fn read(ahead: &mut Ahead, wire: &[u8]) -> (Vec<Foreseen>, BytesMut, Vec<u8>) {
        let before = ArrivingHead::peek(&frame(1, 5, true)).expect("a head");
        ahead.foresee(&before, LEFT);
        let mut place = vec![0; 1 + LEFT];
        let wire = [&[9], wire].concat();
        let come = ahead.read_into(&mut place, 1, |slices| {
            let mut rest = &wire[..];
            for slice in slices {
                let (part, behind) = rest.split_at(rest.len().min(slice.len()));
                slice[..part.len()].copy_from_slice(part);
                rest = behind;
            }
            wire.len() - rest.len()
        });
        assert_eq!(place.remove(0), 9);
        let mut others = BytesMut::new();
        let frames = ahead.sort(before, &place, come - 1, &mut others);
        (frames, others, place)
    }

    fn trusting() -> Ahead {
        Ahead {
            trust: CHUNKS_MAX,
            ..Ahead::new()
        }
    }

    /// Holds what a read of `wire` gives to the wire itself; gives how many bytes were in their place.
    #[track_caller]
    fn check(ahead: &mut Ahead, wire: &[u8]) -> usize {
        let (frames, others, place) = read(ahead, wire);
        let (mut seen, mut at) = (0, 0);
        for Foreseen { head, come, .. } in &frames {
            assert_eq!(ArrivingHead::peek(&wire[seen..]), Some(*head));
            seen += head.size;
            assert!(wire[seen..seen + come] == place[at..at + come]);
            seen += come;
            at += head.chunk_size;
        }
        let read = seen + others.len();
        assert!(wire[seen..read] == others[..], "others are not what came");
        assert!(read == wire.len() || others.len() >= TAIL);
        at
    }

    #[test]
    fn what_comes_as_foreseen_is_in_its_place() {
        let wire = [
            frame(1, FULL, true),
            frame(1, FULL, true),
            frame(1, FULL, true),
            frame(1, 100, false),
            frame(2, 1000, true),
        ];
        let mut ahead = trusting();
        assert_eq!(check(&mut ahead, &wire.concat()), LEFT);
        assert_eq!(ahead.trust, CHUNKS_MAX);
    }

    #[test]
    fn nothing_is_foreseen_before_frames_of_a_message_have_come_in_a_row() {
        let wire = [frame(1, FULL, true), frame(1, FULL, true)].concat();
        let mut ahead = Ahead::new();
        assert_eq!(check(&mut ahead, &wire), 0);
        ahead.note_in_row();
        assert_eq!(check(&mut ahead, &wire), FULL);
        assert_eq!(check(&mut ahead, &wire), 2 * FULL);
    }

    #[test]
    fn nothing_is_foreseen_once_it_came_otherwise() {
        let mut ahead = trusting();
        let wire = [frame(1, FULL, true), frame(2, FULL, true)].concat();
        assert_eq!(check(&mut ahead, &wire), FULL);
        assert_eq!(ahead.trust, 0);
    }

    proptest! {
        #[test]
        fn whatever_comes_stays_in_the_order_of_the_wire(
            frames in vec((1..3_u32, prop_oneof![Just(FULL), Just(100), 0..FULL], any::<bool>()), 0..6),
            trust in 0..=CHUNKS_MAX,
            cut in 0.0..1.0_f64,
        ) {
            let frames = frames.iter().map(|(id, chunk, more)| frame(*id, *chunk, *more));
            let mut wire = frames.collect::<Vec<_>>().concat();
            wire.truncate((wire.len() as f64 * cut * 1.5) as usize);
            check(&mut Ahead { trust, ..Ahead::new() }, &wire);
        }
    }
}
