//! Args cut into frames and put together again, and frames that nobody would send.

use bytes::{Buf, BufMut, Bytes};
use tchannel_proto::checksum::Checksum;
use tchannel_proto::fragment::{FragmentReader, FragmentWriter, Head, Received};
use tchannel_proto::limits::ARG1_MAX;
use tchannel_proto::message::{Chunks, Message, flags};
use tchannel_proto::{Body, ChecksumType, Decoder, Frame, FrameType, MessageId, Outbox, Progress};

use super::input::Input;

/// The three args of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Args {
    pub(crate) arg1: Vec<u8>,
    pub(crate) arg2: Vec<u8>,
    pub(crate) arg3: Vec<u8>,
}

pub(crate) const CHECKSUM_TYPES: [ChecksumType; 4] = [
    ChecksumType::Crc32c,
    ChecksumType::Crc32,
    ChecksumType::Farmhash,
    ChecksumType::None,
];

/// Writes `args` in steps of `step` bytes into frames of at most `frame_size_max`, reads them again, and
/// expects what went in.
pub(crate) fn check_round_trip(
    args: &Args,
    step: usize,
    frame_size_max: usize,
    checksum_type: ChecksumType,
) {
    let frames = write(args, step.max(1), frame_size_max, checksum_type);
    for frame in &frames {
        assert!(frame.as_bytes().len() <= frame_size_max);
    }
    assert_eq!(&read(frames), args);
}

/// Reads the frames that `bytes` describe; whatever comes out keeps the reader's promises.
pub(crate) fn check_any_frames(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let checksum_type = input.one_of(&CHECKSUM_TYPES);
    let first = Checksum {
        checksum_type,
        value: 0,
    };
    let mut reader = FragmentReader::new(first);
    let mut honest = tchannel_proto::checksum::RunningChecksum::new(checksum_type);
    let mut arg1 = 0;
    let mut arg2_has_ended = false;
    while !input.is_empty() {
        let options = input.byte();
        let chunks: Vec<Bytes> = (0..options >> 5)
            .map(|_| {
                let length = input.number() % 300;
                Bytes::copy_from_slice(input.bytes(length))
            })
            .collect();
        chunks.iter().for_each(|chunk| honest.update(chunk));
        let mut checksum = honest.checksum();
        match options & 0b111 {
            0 => checksum.value ^= 1 + u32::from(input.byte()),
            1 => checksum.checksum_type = input.one_of(&CHECKSUM_TYPES),
            _ => {}
        }
        let more = options & 0b1000 != 0;
        let chunks = Chunks::from_slices(chunks.iter().map(|chunk| &chunk[..]));
        let Ok(received) = reader.read(more, checksum, chunks) else {
            return;
        };
        arg1 += usize::from(received.arg1.is_some());
        check_received(&received, more, arg2_has_ended);
        arg2_has_ended = received.body.arg2_end;
        if received.body.end {
            assert_eq!(arg1, 1, "a complete message has one arg1");
            return;
        }
    }
}

fn check_received(received: &Received, more: bool, arg2_had_ended: bool) {
    let Received { arg1, body } = received;
    assert!(arg1.as_ref().is_none_or(|arg1| arg1.len() <= ARG1_MAX));
    assert_eq!(body.end, !more, "the message ends with its last frame");
    assert!(
        body.arg2_end || body.arg3.is_empty(),
        "arg3 comes after arg2"
    );
    assert!(body.arg2_end || !arg2_had_ended, "arg2 ends once");
    assert!(body.arg2.is_empty() || !arg2_had_ended, "arg2 had ended");
    assert!(!body.end || body.arg2_end, "a message ends behind arg2");
}

fn write(
    args: &Args,
    step: usize,
    frame_size_max: usize,
    checksum_type: ChecksumType,
) -> Vec<Frame> {
    let mut writer = FragmentWriter::new(FrameType::CallReq, MessageId(7), checksum_type)
        .with_frame_size_max(frame_size_max);
    let mut out = Outbox::new();
    let mut source = Source::new(args, step);
    let mut body = source.next();
    let mut progress = writer.write_first(
        FrameType::CallReq,
        &EmptyHead,
        &args.arg1,
        &mut body,
        &mut out,
    );
    while progress != Progress::Done {
        if progress == Progress::Starved {
            assert!(body.is_empty(), "starved means nothing is left");
            body = source.next();
        }
        progress = writer.write_next(&mut body, &mut out);
    }
    assert!(writer.is_done() && body.is_empty() && source.has_ended());
    cut(out)
}

/// Hands out arg2, then arg3, a step at a time.
struct Source {
    arg2: Bytes,
    arg3: Bytes,
    step: usize,
    arg2_end: bool,
    end: bool,
}

impl Source {
    fn new(args: &Args, step: usize) -> Self {
        Self {
            arg2: Bytes::copy_from_slice(&args.arg2),
            arg3: Bytes::copy_from_slice(&args.arg3),
            step,
            arg2_end: false,
            end: false,
        }
    }

    fn next(&mut self) -> Body {
        let arg2 = self.arg2.split_to(self.arg2.len().min(self.step));
        self.arg2_end |= self.arg2.is_empty();
        let room = if self.arg2_end {
            self.step - arg2.len()
        } else {
            0
        };
        let arg3 = self.arg3.split_to(self.arg3.len().min(room));
        // Even steps end on their own, odd ones together with the last bytes.
        self.end = self.arg2_end && self.arg3.is_empty() && (self.step % 2 == 1 || arg3.is_empty());
        Body {
            arg2,
            arg2_end: self.arg2_end,
            arg3,
            end: self.end,
        }
    }

    fn has_ended(&self) -> bool {
        self.end
    }
}

/// What stands between flags and checksum of a call req without service and headers.
struct EmptyHead;

impl Head for EmptyHead {
    fn size(&self) -> usize {
        4 + 25 + 2
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_u32(1);
        out.put_bytes(0, 25 + 2);
    }
}

fn cut(mut out: Outbox) -> Vec<Frame> {
    let mut decoder = Decoder::new();
    while out.has_remaining() {
        let chunk = out.chunk().len();
        decoder.buffer_mut().extend_from_slice(out.chunk());
        out.advance(chunk);
    }
    let mut frames = Vec::new();
    while let Some(frame) = decoder.next_frame().expect("a writer writes frames") {
        frames.push(frame);
    }
    assert!(
        decoder.buffer_mut().is_empty(),
        "a writer writes whole frames"
    );
    frames
}

fn read(frames: Vec<Frame>) -> Args {
    let mut args = Args::default();
    let mut reader = None;
    let mut has_ended = false;
    for frame in frames {
        assert!(!has_ended, "a frame after the last");
        let (frame_flags, checksum, chunks) = match Message::decode(frame) {
            Ok(Message::CallReq(call)) => (call.flags, call.checksum, call.chunks),
            Ok(Message::CallReqContinue(more)) => (more.flags, more.checksum, more.chunks),
            other => panic!("the writer wrote {other:?}"),
        };
        let more = frame_flags & flags::MORE_FRAGMENTS != 0;
        let Received { arg1, body } = reader
            .get_or_insert_with(|| FragmentReader::new(checksum))
            .read(more, checksum, chunks)
            .expect("what was written can be read");
        args.arg1.extend(arg1.into_iter().flatten());
        args.arg2.extend_from_slice(&body.arg2);
        args.arg3.extend_from_slice(&body.arg3);
        has_ended = body.end;
    }
    assert!(has_ended, "the last frame ends the message");
    args
}
