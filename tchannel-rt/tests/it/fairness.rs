//! Small calls beside a large stream on the same connection: how much of it goes before them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use tchannel_rt::{ArgWriter, CallError, Channel, Reply, StreamRequest};
use tokio::task::JoinHandle;

use crate::support::{config, listen, soon};

const SOFT: usize = 64 * 1024;
const CHUNK: usize = 32 * 1024;
const STREAM: usize = 400 * CHUNK;
/// What waits in the writer's queue, the pipe, and the reader's buffer and tasks, each no more than `SOFT` or so.
const AHEAD_MAX: usize = 6 * SOFT;

/// Bytes of the stream that have been read, or written.
type Count = Arc<AtomicUsize>;

fn narrow() -> Channel {
    Channel::with_config("svc", config(|config| config.queued_bytes_soft = SOFT))
}

/// A channel that counts what it reads of `svc::sink`, streams `svc::source`, and answers `svc::read` with the
/// count so far.
fn server(read: &Count) -> Channel {
    let channel = narrow();
    let service = channel.service("svc");
    let counted = read.clone();
    service.stream("sink", move |request: StreamRequest| {
        let read = counted.clone();
        async move {
            let mut args = request.args;
            while let Some(chunk) = args.next_chunk().await? {
                read.fetch_add(chunk.len(), Ordering::Relaxed);
            }
            Ok(request.respond.ok()?.finish().await?)
        }
    });
    service.stream("source", |request: StreamRequest| async move {
        let mut answer = request.respond.ok()?;
        for _ in 0..STREAM / CHUNK {
            answer.send(Bytes::from(vec![7; CHUNK])).await?;
        }
        Ok(answer.finish().await?)
    });
    let so_far = read.clone();
    service.raw("read", move |_| {
        let read = so_far.load(Ordering::Relaxed);
        async move { Ok(Reply::ok("", read.to_string())) }
    });
    channel
}

/// Writes the stream, chunk by chunk, and counts what it has written.
fn write(mut request: ArgWriter, chunk: usize) -> (JoinHandle<Result<(), CallError>>, Count) {
    let written = Count::default();
    let count = written.clone();
    let writing = tokio::spawn(async move {
        for _ in 0..STREAM / chunk {
            request.send(Bytes::from(vec![7; chunk])).await?;
            count.fetch_add(chunk, Ordering::Relaxed);
        }
        request.finish().await
    });
    (writing, written)
}

#[tokio::test(start_paused = true)]
async fn a_small_call_waits_for_no_more_of_a_large_request_than_may_be_queued() {
    let read = Count::default();
    let server = server(&read);
    let (client, addr) = (narrow(), server.in_process());
    let opened = client.call("svc::sink").peer(&addr).stream();
    let (request, answer) = soon(opened).await.expect("it is there");
    let (writing, _) = write(request, CHUNK);
    let mut calls = 0;
    while read.load(Ordering::Relaxed) < STREAM {
        let before = read.load(Ordering::Relaxed);
        let call = client.call("svc::read").peer(&addr).send("", "");
        let answer = soon(call).await.expect("an answer");
        let at_the_call: usize = text(&answer.arg3).parse().expect("a count");
        let ahead = at_the_call - before;
        assert!(ahead <= AHEAD_MAX, "{ahead} bytes of the stream went first");
        calls += 1;
    }
    soon(writing)
        .await
        .expect("no panic")
        .expect("all is taken");
    soon(answer.response()).await.expect("an answer");
    assert!(
        calls >= STREAM / AHEAD_MAX,
        "{calls} calls went beside the stream"
    );
}

#[tokio::test(start_paused = true)]
async fn a_small_answer_waits_for_no_more_of_a_large_one_than_may_be_queued() {
    let read = Count::default();
    let server = server(&read);
    let (client, addr) = (narrow(), server.in_process());
    let opened = client.call("svc::source").peer(&addr).stream();
    let (request, answer) = soon(opened).await.expect("it is there");
    soon(request.finish())
        .await
        .expect("there is nothing to send");
    let mut stream = soon(answer.response()).await.expect("an answer").args;
    let reading = tokio::spawn({
        let read = read.clone();
        async move {
            while let Some(chunk) = stream.next_chunk().await.expect("it goes on") {
                read.fetch_add(chunk.len(), Ordering::Relaxed);
            }
        }
    });
    let mut calls = 0;
    while read.load(Ordering::Relaxed) < STREAM {
        let before = read.load(Ordering::Relaxed);
        let call = client.call("svc::read").peer(&addr).send("", "");
        soon(call).await.expect("an answer");
        let ahead = read.load(Ordering::Relaxed) - before;
        assert!(ahead <= AHEAD_MAX, "{ahead} bytes of the stream came first");
        calls += 1;
    }
    soon(reading).await.expect("no panic");
    assert!(
        calls >= STREAM / AHEAD_MAX,
        "{calls} calls went beside the stream"
    );
}

/// What may be written in one turn, and a chunk that was begun within it.
const TURN_MAX: usize = 4 * SOFT;

/// Sends a stream over a socket that takes much at once, chunk by chunk, and gives the most that was sent between
/// two turns of another task, and how many turns that task has had.
async fn stream_beside_a_task(chunk: usize) -> (usize, usize) {
    let read = Count::default();
    let server = server(&read);
    let addr = listen(&server).await;
    let client = Channel::new("client");
    let opened = client.call("svc::sink").peer(&addr).stream();
    let (request, answer) = soon(opened).await.expect("it is there");
    let (writing, written) = write(request, chunk);
    let (mut before, mut at_once, mut turns) = (0, 0, 0);
    while !writing.is_finished() {
        tokio::task::yield_now().await;
        turns += 1;
        let now = written.load(Ordering::Relaxed);
        at_once = at_once.max(now - before);
        before = now;
    }
    let written = soon(writing).await.expect("no panic");
    written.expect("all is taken");
    soon(answer.response()).await.expect("an answer");
    (at_once, turns)
}

#[tokio::test]
async fn whoever_streams_chunk_after_chunk_lets_others_have_their_turn() {
    let (at_once, _) = stream_beside_a_task(CHUNK).await;
    assert!(at_once <= TURN_MAX, "{at_once} bytes were sent at once");
}

#[tokio::test]
async fn whoever_streams_one_large_chunk_lets_others_have_their_turn_within() {
    let (_, turns) = stream_beside_a_task(STREAM).await;
    assert!(turns >= STREAM / TURN_MAX, "{turns} turns in all");
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}
