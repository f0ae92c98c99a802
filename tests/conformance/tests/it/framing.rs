//! Source: spec/protocol/framing.md, "frame header" and "frame types".

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tchannel_proto::message::Message;
use tchannel_proto::{Decoder, Frame, FrameType};

use crate::peer::Peer;
use crate::value;
use crate::vectors::{Vectors, hex, text};

/// Every frame that the vectors hold with its value, under a name.
fn recorded() -> Vec<(String, Vec<u8>, Value)> {
    let entry =
        |name: &Value, at: &Value| (text(name).to_owned(), hex(&at["hex"]), at["value"].clone());
    let frames = Vectors::load("frames");
    let router = Vectors::load("hyperbahn");
    let mut all: Vec<_> = frames.all().iter().map(|v| entry(&v["name"], v)).collect();
    for exchange in router.list("exchanges") {
        let parts = ["frame", "request", "response"];
        let parts = parts.iter().filter_map(|part| exchange.get(*part));
        all.extend(parts.map(|part| entry(&exchange["name"], part)));
    }
    for probe in router.list("probes") {
        let replies = probe["hyperbahn"]["replies"].as_array().expect("replies");
        all.extend(replies.iter().map(|reply| entry(&probe["name"], reply)));
    }
    all
}

#[test]
fn every_recorded_frame_decodes_to_its_value() {
    for (name, bytes, expected) in recorded() {
        assert_eq!(value::read(&bytes), expected, "{name}");
    }
}

#[test]
fn every_recorded_value_encodes_to_its_frame() {
    for (name, bytes, recorded) in recorded() {
        assert_eq!(value::write(&recorded), bytes, "{name}");
    }
}

#[test]
fn the_recordings_hold_every_frame_type() {
    let types: BTreeSet<u8> = recorded().iter().map(|(_, bytes, _)| bytes[2]).collect();
    let fragments = Vectors::load("fragments");
    let frames = fragments.all().iter().flat_map(|v| v["frames"].as_array());
    let more: BTreeSet<u8> = frames.flatten().map(|frame| hex(frame)[2]).collect();
    let known = (0..=u8::MAX).filter(|byte| FrameType::from_byte(*byte).is_some());
    assert_eq!(
        types.union(&more).copied().collect::<Vec<_>>(),
        known.collect::<Vec<_>>()
    );
}

#[test]
fn the_header_is_sixteen_bytes_and_counts_itself() {
    for (name, bytes, _) in recorded() {
        let frame = value::frame(&bytes);
        assert_eq!(frame.payload().len() + 16, bytes.len(), "{name}");
        assert_eq!(bytes[..2], (bytes.len() as u16).to_be_bytes(), "{name}");
        assert!(
            Frame::from_bytes(bytes[..bytes.len() - 1].into()).is_none(),
            "{name}"
        );
    }
}

#[test]
fn frames_come_out_whole_wherever_the_stream_is_split() {
    let frames: Vec<Vec<u8>> = recorded().into_iter().map(|(_, bytes, _)| bytes).collect();
    let stream = frames.concat();
    for step in [1, 2, 3, 7, 15, 16, 17, 100, 1000, stream.len()] {
        let mut decoder = Decoder::new();
        let mut cut = Vec::new();
        for piece in stream.chunks(step) {
            decoder.buffer_mut().extend_from_slice(piece);
            while let Some(frame) = decoder.next_frame().expect("frames of a legal size") {
                cut.push(frame.as_bytes().to_vec());
            }
        }
        assert!(decoder.is_empty());
        assert!(cut == frames, "pieces of {step}");
    }
}

