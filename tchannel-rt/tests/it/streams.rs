//! Args as streams, in both directions at once, and what slow or careless ends cost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use tchannel_rt::proto::MessageId;
use tchannel_rt::{
    ArgReader, ArgWriter, CallError, Channel, ChannelConfig, ErrorCode, HandlerError,
    PendingResponse, Reply, StreamRequest,
};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::support::{LONG, config, listen, soon, until};
use crate::wire::{Wire, listener};

const CHUNK: usize = 60_000;
const MIB: usize = 1 << 20;
/// Far more than what the two ends and their sockets hold when nobody reads.
const MUCH: usize = 128 * MIB;
/// Far less than that, and more than they do hold.
const HELD_MAX: usize = 48 * MIB;

async fn echo(request: StreamRequest) -> Result<(), HandlerError> {
    let mut args = request.args;
    let mut answer = request.respond.ok()?;
    while let Some(chunk) = args.next_arg2().await? {
        answer.send_arg2(chunk).await?;
    }
    while let Some(chunk) = args.next_chunk().await? {
        answer.send(chunk).await?;
    }
    answer.finish().await?;
    Ok(())
}

/// Limits that little traffic reaches.
fn tight() -> ChannelConfig {
    config(|config| {
        config.queued_bytes_soft = 64 * 1024;
        config.queued_bytes_max = MIB;
    })
}

/// A channel with `svc::echo`, which streams back what it gets, and `svc::unary`.
async fn server() -> (Channel, String) {
    let server = Channel::with_config("svc", tight());
    server.service("svc").stream("echo", echo);
    server.service("svc").raw("unary", |request| async move {
        Ok(Reply::ok(request.arg2, request.arg3))
    });
    let addr = listen(&server).await;
    (server, addr)
}

async fn open(client: &Channel, target: &str, addr: &str) -> (ArgWriter, PendingResponse) {
    let call = client.call(target).peer(addr).ttl(LONG);
    soon(call.stream()).await.expect("somebody listens")
}

fn bytes(count: usize) -> Bytes {
    // A prime, so that a chunk that is lost or doubled shows.
    let round: Vec<u8> = (0..251).collect();
    let mut all = round.repeat(count / round.len() + 1);
    all.truncate(count);
    all.into()
}

#[tokio::test]
async fn a_stream_counts_as_in_flight_until_it_ends() {
    let (_server, addr) = server().await;
    let client = Channel::new("test");
    let peers = client.peers("svc");
    peers.add(&addr);
    let in_flight = || peers.states()[0].in_flight;
    let call = client.call("svc::echo").ttl(LONG);
    let (writer, answer) = soon(call.stream()).await.expect("somebody listens");
    assert_eq!(in_flight(), 1);
    soon(write(writer, 10)).await.unwrap();
    assert_eq!(in_flight(), 1);
    drop(answer);
    assert_eq!(in_flight(), 0);
}

/// Writes `count` bytes and ends the message.
async fn write(mut writer: ArgWriter, count: usize) -> Result<(), CallError> {
    let all = bytes(count);
    for start in (0..count).step_by(CHUNK) {
        writer
            .send(all.slice(start..count.min(start + CHUNK)))
            .await?;
    }
    writer.finish().await
}

/// Reads to the end, which is after `count` bytes as [`write`] wrote them.
async fn read(mut reader: ArgReader, count: usize) {
    let mut got = 0;
    let expected = bytes(count);
    while let Some(chunk) = soon(reader.next_chunk()).await.expect("it goes on") {
        assert!(
            chunk == expected[got..got + chunk.len()],
            "changed at {got}"
        );
        got += chunk.len();
    }
    assert_eq!(got, count);
}

/// Writes until nothing has moved for a while, and gives how many bytes were taken; at most [`MUCH`].
async fn write_until_it_stalls(writer: &mut ArgWriter) -> usize {
    let all = bytes(MUCH);
    let mut taken = 0;
    while taken < MUCH {
        let end = MUCH.min(taken + CHUNK);
        let sent = writer.send(all.slice(taken..end));
        match tokio::time::timeout(Duration::from_millis(500), sent).await {
            Ok(sent) => sent.expect("the call goes on"),
            Err(_) => break,
        }
        taken = end;
    }
    taken
}

