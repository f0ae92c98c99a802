//! Source: spec/protocol/fragments.md, "sending" and "receiving".

use bytes::{Buf, BufMut, Bytes};
use serde_json::{Value, json};
use tchannel_proto::fragment::{FragmentError, FragmentReader, FragmentWriter, Head};
use tchannel_proto::message::{CallReq, Chunks, Message, flags};
use tchannel_proto::{Body, FrameType, Outbox, Progress};

use crate::value;
use crate::vectors::{Vectors, hex, number, text};

/// arg1, arg2 and arg3.
type Args = [Vec<u8>; 3];

#[test]
fn recorded_fragments_give_their_args_and_their_checksums_hold() {
    for vector in Vectors::load("fragments").all() {
        let frames = vector["frames"].as_array().expect("frames");
        let messages = frames.iter().map(|frame| value::message(&hex(frame)));
        let args: Vec<_> = vector["args"]
            .as_array()
            .expect("args")
            .iter()
            .map(hex)
            .collect();
        let got = reassemble(messages).expect("a whole message");
        assert_eq!(got.to_vec(), args, "{}", text(&vector["name"]));
    }
}

#[test]
fn a_changed_byte_in_any_fragment_breaks_its_checksum() {
    let vectors = Vectors::load("fragments");
    let chained = |vector: &&Value| vector["checksum"] != "none";
    for vector in vectors.all().iter().filter(chained) {
        let name = text(&vector["name"]);
        let frames: Vec<_> = vector["frames"]
            .as_array()
            .expect("frames")
            .iter()
            .map(hex)
            .collect();
        for changed in 0..frames.len() {
            let mut values: Vec<_> = frames.iter().map(|frame| value::read(frame)).collect();
            let chunks = values[changed]["chunks"].as_array_mut().expect("chunks");
            // farmhash looks at the last chunk only.
            let last = chunks.last_mut().expect("a chunk");
            *last = json!(format!("{}ff", text(last)));
            let messages = values
                .iter()
                .map(|value| value::message(&value::write(value)));
            let error = reassemble(messages).expect_err(name);
            assert!(
                matches!(error, FragmentError::Checksum { .. }),
                "{name}: {error}"
            );
        }
    }
}

#[test]
fn long_messages_are_read_as_their_senders_cut_them() {
    let vectors = Vectors::load("fragments");
    for layout in vectors.list("layouts") {
        let name = text(&layout["name"]);
        let read = reassemble(messages(layout));
        match text(&layout["ours"]) {
            "same" | "read" => assert!(read.unwrap().to_vec() == args(layout), "{name}"),
            "repair" => {
                let [arg1, arg2, _, arg4] = &args(layout)[..] else {
                    panic!("{name} has four args")
                };
                assert!(
                    read.unwrap() == [arg1.clone(), arg2.clone(), arg4.clone()],
                    "{name}"
                );
            }
            _ => {
                let error = read.expect_err("two args");
                assert_eq!(error, FragmentError::TooFewArgs { count: 2 }, "{name}");
            }
        }
    }
}

#[test]
fn long_messages_are_cut_as_deployed_peers_cut_them() {
    let vectors = Vectors::load("fragments");
    let same = |layout: &&Value| layout["ours"] == "same";
    for layout in vectors.list("layouts").iter().filter(same) {
        let name = text(&layout["name"]);
        let expected: Vec<Vec<u8>> = frames(layout);
        let sizes: Vec<u64> = layout["frames"]
            .as_array()
            .expect("frames")
            .iter()
            .map(|frame| number(&frame["size"]))
            .collect();
        let got = cut(layout);
        assert_eq!(
            got.iter().map(|f| f.len() as u64).collect::<Vec<_>>(),
            sizes,
            "{name}"
        );
        assert!(got == expected, "{name}");
    }
}

/// The args of `layout`, however many it has.
fn args(layout: &Value) -> Vec<Vec<u8>> {
    let arg = |arg: &Value| match arg.get("count") {
        Some(count) => hex(&arg["fill"]).repeat(number(count) as usize),
        None => hex(&arg["hex"]),
    };
    layout["args"]
        .as_array()
        .expect("args")
        .iter()
        .map(arg)
        .collect()
}

