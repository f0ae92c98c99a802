//! Messages of many frames: whatever is read at once, and whoever has frames in between, they stay as they were sent.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::future::join_all;
use proptest::collection::vec;
use proptest::prelude::*;
use tchannel_rt::proto::MessageId;
use tchannel_rt::proto::message::Message;
use tchannel_rt::{Channel, ErrorCode, Reply, StreamRequest};
use tokio::io::AsyncWriteExt;
use tokio::runtime::{Builder, Runtime};

use crate::support::{LONG, echo, listen, once, soon};
use crate::wire::{
    Wire, args, call_req, call_req_continue, call_res, call_res_continue, listener, more_to_come,
};

/// Small ones, ones around the edge of a frame or two, and many frames.
fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![
        0..300_usize,
        65_300..65_600_usize,
        130_900..131_200_usize,
        60_000..400_000_usize,
        1_048_500..1_048_700_usize,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn messages_of_any_size_that_share_a_connection_come_back_as_they_were_sent(
        sizes in vec(sizes(), 1..12),
        is_in_process: bool,
    ) {
        runtime().block_on(check_echoes(&sizes, is_in_process));
    }

    #[test]
    fn messages_come_out_as_they_went_in_however_their_bytes_are_read(
        frames in vec((0..3_u32, 0..40_000_usize), 1..15),
        pieces in vec(prop_oneof![1..50_usize, 1..70_000_usize], 1..20),
    ) {
        runtime().block_on(check_pieces(&frames, &pieces));
    }

    #[test]
    fn full_frames_come_out_as_they_went_in_however_their_bytes_are_read(
        frames in vec((0..3_u32, prop_oneof![0..40_000_usize, Just(CHUNK_MAX)]), 1..20),
        small in vec(1..50_usize, 0..10),
        large in vec(1..200_000_usize, 1..10),
    ) {
        let pieces = [small, large].concat();
        runtime().block_on(check_pieces(&frames, &pieces));
    }
}

/// The chunk of a full frame without a checksum.
const CHUNK_MAX: usize = 65_535 - 20;

fn runtime() -> Runtime {
    let mut builder = Builder::new_current_thread();
    builder.enable_all().build().expect("a runtime")
}

/// Calls with as many bytes each, all at once, and then once more over the same buffers.
async fn check_echoes(sizes: &[usize], is_in_process: bool) {
    let (server, _served) = echo(Default::default());
    let addr = if is_in_process {
        server.in_process()
    } else {
        listen(&server).await
    };
    let client = Channel::new("test");
    for round in 0..2 {
        let calls = sizes.iter().enumerate().map(|(call, size)| {
            let (client, addr) = (&client, &addr);
            async move {
                let arg3 = text(call + round, *size);
                let call = client.call("echo::echo").peer(addr).ttl(LONG);
                let answer = soon(call.send("arg2", arg3.clone())).await;
                let answer = answer.expect("an answer");
                assert_eq!(answer.arg2, "arg2");
                assert!(answer.arg3 == arg3, "{size} bytes came back changed");
            }
        });
        join_all(calls).await;
    }
}

/// Three requests whose continuations, of so many bytes each, take turns on the wire, written piece by piece; and once
/// more, when the server knows how large they are.
async fn check_pieces(frames: &[(u32, usize)], pieces: &[usize]) {
    let (server, _served) = echo(Default::default());
    let mut wire = Wire::connect(&listen(&server).await, "0.0.0.0:0").await;
    for first_id in [1, 4] {
        check_pieces_once(&mut wire, first_id, frames, pieces).await;
    }
}

async fn check_pieces_once(
    wire: &mut Wire,
    first_id: u32,
    frames: &[(u32, usize)],
    pieces: &[usize],
) {
    let ids = first_id..first_id + 3;
    let mut bytes = BytesMut::new();
    let mut sent = [const { String::new() }; 3];
    let mut say = |id: u32, message: Message| {
        let encoded = message.encode(MessageId(id), &mut bytes);
        encoded.expect("it fits in a frame");
    };
    for id in ids.clone() {
        say(id, more_to_come(call_req("echo::echo", 60_000, "")));
    }
    for (index, (call, size)) in frames.iter().enumerate() {
        let more = String::from_utf8(text(index, *size).to_vec()).expect("text");
        say(first_id + call, call_req_continue(&more, false));
        sent[*call as usize].push_str(&more);
    }
    for id in ids {
        say(id, call_req_continue("", true));
    }
    let mut pieces = pieces.iter().cycle();
    let hears = async {
        let mut heard = [const { String::new() }; 3];
        let mut open = 3;
        while open > 0 {
            let (id, message) = wire_hear(wire, &mut bytes, &mut pieces).await;
            let (chunks, more) = match &message {
                Message::CallRes(it) => (args(&it.chunks), it.flags & 1),
                Message::CallResContinue(it) => (args(&it.chunks), it.flags & 1),
                other => panic!("not an answer: {other:?}"),
            };
            let last = chunks.last().expect("a chunk of arg3");
            let last = std::str::from_utf8(last).expect("text");
            heard[(id.0 - first_id) as usize].push_str(last);
            open -= i32::from(more == 0);
        }
        heard
    };
    assert!(
        soon(hears).await == sent,
        "the answers are not what was asked"
    );
}

