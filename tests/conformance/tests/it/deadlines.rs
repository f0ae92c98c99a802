//! Source: spec/protocol/deadlines.md, "ttl", "across hops" and "streaming".

use std::time::Duration;

use serde_json::json;
use tchannel_proto::{Body, Failure, Ttl};

use crate::call::{accepted, chunks, connected, frame};

#[test]
fn a_ttl_is_never_zero() {
    assert_eq!(Ttl::from_millis(0), None);
    assert_eq!(Ttl::from_duration(Duration::from_micros(999)), None);
    assert_eq!(
        Ttl::from_duration(Duration::from_millis(1)),
        Ttl::from_millis(1)
    );
    assert_eq!(Ttl::from_duration(Duration::MAX), Some(Ttl::MAX));
}

#[test]
fn elapsed_time_is_subtracted_and_nothing_left_is_nothing() {
    let ttl = Ttl::from_millis(100).expect("not zero");
    for (elapsed_ms, left) in [
        (0, Some(100)),
        (1, Some(99)),
        (99, Some(1)),
        (100, None),
        (900, None),
    ] {
        let minus = ttl.minus(Duration::from_millis(elapsed_ms));
        assert_eq!(minus.map(Ttl::as_millis), left);
    }
    assert_eq!(ttl.minus(Duration::MAX), None);
}

#[test]
fn at_the_deadline_the_caller_is_told_once_and_the_handler_is_stopped() {
    let mut peer = accepted();
    let mut request = chunks(["slow", "", "400"]);
    request["ttl_ms"] = json!(100);
    peer.receive(&frame("call req", 5, request));
    peer.wait(Duration::from_millis(99));
    assert_eq!(peer.sent().len(), 1);
    peer.wait(Duration::from_millis(1));
    assert_eq!(peer.sent_short()[1], "error 0x01 id 5");
    assert!(matches!(peer.stopped[..], [Failure::TimedOut]));
    peer.wait(Duration::from_secs(1));
    assert_eq!(peer.sent().len(), 2);
}

#[test]
fn a_request_whose_fragments_stop_coming_times_out() {
    let mut peer = accepted();
    let mut request = chunks(["echo", "", "part"]);
    request["flags"] = json!(1);
    peer.receive(&frame("call req", 5, request));
    peer.wait(Duration::from_secs(1));
    assert_eq!(peer.sent_short()[1], "error 0x01 id 5");
    assert_eq!(peer.connection.inbound_in_flight(), 0);
}

#[test]
fn our_call_ends_by_its_ttl_whatever_the_server_does() {
    for begun in [false, true] {
        let mut peer = connected();
        let id = peer.call().expect("an open connection").id().0;
        if begun {
            let mut part = chunks(["", "h", "part"]);
            part["flags"] = json!(1);
            peer.receive(&frame("call res", id, part));
        }
        peer.wait(Duration::from_millis(999));
        assert_eq!(peer.outcome, None);
        peer.wait(Duration::from_millis(1));
        assert_eq!(peer.outcome.as_deref(), Some("timeout"));
        peer.receive(&frame("call res", id, chunks(["", "late", ""])));
        assert_eq!(peer.outcome.as_deref(), Some("timeout"));
        assert!(!peer.is_closed());
    }
}

#[test]
fn once_a_streamed_response_has_begun_the_ttl_no_longer_ends_it() {
    let mut peer = connected();
    let call = peer.call_with(Body::whole("h", "body"), true);
    let id = call.expect("an open connection").id().0;
    let mut part = chunks(["", "h", "one "]);
    part["flags"] = json!(1);
    peer.receive(&frame("call res", id, part));
    peer.wait(Duration::from_secs(60));
    assert_eq!(peer.outcome, None);
    peer.receive(&frame(
        "call res continue",
        id,
        json!({"chunks": ["74776f"]}),
    ));
    assert_eq!(peer.outcome.as_deref(), Some("ok"));
    assert_eq!(peer.response.1, b"one two");
}

#[test]
fn a_streamed_response_that_never_begins_times_out() {
    let mut peer = connected();
    peer.call_with(Body::whole("h", "body"), true)
        .expect("an open connection");
    peer.wait(Duration::from_secs(1));
    assert_eq!(peer.outcome.as_deref(), Some("timeout"));
}
