//! Source: spec/protocol/call.md, "call req", "call res", "continuations" and "message ids".

use std::collections::HashSet;

use serde_json::{Value, json};
use tchannel_proto::message::Message;
use tchannel_proto::{Body, CallHead, CallRefused, ChecksumType, SendHeaders, Tracing, Ttl};

use crate::peer::Peer;
use crate::value;
use crate::vectors::{Vectors, to_hex};

/// A connecting end with the handshake behind it.
pub(crate) fn connected() -> Peer {
    let mut peer = Peer::connecting();
    peer.receive(&Vectors::load("misbehaving-servers").bytes(&json!("@init res")));
    peer
}

/// An accepting end with the handshake behind it.
pub(crate) fn accepted() -> Peer {
    let mut peer = Peer::accepting();
    peer.receive(&Vectors::load("hostile").bytes(&json!("@init")));
    peer
}

/// What a frame of type `name` under `id` has besides what `fields` say.
pub(crate) fn frame(name: &str, id: u32, fields: Value) -> Vec<u8> {
    let mut value = json!({
        "type": name, "id": id, "flags": 0, "ttl_ms": 1000, "code": 0, "why": "", "message": "",
        "tracing": {"span": "0", "parent": "0", "trace": "0", "flags": 0},
        "service": "svc", "headers": [["as", "raw"], ["cn", "caller"]],
        "checksum": {"type": "none"},
    });
    let own = fields.as_object().expect("fields").clone();
    value.as_object_mut().expect("a value").extend(own);
    value::write(&value)
}

/// The chunks of a call in one frame.
pub(crate) fn chunks(args: [&str; 3]) -> Value {
    json!({"chunks": args.map(|arg| to_hex(arg.as_bytes()))})
}

/// Makes `peer` call, and gives back the id.
fn id_of_call(peer: &mut Peer) -> u32 {
    peer.call().expect("an open connection").id().0
}

#[test]
fn a_call_req_that_we_send_has_every_field_in_its_place() {
    let mut peer = connected();
    let id = id_of_call(&mut peer);
    let expected = frame(
        "call req",
        id,
        json!({
            "headers": [["as", "raw"], ["cn", "caller"], ["re", "n"]],
            "checksum": {"type": "crc-32C", "value": "853dcd96"},
            "chunks": ["6563686f", "68", "626f6479"],
        }),
    );
    assert_eq!(to_hex(&peer.sent()[1]), to_hex(&expected));
}

#[test]
fn a_call_res_that_we_send_has_every_field_in_its_place() {
    let mut peer = accepted();
    let tracing = json!({"span": "1", "parent": "2", "trace": "3", "flags": 1});
    let mut request = chunks(["echo", "h", "body"]);
    request["tracing"] = tracing.clone();
    peer.receive(&frame("call req", 7, request));
    let mut response = chunks(["", "h", "body"]);
    response["tracing"] = tracing;
    response["headers"] = json!([["as", "raw"]]);
    assert_eq!(
        to_hex(&peer.sent()[1]),
        to_hex(&frame("call res", 7, response))
    );
}

#[test]
fn the_streaming_flag_is_never_set() {
    let mut peer = connected();
    let long = vec![b'z'; 200_000];
    peer.call_with(Body::whole("", long), true)
        .expect("an open connection");
    let flags: Vec<u8> = peer.sent()[1..].iter().map(|frame| frame[16]).collect();
    assert_eq!(flags, [1, 1, 1, 0]);
}

#[test]
fn arg1_beyond_16384_bytes_is_not_sent() {
    assert!(call_arg1(16_384).is_ok());
    let refused = call_arg1(16_385).expect_err("too long");
    assert_eq!(refused, CallRefused::Arg1TooLong { length: 16_385 });
}

