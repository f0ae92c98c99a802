//! Source: spec/protocol/conventions.md, "reading".

use crate::peer::Peer;
use crate::value;
use crate::vectors::{Vectors, hex, text};

#[test]
fn integers_are_big_endian() {
    let call_req = Vectors::load("frames")
        .all()
        .iter()
        .find_map(|vector| (vector["name"] == "call_req_max_ttl").then(|| hex(&vector["hex"])));
    let bytes = call_req.expect("the vector");
    assert_eq!(value::read(&bytes)["ttl_ms"], 0xffff_ffff_u32);
    let id = value::write(&serde_json::json!({"type": "ping req", "id": 0x0102_0304}));
    assert_eq!(&id[4..8], [1, 2, 3, 4]);
}

#[test]
fn a_frame_cut_short_anywhere_is_refused_and_never_read_past_its_end() {
    for vector in Vectors::load("frames").all() {
        let whole = hex(&vector["hex"]);
        for size in 16..whole.len() {
            let mut cut = whole[..size].to_vec();
            cut[..2].copy_from_slice(&(size as u16).to_be_bytes());
            let message = tchannel_proto::message::Message::decode(value::frame(&cut));
            // What is left may still be whole: a call frame with fewer chunks.
            if let Ok(message) = message {
                let id = value::frame(&cut).id();
                assert_eq!(
                    value::encode(id, &message),
                    cut,
                    "{}",
                    text(&vector["name"])
                );
            }
        }
    }
}

#[test]
fn bytes_behind_the_last_field_are_ignored_where_there_are_no_args() {
    for vector in Vectors::load("frames").all() {
        let kind = text(&vector["value"]["type"]);
        if kind.starts_with("call") {
            continue;
        }
        let mut longer = hex(&vector["hex"]);
        longer.extend([0xab, 0xcd, 0xef]);
        let size = longer.len() as u16;
        longer[..2].copy_from_slice(&size.to_be_bytes());
        assert_eq!(
            value::read(&longer),
            vector["value"],
            "{}",
            text(&vector["name"])
        );
    }
}

#[test]
fn reserved_bytes_are_zero_when_sent_and_ignored_when_received() {
    let vectors = Vectors::load("hostile");
    let mut init = vectors.bytes(&"@init".into());
    let mut echo = vectors.bytes(&"@echo6".into());
    for bytes in [&mut init, &mut echo] {
        bytes[3] = 0xff;
        bytes[8..16].fill(0xff);
    }
    let mut peer = Peer::accepting();
    peer.receive(&init);
    peer.receive(&echo);
    assert_eq!(
        peer.sent_short(),
        ["init res id 1", "call res id 6 ok none"]
    );
    for frame in peer.sent() {
        assert_eq!((frame[3], &frame[8..16]), (0, &[0; 8][..]));
    }
}
