//! Source: spec/hyperbahn/routing.md, "a relayed call".

use serde_json::{Value, json};
use tchannel_proto::peek::{self, CallReqPeek};
use tchannel_proto::{FrameType, Ttl};

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
