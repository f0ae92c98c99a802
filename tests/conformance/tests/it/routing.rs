//! Source: spec/hyperbahn/routing.md, "a relayed call".

use std::time::Instant;

use bytes::Buf;
use serde_json::{Value, json};
use tchannel_proto::peek::{self, CallReqPeek};
use tchannel_proto::{
    Connection, ConnectionConfig, Decoder, Event, Frame, FrameType, Identity, InboundKey,
    MessageId, OutboundKey, Outbox, RelayedAnswer, Ttl,
};

use crate::call::{chunks, frame};
use crate::value;
use crate::vectors::{Vectors, hex, number, text, to_hex};

fn exchange(name: &str) -> Value {
    let vectors = Vectors::load("hyperbahn");
    let found = vectors.list("exchanges").iter().find(|x| x["name"] == name);
    found
        .unwrap_or_else(|| panic!("no exchange {name}"))
        .clone()
}

/// The three legs of one call, from its caller to the instance.
const LEGS: [&str; 3] = ["call_entry_hop", "call_middle_hop", "call_exit_hop"];

#[test]
fn between_two_legs_of_a_call_only_id_and_ttl_change() {
    for legs in LEGS.windows(2) {
        let [from, to] = [&legs[0], &legs[1]].map(|name| exchange(name));
        let (to_id, to_ttl) = (
            value::id(&to["request"]["value"]),
            &to["request"]["value"]["ttl_ms"],
        );
        let mut frame = value::frame(&hex(&from["request"]["hex"]));
        frame.set_id(to_id);
        peek::rewrite_ttl(
            &mut frame,
            Ttl::from_millis(number(to_ttl) as u32).expect("not zero"),
        );
        assert_eq!(
            to_hex(frame.as_bytes()),
            text(&to["request"]["hex"]),
            "{}",
            legs[1]
        );

        let mut answer = value::frame(&hex(&to["response"]["hex"]));
        answer.set_id(value::id(&from["response"]["value"]));
        assert_eq!(
            to_hex(answer.as_bytes()),
            text(&from["response"]["hex"]),
            "{}",
            legs[0]
        );
    }
}

#[test]
fn a_relay_reads_of_every_recorded_call_what_the_whole_frame_says() {
    let vectors = Vectors::load("frames");
    let router = Vectors::load("hyperbahn");
    let exchanges = router
        .list("exchanges")
        .iter()
        .filter_map(|x| x.get("request"));
    let is_call = |v: &&Value| v["value"]["type"] == "call req";
    let mut seen = 0;
    for vector in vectors.all().iter().chain(exchanges).filter(is_call) {
        let frame = value::frame(&hex(&vector["hex"]));
        assert_eq!(frame.frame_type(), Ok(FrameType::CallReq));
        let peek = CallReqPeek::parse(frame.payload()).expect("a whole call req");
        let expected = &vector["value"];
        let header = |key: &str| {
            let pairs = expected["headers"].as_array().expect("pairs");
            let found = pairs.iter().find(|pair| pair[0] == key);
            found.map_or(String::new(), |pair| text(&pair[1]).to_owned())
        };
        assert_eq!(peek.service, text(&expected["service"]).as_bytes());
        assert_eq!(peek.caller_name, header("cn").as_bytes());
        assert_eq!(peek.routing_delegate, header("rd").as_bytes());
        assert_eq!(peek.shard_key, header("sk").as_bytes());
        assert_eq!(peek.arg1, hex(&expected["chunks"][0]));
        let ttl_ms = peek.ttl.map_or(0, Ttl::as_millis);
        assert_eq!(json!(ttl_ms), expected["ttl_ms"]);
        assert_eq!(
            json!(u8::from(peek.more_fragments)),
            expected["flags"]
                .as_u64()
                .map_or(json!(0), |f| json!(f & 1))
        );
        seen += 1;
    }
    assert!(seen > 100, "only {seen} calls");
}

#[test]
fn a_relay_passes_on_no_answer_that_would_kill_a_peer() {
    let vectors = Vectors::load("frames");
    let answers = vectors
        .all()
        .iter()
        .filter(|v| v["value"]["type"] == "call res");
    for vector in answers {
        let good = hex(&vector["hex"]);
        let name = text(&vector["name"]);
        assert!(peek::is_safe_to_forward(&value::frame(&good)), "{name}");
        let mut bare = vector["value"].clone();
        bare["chunks"] = json!([]);
        assert!(
            !peek::is_safe_to_forward(&value::frame(&value::write(&bare))),
            "{name}"
        );
    }
}

/// Two connections and one call that passes from the first to the second.
struct Relay {
    now: Instant,
    caller: Connection,
    instance: Connection,
    call: Option<(InboundKey, OutboundKey)>,
}

/// What the ttl becomes on the way.
const TTL_MS: u32 = 321;

impl Relay {
    fn new() -> Self {
        let now = Instant::now();
        let config = || ConnectionConfig::new(Identity::listening("127.0.0.1:21300", "router[1]"));
        let mut caller = Connection::accept(now, config());
        let mut instance = Connection::connect(now, config());
        let init = Vectors::load("hostile").bytes(&json!("@init"));
        let init_res = Vectors::load("misbehaving-servers").bytes(&json!("@init res"));
        caller
            .handle_frame(now, value::frame(&init))
            .expect("init req");
        instance
            .handle_frame(now, value::frame(&init_res))
            .expect("init res");
        let mut relay = Self {
            now,
            caller,
            instance,
            call: None,
        };
        relay.settle();
        sent(&mut relay.caller);
        sent(&mut relay.instance);
        relay
    }

    /// The id of the call on its way to the instance.
    fn id(&self) -> u32 {
        self.call.expect("a call").1.id().0
    }