/// The frames of `layout`, rebuilt from their fields and the sizes of their chunks.
fn frames(layout: &Value) -> Vec<Vec<u8>> {
    let mut args = args(layout).into_iter();
    let mut open = args.next().unwrap_or_default();
    let mut build = |frame: &Value| {
        let sizes = frame["chunks"].as_array().expect("chunks").iter();
        let chunk = |(index, size): (usize, &Value)| {
            if index > 0 {
                assert!(open.is_empty(), "an arg has been cut off");
                open = args.next().expect("a further arg");
            }
            let rest = open.split_off(number(size) as usize);
            crate::vectors::to_hex(&std::mem::replace(&mut open, rest))
        };
        let chunks: Vec<String> = sizes.enumerate().map(chunk).collect();
        let mut frame = frame.clone();
        frame["chunks"] = json!(chunks);
        value::write(&frame)
    };
    layout["frames"]
        .as_array()
        .expect("frames")
        .iter()
        .map(&mut build)
        .collect()
}

fn messages(layout: &Value) -> impl Iterator<Item = Message> {
    frames(layout)
        .into_iter()
        .map(|frame| value::message(&frame))
}

/// The args of `layout` as our writer cuts them, under the same head.
fn cut(layout: &Value) -> Vec<Vec<u8>> {
    let id = value::id(&layout["frames"][0]);
    let head = messages(layout).next();
    let Some(Message::CallReq(head)) = head else {
        panic!("a call req")
    };
    let [arg1, arg2, arg3] = args(layout).try_into().expect("three args");
    let checksum_type = head.checksum.checksum_type;
    let mut writer = FragmentWriter::new(FrameType::CallReq, id, checksum_type);
    let mut body = Body::whole(arg2, arg3);
    let mut frames = Vec::new();
    let mut out = Outbox::new();
    let mut progress = writer.write_first(
        FrameType::CallReq,
        &Written::of(&head),
        &arg1,
        &mut body,
        &mut out,
    );
    loop {
        frames.push(out.copy_to_bytes(out.remaining()).to_vec());
        if progress == Progress::Done {
            return frames;
        }
        progress = writer.write_next(&mut body, &mut out);
    }
}

/// What stands between the flags and the checksum of a call req, as another encoder has written it.
struct Written(Vec<u8>);

impl Written {
    fn of(head: &CallReq) -> Self {
        let mut bare = head.clone();
        bare.chunks = Chunks::default();
        let frame = value::encode(tchannel_proto::MessageId(0), &Message::CallReq(bare));
        let checksum_size = 1 + head.checksum.checksum_type.value_size();
        Self(frame[16 + 1..frame.len() - checksum_size].to_vec())
    }
}

impl Head for Written {
    fn size(&self) -> usize {
        self.0.len()
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_slice(&self.0);
    }
}

/// Puts the frames of one message together.
pub(crate) fn reassemble(messages: impl Iterator<Item = Message>) -> Result<Args, FragmentError> {
    let mut reader = None;
    let mut args = Args::default();
    let mut ended = false;
    for message in messages {
        let (bits, checksum, chunks) = match message {
            Message::CallReq(call) => (call.flags, call.checksum, call.chunks),
            Message::CallRes(call) => (call.flags, call.checksum, call.chunks),
            Message::CallReqContinue(more) | Message::CallResContinue(more) => {
                (more.flags, more.checksum, more.chunks)
            }
            other => panic!("{other:?} carries no args"),
        };
        let reader = reader.get_or_insert_with(|| FragmentReader::new(checksum));
        let received = reader.read(bits & flags::MORE_FRAGMENTS != 0, checksum, chunks)?;
        args[0].extend(received.arg1.unwrap_or_default());
        args[1].extend(received.body.arg2);
        args[2].extend(received.body.arg3);
        ended = received.body.end;
    }
    assert!(ended, "the last frame ends the message");
    Ok(args)
}

