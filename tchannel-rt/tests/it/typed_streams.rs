//! Methods that take or give streams of values, in each shape and scheme, and how such streams end.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::{BufMut, Bytes, BytesMut};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use tchannel_rt::scheme::thrift::{ReadError, Reader, Struct, Throws, Value, Writer};
use tchannel_rt::{
    Channel, ChannelConfig, Client, ErrorCode, Exchange, Format, MethodError, ServiceBuilder,
    StreamError, Streaming, ThriftFiles, TypedService,
};
use tokio::sync::{mpsc, oneshot};
use tokio_stream_of::receiver;

use crate::support::{LONG, config, listen, soon};
use crate::wire::listener;

const MIB: usize = 1 << 20;

/// Turns a receiver into a stream.
mod tokio_stream_of {
    use futures::{Stream, stream};
    use tokio::sync::mpsc::Receiver;

    pub(super) fn receiver<T: Send + 'static>(
        receiver: Receiver<T>,
    ) -> impl Stream<Item = T> + Send + 'static {
        stream::unfold(receiver, |mut receiver| async move {
            Some((receiver.recv().await?, receiver))
        })
    }
}

/// What a method that counts is asked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct CountTo {
    last: i32,
}

impl Struct for CountTo {
    fn read(reader: &mut Reader<'_>) -> Result<Self, ReadError> {
        reader.read_fields(|reader, field, it: &mut Self| match field.id {
            1 => reader.read_into(field, &mut it.last),
            _ => reader.skip(field.ty),
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.put(1, &self.last);
        writer.write_stop();
    }
}

/// What it throws.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Refused {
    why: i32,
}

impl Throws for Refused {
    fn read(reader: &mut Reader<'_>) -> Result<Option<Self>, ReadError> {
        let mut why = None;
        reader.read_struct(|reader, field| match field.id {
            1 => reader.read_some(field, &mut why),
            _ => reader.skip(field.ty),
        })?;
        Ok(why.map(|why| Self { why }))
    }

    fn write(&self, writer: &mut Writer) {
        writer.put(1, &self.why);
        writer.write_stop();
    }
}

/// How the three methods are written and read.
#[derive(Clone, Copy)]
struct Formats {
    sum: Format<i32, i64, Refused>,
    count: Format<CountTo, i32, Refused>,
    double: Format<i32, i64, Refused>,
}

fn all_formats() -> [Formats; 3] {
    [
        Formats {
            sum: Format::sthrift_request(),
            count: Format::sthrift_response(),
            double: Format::sthrift_both(),
        },
        Formats {
            sum: Format::msgpack_throwing(),
            count: Format::msgpack_throwing(),
            double: Format::msgpack_throwing(),
        },
        Formats {
            sum: Format::json_throwing(),
            count: Format::json_throwing(),
            double: Format::json_throwing(),
        },
    ]
}

struct Numbers;

impl Numbers {
    /// Refuses negative numbers.
    async fn sum(&self, mut values: Streaming<i32>) -> Result<i64, MethodError<Refused>> {
        let mut sum = 0;
        while let Some(value) = values.message().await? {
            if value < 0 {
                return Err(MethodError::Exception(Refused { why: value }));
            }
            sum += i64::from(value);
        }
        Ok(sum)
    }

    async fn count(
        &self,
        to: CountTo,
    ) -> Result<impl Stream<Item = i32> + Send, MethodError<Refused>> {
        let exchange = Exchange::current().expect("a call is being served");
        let asked = exchange.request_headers().get("asked").unwrap_or_default();
        exchange.respond_header("answered", asked);
        if to.last < 0 {
            return Err(MethodError::Exception(Refused { why: to.last }));
        }
        Ok(stream::iter(1..=to.last))
    }

    async fn double(
        &self,
        values: Streaming<i32>,
    ) -> Result<impl Stream<Item = Result<i64, StreamError>> + Send, MethodError<Refused>> {
        Ok(values.map_ok(|value| 2 * i64::from(value)))
    }
}

fn builder<I: Send + Sync + 'static>(it: I) -> ServiceBuilder<I> {
    let interface = ThriftFiles {
        entry_point: "",
        idls: &[],
    };
    TypedService::new("It", interface, it)
}