    /// Takes frames from the caller; what goes to the instance.
    fn caller_sends(&mut self, frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
        for bytes in frames {
            let mut frame = value::frame(bytes);
            if frame.frame_type() == Ok(FrameType::CallReq) {
                let ttl = Ttl::from_millis(TTL_MS).expect("not zero");
                let from = self.caller.relay_accept(self.now, &frame, ttl);
                let from = from
                    .expect("no broken rule")
                    .expect("a call that is let in");
                let to = self.instance.relay_call(self.now, &mut frame, ttl);
                self.instance.relay_frame(frame);
                self.call = Some((from, to.expect("an open connection")));
            } else {
                self.caller
                    .handle_frame(self.now, frame)
                    .expect("no broken rule");
            }
            self.settle();
        }
        sent(&mut self.instance)
    }

    /// Takes frames from the instance; what goes to the caller.
    fn instance_sends(&mut self, frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
        for bytes in frames {
            let frame = value::frame(bytes);
            self.instance
                .handle_frame(self.now, frame)
                .expect("no broken rule");
            self.settle();
        }
        sent(&mut self.caller)
    }

    fn settle(&mut self) {
        while let Some(event) = self.caller.poll_event() {
            match event {
                Event::RelayRequest { frame, .. } => self.pass_on(frame),
                Event::RelayCancel { why, .. } => {
                    let (_, to) = self.call.expect("a call");
                    self.instance.relay_cancel(to, &why);
                }
                _ => {}
            }
        }
        while let Some(event) = self.instance.poll_event() {
            if let Event::RelayResponse(RelayedAnswer { frame, last, .. }) = event {
                let (from, _) = self.call.expect("a call");
                let passed = self.caller.relay_response(from, frame, last);
                passed.expect("a caller who waits");
            }
        }
    }

    fn pass_on(&mut self, frame: Frame) {
        let (_, to) = self.call.expect("a call");
        self.instance
            .relay_request(to, frame)
            .expect("an open call");
    }
}

/// The frames that `connection` wants written.
fn sent(connection: &mut Connection) -> Vec<Vec<u8>> {
    let mut outbox = Outbox::new();
    let mut written = Decoder::new();
    while connection.poll_transmit(&mut outbox) {
        let bytes = outbox.copy_to_bytes(outbox.remaining());
        written.buffer_mut().extend_from_slice(&bytes);
    }
    std::iter::from_fn(|| written.next_frame().expect("whole frames"))
        .map(|frame| frame.as_bytes().to_vec())
        .collect()
}

/// The same frames under another id.
fn under(id: u32, frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let under = |bytes: &Vec<u8>| {
        let mut frame = value::frame(bytes);
        frame.set_id(MessageId(id));
        frame.as_bytes().to_vec()
    };
    frames.iter().map(under).collect()
}

fn fragments(name: &str) -> Vec<Vec<u8>> {
    let vectors = Vectors::load("fragments");
    let found = vectors.all().iter().find(|v| v["name"] == name);
    let frames = found.expect("the vector")["frames"].as_array();
    frames.expect("frames").iter().map(hex).collect()
}

#[test]
fn every_fragment_of_a_call_and_of_its_answer_passes_in_order() {
    for checksum in ["none", "crc32", "farmhash", "crc32c"] {
        let request = fragments(&format!("frag_call_req_{checksum}"));
        let response = fragments(&format!("frag_call_res_{checksum}"));
        let mut relay = Relay::new();
        let passed = relay.caller_sends(&request);
        let mut expected = under(relay.id(), &request);
        let mut first = value::frame(&expected[0]);
        peek::rewrite_ttl(&mut first, Ttl::from_millis(TTL_MS).expect("not zero"));
        expected[0] = first.as_bytes().to_vec();
        assert!(passed == expected, "{checksum}");

        let answered = relay.instance_sends(&under(relay.id(), &response));
        let caller_id = value::frame(&request[0]).id().0;
        assert!(answered == under(caller_id, &response), "{checksum}");
        assert_eq!(relay.caller.inbound_in_flight(), 0);
        assert_eq!(relay.instance.outbound_in_flight(), 0);
    }
}

#[test]
fn a_cancel_passes_under_the_new_id() {
    let mut relay = Relay::new();
    relay.caller_sends(&[frame("call req", 5, chunks(["slow", "", ""]))]);
    let passed = relay.caller_sends(&[frame("cancel", 5, json!({"why": "user went away"}))]);
    let [cancel] = &passed[..] else {
        panic!("one frame")
    };
    let cancel = value::read(cancel);
    assert_eq!(
        (&cancel["type"], &cancel["id"]),
        (&json!("cancel"), &json!(relay.id()))
    );
    assert_eq!(cancel["why"], "user went away");
    // The instance has the last word.
    let error = frame("error", relay.id(), json!({"code": 2}));
    assert_eq!(
        relay.instance_sends(&[error]),
        [frame("error", 5, json!({"code": 2}))]
    );
}

#[test]
fn an_error_passes_unless_its_code_would_harm_the_caller() {
    for (code, passed) in [
        (1, 1),
        (3, 3),
        (4, 4),
        (6, 6),
        (8, 8),
        (0, 5),
        (0x42, 5),
        (0xff, 5),
    ] {
        let fields = |code: u8| {
            let tracing = json!({"span": "1", "parent": "2", "trace": "3", "flags": 1});
            json!({"code": code, "message": "from the instance", "tracing": tracing})
        };
        let mut relay = Relay::new();
        relay.caller_sends(&[frame("call req", 5, chunks(["echo", "", ""]))]);
        let error = frame("error", relay.id(), fields(code));
        assert_eq!(
            relay.instance_sends(&[error]),
            [frame("error", 5, fields(passed))]
        );
        assert_eq!(relay.caller.inbound_in_flight(), 0);
    }
}
