//! Args on their way: what one end has sent, what the other has received, byte by byte recomputable.

use bytes::{Bytes, BytesMut};
use tchannel_proto::{Body, Progress};

use super::input::Input;

/// Which message of the run: each call has two, the request and the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tag(pub(crate) u32);

impl Tag {
    pub(crate) fn answer(self) -> Self {
        Self(self.0 + 1)
    }

    /// Bytes of arg2 or arg3, which differ from those of any other place, arg and message.
    fn bytes(self, arg: u8, from: usize, length: usize) -> Bytes {
        let key = u64::from(self.0) << 34 | u64::from(arg) << 32;
        let mut bytes = BytesMut::with_capacity(length + 16);
        for place in from / 8..(from + length).div_ceil(8) {
            let word = (key ^ place as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            bytes.extend_from_slice(&word.to_be_bytes());
        }
        bytes.freeze().slice(from % 8..from % 8 + length)
    }
}

/// Bytes of arg2 and arg3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lengths {
    pub(crate) arg2: usize,
    pub(crate) arg3: usize,
}

/// One message at the end that writes it.
#[derive(Debug)]
pub(crate) struct Sender {
    tag: Tag,
    offered: Lengths,
    arg2_end: bool,
    end: bool,
    /// Offered and not yet taken.
    pub(crate) body: Body,
    is_full: bool,
}

impl Sender {
    pub(crate) fn new(tag: Tag) -> Self {
        Self {
            tag,
            offered: Lengths::default(),
            arg2_end: false,
            end: false,
            body: Body::default(),
            is_full: false,
        }
    }

    /// Offers more, unless something is left from before or all was offered.
    pub(crate) fn offer(&mut self, input: &mut Input<'_>) {
        if self.is_full || self.end {
            return;
        }
        let (arg2, arg3) = (input.one_of(&SIZES), input.one_of(&SIZES));
        let step = input.byte();
        let arg2 = if self.arg2_end { 0 } else { arg2 };
        self.arg2_end |= step & 0b11 != 0;
        let arg3 = if self.arg2_end { arg3 } else { 0 };
        self.end = self.arg2_end && step & 0b110 != 0;
        self.body = Body {
            arg2: self.tag.bytes(2, self.offered.arg2, arg2),
            arg2_end: self.arg2_end,
            arg3: self.tag.bytes(3, self.offered.arg3, arg3),
            end: self.end,
        };
        self.offered.arg2 += arg2;
        self.offered.arg3 += arg3;
    }

    /// Takes note of what a connection made of the offer; the lengths, once the message is complete.
    pub(crate) fn progressed(&mut self, progress: Progress) -> Option<Lengths> {
        self.is_full = progress == Progress::Full;
        match progress {
            Progress::Full => assert!(!self.body.is_empty() || self.body.arg2_end),
            Progress::Starved => assert!(self.body.is_empty() && !self.end),
            Progress::Done => assert!(self.body.is_empty() && self.end),
        }
        (progress == Progress::Done).then_some(self.offered)
    }
}

/// One message at the end that reads it.
#[derive(Debug)]
pub(crate) struct Receiver {
    /// `None` when nobody knows who has sent it.
    tag: Option<Tag>,
    received: Lengths,
    arg2_end: bool,
    end: bool,
}

impl Receiver {
    pub(crate) fn new(tag: Option<Tag>) -> Self {
        Self {
            tag,
            received: Lengths::default(),
            arg2_end: false,
            end: false,
        }
    }

    /// Takes in what an event brought; the lengths, once the message is complete.
    pub(crate) fn take(&mut self, body: &Body) -> Option<Lengths> {
        assert!(!self.end, "args after the end of the message");
        assert!(!self.arg2_end || body.arg2_end, "arg2 ends once");
        assert!(!self.arg2_end || body.arg2.is_empty(), "arg2 had ended");
        assert!(
            body.arg2_end || body.arg3.is_empty(),
            "arg3 comes after arg2"
        );
        assert!(!body.end || body.arg2_end, "a message ends behind arg2");
        if let Some(tag) = self.tag {
            let Lengths { arg2, arg3 } = self.received;
            assert!(
                tag.bytes(2, arg2, body.arg2.len()) == body.arg2,
                "arg2 was changed"
            );
            assert!(
                tag.bytes(3, arg3, body.arg3.len()) == body.arg3,
                "arg3 was changed"
            );
        }
        self.received.arg2 += body.arg2.len();
        self.received.arg3 += body.arg3.len();
        self.arg2_end = body.arg2_end;
        self.end = body.end;
        self.end.then_some(self.received)
    }

    /// Somebody may have changed what is still to come.
    pub(crate) fn distrust(&mut self) {
        self.tag = None;
    }

    pub(crate) fn tag(&self) -> Option<Tag> {
        self.tag
    }
}

/// Small, around the size from which bytes are passed on without a copy, and over a frame.
const SIZES: [usize; 10] = [0, 1, 3, 20, 300, 4_096, 4_097, 9_000, 65_400, 70_000];