/// The next message; before it, one piece after the other of what is still to be said.
async fn wire_hear<'a>(
    wire: &mut Wire,
    bytes: &mut BytesMut,
    pieces: &mut impl Iterator<Item = &'a usize>,
) -> (MessageId, Message) {
    while !bytes.is_empty() {
        let size = pieces.next().map_or(1, |size| bytes.len().min(*size));
        let piece = bytes.split_to(size);
        wire.socket.write_all(&piece).await.expect("an open socket");
        tokio::task::yield_now().await;
    }
    wire.hear().await
}

#[tokio::test]
async fn a_stream_that_begins_with_a_full_frame_is_read_as_it_was_sent_behind_large_calls() {
    let (server, _served) = echo(Default::default());
    let service = server.service("echo");
    service.stream("stream", |request: StreamRequest| async move {
        let mut args = request.args;
        let mut answer = request.respond.ok()?;
        while let Some(chunk) = args.next_chunk().await? {
            answer.send(chunk).await?;
        }
        Ok(answer.finish().await?)
    });
    let addr = listen(&server).await;
    let client = Channel::new("test");
    for round in 0..3 {
        check_echo(&client, &addr, round).await;
        let sent = text(round, 200_000);
        let opened = client.call("echo::stream").peer(&addr).stream();
        let (mut request, answer) = soon(opened).await.expect("it is there");
        soon(request.send(sent.clone())).await.expect("it is read");
        soon(request.finish()).await.expect("it is read");
        let mut stream = soon(answer.response()).await.expect("an answer").args;
        let mut read = BytesMut::new();
        while let Some(chunk) = soon(stream.next_chunk()).await.expect("it goes on") {
            read.extend_from_slice(&chunk);
        }
        assert!(read == sent, "the stream came back changed");
    }
}

#[tokio::test]
async fn a_large_call_that_is_refused_by_its_first_frame_takes_nothing_of_its_neighbours_with_it() {
    let (server, _served) = echo(Default::default());
    let addr = listen(&server).await;
    let client = Channel::new("test");
    for round in 0..3 {
        check_echo(&client, &addr, round).await;
        let refused = client.call("echo::nothing").peer(&addr);
        let refused = once(refused).send("", text(round, 300_000));
        let error = soon(refused).await.expect_err("there is no such endpoint");
        assert_eq!(error.code(), ErrorCode::BadRequest);
    }
}

async fn check_echo(client: &Channel, addr: &str, seed: usize) {
    let sent = text(seed, 300_000);
    let call = client.call("echo::echo").peer(addr).ttl(LONG);
    let answer = soon(call.send("", sent.clone())).await;
    assert!(answer.expect("an answer").arg3 == sent);
}

#[tokio::test]
async fn large_requests_leave_one_after_the_other_first_frame_and_all() {
    let (listener, addr) = listener().await;
    let client = Channel::new("test");
    let calls = join_all((0..3).map(|seed| {
        let call = client.call("svc::large").peer(&addr).ttl(LONG);
        soon(call.send("", text(seed, 300_000)))
    }));
    let serve = async {
        let mut wire = Wire::accept(&listener).await;
        let ids = hear_in_a_row(&mut wire, 3).await;
        for id in ids {
            wire.answer(id, "heard").await;
        }
        wire
    };
    let (answers, _wire) = tokio::join!(calls, serve);
    for answer in answers {
        assert_eq!(answer.expect("an answer").arg3, "heard");
    }
}

#[tokio::test]
async fn large_answers_leave_one_after_the_other_first_frame_and_all() {
    let server = Channel::new("svc");
    let service = server.service("svc");
    service.raw("at_once", |_| async { Ok(Reply::ok("", text(1, 300_000))) });
    service.raw("later", |_| async {
        tokio::task::yield_now().await;
        Ok(Reply::ok("", text(2, 300_000)))
    });
    let mut wire = Wire::connect(&listen(&server).await, "0.0.0.0:0").await;
    for (id, endpoint) in [(1, "at_once"), (2, "later"), (3, "at_once"), (4, "later")] {
        let call = call_req(&format!("svc::{endpoint}"), 60_000, "");
        wire.say(MessageId(id), call).await;
    }
    hear_in_a_row(&mut wire, 4).await;
}