/// Cuts three args into frames of at most `room` bytes; each frame as its chunk sizes.
#[track_caller]
fn check_cut(args: [usize; 3], room: usize, expected: &[&[usize]]) {
    let layouts = Vectors::load("fragments");
    let Some(Message::CallReq(head)) = messages(&layouts.list("layouts")[0]).next() else {
        panic!("a call req")
    };
    let checksum_type = head.checksum.checksum_type;
    let [arg1, arg2, arg3] = args.map(|size| vec![b'a'; size]);
    let head = Written::of(&head);
    let first_room = 16 + 1 + head.size() + 1 + checksum_type.value_size() + room;
    let mut writer = FragmentWriter::new(
        FrameType::CallReq,
        value::id(&json!({"id": 7})),
        checksum_type,
    )
    .with_frame_size_max(first_room);
    let mut body = Body::whole(arg2.clone(), arg3.clone());
    let mut out = Outbox::new();
    let mut got = Vec::new();
    let mut sent = Vec::new();
    let mut progress = writer.write_first(FrameType::CallReq, &head, &arg1, &mut body, &mut out);
    loop {
        let frame = out.copy_to_bytes(out.remaining());
        let message = value::message(&frame);
        let (bits, chunks) = match &message {
            Message::CallReq(call) => (call.flags, &call.chunks),
            Message::CallReqContinue(more) => (more.flags, &more.chunks),
            other => panic!("{other:?} is no part of a request"),
        };
        let is_last = progress == Progress::Done;
        assert_eq!(bits, if is_last { 0 } else { flags::MORE_FRAGMENTS });
        got.push(chunks.iter().map(|chunk| chunk.len()).collect::<Vec<_>>());
        sent.push(message);
        if is_last {
            break;
        }
        progress = writer.write_next(&mut body, &mut out);
    }
    assert_eq!(got, expected);
    let back = reassemble(sent.into_iter()).expect("our own frames");
    assert!(back == [arg1, arg2, arg3]);
}

#[test]
fn an_arg_is_opened_where_three_bytes_are_free() {
    check_cut([4, 11, 9], 4 + 2 + 11 + 2 + 3, &[&[4, 11, 1], &[8]]);
}

#[test]
fn an_arg_that_leaves_two_bytes_is_closed_by_an_empty_chunk() {
    for free in [0, 1, 2] {
        check_cut([4, 11, 9], 4 + 2 + 11 + 2 + free, &[&[4, 11], &[0, 9]]);
    }
}

#[test]
fn a_last_arg_that_ends_on_the_edge_needs_no_further_frame() {
    check_cut([4, 3, 9], 4 + 2 + 3 + 2 + 9 + 2, &[&[4, 3, 9]]);
}

#[test]
fn empty_args_are_written_as_empty_chunks_of_one_frame() {
    check_cut([4, 0, 0], 30, &[&[4, 0, 0]]);
}

#[test]
fn arg1_stands_in_the_first_frame_beside_a_chunk_of_arg2() {
    check_cut([40, 200, 0], 40 + 2 + 2, &[&[40, 0], &[103], &[97, 0]]);
}

#[test]
fn a_continuation_without_chunks_adds_nothing() {
    let vectors = Vectors::load("fragments");
    let whole = vectors
        .all()
        .iter()
        .find(|v| v["name"] == "frag_call_req_crc32")
        .expect("it");
    let mut messages: Vec<_> = whole["frames"]
        .as_array()
        .expect("frames")
        .iter()
        .map(|frame| value::message(&hex(frame)))
        .collect();
    let Message::CallReqContinue(second) = &messages[1] else {
        panic!("a continuation")
    };
    let mut empty = second.clone();
    empty.chunks = Chunks::default();
    messages.insert(2, Message::CallReqContinue(empty));
    let args: Vec<Bytes> = reassemble(messages.into_iter())
        .expect("a whole message")
        .map(Bytes::from)
        .to_vec();
    let expected = whole["args"]
        .as_array()
        .expect("args")
        .iter()
        .map(|arg| Bytes::from(hex(arg)));
    assert_eq!(args, expected.collect::<Vec<_>>());
}
