//! What one frame costs: encode, decode, peek, fragment, and a whole call between two connections.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::hint::black_box;
use std::time::Instant;

use bytes::{Buf, Bytes, BytesMut};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tchannel_proto::message::Message;
use tchannel_proto::peek::CallReqPeek;
use tchannel_proto::{
    Body, CallHead, ChecksumType, Connection, ConnectionConfig, Decoder, Event, Frame, Identity,
    Outbox, ResponseCode, ResponseHead, SendHeaders, Tracing, Ttl,
};

fn head(now_ms: u32) -> CallHead<'static> {
    CallHead {
        service: "keyvalue",
        arg1: b"KeyValue::get",
        ttl: Ttl::from_millis(now_ms).expect("not zero"),
        tracing: Tracing {
            span_id: 1,
            parent_id: 0,
            trace_id: 1,
            flags: 0,
        },
        headers: SendHeaders {
            arg_scheme: "raw",
            caller_name: Some("bench"),
            retry_flags: Some("c"),
            ..SendHeaders::default()
        },
        checksum_type: ChecksumType::Crc32c,
        streaming: false,
    }
}

/// Two ends with nothing between them.
struct Pair {
    now: Instant,
    client: Connection,
    server: Connection,
    outbox: Outbox,
    decoder: Decoder,
}

impl Pair {
    fn new() -> Self {
        let now = Instant::now();
        let mut pair = Self {
            now,
            client: Connection::connect(now, ConnectionConfig::new(Identity::ephemeral("client"))),
            server: Connection::accept(
                now,
                ConnectionConfig::new(Identity::listening("127.0.0.1:1", "server")),
            ),
            outbox: Outbox::new(),
            decoder: Decoder::new(),
        };
        carry(
            &mut pair.client,
            &mut pair.server,
            &mut pair.outbox,
            &mut pair.decoder,
            now,
        );
        carry(
            &mut pair.server,
            &mut pair.client,
            &mut pair.outbox,
            &mut pair.decoder,
            now,
        );
        while pair.client.poll_event().is_some() || pair.server.poll_event().is_some() {}
        pair
    }

    fn request(&mut self, arg3: Bytes) -> Frame {
        self.client
            .call(self.now, &head(1000), &mut Body::whole(Bytes::new(), arg3))
            .expect("open");
        let mut frame = BytesMut::new();
        while self.client.poll_transmit(&mut self.outbox) {
            frame.extend_from_slice(&self.outbox.copy_to_bytes(self.outbox.remaining()));
        }
        Frame::from_bytes(frame).expect("one frame")
    }

    fn echo(&mut self, arg3: Bytes) {
        let Self {
            now,
            client,
            server,
            outbox,
            decoder,
        } = self;
        client
            .call(*now, &head(1000), &mut Body::whole(Bytes::new(), arg3))
            .expect("open");
        carry(client, server, outbox, decoder, *now);
        let Some(Event::Call(call)) = server.poll_event() else {
            panic!("a call was sent")
        };
        let head = ResponseHead {
            code: ResponseCode::OK,
            arg_scheme: "raw",
            streaming: false,
        };
        server
            .respond(
                call.key,
                &head,
                &mut Body::whole(call.body.arg2, call.body.arg3),
            )
            .expect("open");
        carry(server, client, outbox, decoder, *now);
        let Some(Event::Response(response)) = client.poll_event() else {
            panic!("an answer was sent")
        };
        black_box(response);
    }
}

fn carry(
    from: &mut Connection,
    to: &mut Connection,
    outbox: &mut Outbox,
    decoder: &mut Decoder,
    now: Instant,
) {
    while from.poll_transmit(outbox) {
        while outbox.has_remaining() {
            let chunk = outbox.chunk();
            decoder.buffer_mut().extend_from_slice(chunk);
            let count = chunk.len();
            outbox.advance(count);
        }
    }
    while let Some(frame) = decoder.next_frame().expect("our own frames are whole") {
        to.handle_frame(now, frame)
            .expect("our own frames are legal");
    }
}

fn frames(c: &mut Criterion) {
    let mut pair = Pair::new();
    let frame = pair.request(Bytes::from_static(&[7; 32]));
    let bytes = frame.as_bytes().to_vec();
    c.bench_function("peek call req", |b| {
        b.iter(|| CallReqPeek::parse(black_box(&bytes[16..])).expect("whole"))
    });
    c.bench_function("decode call req", |b| {
        let fresh = || Frame::from_bytes(BytesMut::from(&bytes[..])).expect("whole");
        b.iter_batched(
            fresh,
            |frame| Message::decode(frame).expect("legal"),
            BatchSize::SmallInput,
        );
    });
    let message = Message::decode(frame).expect("legal");
    c.bench_function("encode call req", |b| {
        let mut out = BytesMut::with_capacity(1024);
        b.iter(|| {
            out.clear();
            message
                .encode(tchannel_proto::MessageId(7), &mut out)
                .expect("fits");
        });
    });
}

fn calls(c: &mut Criterion) {
    let mut group = c.benchmark_group("unary echo in process");
    for size in [32, 4 * 1024, 100 * 1024, 1024 * 1024] {
        let mut pair = Pair::new();
        let arg3 = Bytes::from(vec![7; size]);
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(format!("{size} B"), |b| {
            b.iter(|| pair.echo_whole(arg3.clone()))
        });
    }
    group.finish();
}

impl Pair {
    /// As [`Pair::echo`], also for bodies of several frames.
    fn echo_whole(&mut self, arg3: Bytes) {
        if arg3.len() <= 60_000 {
            return self.echo(arg3);
        }
        let Self {
            now,
            client,
            server,
            outbox,
            decoder,
        } = self;
        let mut body = Body::whole(Bytes::new(), arg3.clone());
        let (key, _) = client.call(*now, &head(1000), &mut body).expect("open");
        while !body.is_empty() {
            client.send(key, &mut body).expect("open");
        }
        carry(client, server, outbox, decoder, *now);
        let mut call = None;
        while let Some(event) = server.poll_event() {
            if let Event::Call(begun) = event {
                call = Some(begun.key);
            }
        }
        let key = call.expect("a call was sent");
        let head = ResponseHead {
            code: ResponseCode::OK,
            arg_scheme: "raw",
            streaming: false,
        };
        let mut body = Body::whole(Bytes::new(), arg3);
        server.respond(key, &head, &mut body).expect("open");
        while !body.is_empty() {
            server.send_response(key, &mut body).expect("open");
        }
        carry(server, client, outbox, decoder, *now);
        while let Some(event) = client.poll_event() {
            black_box(event);
        }
    }
}

criterion_group!(benches, frames, calls);
criterion_main!(benches);
