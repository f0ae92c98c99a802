//! Reading: how much at once, into which buffer, and the frames cut from it.

use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use tchannel_proto::message::ArrivingHead;
use tchannel_proto::{Decoder, Frame, ProtocolError};

use super::Reader;
use super::ahead::{Ahead, TAIL};
use super::landing::Landing;
use super::spent::Spent;

/// First read buffer, in bytes; it grows to [`CHUNK_MAX`] while reads fill it.
pub(super) const CHUNK_MIN: usize = 8 * 1024;
const CHUNK_MAX: usize = 256 * 1024;
/// A buffer that others hold slices of is replaced when it has less room than this.
const SPARE_MIN: usize = 1024;
/// Most bytes of buffers that wait for their slices to be gone.
const SPENT_MAX: usize = 8 * CHUNK_MAX;

/// What has been read and is not yet a frame.
pub(super) struct Intake {
    decoder: Decoder,
    /// Bytes of the buffer that the decoder has.
    size: usize,
    chunk: usize,
    spent: Spent,
    landing: Option<Landing>,
    /// The last of them.
    landed: Option<ArrivingHead>,
    ahead: Option<Box<Ahead>>,
    /// The frame that comes next is most likely one of a large message.
    expects_more: bool,
}

/// What reading has brought.
pub(super) enum Came {
    Frame(Frame),
    Landed(Landing),
}

impl Intake {
    pub(super) fn new() -> Self {
        Self {
            decoder: Decoder::new(),
            size: 0,
            chunk: CHUNK_MIN,
            spent: Spent::new(SPENT_MAX),
            landing: None,
            landed: None,
            ahead: None,
            expects_more: false,
        }
    }

    /// Reads at least a byte; zero at the end.
    pub(super) fn poll_read(
        &mut self,
        reader: &mut Reader,
        cx: &mut Context<'_>,
    ) -> Poll<std::io::Result<usize>> {
        if self.landing.is_some() {
            return self.poll_landing(reader, cx);
        }
        // Room is made at the last moment, when those who were given slices of it may have let go.
        self.make_room(0);
        let limit = if self.expects_more { TAIL } else { usize::MAX };
        let buffer = self.decoder.buffer_mut();
        let read = ready!(reader.poll_read(cx, buffer, limit));
        if buffer.len() >= self.chunk {
            self.chunk = (self.chunk * 2).min(CHUNK_MAX);
        }
        Poll::Ready(read)
    }

    fn poll_landing(
        &mut self,
        reader: &mut Reader,
        cx: &mut Context<'_>,
    ) -> Poll<std::io::Result<usize>> {
        let (Some(landing), Some(ahead)) = (&mut self.landing, &mut self.ahead) else {
            unreachable!("whoever lands reads ahead");
        };
        let place = landing.parts.room_mut();
        let read = ready!(ahead.read_into(place, landing.missing, |slices| {
            reader.poll_read_vectored(cx, slices)
        }))?;
        let come = read.min(landing.missing);
        landing.missing -= come;
        landing.parts.fill(come);
        self.sort(read - come);
        Poll::Ready(Ok(read))
    }

    /// Tells apart what has come behind a chunk that has landed.
    fn sort(&mut self, come: usize) {
        if come == 0 {
            return;
        }
        self.make_room(come);
        if let (Some(landing), Some(ahead)) = (&mut self.landing, &mut self.ahead) {
            let others = self.decoder.buffer_mut();
            landing.behind = ahead.sort(landing.head, landing.parts.room(), come, others);
        }
    }

    /// Whether nothing has come before more has.
    pub(super) fn is_landing(&self) -> bool {
        self.landing
            .as_ref()
            .is_some_and(|landing| landing.missing > 0)
    }

    /// The next whole frame of what has been read.
    pub(super) fn next(&mut self) -> Result<Option<Came>, ProtocolError> {
        if let Some(landing) = self.landing.take_if(|landing| landing.missing == 0) {
            return Ok(Some(Came::Landed(landing)));
        }
        Ok(self.decoder.next_frame()?.map(Came::Frame))
    }

    /// Bytes that are missing before the next frame is whole.
    pub(super) fn missing(&self) -> usize {
        self.decoder.missing()
    }

    /// See [`Decoder::arriving`].
    pub(super) fn arriving(&self) -> Option<ArrivingHead> {
        self.decoder.arriving()
    }