#[tokio::test]
async fn what_is_streamed_comes_back_whatever_its_size() {
    let (_server, addr) = server().await;
    let client = Channel::new("test");
    for count in [0, 1, 65_000, 65_535, 70_000, 5 * MIB] {
        let (writer, pending) = open(&client, "svc::echo", &addr).await;
        let reading = async {
            let response = pending.response().await.expect("an answer");
            assert!(response.code.is_ok());
            read(response.args, count).await;
        };
        let (written, ()) = soon(async { tokio::join!(write(writer, count), reading) }).await;
        written.unwrap();
    }
}

#[tokio::test]
async fn each_chunk_can_be_answered_before_the_next_is_written() {
    let (_server, addr) = server().await;
    let client = Channel::new("test");
    let (mut writer, pending) = open(&client, "svc::echo", &addr).await;
    let mut args = soon(pending.response()).await.unwrap().args;
    for word in ["one", "two", "three"] {
        writer.send_arg2(word).await.unwrap();
        assert_eq!(soon(args.next_arg2()).await.unwrap().unwrap(), word);
    }
    for word in ["four", "five", "six"] {
        writer.send(word).await.unwrap();
        assert_eq!(soon(args.next_chunk()).await.unwrap().unwrap(), word);
    }
    assert!(soon(args.next_arg2()).await.unwrap().is_none());
    writer.finish().await.unwrap();
    assert!(soon(args.next_chunk()).await.unwrap().is_none());
}

#[tokio::test]
async fn arg2_ends_where_arg3_begins() {
    let (_server, addr) = server().await;
    let client = Channel::new("test");
    let (mut writer, pending) = open(&client, "svc::echo", &addr).await;
    writer.send_arg2(bytes(100_000)).await.unwrap();
    writer.send(bytes(7)).await.unwrap();
    let error = writer.send_arg2("more").await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::BadRequest);
    writer.finish().await.unwrap();
    let mut args = soon(pending.response()).await.unwrap().args;
    assert_eq!(soon(args.arg2(100_000)).await.unwrap(), bytes(100_000));
    assert_eq!(soon(args.arg3(7)).await.unwrap(), bytes(7));
}

#[tokio::test]
async fn a_reader_that_wants_all_at_once_names_its_limit() {
    let (_server, addr) = server().await;
    let client = Channel::new("test");
    let (mut writer, pending) = open(&client, "svc::echo", &addr).await;
    writer.send_arg2("12345").await.unwrap();
    writer.finish().await.unwrap();
    let mut args = soon(pending.response()).await.unwrap().args;
    let error = soon(args.arg2(4)).await.unwrap_err();
    assert_eq!(
        error.message(),
        "arg2 is larger than the 4 bytes its reader takes"
    );
}

#[tokio::test]
async fn a_reader_is_a_stream_of_arg3() {
    let (_server, addr) = server().await;
    let client = Channel::new("test");
    let (mut writer, pending) = open(&client, "svc::echo", &addr).await;
    writer.send_arg2("skipped").await.unwrap();
    writer.send("a").await.unwrap();
    writer.send("b").await.unwrap();
    writer.finish().await.unwrap();
    let args = soon(pending.response()).await.unwrap().args;
    let chunks: Vec<Bytes> = soon(args.try_collect()).await.unwrap();
    assert_eq!(chunks.concat(), b"ab");
}