fn call_arg1(size: usize) -> Result<(), CallRefused> {
    let mut peer = connected();
    let arg1 = vec![b'm'; size];
    let head = CallHead {
        service: "svc",
        arg1: &arg1,
        ttl: Ttl::from_millis(1000).expect("not zero"),
        tracing: Tracing::default(),
        headers: SendHeaders {
            arg_scheme: "raw",
            ..SendHeaders::default()
        },
        checksum_type: ChecksumType::default(),
        streaming: false,
    };
    let call = peer
        .connection
        .call(peer.now, &head, &mut Body::whole("", ""));
    call.map(|_| ())
}

#[test]
fn arg1_beyond_16384_bytes_is_a_bad_request() {
    let longest = "m".repeat(16_384);
    let mut peer = accepted();
    peer.receive(&frame("call req", 5, chunks([&longest, "", ""])));
    // It is read, and then no endpoint has that name.
    let Some(Message::Error(error)) = peer.sent_messages().pop() else {
        panic!("an error frame")
    };
    assert!(
        error.message.starts_with("unknown endpoint"),
        "{}",
        error.message
    );

    peer.receive(&frame(
        "call req",
        6,
        chunks([&format!("{longest}m"), "", ""]),
    ));
    assert_eq!(peer.sent_short()[2], "error 0x06 id 6");
    let Some(Message::Error(error)) = peer.sent_messages().pop() else {
        panic!("an error frame")
    };
    assert!(error.message.contains("16385"), "{}", error.message);
    assert!(!peer.is_closed());
}

#[test]
fn ids_of_calls_are_high_distinct_and_never_reserved() {
    let mut peer = connected();
    let open: Vec<u32> = (0..500).map(|_| id_of_call(&mut peer)).collect();
    assert_eq!(open[0], 0x4000_0001);
    assert_eq!(open.iter().collect::<HashSet<_>>().len(), open.len());
    for id in open {
        assert!((0x4000_0001..0x8000_0001).contains(&id), "{id:#x}");
    }
}

#[test]
fn an_id_in_use_is_not_given_again_while_others_come_and_go() {
    let mut peer = connected();
    let kept = id_of_call(&mut peer);
    let mut last = kept;
    for _ in 0..10_000 {
        let id = id_of_call(&mut peer);
        assert!(id != kept && id != last, "{id:#x}");
        peer.receive(&frame("call res", id, chunks(["", "", ""])));
        last = id;
    }
    peer.receive(&frame("call res", kept, chunks(["", "", ""])));
    assert_eq!(peer.connection.outbound_in_flight(), 0);
}

#[test]
fn the_first_answer_counts_and_later_ones_are_ignored() {
    let mut peer = connected();
    let id = id_of_call(&mut peer);
    peer.receive(&frame("call res", id, chunks(["", "first", "1"])));
    peer.receive(&frame("call res", id, chunks(["", "second", "2"])));
    peer.receive(&frame("error", id, json!({"code": 3})));
    assert_eq!(peer.outcome.as_deref(), Some("ok"));
    assert_eq!(peer.response, (b"first".to_vec(), b"1".to_vec()));
    assert!(!peer.is_closed());
}

#[test]
fn both_directions_may_use_the_same_id_at_the_same_time() {
    let mut peer = connected();
    let id = id_of_call(&mut peer);
    peer.receive(&frame("call req", id, chunks(["echo", "a", "b"])));
    assert_eq!(peer.sent_short()[2], format!("call res id {id} ok none"));
    assert_eq!(peer.outcome, None);
    peer.receive(&frame("call res", id, chunks(["", "", ""])));
    assert_eq!(peer.outcome.as_deref(), Some("ok"));
}

#[test]
fn a_call_res_with_another_scheme_or_an_arg1_is_accepted() {
    for headers in [json!([]), json!([["as", "zzz"]])] {
        let mut peer = connected();
        let id = id_of_call(&mut peer);
        let mut response = chunks(["not empty", "h", "body"]);
        response["headers"] = headers;
        peer.receive(&frame("call res", id, response));
        assert_eq!(peer.outcome.as_deref(), Some("ok"));
        assert_eq!(peer.response, (b"h".to_vec(), b"body".to_vec()));
    }
}