fn numbers(formats: Formats) -> TypedService {
    builder(Numbers)
        .request_stream("sum", formats.sum, |it, values| async move {
            it.sum(values).await
        })
        .response_stream("count", formats.count, |it, to, out| async move {
            out.send(it.count(to).await).await
        })
        .both_streams("double", formats.double, |it, values, out| async move {
            out.send(it.double(values).await).await
        })
        .finish()
}

/// The service at work, and whom to call.
async fn start(typed: TypedService) -> (Channel, Client) {
    start_with(typed, ChannelConfig::default(), ChannelConfig::default()).await
}

async fn start_with(
    typed: TypedService,
    server: ChannelConfig,
    client: ChannelConfig,
) -> (Channel, Client) {
    let server = Channel::with_config("svc", server);
    server.service("svc").serve(typed);
    let addr = listen(&server).await;
    let client = Channel::with_config("test", client);
    (server, Client::new(&client, "svc").peer(addr).ttl(LONG))
}

async fn all<T>(mut values: Streaming<T>) -> Result<Vec<T>, StreamError> {
    let mut all = Vec::new();
    while let Some(value) = soon(values.message()).await? {
        all.push(value);
    }
    assert!(
        soon(values.message()).await?.is_none(),
        "the end is the end"
    );
    Ok(all)
}

/// Sends its counterpart an event when it is dropped.
type Guard = oneshot::Sender<Infallible>;

async fn dropped(guard: oneshot::Receiver<Infallible>) {
    assert!(soon(guard).await.is_err(), "nothing is ever sent");
}

/// Nothing, until it is dropped and `guard` with it.
fn never<T: Send + 'static>(guard: Guard) -> impl Stream<Item = T> + Send + 'static {
    stream::once(async move {
        let _guard = guard;
        std::future::pending().await
    })
}

#[tokio::test]
async fn each_shape_works_in_each_scheme() {
    for formats in all_formats() {
        let (_server, client) = start(numbers(formats)).await;
        let sum = client.request_stream("It::sum", formats.sum, stream::iter([1, 2, 39]));
        assert_eq!(soon(sum.into_future()).await.unwrap(), 42);

        let count = client.response_stream("It::count", formats.count, &CountTo { last: 3 });
        let values = soon(count.into_future()).await.unwrap();
        assert_eq!(all(values).await.unwrap(), [1, 2, 3]);

        let double = client.both_streams("It::double", formats.double, stream::iter([1, 2, 3]));
        let values = soon(double.into_future()).await.unwrap();
        assert_eq!(all(values).await.unwrap(), [2, 4, 6]);
    }
}

