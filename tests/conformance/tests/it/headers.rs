//! Source: spec/protocol/headers.md, "transport headers" and "limits".

use serde_json::json;
use tchannel_proto::message::Message;
use tchannel_proto::{
    Body, CallHead, CallRefused, ChecksumType, SendHeaders, Tracing, TransportHeaders, Ttl,
};

use crate::peer::Peer;
use crate::value;
use crate::vectors::{Vectors, hex, text};

#[test]
fn a_good_block_gives_its_pairs_and_a_bad_one_is_refused() {
    for vector in Vectors::load("headers").all() {
        let name = text(&vector["name"]);
        let read = Message::decode(value::frame(&call_res(&hex(&vector["hex"]))));
        match vector.get("refused") {
            None => {
                let Ok(Message::CallRes(call)) = read else {
                    panic!("{name}: {read:?}")
                };
                assert_eq!(value::pairs(&call.headers), vector["value"], "{name}");
            }
            Some(why) => {
                let error = read.expect_err(name).to_string();
                assert!(error.contains(complaint(text(why))), "{name}: {error}");
            }
        }
    }
}

/// A call res with `block` for its headers. A block that is cut short is the end of the frame.
fn call_res(block: &[u8]) -> Vec<u8> {
    let empty = json!({
        "type": "call res", "id": 5, "flags": 0, "code": 0,
        "tracing": {"span": "0", "parent": "0", "trace": "0", "flags": 0},
        "headers": [], "checksum": {"type": "none"}, "chunks": [],
    });
    let mut frame = value::write(&empty);
    frame.truncate(16 + 1 + 1 + 25);
    frame.extend_from_slice(block);
    let is_whole = {
        let mut rest = block.iter().copied();
        let pairs = rest.next().map_or(1, usize::from);
        (0..2 * pairs).all(|_| {
            let size = rest.next().map_or(usize::MAX, usize::from);
            size == 0 || rest.nth(size - 1).is_some()
        })
    };
    if is_whole {
        frame.push(0);
    }
    let size = frame.len() as u16;
    frame[..2].copy_from_slice(&size.to_be_bytes());
    frame
}

/// What a refusal has to speak of.
fn complaint(why: &str) -> &'static str {
    match why {
        "key too long" => "over the limit of 16",
        "too many headers" => "over the limit of 128",
        "duplicate key" => "appears twice",
        "empty key" => "key is empty",
        "cut short" => "are left",
        other => panic!("no complaint is known for {other}"),
    }
}

#[test]
fn headers_keep_their_order_and_unknown_keys_are_carried() {
    let pairs = [
        ("zz", "custom"),
        ("as", "raw"),
        ("cn", "caller"),
        ("aa", ""),
    ];
    let headers = TransportHeaders::from_pairs(pairs).expect("good headers");
    assert_eq!(headers.iter().collect::<Vec<_>>(), pairs);
    assert_eq!(headers.get("zz"), Some("custom"));
}

#[test]
fn a_key_of_sixteen_bytes_is_not_sent() {
    assert_eq!(call_with_key("k23456789012345"), Ok(()));
    let refused = call_with_key("k234567890123456").expect_err("16 bytes");
    assert!(matches!(
        refused,
        CallRefused::FieldTooLong {
            length: 16,
            limit: 15,
            ..
        }
    ));
}

fn call_with_key(key: &str) -> Result<(), CallRefused> {
    let mut peer = Peer::connecting();
    peer.receive(&Vectors::load("misbehaving-servers").bytes(&json!("@init res")));
    let other = [(key, "value")];
    let head = CallHead {
        service: "svc",
        arg1: b"echo",
        ttl: Ttl::from_millis(1000).expect("not zero"),
        tracing: Tracing::default(),
        headers: SendHeaders {
            arg_scheme: "raw",
            other: &other,
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