    /// See [`Decoder::take_arriving`].
    pub(super) fn take_arriving(&mut self, head: &ArrivingHead) -> (Frame, BytesMut) {
        self.decoder.take_arriving(head)
    }

    /// Says whether the next frame is one of a large message, most likely.
    pub(super) fn expect_more(&mut self, expects_more: bool) {
        self.expects_more = expects_more;
    }

    /// Reads what is missing there before anything else. `left` bytes of the message follow it, most likely.
    pub(super) fn land(&mut self, landing: Landing, left: usize) {
        let ahead = self.ahead.get_or_insert_with(|| Box::new(Ahead::new()));
        let before = self.landed.replace(landing.head);
        if before.is_some_and(|before| before.goes_on_with(&landing.head)) {
            ahead.note_in_row();
        }
        ahead.foresee(&landing.head, left);
        self.landing = Some(landing);
    }

    /// Starts small again. For when nothing is in flight.
    pub(super) fn shrink(&mut self) {
        self.spent.clear();
        if self.landing.is_none() {
            self.ahead = None;
        }
        if self.decoder.is_empty() && self.chunk > CHUNK_MIN {
            self.chunk = CHUNK_MIN;
            self.size = 0;
            *self.decoder.buffer_mut() = BytesMut::new();
        }
    }

    /// Gives the buffer room for a chunk in all, if that takes no memory, and in any case for `least` bytes. A read
    /// that finds little room brings little, and has to be followed by another.
    fn make_room(&mut self, least: usize) {
        let missing = self.decoder.missing().max(least);
        let buffer = self.decoder.buffer_mut();
        let begun = buffer.len();
        // All are of one size, begun frame or not, so that any of them can take the place of any other.
        let wanted = self.chunk.saturating_sub(begun).max(missing);
        if buffer.try_reclaim(wanted) || buffer.capacity() - begun >= SPARE_MIN.max(missing) {
            return;
        }
        let (mut fresh, size) = self.spent.take(begun + wanted);
        fresh.extend_from_slice(buffer);
        let old = std::mem::replace(buffer, fresh);
        self.spent.put(old, std::mem::replace(&mut self.size, size));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of sixteen bytes, with nothing in it.
    const FRAME: [u8; 16] = [0, 16, 0xD0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0];

    /// Takes in so many frames, as one read brings them.
    fn read(intake: &mut Intake, frames: usize) {
        intake.make_room(0);
        (0..frames).for_each(|_| intake.buffer().extend_from_slice(&FRAME));
    }

    impl Intake {
        fn buffer(&mut self) -> &mut BytesMut {
            self.decoder.buffer_mut()
        }

        fn next_frame(&mut self) -> Option<Frame> {
            self.decoder.next_frame().expect("frames")
        }
    }

    fn spare(intake: &mut Intake) -> usize {
        let buffer = intake.buffer();
        buffer.capacity() - buffer.len()
    }

    #[test]
    fn each_read_finds_all_the_room_that_earlier_frames_have_left() {
        let mut intake = Intake::new();
        read(&mut intake, 300);
        let first = intake.buffer().as_ptr();
        for _ in 0..10 {
            while intake.next_frame().is_some() {}
            read(&mut intake, 300);
            assert_eq!(intake.buffer().as_ptr(), first);
        }
        while intake.next_frame().is_some() {}
        intake.buffer().extend_from_slice(&FRAME[..5]);
        intake.make_room(0);
        assert!(spare(&mut intake) >= CHUNK_MIN - 5);
    }

    #[test]
    fn while_somebody_holds_a_frame_the_rest_of_the_buffer_is_used_up() {
        let mut intake = Intake::new();
        read(&mut intake, 400);
        let held = intake.next_frame();
        while intake.next_frame().is_some() {}
        let left = spare(&mut intake);
        intake.make_room(0);
        assert_eq!(spare(&mut intake), left);
        read(&mut intake, 50);
        while intake.next_frame().is_some() {}
        intake.make_room(0);
        assert!(spare(&mut intake) >= CHUNK_MIN);
        drop(held);
    }

    #[test]
    fn a_frame_that_has_begun_gets_room_for_its_rest() {
        let mut intake = Intake::new();
        intake.make_room(0);
        intake.buffer().extend_from_slice(&u16::MAX.to_be_bytes());
        intake.make_room(0);
        assert!(spare(&mut intake) >= usize::from(u16::MAX) - 2);
    }
}
