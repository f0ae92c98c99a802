//! Source: spec/protocol/tracing.md, "the field".

use serde_json::json;
use tchannel_proto::Tracing;

use crate::call::{accepted, chunks, frame};
use crate::value;

#[test]
fn the_field_is_span_parent_trace_and_flags() {
    let tracing = json!({
        "span": "0102030405060708", "parent": "1112131415161718",
        "trace": "2122232425262728", "flags": 1,
    });
    let claim = frame("claim", 5, json!({"ttl_ms": 0, "tracing": tracing}));
    let mut expected: Vec<u8> = (1..=8).chain(0x11..=0x18).chain(0x21..=0x28).collect();
    expected.push(1);
    assert_eq!(claim[20..], expected);
}

#[test]
fn a_response_and_an_error_carry_the_field_of_their_request() {
    let tracing = json!({
        "span": "00000000000000a1", "parent": "00000000000000a2",
        "trace": "00000000000000a3", "flags": 1,
    });
    for method in ["echo", "notok", "throw", "zzz", "err_Busy"] {
        let mut request = chunks([method, "", ""]);
        request["tracing"] = tracing.clone();
        let mut peer = accepted();
        peer.receive(&frame("call req", 5, request));
        assert_eq!(value::read(&peer.sent()[1])["tracing"], tracing, "{method}");
    }
}

#[test]
fn a_call_made_while_serving_another_continues_its_trace() {
    let incoming = Tracing {
        span_id: 1,
        parent_id: 2,
        trace_id: 3,
        flags: 1,
    };
    let expected = Tracing {
        span_id: 9,
        parent_id: 1,
        trace_id: 3,
        flags: 1,
    };
    assert_eq!(incoming.child(9), expected);
}