#[tokio::test]
async fn streams_and_whole_messages_understand_each_other() {
    let (_server, addr) = server().await;
    let client = Channel::new("test");
    let call = client.call("svc::echo").peer(&addr).ttl(LONG);
    let answer = soon(call.send(bytes(70_000), bytes(3 * MIB)))
        .await
        .unwrap();
    assert_eq!(answer.arg2, bytes(70_000));
    assert_eq!(answer.arg3, bytes(3 * MIB));

    let (writer, pending) = open(&client, "svc::unary", &addr).await;
    write(writer, 3 * MIB).await.unwrap();
    read(soon(pending.response()).await.unwrap().args, 3 * MIB).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_streams_share_a_connection() {
    let (_server, addr) = server().await;
    let client = Channel::new("test");
    let streams = (0..50).map(|i| {
        let (client, addr) = (client.clone(), addr.clone());
        tokio::spawn(async move {
            let count = i * 20_000;
            let (writer, pending) = open(&client, "svc::echo", &addr).await;
            let reading = async { read(pending.response().await.unwrap().args, count).await };
            let (written, ()) = tokio::join!(write(writer, count), reading);
            written.unwrap();
        })
    });
    soon(futures::future::try_join_all(streams)).await.unwrap();
    assert_eq!(client.connections(), (0, 1));
}

#[tokio::test]
async fn a_handler_that_reads_slowly_holds_back_its_caller() {
    let server = Channel::new("svc");
    let read_on = Arc::new(Notify::new());
    let reading = read_on.clone();
    server.service("svc").stream("slow", move |request| {
        let reading = reading.clone();
        async move {
            let answer = request.respond.ok()?;
            reading.notified().await;
            let mut args = request.args;
            while args.next_chunk().await?.is_some() {}
            answer.finish().await?;
            Ok(())
        }
    });
    let addr = listen(&server).await;
    let client = Channel::new("test");
    let (mut writer, pending) = open(&client, "svc::slow", &addr).await;
    let taken = write_until_it_stalls(&mut writer).await;
    assert!(taken < HELD_MAX, "{taken} bytes taken though nobody reads");
    read_on.notify_one();
    soon(writer.send("the rest")).await.unwrap();
    soon(writer.finish()).await.unwrap();
    let mut args = soon(pending.response()).await.unwrap().args;
    assert!(soon(args.next_chunk()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_caller_that_reads_slowly_holds_back_its_handler() {
    let server = Channel::new("svc");
    let taken = Arc::new(AtomicUsize::new(usize::MAX));
    let counter = taken.clone();
    server.service("svc").stream("fast", move |request| {
        let counter = counter.clone();
        async move {
            let mut answer = request.respond.ok()?;
            let taken = write_until_it_stalls(&mut answer).await;
            counter.store(taken, Ordering::Release);
            answer.finish().await?;
            Ok(())
        }
    });
    let addr = listen(&server).await;
    let client = Channel::new("test");
    let (writer, pending) = open(&client, "svc::fast", &addr).await;
    writer.finish().await.unwrap();
    let args = soon(pending.response()).await.unwrap().args;
    until(|| taken.load(Ordering::Acquire) != usize::MAX).await;
    let taken = taken.load(Ordering::Acquire);
    assert!(taken < HELD_MAX, "{taken} bytes taken though nobody reads");
    read(args, taken).await;
}

#[tokio::test]
async fn a_stream_that_nobody_reads_fails_before_its_neighbours_do() {
    let server = Channel::with_config("svc", tight());
    server.service("svc").stream("deaf", |request| async move {
        let _unread = request.args;
        let _answer = request.respond.ok()?;
        std::future::pending().await
    });
    server.service("svc").raw(
        "unary",
        |request| async move { Ok(Reply::ok("", request.arg3)) },
    );
    let addr = listen(&server).await;
    let client = Channel::new("test");
    let (mut writer, pending) = open(&client, "svc::deaf", &addr).await;
    let mut args = soon(pending.response()).await.unwrap().args;
    // That others share the connection can not be known before one of them has called.
    let call = client.call("svc::unary").peer(&addr).ttl(LONG);
    assert_eq!(soon(call.send("", "hi")).await.unwrap().arg3, "hi");
    let writing = async {
        let chunk = bytes(CHUNK);
        for _ in 0..MUCH / CHUNK {
            if writer.send(chunk.clone()).await.is_err() {
                return;
            }
        }
        panic!("all was taken though nobody reads");
    };
    let neighbours = async {
        loop {
            let call = client.call("svc::unary").peer(&addr).ttl(LONG);
            assert_eq!(soon(call.send("", "hi")).await.unwrap().arg3, "hi");
        }
    };
    tokio::select! {
        () = soon(writing) => {}
        () = neighbours => {}
    }
    let error = soon(args.next_chunk()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Busy);
    assert!(error.message().contains("unread"), "{error}");
    let call = client.call("svc::unary").peer(&addr).ttl(LONG);
    assert_eq!(soon(call.send("", "hi")).await.unwrap().arg3, "hi");
    assert_eq!(client.connections(), (0, 1));
}

#[tokio::test]
async fn an_answer_that_is_read_no_further_stalls_nobody() {
    let (_server, addr) = server().await;
    let client = Channel::with_config("test", tight());
    let (mut writer, pending) = open(&client, "svc::echo", &addr).await;
    drop(soon(pending.response()).await.unwrap().args);
    // Far more than what may wait unread, and all of it comes back.
    let chunk = bytes(CHUNK);
    for _ in 0..16 * MIB / CHUNK {
        soon(writer.send(chunk.clone())).await.unwrap();
    }
    soon(writer.finish()).await.unwrap();
    let call = client.call("svc::unary").peer(&addr).ttl(LONG);
    assert_eq!(soon(call.send("", "hi")).await.unwrap().arg3, "hi");
}

#[tokio::test]
async fn an_answer_that_is_never_awaited_stalls_nobody() {
    let (_server, addr) = server().await;
    let client = Channel::with_config("test", tight());
    let (mut writer, pending) = open(&client, "svc::echo", &addr).await;
    drop(pending);
    let chunk = bytes(CHUNK);
    for _ in 0..16 * MIB / CHUNK {
        soon(writer.send(chunk.clone())).await.unwrap();
    }
    soon(writer.finish()).await.unwrap();
    let call = client.call("svc::unary").peer(&addr).ttl(LONG);
    assert_eq!(soon(call.send("", "hi")).await.unwrap().arg3, "hi");
}

#[tokio::test]
async fn a_request_that_is_read_no_further_stalls_nobody() {
    let server = Channel::with_config("svc", tight());
    server.service("svc").stream("bored", |request| async move {
        drop(request.args);
        let _answer = request.respond.ok()?;
        std::future::pending().await
    });
    server.service("svc").raw(
        "unary",
        |request| async move { Ok(Reply::ok("", request.arg3)) },
    );
    let addr = listen(&server).await;
    let client = Channel::new("test");
    let (mut writer, _pending) = open(&client, "svc::bored", &addr).await;
    let chunk = bytes(CHUNK);
    for _ in 0..16 * MIB / CHUNK {
        soon(writer.send(chunk.clone())).await.unwrap();
    }
    let call = client.call("svc::unary").peer(&addr).ttl(LONG);
    assert_eq!(soon(call.send("", "hi")).await.unwrap().arg3, "hi");
}

#[tokio::test]
async fn an_answer_may_come_before_the_request_has_ended() {
    let server = Channel::new("svc");
    server.service("svc").stream("hasty", |request| async move {
        let mut answer = request.respond.ok()?;
        answer.send("enough").await?;
        answer.finish().await?;
        Ok(())
    });
    let addr = listen(&server).await;
    let client = Channel::new("test");
    let (mut writer, pending) = open(&client, "svc::hasty", &addr).await;
    let mut args = soon(pending.response()).await.unwrap().args;
    assert_eq!(soon(args.arg3(100)).await.unwrap(), "enough");
    let error = soon(async {
        loop {
            if let Err(error) = writer.send("more").await {
                return error;
            }
        }
    })
    .await;
    assert_eq!(error.message(), "the call is already over");
}

#[tokio::test]
async fn once_an_answer_has_begun_the_ttl_no_longer_ends_it() {
    let (_server, addr) = server().await;
    let client = Channel::new("test");
    let ttl = Duration::from_millis(100);
    let call = client.call("svc::echo").peer(&addr).ttl(ttl);
    let (mut writer, pending) = call.stream().await.unwrap();
    let mut args = soon(pending.response()).await.unwrap().args;
    // Nothing is awaited here but that the ttl is over.
    tokio::time::sleep(2 * ttl).await;
    writer.send("still here").await.unwrap();
    writer.finish().await.unwrap();
    assert_eq!(soon(args.arg3(100)).await.unwrap(), "still here");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_has_not_begun_within_the_ttl_is_a_timeout() {
    let server = Channel::new("svc");
    let (dropped, mut handler) = mpsc::channel::<()>(1);
    server.service("svc").stream("silent", move |request| {
        let dropped = dropped.clone();
        async move {
            let _kept = (request, dropped);
            std::future::pending().await
        }
    });
    let client = Channel::new("test");
    client.peers("svc").add(&server.in_process());
    let call = client.call("svc::silent").ttl(Duration::from_millis(20));
    let (_writer, pending) = call.stream().await.unwrap();
    let error = soon(pending.response()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Timeout);
    // The endpoint itself holds the other sender.
    drop(server);
    assert!(soon(handler.recv()).await.is_none());
}

/// What a caller sees of a handler that sends `part` and then does as `handler` does.
async fn abandoned<F>(handler: fn(ArgWriter) -> F) -> CallError
where
    F: Future<Output = Result<(), HandlerError>> + Send + 'static,
{
    let server = Channel::new("svc");
    server
        .service("svc")
        .stream("part", move |request| async move {
            let mut answer = request.respond.ok()?;
            answer.send("part").await?;
            handler(answer).await
        });
    let addr = listen(&server).await;
    let client = Channel::new("test");
    let (writer, pending) = open(&client, "svc::part", &addr).await;
    writer.finish().await.unwrap();
    let mut args = soon(pending.response()).await.unwrap().args;
    assert_eq!(soon(args.next_chunk()).await.unwrap().unwrap(), "part");
    let error = soon(args.next_chunk()).await.unwrap_err();
    assert!(soon(args.next_chunk()).await.is_ok_and(|end| end.is_none()));
    error
}

#[tokio::test]
async fn an_abandoned_answer_ends_in_an_error_and_not_as_if_it_were_whole() {
    let dropped = abandoned(|answer| async move {
        drop(answer);
        Ok(())
    });
    let error = dropped.await;
    assert_eq!(error.code(), ErrorCode::UnexpectedError);
    assert_eq!(error.message(), "the handler abandoned its answer");

    let failed = abandoned(|answer| async move {
        let _unfinished = answer;
        Err(HandlerError::busy("out of breath"))
    });
    assert_eq!(failed.await.code(), ErrorCode::UnexpectedError);

    let panicked = abandoned(|answer| async move {
        let _unfinished = answer;
        panic!("on purpose")
    });
    assert_eq!(panicked.await.code(), ErrorCode::UnexpectedError);
}

#[tokio::test]
async fn a_handler_that_does_not_answer_is_an_unexpected_error() {
    let server = Channel::new("svc");
    server
        .service("svc")
        .stream("mute", |_| async { Ok(()) })
        .stream("busy", |_| async { Err(HandlerError::busy("no room")) });
    let addr = listen(&server).await;
    let client = Channel::new("test");
    for (target, code) in [
        ("svc::mute", ErrorCode::UnexpectedError),
        ("svc::busy", ErrorCode::Busy),
    ] {
        let (_writer, pending) = open(&client, target, &addr).await;
        let error = soon(pending.response()).await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    }
}

#[tokio::test]
async fn dropping_both_halves_cancels_the_call() {
    let server = Channel::new("svc");
    let (begun, mut handlers) = mpsc::channel(1);
    server.service("svc").stream("never", move |request| {
        let begun = begun.clone();
        async move {
            let (_working, stopped) = oneshot::channel::<()>();
            begun.send(stopped).await?;
            let _kept = request;
            std::future::pending().await
        }
    });
    let addr = listen(&server).await;
    let client = Channel::new("test");
    let (writer, pending) = open(&client, "svc::never", &addr).await;
    let stopped = soon(handlers.recv()).await.unwrap();
    drop((writer, pending));
    assert!(soon(stopped).await.is_err(), "nothing is ever sent");
}

#[tokio::test]
async fn an_abandoned_request_is_cancelled_and_not_taken_for_whole() {
    let (listener, addr) = listener().await;
    let client = Channel::new("test");
    let (opened, mut wire) =
        soon(async { tokio::join!(open(&client, "svc::method", &addr), Wire::accept(&listener)) })
            .await;
    let (writer, pending) = opened;
    let (id, _) = wire.hear_call().await;
    drop(writer);
    let (cancelled, message) = wire.hear().await;
    assert_eq!(cancelled, id, "{message:?}");
    assert!(
        matches!(message, tchannel_rt::proto::message::Message::Cancel(_)),
        "{message:?}"
    );
    let error = soon(pending.response()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Cancelled);
}

#[tokio::test]
async fn a_lost_connection_ends_both_halves_at_both_ends() {
    let server = Channel::new("svc");
    let (failed, mut failures) = mpsc::channel(1);
    server.service("svc").stream("read", move |request| {
        let failed = failed.clone();
        async move {
            let mut args = request.args;
            let _answer = request.respond.ok()?;
            // A task of its own, since the handler itself is dropped.
            tokio::spawn(async move {
                while let Ok(Some(_)) = args.next_chunk().await {}
                let _ = failed.send(args.next_chunk().await.is_ok()).await;
            });
            std::future::pending().await
        }
    });
    let addr = listen(&server).await;
    let mut wire = Wire::connect(&addr, "0.0.0.0:0").await;
    let call = crate::wire::more_to_come(crate::wire::call_req("svc::read", 60_000, ""));
    wire.say(MessageId(7), call).await;
    wire.next().await.expect("the answer has begun");
    drop(wire);
    soon(failures.recv()).await.unwrap();

    let (listener, addr) = listener().await;
    let client = Channel::new("test");
    let (opened, mut wire) =
        soon(async { tokio::join!(open(&client, "svc::method", &addr), Wire::accept(&listener)) })
            .await;
    let (mut writer, pending) = opened;
    wire.hear_call().await;
    drop(wire);
    let error = soon(pending.response()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::NetworkError);
    assert!(soon(writer.send("more")).await.is_err());
}
