//! Source: spec/protocol/control.md, "cancel", "claim" and "ping".

use std::time::Duration;

use serde_json::json;
use tchannel_proto::message::Message;
use tchannel_proto::{Connection, ConnectionConfig, Failure, Identity};

use crate::call::{accepted, chunks, connected, frame};
use crate::value;
use crate::vectors::{Vectors, hex};

#[test]
fn a_cancel_stops_the_handler_and_is_answered_once() {
    let mut peer = accepted();
    peer.receive(&frame("call req", 5, chunks(["slow", "", "100"])));
    peer.receive(&frame("cancel", 5, json!({"why": "user went away"})));
    peer.receive(&frame("cancel", 5, json!({})));
    peer.wait(Duration::from_secs(2));
    assert_eq!(peer.sent_short(), ["init res id 1", "error 0x02 id 5"]);
    let [Failure::Cancelled { why }] = &peer.stopped[..] else {
        panic!("one call was stopped: {:?}", peer.stopped)
    };
    assert_eq!(&**why, "user went away");
    assert_eq!(peer.connection.inbound_in_flight(), 0);
}

#[test]
fn a_request_that_is_still_arriving_can_be_cancelled() {
    let mut peer = accepted();
    let mut request = chunks(["echo", "", "part"]);
    request["flags"] = json!(1);
    peer.receive(&frame("call req", 5, request));
    peer.receive(&frame("cancel", 5, json!({})));
    peer.receive(&frame("call req continue", 5, json!({"chunks": ["00"]})));
    assert_eq!(peer.sent_short(), ["init res id 1", "error 0x02 id 5"]);
}

#[test]
fn recorded_cancels_are_honoured() {
    let vectors = Vectors::load("frames");
    let cancels = vectors
        .all()
        .iter()
        .filter(|v| v["value"]["type"] == "cancel");
    for vector in cancels {
        let mut cancel = value::frame(&hex(&vector["hex"]));
        cancel.set_id(tchannel_proto::MessageId(5));
        let mut peer = accepted();
        peer.receive(&frame("call req", 5, chunks(["never", "", ""])));
        peer.receive(cancel.as_bytes());
        assert_eq!(peer.sent_short()[1], "error 0x02 id 5");
    }
}

#[test]
fn a_caller_that_gives_up_sends_a_cancel_and_drops_the_late_answer() {
    let mut peer = connected();
    let key = peer.call().expect("an open connection");
    peer.connection.cancel(peer.now, key, "no longer wanted");
    peer.wait(Duration::ZERO);
    let id = key.id().0;
    peer.receive(&frame("call res", id, chunks(["", "late", ""])));
    let sent = value::read(peer.sent().last().expect("a cancel"));
    let expected = frame(
        "cancel",
        id,
        json!({"ttl_ms": 0, "why": "no longer wanted"}),
    );
    assert_eq!(sent, value::read(&expected));
    assert_eq!(peer.outcome, None);
    assert!(!peer.is_closed());
    assert_eq!(peer.connection.tombstones(), 0);
}

#[test]
fn a_claim_changes_nothing() {
    let mut peer = accepted();
    peer.receive(&frame("call req", 5, chunks(["slow", "", "10"])));
    peer.receive(&frame("claim", 5, json!({})));
    peer.wait(Duration::from_millis(10));
    assert_eq!(
        peer.sent_short(),
        ["init res id 1", "call res id 5 ok none"]
    );
}

#[test]
fn a_ping_is_answered_while_shutting_down() {
    let mut peer = accepted();
    peer.receive(&frame("call req", 5, chunks(["never", "", ""])));
    peer.drain();
    peer.receive(&frame("ping req", 77, json!({})));
    assert_eq!(peer.sent_short()[2], "ping res id 77");
    assert_eq!(peer.sent()[2].len(), 16);
}

#[test]
fn pings_have_ids_of_their_own_below_those_of_calls() {
    let mut peer = connected();
    peer.connection.ping();
    peer.connection.ping();
    peer.wait(Duration::ZERO);
    let ids: Vec<u32> = peer.sent()[1..]
        .iter()
        .map(|sent| value::frame(sent).id().0)
        .collect();
    assert_eq!(ids, [0x2000_0001, 0x2000_0002]);
    assert!(
        peer.sent_messages()[1..]
            .iter()
            .all(|sent| *sent == Message::PingReq)
    );
}

#[test]
fn only_peers_that_answer_pings_are_pinged() {
    for (vector, is_pinged) in [
        ("go_server_init_res", true),
        ("node_server_init_res", true),
        ("python_server_init_res", false),
    ] {
        let vectors = Vectors::load("frames");
        let found = vectors.all().iter().find(|v| v["name"] == vector);
        let init_res = value::frame(&hex(&found.expect("the vector")["hex"]));
        let mut now = std::time::Instant::now();
        let identity = Identity::ephemeral("conformance[1]");
        let mut connection = Connection::connect(now, ConnectionConfig::new(identity));
        connection
            .handle_frame(now, init_res)
            .expect("a good init res");
        now += Duration::from_secs(60);
        let before = connection.buffered();
        connection
            .handle_timeout(now)
            .expect("silence alone closes nothing");
        assert_eq!(connection.buffered() > before, is_pinged, "{vector}");
    }
}

#[test]
fn a_pong_that_nobody_asked_for_is_ignored() {
    let mut peer = connected();
    peer.receive(&frame("ping res", 1, json!({})));
    assert!(!peer.is_closed());
    assert_eq!(peer.sent().len(), 1);
}
