//! Source: spec/protocol/init.md, "init req", "init res", "ephemeral peers" and "acceptor policy".

use std::time::Duration;

use serde_json::json;
use tchannel_proto::message::{Init, Message, is_ephemeral};
use tchannel_proto::{CallRefused, ProtocolError};

use crate::peer::{HOST_PORT, Peer};
use crate::vectors::Vectors;

const KEYS: [&str; 5] = [
    "host_port",
    "process_name",
    "tchannel_language",
    "tchannel_language_version",
    "tchannel_version",
];

#[track_caller]
fn check_init(init: &Init) {
    assert_eq!(init.version, 2);
    for key in KEYS {
        let value = init.headers.get(key);
        assert!(
            value.is_some_and(|value| !value.is_empty()),
            "{key} is missing"
        );
    }
    assert_eq!(init.headers.0.len(), KEYS.len());
    assert_eq!(
        init.headers.get("host_port").map(|value| &**value),
        Some(HOST_PORT)
    );
}

#[test]
fn init_req_comes_first_with_all_five_headers() {
    let peer = Peer::connecting();
    assert_eq!(peer.sent_short(), ["init req id 1"]);
    let [Message::InitReq(init)] = &peer.sent_messages()[..] else {
        panic!("one init req")
    };
    check_init(init);
}

#[test]
fn nothing_else_is_sent_before_init_res_has_come() {
    let mut peer = Peer::connecting();
    assert_eq!(peer.call(), Err(CallRefused::NotOpen));
    peer.connection.ping();
    peer.wait(Duration::from_secs(1));
    assert_eq!(peer.sent_short(), ["init req id 1"]);
    peer.receive(&Vectors::load("misbehaving-servers").bytes(&json!("@init res")));
    assert!(peer.call().is_ok());
}

#[test]
fn an_accepting_peer_says_nothing_first() {
    assert!(Peer::accepting().sent().is_empty());
}

#[test]
fn init_res_carries_the_same_headers() {
    let mut peer = Peer::accepting();
    peer.receive(&Vectors::load("hostile").bytes(&json!("@init")));
    let [Message::InitRes(init)] = &peer.sent_messages()[..] else {
        panic!("one init res")
    };
    check_init(init);
}

#[test]
fn every_recorded_peer_is_greeted() {
    let vectors = Vectors::load("frames");
    let init_reqs = vectors
        .all()
        .iter()
        .filter(|v| v["value"]["type"] == "init req");
    for vector in init_reqs {
        let mut peer = Peer::accepting();
        peer.receive(&crate::vectors::hex(&vector["hex"]));
        assert!(peer.connection.is_open(), "{}", vector["name"]);
    }
    let init_ress = vectors
        .all()
        .iter()
        .filter(|v| v["value"]["type"] == "init res");
    for vector in init_ress {
        let mut peer = Peer::connecting();
        peer.receive(&crate::vectors::hex(&vector["hex"]));
        assert!(peer.connection.is_open(), "{}", vector["name"]);
    }
}

#[test]
fn addresses_that_nobody_can_dial_are_ephemeral() {
    for address in ["", "0.0.0.0:0", "0.0.0.0:4040", "10.0.0.1:0", "[::1]:0"] {
        assert!(is_ephemeral(address), "{address:?}");
    }
    for address in [
        "10.0.0.1:4040",
        "localhost:1",
        "[::1]:80",
        "foo",
        "10.0.0.0:10",
    ] {
        assert!(!is_ephemeral(address), "{address:?}");
    }
}

#[test]
fn a_peer_is_named_as_it_announced_itself() {
    let mut peer = Peer::accepting();
    peer.receive(&Vectors::load("hostile").bytes(&json!("@init")));
    let info = peer.connection.peer().expect("a handshake");
    assert_eq!(&*info.host_port, "0.0.0.0:0");
    assert_eq!(&*info.process_name, "probe");
    assert!(info.is_ephemeral());
}

#[test]
fn both_sides_give_up_at_the_handshake_deadline() {
    for mut peer in [Peer::accepting(), Peer::connecting()] {
        let before = peer.sent().len();
        peer.wait(Duration::from_millis(4_999));
        assert!(!peer.is_closed());
        peer.wait(Duration::from_millis(1));
        assert!(peer.is_closed());
        assert_eq!(peer.sent_short()[before..], ["error 0xff id ffffffff"]);
    }
}

#[test]
fn a_refused_handshake_keeps_its_code() {
    let mut peer = Peer::connecting();
    let busy = json!({
        "type": "error", "id": 1, "code": 3, "message": "full",
        "tracing": {"span": "0", "parent": "0", "trace": "0", "flags": 0},
    });
    peer.receive(&crate::value::write(&busy));
    assert_eq!(peer.ended_as(), "busy");
    assert_eq!(peer.sent_short(), ["init req id 1"]);
}

#[test]
fn a_frame_before_the_handshake_is_named_in_the_error() {
    let error = ProtocolError::NotInit {
        expected: "init req",
        got: 0xd0,
        id: tchannel_proto::MessageId(9),
    };
    let mut peer = Peer::accepting();
    peer.receive(&crate::value::write(&json!({"type": "ping req", "id": 9})));
    let [Message::Error(sent)] = &peer.sent_messages()[..] else {
        panic!("one error frame")
    };
    assert_eq!(&*sent.message, error.to_string());
}
