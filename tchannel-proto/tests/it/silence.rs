//! Peers that fall silent, and which connections are given up for that.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use tchannel_proto::message::{Init, InitHeaders, Message};
use tchannel_proto::{
    Body, CallHead, ChecksumType, Connection, ConnectionConfig, Frame, Identity, MessageId,
    ProtocolError, SendHeaders, Tracing, Ttl,
};

/// A connecting end whose peer has shaken hands, and the time.
struct Client {
    connection: Connection,
    now: Instant,
}

const TTL: Duration = Duration::from_secs(1);

/// The head of a call that nobody answers.
pub(crate) fn head(ttl: Duration) -> CallHead<'static> {
    CallHead {
        service: "svc",
        arg1: b"method",
        ttl: Ttl::from_duration(ttl).expect("it is not zero"),
        tracing: Tracing::default(),
        headers: SendHeaders::default(),
        checksum_type: ChecksumType::None,
        streaming: false,
    }
}

impl Client {
    fn new(language: &'static str) -> Self {
        #[expect(clippy::disallowed_methods, reason = "only differences to it matter")]
        let now = Instant::now();
        let config = ConnectionConfig::new(Identity::ephemeral("client"));
        let mut client = Self {
            connection: Connection::connect(now, config),
            now,
        };
        let mut headers = InitHeaders::default();
        headers.push("host_port", "127.0.0.1:1");
        headers.push("process_name", "server");
        headers.push("tchannel_language", language);
        let init = Init {
            version: 2,
            headers,
        };
        client.hear(&Message::InitRes(init), 1);
        client
    }

    fn hear(&mut self, message: &Message, id: u32) {
        let mut out = BytesMut::new();
        message
            .encode(MessageId(id), &mut out)
            .expect("it is short");
        let frame = Frame::from_bytes(out).expect("it is a frame");
        self.connection
            .handle_frame(self.now, frame)
            .expect("the peer keeps to the protocol");
    }

    /// Makes a call that nobody answers, and waits until it has timed out.
    fn call(&mut self) -> Result<(), ProtocolError> {
        let head = head(TTL);
        let mut body = Body::whole("", "");
        let called = self.connection.call(self.now, &head, &mut body);
        called.expect("the connection is open");
        self.pass(TTL)
    }

    fn pass(&mut self, time: Duration) -> Result<(), ProtocolError> {
        self.now += time;
        self.connection.handle_timeout(self.now)
    }
}

const LONG: Duration = Duration::from_secs(10);

#[test]
fn two_calls_that_time_out_far_apart_in_silence_close_the_connection() {
    for language in ["go", "python"] {
        let mut client = Client::new(language);
        client.call().expect("one says nothing");
        client.call().expect("they are close together");
        client
            .pass(LONG - 2 * TTL)
            .expect("silence alone says nothing");
        let silent_ms = 11_000;
        assert_eq!(client.call(), Err(ProtocolError::Stale { silent_ms }));
        assert!(client.connection.is_closed());
    }
}

#[test]
fn a_peer_that_must_answer_pings_is_given_up_though_it_never_had_to_before() {
    let limits = [("rust", 40), ("go", 40), ("node", 40), ("by hand", 500)];
    for (language, expected_s) in limits {
        let mut client = Client::new(language);
        // The first of three pings comes after 30 s without a call.
        let step = Duration::from_secs(5);
        let steps = (0..100).take_while(|_| client.pass(step).is_ok()).count();
        assert_eq!(5 * steps, expected_s, "{language}");
    }
}

#[test]
fn a_peer_that_is_heard_of_between_calls_that_time_out_is_slow_and_no_more() {
    let mut client = Client::new("python");
    for _ in 0..10 {
        client.call().expect("it was heard of");
        client.pass(LONG).expect("silence alone says nothing");
        client.hear(&Message::PingReq, 7);
    }
}

#[test]
fn silence_while_this_end_does_not_read_says_nothing_about_the_peer() {
    let mut client = Client::new("go");
    client.pass(Duration::from_secs(5)).expect("pinged");
    client.hear(&Message::PingRes, 0x2000_0001);
    for _ in 0..10 {
        client.call().expect("nobody has read the answer");
        client.connection.note_not_reading(client.now);
        client.pass(LONG).expect("nobody has read the answer");
        client.connection.note_not_reading(client.now);
    }
}