/// Hears so many messages of several frames each, none of which has another within.
async fn hear_in_a_row(wire: &mut Wire, messages: usize) -> Vec<MessageId> {
    let mut heard = Vec::new();
    for _ in 0..messages {
        let mut first = None;
        loop {
            let (id, message) = soon(wire.hear()).await;
            let (flags, begins) = match &message {
                Message::CallReq(it) => (it.flags, true),
                Message::CallRes(it) => (it.flags, true),
                Message::CallReqContinue(it) | Message::CallResContinue(it) => (it.flags, false),
                other => panic!("neither a call nor an answer: {other:?}"),
            };
            assert_eq!(begins, first.is_none());
            assert_eq!(id, *first.get_or_insert(id));
            if flags & 1 == 0 {
                break;
            }
        }
        heard.extend(first);
    }
    heard
}

#[tokio::test]
async fn a_large_call_whose_turn_does_not_come_in_time_ends_at_its_deadline() {
    let (listener, addr) = listener().await;
    let client = Channel::new("test");
    let (first, second) = (
        client.call("svc::first").peer(&addr).ttl(LONG),
        client.call("svc::second").peer(&addr),
    );
    let first = first.send("", text(1, 64 << 20));
    let second = async {
        let _wire = Wire::accept(&listener).await;
        let second = once(second.ttl(Duration::from_millis(200)));
        soon(second.send("", text(2, 300_000))).await
    };
    tokio::select! {
        biased;
        _ = first => panic!("nobody answers it"),
        outcome = second => {
            let error = outcome.expect_err("the first is still being sent");
            assert_eq!(error.code(), ErrorCode::Timeout);
        }
    }
}

#[tokio::test]
async fn a_request_that_ends_within_a_frame_takes_nothing_of_its_neighbours_with_it() {
    let (server, _served) = echo(Default::default());
    let mut wire = Wire::connect(&listen(&server).await, "0.0.0.0:0").await;
    let begun = more_to_come(call_req("echo::echo", 50, "begun"));
    wire.say(MessageId(1), begun).await;
    let more = "x".repeat(50_000);
    let mut frame = BytesMut::new();
    call_req_continue(&more, true)
        .encode(MessageId(1), &mut frame)
        .expect("it fits in a frame");
    wire.socket.write_all(&frame[..20_000]).await.expect("open");
    let (id, error) = wire.hear_error().await;
    assert_eq!((id, error.known_code()), (MessageId(1), ErrorCode::Timeout));
    wire.socket.write_all(&frame[20_000..]).await.expect("open");
    wire.say(MessageId(2), call_req("echo::echo", 60_000, "next"))
        .await;
    let (id, answer) = wire.hear().await;
    assert!(matches!(answer, Message::CallRes(_)), "{answer:?}");
    assert_eq!(id, MessageId(2));
}

#[tokio::test]
async fn an_answer_that_is_given_up_within_a_frame_takes_nothing_of_its_neighbours_with_it() {
    let (listener, addr) = listener().await;
    let client = Channel::new("test");
    let given_up = client.call("svc::large").peer(&addr);
    let given_up = once(given_up.ttl(Duration::from_millis(300))).send("", "");
    let more = "x".repeat(50_000);
    let mut frame = BytesMut::new();
    let serve = async {
        let mut wire = Wire::accept(&listener).await;
        let (id, _) = wire.hear_call().await;
        wire.say(id, more_to_come(call_res("begun"))).await;
        call_res_continue(&more, true)
            .encode(id, &mut frame)
            .expect("it fits in a frame");
        wire.socket.write_all(&frame[..20_000]).await.expect("open");
        wire
    };
    let (outcome, mut wire) = tokio::join!(given_up, serve);
    assert_eq!(outcome.expect_err("half of it").code(), ErrorCode::Timeout);
    let call = client.call("svc::small").peer(&addr).ttl(LONG);
    let answer = async {
        wire.socket.write_all(&frame[20_000..]).await.expect("open");
        loop {
            if let (id, Message::CallReq(_)) = wire.hear().await {
                return wire.answer(id, "next").await;
            }
        }
    };
    let (answer, ()) = tokio::join!(soon(call.send("", "")), answer);
    assert_eq!(answer.expect("an answer").arg3, "next");
}

/// Text that differs from place to place and from that of any other seed.
fn text(seed: usize, size: usize) -> Bytes {
    let byte = |place: usize| b'a' + ((place + seed * 7) * 31 + place / 251) as u8 % 26;
    (0..size).map(byte).collect()
}