#[tokio::test]
async fn a_stream_may_be_empty() {
    for formats in all_formats() {
        let (_server, client) = start(numbers(formats)).await;
        let sum = client.request_stream("It::sum", formats.sum, stream::empty::<i32>());
        assert_eq!(soon(sum.into_future()).await.unwrap(), 0);

        let count = client.response_stream("It::count", formats.count, &CountTo { last: 0 });
        let values = soon(count.into_future()).await.unwrap();
        assert!(all(values).await.unwrap().is_empty());

        let double = client.both_streams("It::double", formats.double, stream::empty::<i32>());
        let values = soon(double.into_future()).await.unwrap();
        assert!(all(values).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn what_is_thrown_before_the_first_value_is_typed() {
    for formats in all_formats() {
        let (_server, client) = start(numbers(formats)).await;
        let count = client.response_stream("It::count", formats.count, &CountTo { last: -7 });
        let error = soon(count.into_future()).await.unwrap_err();
        assert!(
            matches!(error, MethodError::Exception(Refused { why: -7 })),
            "{error}"
        );
        let values = stream::iter([1, -8]).chain(stream::pending());
        let sum = client.request_stream("It::sum", formats.sum, values);
        let error = soon(sum.into_future()).await.unwrap_err();
        assert!(
            matches!(error, MethodError::Exception(Refused { why: -8 })),
            "{error}"
        );
    }
}

#[tokio::test]
async fn headers_go_both_ways_before_the_stream() {
    for formats in all_formats() {
        let (_server, client) = start(numbers(formats)).await;
        let count = client.response_stream("It::count", formats.count, &CountTo { last: 1 });
        let count = count.header("asked", "é");
        let (values, headers) = soon(count.with_headers()).await.unwrap();
        assert_eq!(headers.get("answered"), Some("é"));
        assert_eq!(all(values).await.unwrap(), [1]);
    }
}

#[tokio::test]
async fn each_value_can_be_answered_before_the_next_is_sent() {
    for formats in all_formats() {
        let (_server, client) = start(numbers(formats)).await;
        let (send, values) = mpsc::channel(1);
        let double = client.both_streams("It::double", formats.double, receiver(values));
        let mut doubled = soon(double.into_future()).await.unwrap();
        for value in 1..100 {
            send.send(value).await.unwrap();
            let answer = soon(doubled.message()).await.unwrap();
            assert_eq!(answer, Some(2 * i64::from(value)));
        }
        drop(send);
        assert_eq!(soon(doubled.message()).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_stream_that_fails_half_way_says_why_after_what_came_before() {
    let format: Format<CountTo, i32> = Format::sthrift_response();
    let typed = builder(()).response_stream("fail", format, |_, to: CountTo, out| async move {
        let full = StreamError::new(ErrorCode::Busy, "too many numbers");
        let values = stream::iter(1..=to.last).map(Ok);
        out.send(Ok(values.chain(stream::iter([Err(full)])))).await
    });
    let (_server, client) = start(typed.finish()).await;
    for last in [0, 2, 100_000] {
        let call = client.response_stream("It::fail", format, &CountTo { last });
        let mut values = soon(call.into_future()).await.unwrap();
        for expected in 1..=last {
            assert_eq!(soon(values.message()).await.unwrap(), Some(expected));
        }
        let error = soon(values.message()).await.unwrap_err();
        assert!(matches!(error, StreamError::System(_)), "{error}");
        assert_eq!(error.code(), Some(ErrorCode::Busy));
        assert!(error.to_string().contains("too many numbers"), "{error}");
        assert_eq!(soon(values.message()).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_request_that_fails_half_way_cancels_its_call() {
    let format: Format<i32, i32> = Format::sthrift_request();
    let (stopped, handler_has_stopped) = mpsc::channel(1);
    let typed = builder(()).request_stream("take", format, move |_, mut values| {
        let stopped = stopped.clone();
        async move {
            let (guard, has_stopped) = oneshot::channel::<Infallible>();
            stopped.send(has_stopped).await.expect("the test waits");
            while values.message().await?.is_some() {}
            drop(guard);
            Ok(0)
        }
    });
    let (_server, client) = start(typed.finish()).await;
    let (fail, failure) = oneshot::channel();
    let values = stream::iter([Ok(1)]).chain(stream::once(async {
        Err(failure.await.expect("it comes"))
    }));
    let call = client.request_stream("It::take", format, values);
    let mut handlers = handler_has_stopped;
    let failing = async {
        let handler = soon(handlers.recv()).await.expect("it has begun");
        fail.send(StreamError::unexpected("the disk is gone"))
            .expect("it waits");
        dropped(handler).await;
    };
    let (error, ()) = soon(async { tokio::join!(call.into_future(), failing) }).await;
    let error = error.unwrap_err();
    assert!(error.to_string().contains("the disk is gone"), "{error}");
}

#[tokio::test]
async fn a_value_over_the_limit_does_not_leave() {
    let format: Format<String, i32> = Format::msgpack();
    let typed = builder(()).request_stream("take", format, |_, mut values| async move {
        while values.message().await?.is_some() {}
        Ok(0)
    });
    let tight = config(|config| config.chunk_bytes_max = 100);
    let (_server, client) = start_with(typed.finish(), ChannelConfig::default(), tight).await;
    let values = stream::iter(["x".repeat(101)]);
    let call = client.request_stream("It::take", format, values);
    let error = soon(call.into_future()).await.unwrap_err();
    let text = "msgpack arg3: a value of 103 bytes is over the limit of 100";
    assert!(error.to_string().contains(text), "{error}");
}

#[tokio::test]
async fn a_server_refuses_a_value_over_its_limit() {
    let format: Format<String, i32> = Format::msgpack();
    let typed = builder(()).request_stream("take", format, |_, mut values| async move {
        while values.message().await?.is_some() {}
        Ok(0)
    });
    let tight = config(|config| config.chunk_bytes_max = 100);
    let (_server, client) = start_with(typed.finish(), tight, ChannelConfig::default()).await;
    let values = stream::iter(["x".repeat(101)]).chain(stream::pending());
    let call = client.request_stream("It::take", format, values);
    let error = soon(call.into_future()).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::BadRequest), "{error}");
    assert!(
        error.to_string().contains("over the limit of 100"),
        "{error}"
    );
}

#[tokio::test]
async fn a_client_gives_up_a_stream_with_a_value_over_its_limit() {
    let format: Format<(), String> = Format::json();
    let (guard, has_stopped) = oneshot::channel();
    let guard = std::sync::Mutex::new(Some(guard));
    let typed = builder(()).response_stream("give", format, move |_, (), out| {
        let guard = guard.lock().unwrap().take().expect("one call");
        let values = stream::iter(["x".repeat(10), "x".repeat(100)]);
        async move { out.send(Ok(values.chain(never(guard)))).await }
    });
    let tight = config(|config| config.chunk_bytes_max = 100);
    let (_server, client) = start_with(typed.finish(), ChannelConfig::default(), tight).await;
    let call = client.response_stream("It::give", format, &());
    let mut values = soon(call.into_future()).await.unwrap();
    assert_eq!(soon(values.message()).await.unwrap(), Some("x".repeat(10)));
    let error = soon(values.message()).await.unwrap_err();
    assert!(matches!(error, StreamError::Malformed(_)), "{error}");
    dropped(has_stopped).await;
}

/// The chunks of these values, as Thrift writes them.
fn chunks(values: &[i32]) -> BytesMut {
    let mut arg3 = BytesMut::new();
    for value in values {
        arg3.put_u32(4);
        arg3.put_i32(*value);
    }
    arg3
}

#[tokio::test]
async fn a_request_that_ends_inside_a_chunk_is_a_bad_one() {
    let formats = all_formats()[0];
    let server = Channel::new("svc");
    server.service("svc").serve(numbers(formats));
    let addr = listen(&server).await;
    let client = Channel::new("test");
    let call = |arg3: Bytes| {
        let call = client.call("svc::It::sum").peer(&addr).ttl(LONG);
        soon(call.arg_scheme("sthrift").send(&b"\0\0"[..], arg3))
    };
    let whole = chunks(&[1, 2]).freeze();
    let response = call(whole.clone()).await.unwrap();
    assert_eq!(response.arg3, b"\x0a\0\0\0\0\0\0\0\0\0\x03\0"[..]);
    for end in 9..whole.len() {
        let error = call(whole.slice(..end)).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::BadRequest);
        assert_eq!(error.message(), "sthrift arg3: it ends inside a value");
    }
}

#[tokio::test]
async fn a_response_that_ends_inside_a_chunk_fails_after_what_came_before() {
    let server = Channel::new("svc");
    server.service("svc").raw("It::count", |_| async {
        let mut arg3 = chunks(&[1, 2]);
        arg3.truncate(15);
        Ok(tchannel_rt::Reply::ok(&b"\0\0"[..], arg3.freeze()))
    });
    let addr = listen(&server).await;
    let client = Client::new(&Channel::new("test"), "svc").peer(addr);
    let format = all_formats()[0].count;
    let call = client.response_stream("It::count", format, &CountTo::default());
    let mut values = soon(call.into_future()).await.unwrap();
    assert_eq!(soon(values.message()).await.unwrap(), Some(1));
    let error = soon(values.message()).await.unwrap_err();
    let text = "sthrift arg3: it ends inside a value";
    assert!(error.to_string().contains(text), "{error}");
    assert_eq!(soon(values.message()).await.unwrap(), None);
}

#[tokio::test]
async fn a_method_with_streams_refuses_another_scheme() {
    let formats = all_formats();
    let (_server, client) = start(numbers(formats[0])).await;
    let sum = client.request_stream("It::sum", formats[1].sum, stream::pending::<i32>());
    let error = soon(sum.into_future()).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::BadRequest));
    let text = "svc::It::sum takes arg scheme sthrift, the call has \"msgpack\"";
    assert!(error.to_string().contains(text), "{error}");
}

#[tokio::test]
async fn a_response_that_is_dropped_stops_its_handler() {
    let format: Format<(), i32> = Format::json();
    let (guard, has_stopped) = oneshot::channel();
    let guard = std::sync::Mutex::new(Some(guard));
    let typed = builder(()).response_stream("give", format, move |_, (), out| {
        let guard = guard.lock().unwrap().take().expect("one call");
        async move { out.send(Ok(stream::iter([1]).chain(never(guard)))).await }
    });
    let (_server, client) = start(typed.finish()).await;
    let call = client.response_stream("It::give", format, &());
    let mut values = soon(call.into_future()).await.unwrap();
    assert_eq!(soon(values.message()).await.unwrap(), Some(1));
    drop(values);
    dropped(has_stopped).await;
}

#[tokio::test]
async fn a_response_that_is_dropped_stops_both_streams() {
    let format: Format<i32, i32> = Format::json();
    let (guard, has_stopped) = oneshot::channel();
    let guard = std::sync::Mutex::new(Some(guard));
    let typed = builder(()).both_streams("echo", format, move |_, values, out| {
        let guard = guard.lock().unwrap().take().expect("one call");
        async move { out.send(Ok(values.chain(never(guard)))).await }
    });
    let (_server, client) = start(typed.finish()).await;
    let (sending, has_stopped_sending) = oneshot::channel();
    let values = stream::iter([1]).chain(never(sending));
    let call = client.both_streams("It::echo", format, values);
    let mut values = soon(call.into_future()).await.unwrap();
    assert_eq!(soon(values.message()).await.unwrap(), Some(1));
    drop(values);
    dropped(has_stopped_sending).await;
    dropped(has_stopped).await;
}

#[tokio::test]
async fn an_answer_that_ends_early_stops_the_request() {
    let format: Format<i32, i32> = Format::json();
    let typed = builder(())
        .both_streams("few", format, |_, values: Streaming<i32>, out| async move {
            out.send(Ok(values.take(2))).await
        })
        .request_stream("first", format, |_, mut values| async move {
            let first = values.message().await?;
            first.ok_or_else(|| MethodError::unexpected("nothing came"))
        });
    let (_server, client) = start(typed.finish()).await;
    let (sending, has_stopped) = oneshot::channel();
    let values = stream::iter([1, 2, 3]).chain(never(sending));
    let few = client.both_streams("It::few", format, values);
    let few = soon(few.into_future()).await.unwrap();
    assert_eq!(all(few).await.unwrap(), [1, 2]);
    dropped(has_stopped).await;

    let (sending, has_stopped) = oneshot::channel();
    let values = stream::iter([7]).chain(never(sending));
    let first = client.request_stream("It::first", format, values);
    assert_eq!(soon(first.into_future()).await.unwrap(), 7);
    dropped(has_stopped).await;
}

#[tokio::test]
async fn a_call_with_streams_turns_to_another_peer_while_nothing_has_left() {
    let formats = all_formats()[0];
    let server = Channel::new("svc");
    server.service("svc").serve(numbers(formats));
    let addr = listen(&server).await;
    let (closed, nobody) = listener().await;
    drop(closed);
    let channel = Channel::new("test");
    channel.peers("svc").add(&nobody);
    channel.peers("svc").add(&addr);
    let client = Client::new(&channel, "svc").ttl(LONG);
    // Whichever is chosen first, by chance.
    for _ in 0..10 {
        let sum = client.request_stream("It::sum", formats.sum, stream::iter([1, 2]));
        assert_eq!(soon(sum.into_future()).await.unwrap(), 3);
    }
}

#[tokio::test]
async fn values_that_are_there_together_share_frames() {
    let formats = all_formats()[0];
    let server = Channel::new("svc");
    server.service("svc").serve(numbers(formats));
    let addr = listen(&server).await;
    let client = Channel::new("test");
    let call = client.call("svc::It::count").peer(&addr).ttl(LONG);
    let (mut writer, pending) = soon(call.arg_scheme("sthrift").stream()).await.unwrap();
    writer.send_arg2(&b"\0\0"[..]).await.unwrap();
    let arguments = tchannel_rt::scheme::thrift::encode(&CountTo { last: 10_000 }).unwrap();
    writer.finish_with(arguments).await.unwrap();
    let mut args = soon(pending.response()).await.unwrap().args;
    let (mut frames, mut bytes) = (0, 0);
    while let Some(chunk) = soon(args.next_chunk()).await.unwrap() {
        frames += 1;
        bytes += chunk.len();
    }
    assert_eq!(bytes, 80_000);
    assert!(frames < 5, "{frames} frames");
}

/// Values of a mebibyte without end, which counts those that were asked for.
struct Endless {
    asked: Arc<AtomicUsize>,
    value: Bytes,
}

impl Stream for Endless {
    type Item = Bytes;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Some(self.value.clone()))
    }
}

/// How many values are asked for before nothing moves any more. Everything runs on this thread.
async fn asked_at_last(asked: &AtomicUsize) -> usize {
    let (mut last, mut still) = (0, 0);
    while still < 10_000 {
        tokio::task::yield_now().await;
        let now = asked.load(Ordering::Relaxed);
        still = if now == last { still + 1 } else { 0 };
        last = now;
    }
    last
}

/// Far more than what the two ends and their sockets hold when nobody reads, and less than for ever.
const HELD_MAX: usize = 48;

#[tokio::test]
async fn a_client_that_reads_slowly_holds_back_the_stream_of_its_handler() {
    let format: Format<CountTo, Bytes> = Format::sthrift_response();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let typed = builder(()).response_stream("give", format, move |_, _, out| {
        let asked = counter.clone();
        let value = Bytes::from(vec![7; MIB]);
        async move { out.send(Ok(Endless { asked, value })).await }
    });
    let (_server, client) = start(typed.finish()).await;
    let call = client.response_stream("It::give", format, &CountTo::default());
    let mut values = soon(call.into_future()).await.unwrap();
    let held = asked_at_last(&asked).await;
    assert!(held < HELD_MAX, "{held} MiB asked for though nobody reads");
    for _ in 0..2 * HELD_MAX {
        let value = soon(values.message()).await.unwrap().unwrap();
        assert_eq!(value.len(), MIB);
    }
}

#[tokio::test]
async fn a_handler_that_reads_slowly_holds_back_its_caller() {
    let format: Format<Bytes, i32> = Format::sthrift_both();
    let typed =
        builder(()).both_streams("hold", format, |_, values: Streaming<Bytes>, out| async {
            let held = stream::once(async move {
                let _held = values;
                std::future::pending::<i32>().await
            });
            out.send(Ok(held)).await
        });
    let (_server, client) = start(typed.finish()).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let values = Endless {
        asked: asked.clone(),
        value: Bytes::from(vec![7; MIB]),
    };
    let call = client.both_streams("It::hold", format, values);
    let _values = soon(call.into_future()).await.unwrap();
    let held = asked_at_last(&asked).await;
    assert!(held < HELD_MAX, "{held} MiB asked for though nobody reads");
}

#[tokio::test]
async fn values_may_be_larger_than_frames_and_so_may_arguments() {
    let format: Format<String, String> = Format::msgpack();
    let typed = builder(())
        .both_streams("echo", format, |_, values: Streaming<String>, out| async {
            out.send(Ok(values)).await
        })
        .response_stream("letters", format, |_, text: String, out| async move {
            // What a stream borrows need only live as long as it is sent.
            let letters = text.chars().map(String::from);
            out.send(Ok(stream::iter(letters))).await
        });
    let (_server, client) = start(typed.finish()).await;
    let sizes = [0, 1, 65_530, 65_536, 3 * MIB, 2];
    let values = stream::iter(sizes.map(|size| "x".repeat(size)));
    let echo = client.both_streams("It::echo", format, values);
    let echoed = all(soon(echo.into_future()).await.unwrap()).await.unwrap();
    assert_eq!(echoed.iter().map(String::len).collect::<Vec<_>>(), sizes);

    let letters = client.response_stream("It::letters", format, &"é".repeat(100_000));
    let letters = all(soon(letters.into_future()).await.unwrap())
        .await
        .unwrap();
    assert_eq!(letters.concat(), "é".repeat(100_000));
}

#[tokio::test]
async fn values_that_arrive_all_at_once_share_one_limit() {
    let format: Format<Bytes, i32> = Format::sthrift_request();
    let typed = builder(()).request_stream("take", format, |_, mut values| async move {
        while values.message().await?.is_some() {}
        Ok(0)
    });
    let tight = config(|config| config.arriving_bytes_max = 100_000);
    let server = Channel::with_config("svc", tight);
    server.service("svc").serve(typed.finish());
    let addr = listen(&server).await;
    let client = Channel::new("test");
    let mut unfinished = Vec::new();
    for _ in 0..3 {
        let call = client.call("svc::It::take").peer(&addr).ttl(LONG);
        let (mut writer, pending) = soon(call.arg_scheme("sthrift").stream()).await.unwrap();
        writer.send_arg2(&b"\0\0"[..]).await.unwrap();
        let mut begun = BytesMut::new();
        begun.put_u32(1_000_000);
        begun.put_bytes(0, 40_000);
        writer.send(begun.freeze()).await.unwrap();
        unfinished.push((writer, pending));
    }
    let (_writer, last) = unfinished.pop().unwrap();
    let error = soon(last.response()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Busy, "{error}");
    // Those that were given up count no longer.
    drop(unfinished);
    let client = Client::new(&client, "svc").peer(addr);
    let values = stream::iter([Bytes::from(vec![0; 90_000])]);
    let call = client.request_stream("It::take", format, values);
    assert_eq!(soon(call.into_future()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_handler_that_panics_within_its_stream_ends_it_with_an_error() {
    let format: Format<(), i32> = Format::json();
    let typed = builder(()).response_stream("give", format, |_, (), out| async {
        // Not before the first value has left.
        let panics = stream::once(async {
            tokio::task::yield_now().await;
            panic!("as the test wants")
        });
        out.send(Ok(stream::iter([1]).chain(panics))).await
    });
    let (_server, client) = start(typed.finish()).await;
    let call = client.response_stream("It::give", format, &());
    let mut values = soon(call.into_future()).await.unwrap();
    assert_eq!(soon(values.message()).await.unwrap(), Some(1));
    let error = soon(values.message()).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::UnexpectedError), "{error}");
}

fn is_value<T: Value>() {}

#[test]
fn errors_pass_between_streams_and_methods() {
    is_value::<CountTo>();
    let busy = || StreamError::new(ErrorCode::Busy, "full");
    let method: MethodError<Refused> = busy().into();
    assert_eq!(method.code(), Some(ErrorCode::Busy));
    assert_eq!(StreamError::from(method).code(), Some(ErrorCode::Busy));
    let thrown = StreamError::from(MethodError::Exception(Refused { why: 1 }));
    assert_eq!(thrown.code(), Some(ErrorCode::UnexpectedError));
}
