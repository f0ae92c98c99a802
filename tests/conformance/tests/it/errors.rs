//! Source: spec/protocol/errors.md, "error frame", "codes", "retry" and "situations".

use serde_json::json;
use tchannel_proto::message::Message;
use tchannel_proto::{CallRefused, ErrorCode, Failure, RetryAdvice};

use crate::call::{accepted, chunks, connected, frame};
use crate::vectors::{Vectors, hex, text};

const CODES: [(u8, &str, RetryAdvice); 9] = [
    (0x01, "timeout", RetryAdvice::IfIdempotent),
    (0x02, "cancelled", RetryAdvice::Never),
    (0x03, "busy", RetryAdvice::Safe),
    (0x04, "declined", RetryAdvice::Safe),
    (0x05, "unexpected-error", RetryAdvice::IfIdempotent),
    (0x06, "bad-request", RetryAdvice::Never),
    (0x07, "network-error", RetryAdvice::IfIdempotent),
    (0x08, "unhealthy", RetryAdvice::Never),
    (0xff, "protocol-error", RetryAdvice::IfIdempotent),
];

#[test]
fn the_codes_are_those_of_the_table_and_each_says_whether_to_retry() {
    for byte in 0..=u8::MAX {
        let listed = CODES.iter().find(|(code, ..)| *code == byte);
        let code = ErrorCode::from_byte(byte);
        assert_eq!(code.is_some(), listed.is_some(), "{byte:#x}");
        if let (Some(code), Some((_, name, advice))) = (code, listed) {
            assert_eq!(code as u8, byte);
            assert_eq!((code.name(), code.retry_advice()), (*name, *advice));
        }
    }
}

#[test]
fn every_recorded_error_fails_the_call_with_its_code() {
    let vectors = Vectors::load("frames");
    let errors = vectors
        .all()
        .iter()
        .filter(|v| v["value"]["type"] == "error");
    for vector in errors {
        let mut peer = connected();
        let id = peer.call().expect("an open connection").id();
        let mut error = crate::value::frame(&hex(&vector["hex"]));
        error.set_id(id);
        peer.receive(error.as_bytes());
        let code = vector["value"]["code"].as_u64().expect("a code") as u8;
        let listed = CODES.iter().find(|(listed, ..)| *listed == code);
        let name = listed.expect("a code of the table").1.replace('-', " ");
        assert_eq!(peer.outcome, Some(name), "{}", text(&vector["name"]));
    }
}

#[test]
fn an_unknown_code_fails_its_call_alone() {
    for code in [0x00, 0x09, 0x42, 0xfe] {
        let mut peer = connected();
        let failing = peer.call().expect("an open connection").id().0;
        let other = peer.call().expect("an open connection").id().0;
        peer.receive(&frame("error", failing, json!({"code": code})));
        assert_eq!(peer.outcome.take().as_deref(), Some("unexpected error"));
        peer.receive(&frame("call res", other, chunks(["", "", ""])));
        assert_eq!(peer.outcome.as_deref(), Some("ok"));
    }
}

#[test]
fn a_fatal_error_for_an_open_call_ends_that_call_alone() {
    let mut peer = connected();
    let failing = peer.call().expect("an open connection").id().0;
    let other = peer.call().expect("an open connection").id().0;
    peer.receive(&frame("error", failing, json!({"code": 0xff})));
    assert_eq!(peer.outcome.take().as_deref(), Some("protocol error"));
    peer.receive(&frame("call res", other, chunks(["", "", ""])));
    assert_eq!(peer.outcome.as_deref(), Some("ok"));
}

#[test]
fn a_fatal_error_for_no_call_closes_and_fails_every_call() {
    let mut peer = connected();
    peer.call().expect("an open connection");
    peer.receive(&frame("error", u32::MAX, json!({"code": 0xff})));
    assert!(peer.is_closed());
    assert_eq!(peer.outcome.as_deref(), Some("connection lost"));
    // It spoke last: nothing is said in return.
    assert_eq!(peer.sent().len(), 2);
}

#[test]
fn a_draining_peer_finishes_our_calls_and_gets_no_new_ones() {
    let vectors = Vectors::load("hyperbahn");
    let draining = vectors
        .list("exchanges")
        .iter()
        .find(|x| x["name"] == "draining_frame");
    let mut peer = connected();
    let id = peer.call().expect("an open connection").id().0;
    peer.receive(&hex(&draining.expect("the vector")["frame"]["hex"]));
    assert!(!peer.is_closed());
    assert_eq!(peer.call(), Err(CallRefused::Draining));
    peer.receive(&frame("call res", id, chunks(["", "", ""])));
    assert_eq!(peer.outcome.as_deref(), Some("ok"));
}

#[test]
fn an_error_frame_names_the_call_and_carries_its_trace() {
    let mut peer = accepted();
    let tracing = json!({"span": "1", "parent": "2", "trace": "3", "flags": 1});
    let mut request = chunks(["zzz", "", ""]);
    request["tracing"] = tracing.clone();
    peer.receive(&frame("call req", 77, request));
    let sent = crate::value::read(&peer.sent()[1]);
    assert_eq!((&sent["id"], &sent["code"]), (&json!(77), &json!(6)));
    assert_eq!(sent["tracing"]["trace"], "0000000000000003");
    assert!(text(&sent["message"]).contains("zzz"), "{sent}");
}

#[test]
fn a_message_too_long_for_a_frame_is_cut() {
    let mut peer = accepted();
    // The endpoint's name, quoted, comes back in the message.
    let name = "\u{1}".repeat(16_384);
    peer.receive(&frame("call req", 5, chunks([&name, "", ""])));
    let last = peer.sent().last().expect("an answer");
    assert_eq!(last.len(), 65_535);
    let Some(Message::Error(error)) = peer.sent_messages().pop() else {
        panic!("an error frame")
    };
    assert_eq!(error.message.len(), 65_535 - 44);
}

#[test]
fn a_lost_connection_ends_every_call_at_once() {
    let mut peer = connected();
    peer.call().expect("an open connection");
    peer.receive(&frame("call req", 5, chunks(["never", "", ""])));
    peer.disconnect();
    assert_eq!(peer.ended_as(), "network error");
    assert!(matches!(peer.stopped[..], [Failure::ConnectionLost { .. }]));
}

#[test]
fn shutting_down_is_announced_once_and_waits_for_what_runs() {
    let mut peer = accepted();
    peer.receive(&frame("call req", 5, chunks(["slow", "", "50"])));
    peer.drain();
    peer.drain();
    assert!(!peer.is_closed());
    assert_eq!(peer.call(), Err(CallRefused::Draining));
    peer.wait(std::time::Duration::from_millis(50));
    assert!(peer.is_closed());
    let sent = [
        "init res id 1",
        "error 0x04 id ffffffff",
        "call res id 5 ok none",
    ];
    assert_eq!(peer.sent_short(), sent);
    let Message::Error(notice) = &peer.sent_messages()[1] else {
        panic!("a notice")
    };
    assert_eq!(&*notice.message, "draining: restart");
}
