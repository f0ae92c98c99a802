//! Frames, and calls between two connections with no socket: `tchannel-proto` alone.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes, BytesMut};
use tchannel_rt::proto::message::Message;
use tchannel_rt::proto::peek::CallReqPeek;
use tchannel_rt::proto::{
    Body, CallHead, ChecksumType, Connection, ConnectionConfig, Decoder, Event, Frame, Identity,
    MessageId, Outbox, Progress, ResponseCode, ResponseHead, SendHeaders, Tracing, Ttl,
};

use super::repeat;

pub(super) fn peek(times: u64) -> Duration {
    let frame = call_req();
    repeat(times, || {
        black_box(CallReqPeek::parse(black_box(frame.payload())).expect("whole"));
    })
}

pub(super) fn encode(times: u64) -> Duration {
    let message = Message::decode(call_req()).expect("legal");
    let mut out = BytesMut::with_capacity(1024);
    repeat(times, || {
        out.clear();
        black_box(&message)
            .encode(MessageId(7), &mut out)
            .expect("it fits");
        black_box(&out);
    })
}

/// Cutting the frame off a stream is part of it, as it is at work.
pub(super) fn decode(times: u64) -> Duration {
    let frame = call_req().into_bytes();
    let mut decoder = Decoder::new();
    repeat(times, || {
        decoder.buffer_mut().extend_from_slice(&frame);
        let frame = decoder.next_frame().expect("legal").expect("whole");
        black_box(Message::decode(frame).expect("legal"));
    })
}

pub(super) fn call(times: u64) -> Duration {
    let mut pair = Pair::new();
    let arg3 = Bytes::from_static(&[7; 32]);
    repeat(times, || pair.echo(&arg3))
}

pub(super) fn fragment(times: u64) -> Duration {
    let mut pair = Pair::new();
    let arg3 = Bytes::from(vec![7; 1024 * 1024]);
    repeat(times, || pair.echo(&arg3))
}

/// Two ends with nothing between them.
struct Pair {
    now: Instant,
    client: Connection,
    server: Connection,
    wire: Wire,
}

#[derive(Default)]
struct Wire {
    outbox: Outbox,
    decoder: Decoder,
}

impl Pair {
    fn new() -> Self {
        let now = Instant::now();
        let client = ConnectionConfig::new(Identity::ephemeral("client"));
        let server = ConnectionConfig::new(Identity::listening("127.0.0.1:1", "server"));
        let mut pair = Self {
            now,
            client: Connection::connect(now, client),
            server: Connection::accept(now, server),
            wire: Wire::default(),
        };
        pair.wire.carry(&mut pair.client, &mut pair.server, now);
        pair.wire.carry(&mut pair.server, &mut pair.client, now);
        while pair.client.poll_event().is_some() || pair.server.poll_event().is_some() {}
        pair
    }

    fn echo(&mut self, arg3: &Bytes) {
        let Self {
            now,
            client,
            server,
            wire,
        } = self;
        let mut body = Body::whole(Bytes::new(), arg3.clone());
        let (key, mut progress) = client.call(*now, &head(), &mut body).expect("open");
        while progress == Progress::Full {
            progress = client.send(key, &mut body).expect("open");
        }
        wire.carry(client, server, *now);
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
        let mut body = Body::whole(Bytes::new(), arg3.clone());
        let mut progress = server.respond(key, &head, &mut body).expect("open");
        while progress == Progress::Full {
            progress = server.send_response(key, &mut body).expect("open");
        }
        wire.carry(server, client, *now);
        while let Some(event) = client.poll_event() {
            black_box(event);
        }
    }
}

impl Wire {
    fn carry(&mut self, from: &mut Connection, to: &mut Connection, now: Instant) {
        while from.poll_transmit(&mut self.outbox) {
            while self.outbox.has_remaining() {
                let chunk = self.outbox.chunk();
                self.decoder.buffer_mut().extend_from_slice(chunk);
                let count = chunk.len();
                self.outbox.advance(count);
            }
        }
        while let Some(frame) = self.decoder.next_frame().expect("our own frames are whole") {
            to.handle_frame(now, frame)
                .expect("our own frames are legal");
        }
    }
}

fn call_req() -> Frame {
    let mut pair = Pair::new();
    let mut body = Body::whole(Bytes::new(), Bytes::from_static(&[7; 32]));
    pair.client
        .call(pair.now, &head(), &mut body)
        .expect("open");
    let mut frame = BytesMut::new();
    while pair.client.poll_transmit(&mut pair.wire.outbox) {
        let outbox = &mut pair.wire.outbox;
        frame.extend_from_slice(&outbox.copy_to_bytes(outbox.remaining()));
    }
    Frame::from_bytes(frame).expect("one frame")
}

fn head() -> CallHead<'static> {
    CallHead {
        service: "keyvalue",
        arg1: b"KeyValue::get",
        ttl: Ttl::from_millis(1000).expect("not zero"),
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