#[test]
fn the_largest_frame_is_65535_bytes() {
    let chunk = |size: usize| {
        let mut call = value::message(&hex(&recorded_echo()["hex"]));
        let Message::CallReq(req) = &mut call else {
            panic!("a call req")
        };
        let arg3 = vec![b'z'; size];
        req.chunks = tchannel_proto::message::Chunks::from_slices([&b"echo"[..], b"", &arg3]);
        let mut out = bytes::BytesMut::new();
        let encoded = call.encode(tchannel_proto::MessageId(7), &mut out);
        encoded.map(|()| out.len()).map_err(|error| error.size)
    };
    let empty = chunk(0).expect("a small frame");
    assert_eq!(chunk(65_535 - empty), Ok(65_535));
    assert_eq!(chunk(65_536 - empty), Err(65_536));
}

fn recorded_echo() -> Value {
    let vectors = Vectors::load("frames");
    let found = vectors
        .all()
        .iter()
        .find(|v| v["name"] == "call_req_raw_crc32c");
    found.expect("the vector").clone()
}

#[test]
fn responses_come_in_the_order_in_which_they_are_ready() {
    let vectors = Vectors::load("hostile");
    let slow = call("slow", "50");
    let mut peer = Peer::accepting();
    peer.receive(&vectors.bytes(&json!("@init")));
    peer.receive(&slow);
    peer.receive(&vectors.bytes(&json!("@echo6")));
    peer.wait(Duration::from_millis(60));
    assert_eq!(
        peer.sent_short(),
        [
            "init res id 1",
            "call res id 6 ok none",
            "call res id 5 ok none"
        ]
    );
}

#[test]
fn fragments_of_two_calls_may_interleave() {
    let vectors = Vectors::load("fragments");
    let find = |name: &str| {
        let found = vectors.all().iter().find(|v| v["name"] == name);
        found.expect("the vector")["frames"]
            .as_array()
            .expect("frames")
            .clone()
    };
    let first = find("frag_call_req_crc32");
    let second = find("frag_empty_middle_flush_crc32c");
    let mut peer = Peer::accepting();
    peer.receive(&Vectors::load("hostile").bytes(&json!("@init")));
    for (a, b) in first.iter().zip(&second) {
        peer.receive(&hex(a));
        peer.receive(&hex(b));
    }
    assert_eq!(
        peer.sent_short(),
        [
            "init res id 1",
            "call res id 9 ok crc-32",
            "call res id 10 ok crc-32C"
        ]
    );
}

/// A call req under id 5.
fn call(arg1: &str, arg3: &str) -> Vec<u8> {
    value::write(&json!({
        "type": "call req", "id": 5, "flags": 0, "ttl_ms": 1000,
        "tracing": {"span": "0", "parent": "0", "trace": "0", "flags": 0},
        "service": "svc", "headers": [["as", "raw"], ["cn", "caller"]],
        "checksum": {"type": "none"},
        "chunks": [crate::vectors::to_hex(arg1.as_bytes()), "", crate::vectors::to_hex(arg3.as_bytes())],
    }))
}

#[test]
fn the_side_that_accepted_calls_the_side_that_connected() {
    let vectors = Vectors::load("hostile");
    let mut peer = Peer::accepting();
    peer.receive(&vectors.bytes(&json!("@init")));
    let id = peer.call().expect("an open connection").id();
    assert_eq!(peer.sent_short()[1], format!("call req id {id}"));
    let answer = Vectors::load("misbehaving-servers").bytes(&json!("@answer"));
    let mut answer = value::frame(&answer);
    answer.set_id(id);
    peer.receive(answer.as_bytes());
    assert_eq!(peer.outcome.as_deref(), Some("ok"));
}

#[test]
fn no_change_of_one_byte_makes_a_connection_panic() {
    let vectors = Vectors::load("hostile");
    let init = vectors.bytes(&json!("@init"));
    for (_, bytes, _) in recorded()
        .into_iter()
        .filter(|(_, bytes, _)| bytes.len() < 200)
    {
        for at in 2..bytes.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] ^= change;
                let _ = Message::decode(value::frame(&changed));
                let mut peer = Peer::accepting();
                peer.receive(&init);
                peer.receive(&changed);
                let mut peer = Peer::accepting();
                peer.receive(&changed);
            }
        }
    }
}
