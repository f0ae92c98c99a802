//! Args to frames: each call fills one frame with as much as it holds.
//!
//! Source: spec/protocol/fragments.md, "sending".

use bytes::{Buf, BufMut, Bytes};

use super::Body;
use crate::checksum::{ChecksumType, RunningChecksum};
use crate::cursor::put_text2;
use crate::frame::{FrameType, MessageId, put_header};
use crate::limits::{FRAME_HEADER_SIZE, FRAME_SIZE_MAX, ROOM_TO_OPEN_AN_ARG};
use crate::message::flags::MORE_FRAGMENTS;
use crate::outbox::{GATHER_MAX, Outbox};

/// Where the message stands after a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The last frame has been written.
    Done,
    /// All that was at hand has been written; the message goes on.
    Starved,
    /// The frame is full and some of what was at hand is left in the body.
    Full,
}

/// One message on its way out.
#[derive(Debug)]
pub struct FragmentWriter {
    id: MessageId,
    continuation: FrameType,
    checksum: RunningChecksum,
    frame_size_max: usize,
    arg3_is_open: bool,
    done: bool,
}

impl FragmentWriter {
    /// A message of type `first` (call req or call res) under `id`.
    pub fn new(first: FrameType, id: MessageId, checksum_type: ChecksumType) -> Self {
        let continuation = if first == FrameType::CallReq {
            FrameType::CallReqContinue
        } else {
            FrameType::CallResContinue
        };
        Self {
            id,
            continuation,
            checksum: RunningChecksum::new(checksum_type),
            frame_size_max: FRAME_SIZE_MAX,
            arg3_is_open: false,
            done: false,
        }
    }

    /// Makes frames of at most `bytes`, for tests. At least 100, at most 65,535.
    pub fn with_frame_size_max(mut self, bytes: usize) -> Self {
        self.frame_size_max = bytes.clamp(100, FRAME_SIZE_MAX);
        self
    }

    /// Whether the last frame has been written.
    pub fn is_done(&self) -> bool {
        self.done
    }

    /// Writes the first frame.
    ///
    /// `arg1` must leave room for head and a chunk of arg2; at most 16,384 bytes always do.
    pub fn write_first(
        &mut self,
        first: FrameType,
        head: &impl Head,
        arg1: &[u8],
        body: &mut Body,
        out: &mut Outbox,
    ) -> Progress {
        let taken = self.write_first_of(first, head, arg1, body, out);
        taken.from(body);
        self.progress(body)
    }

    /// The same for a body that stays as it is. Gives what the frame has taken.
    pub(crate) fn write_first_of(
        &mut self,
        first: FrameType,
        head: &impl Head,
        arg1: &[u8],
        body: &Body,
        out: &mut Outbox,
    ) -> Taken {
        self.checksum.update(arg1);
        self.write(first, head, Some(arg1), body, out)
    }

    /// Writes the next continuation frame.
    pub fn write_next(&mut self, body: &mut Body, out: &mut Outbox) -> Progress {
        let taken = self.write(self.continuation, &NoHead, None, body, out);
        taken.from(body);
        self.progress(body)
    }

    fn write(
        &mut self,
        frame_type: FrameType,
        head: &impl Head,
        arg1: Option<&[u8]>,
        body: &Body,
        out: &mut Outbox,
    ) -> Taken {
        let checksum_type = self.checksum.checksum().checksum_type;
        let size_before_chunks = FRAME_HEADER_SIZE
            + 1
            + head.size()
            + 1
            + checksum_type.value_size()
            + arg1.map_or(0, |arg1| 2 + arg1.len());
        let room = self.frame_size_max.saturating_sub(size_before_chunks);
        let taken = self.take(room, body);
        let chunks = || taken.chunks(body);
        chunks().for_each(|(arg, length)| self.checksum.update(&arg[..length]));
        self.done = self.arg3_is_open && body.end && taken.is_all_of(body);

        let size = size_before_chunks + chunks().map(|(_, length)| 2 + length).sum::<usize>();
        let is_small = chunks().all(|(_, length)| length <= GATHER_MAX);
        out.append(
            if is_small { size } else { size_before_chunks },
            |mut out| {
                put_header(&mut out, size, frame_type, self.id);
                out.put_u8(if self.done { 0 } else { MORE_FRAGMENTS });
                head.encode(&mut out);
                self.checksum.checksum().encode(&mut out);
                if let Some(arg1) = arg1 {
                    put_text2(&mut out, arg1);
                }
                if is_small {
                    chunks().for_each(|(arg, length)| put_text2(&mut out, &arg[..length]));
                }
            },
        );
        if !is_small {
            for (arg, length) in chunks() {
                out.tail().put_u16(length as u16);
                out.put_bytes(arg.slice(..length));
            }
        }
        taken
    }

    /// What of arg2 and arg3 a frame carries that has `room` for them.
    fn take(&mut self, room: usize, body: &Body) -> Taken {
        if self.arg3_is_open {
            return Taken {
                arg2: None,
                arg3: Some(fitting(&body.arg3, room)),
            };
        }
        let arg2 = fitting(&body.arg2, room);
        let room = room.saturating_sub(2 + arg2);
        self.arg3_is_open = arg2 == body.arg2.len() && body.arg2_end && room >= ROOM_TO_OPEN_AN_ARG;
        Taken {
            arg2: Some(arg2),
            arg3: self.arg3_is_open.then(|| fitting(&body.arg3, room)),
        }
    }

    fn progress(&self, body: &Body) -> Progress {
        let unopened_arg3 = body.arg2_end && !self.arg3_is_open;
        match self.done {
            true => Progress::Done,
            false if body.is_empty() && !unopened_arg3 => Progress::Starved,
            false => Progress::Full,
        }
    }
}

/// How many bytes of each arg a frame has taken from a body; none of an arg that has no chunk in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    arg2: Option<usize>,
    arg3: Option<usize>,
}

impl Taken {
    fn chunks(self, body: &Body) -> impl Iterator<Item = (&Bytes, usize)> {
        let of = |arg, taken: Option<usize>| taken.map(|length| (arg, length));
        let arg2 = of(&body.arg2, self.arg2);
        arg2.into_iter().chain(of(&body.arg3, self.arg3))
    }

    fn is_all_of(self, body: &Body) -> bool {
        self.arg2.unwrap_or(0) + self.arg3.unwrap_or(0) == body.len()
    }

    /// Takes it away from the body.
    pub(crate) fn from(self, body: &mut Body) {
        body.arg2.advance(self.arg2.unwrap_or(0));
        body.arg3.advance(self.arg3.unwrap_or(0));
    }
}

/// What stands between flags and checksum of the first frame of a message.
pub trait Head {
    /// Bytes that [`encode`](Self::encode) writes.
    fn size(&self) -> usize;

    /// Writes it.
    fn encode(&self, out: &mut impl BufMut);
}

/// That of a continuation.
struct NoHead;

impl Head for NoHead {
    fn size(&self) -> usize {
        0
    }

    fn encode(&self, _: &mut impl BufMut) {}
}

/// How many bytes of `arg` fit in `room` behind the two of their length.
fn fitting(arg: &Bytes, room: usize) -> usize {
    arg.len().min(room.saturating_sub(2))
}
