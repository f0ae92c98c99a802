//! Calls that end before all of them has arrived.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use tchannel_proto::checksum::Checksum;
use tchannel_proto::message::{CallReq, Chunks, Continuation, Init, InitHeaders, Message, flags};
use tchannel_proto::{
    Body, ChecksumType, Connection, ConnectionConfig, Event, Frame, Identity, MessageId,
    ResponseCode, ResponseHead, Tracing, TransportHeaders, Ttl,
};

/// An accepting end whose peer has shaken hands, its owner, and the time.
struct Server {
    connection: Connection,
    now: Instant,
}

impl Server {
    fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "only differences to it matter")]
        let now = Instant::now();
        let config = ConnectionConfig::new(Identity::ephemeral("server"));
        let mut server = Self {
            connection: Connection::accept(now, config),
            now,
        };
        let mut headers = InitHeaders::default();
        headers.push("host_port", "0.0.0.0:0");
        headers.push("process_name", "client");
        let init = Message::InitReq(Init {
            version: 2,
            headers,
        });
        server.hear(&init, 1);
        assert!(matches!(server.connection.poll_event(), Some(Event::Ready)));
        server
    }

    fn hear(&mut self, message: &Message, id: u32) {
        let mut out = BytesMut::new();
        message
            .encode(MessageId(id), &mut out)
            .expect("it is short");
        let frame = Frame::from_bytes(out).expect("it is a frame");
        self.connection
            .handle_frame(self.now, frame)
            .expect("no frame here is worth the connection");
    }
}

fn call(chunks: &[&[u8]]) -> Message {
    Message::CallReq(CallReq {
        flags: flags::MORE_FRAGMENTS,
        ttl: Ttl::from_millis(1_000),
        tracing: Tracing::default(),
        service: "greeter".into(),
        headers: TransportHeaders::default(),
        checksum: none(),
        chunks: Chunks::from_slices(chunks.iter().copied()),
    })
}

fn more(chunks: &[&[u8]], checksum: Checksum) -> Message {
    Message::CallReqContinue(Continuation {
        flags: flags::MORE_FRAGMENTS,
        checksum,
        chunks: Chunks::from_slices(chunks.iter().copied()),
    })
}

fn none() -> Checksum {
    Checksum {
        checksum_type: ChecksumType::None,
        value: 0,
    }
}

#[test]
fn a_stream_that_is_answered_before_its_request_ends_leaves_nothing_behind() {
    let mut server = Server::new();
    server.hear(&call(&[b"hello", b"", b"and so on"]), 2);
    let Some(Event::Call(call)) = server.connection.poll_event() else {
        panic!("the call is known with its first frame");
    };
    let head = ResponseHead {
        code: ResponseCode::OK,
        arg_scheme: "raw",
        streaming: true,
    };
    let mut begin = Body::default();
    let mut end = Body::whole("", "enough");
    let connection = &mut server.connection;
    connection
        .respond(call.key, &head, &mut begin)
        .expect("it is open");
    connection
        .send_response(call.key, &mut end)
        .expect("it is open");

    // The caller has its answer and sends no more.
    let later = server.now + Duration::from_secs(3_600);
    let _ = connection.handle_timeout(later);
    assert_eq!(connection.inbound_in_flight(), 0);
}

#[test]
fn a_call_refused_before_its_arg1_is_whole_is_not_spoken_of() {
    let mut server = Server::new();
    server.hear(&call(&[b"hel"]), 2);
    let wrong = Checksum {
        checksum_type: ChecksumType::Crc32,
        value: 7,
    };
    server.hear(&more(&[b"lo", b""], wrong), 2);
    assert!(server.connection.poll_event().is_none());
    assert_eq!(server.connection.inbound_in_flight(), 0);
}

#[test]
fn what_still_arrives_of_a_request_that_was_answered_is_ignored() {
    let mut server = Server::new();
    server.hear(&call(&[b"hello", b"", b"and so on"]), 2);
    let Some(Event::Call(call)) = server.connection.poll_event() else {
        panic!("the call is known with its first frame");
    };
    let head = ResponseHead {
        code: ResponseCode::OK,
        arg_scheme: "raw",
        streaming: false,
    };
    let mut body = Body::whole("", "enough");
    server
        .connection
        .respond(call.key, &head, &mut body)
        .expect("it is open");
    let sent = server.connection.enqueued();
    server.hear(&more(&[b" and on"], none()), 2);
    assert!(server.connection.poll_event().is_none());
    assert_eq!(server.connection.enqueued(), sent);
}
