//! What any caller must get from any service, whoever wrote them and whatever lies between.

use std::time::Duration;

use serde_json::json;
use test_interop::{Answer, Call, pattern};

use crate::pair::Pair;

pub(crate) async fn args_of_every_size_come_back(pair: &Pair) {
    for len in [0, 1, 1000, 1_000_000, 10_000_000] {
        check_echo(pair, b"headers", &pattern(len)).await;
    }
    check_echo(pair, &pattern(1_000_000), &pattern(1_000_000)).await;
}

pub(crate) async fn an_arg3_that_ends_around_the_frame_edge_comes_back(pair: &Pair) {
    for len in FRAME_EDGE {
        check_echo(pair, b"", &pattern(len)).await;
    }
}

/// As above for arg2, but for the lengths in `broken`: there the sender of the pair that is not ours
/// writes frames that make no message, and the call must fail at once.
pub(crate) async fn an_arg2_that_ends_around_the_frame_edge_comes_back(
    pair: &Pair,
    broken: &[usize],
) {
    for len in FRAME_EDGE {
        for arg3 in [&b""[..], b"body"] {
            let call = pair.raw("echo").arg2(&pattern(len)).arg3(arg3);
            let answer = pair.call(&call).await;
            if broken.contains(&len) {
                let at_once = ["bad-request", "unexpected"];
                let error = answer.error.as_deref().unwrap_or("none");
                assert!(at_once.contains(&error), "for {len} bytes: {answer:?}");
            } else {
                expect_same(&answer, len, arg3.len());
            }
        }
    }
}

/// Whatever the headers of a call take, one of its args ends on the last byte of a frame in here.
const FRAME_EDGE: std::ops::RangeInclusive<usize> = 65_400..=65_560;

#[track_caller]
fn expect_same(answer: &Answer, arg2_len: usize, arg3_len: usize) {
    let came_back = Answer {
        ok: true,
        code: Some(0),
        arg2_len: Some(arg2_len),
        arg3_len: Some(arg3_len),
        same: Some(true),
        ..Answer::default()
    };
    // Short ones are shown as well; that they are the same is said already.
    let answer = Answer {
        arg3_hex: None,
        ..answer.clone()
    };
    assert_eq!(answer, came_back, "for {arg2_len} and {arg3_len} bytes");
}

async fn check_echo(pair: &Pair, arg2: &[u8], arg3: &[u8]) {
    let call = pair.raw("echo").arg2(arg2).arg3(arg3);
    expect_same(&pair.call(&call).await, arg2.len(), arg3.len());
}

pub(crate) async fn an_application_error_arrives_with_its_args(pair: &Pair) {
    for len in [0, 1, 100_000] {
        let arg3 = pattern(len);
        let answer = pair.call(&pair.raw("fail").arg2(b"why").arg3(&arg3)).await;
        assert_eq!(
            (answer.code, answer.same),
            (Some(1), Some(true)),
            "{answer:?}"
        );
        assert_eq!(answer.arg3_len, Some(len));
    }
}

pub(crate) async fn each_system_error_arrives_as_itself(pair: &Pair) {
    for kind in ["busy", "declined", "unexpected", "bad-request"] {
        let answer = pair.call(&pair.raw(kind)).await;
        expect_failure(&answer, kind);
        let message = answer.message.unwrap_or_default();
        assert!(message.contains(&format!("asked for {kind}")), "{message}");
    }
}

#[track_caller]
fn expect_failure(answer: &Answer, kind: &str) {
    assert_eq!(answer.error.as_deref(), Some(kind), "{answer:?}");
}

pub(crate) async fn an_unknown_endpoint_is_a_bad_request(pair: &Pair) {
    let answer = pair.call(&pair.raw("no-such-endpoint")).await;
    expect_failure(&answer, "bad-request");
}

pub(crate) async fn a_call_that_nobody_answers_times_out(pair: &Pair) {
    let call = pair.raw("never").within(Duration::from_millis(300));
    expect_failure(&pair.call(&call).await, "timeout");
    // The connection is none the worse for it.
    check_echo(pair, b"still", b"there").await;
}

pub(crate) async fn json_arrives_as_it_was_meant(pair: &Pair) {
    let headers = json!({"place": "Zürich"});
    let body = json!({"text": "snow ☃", "list": [1, -2.5, true, null], "nested": {"empty": {}}});
    let call = Call::json(pair.service(), "json-echo", headers.clone(), body.clone());
    let answer = pair.call(&call).await;
    assert_eq!(
        (answer.code, answer.body.as_ref()),
        (Some(0), Some(&body)),
        "{answer:?}"
    );
    assert_eq!(answer.header("place"), Some("Zürich"));

    let body = json!({"message": "we are closed"});
    let answer = pair
        .call(&Call::json(pair.service(), "json-fail", headers, body))
        .await;
    assert_eq!(answer.code, Some(1), "{answer:?}");
    let body = answer.body.unwrap_or_default();
    assert_eq!(body["message"], "we are closed", "{body}");
}

pub(crate) async fn thrift_arrives_as_it_was_meant(pair: &Pair) {
    let call = |method, body| Call::thrift(pair.service(), method, json!({"trace": "me"}), body);

    let answer = pair.call(&call("get", json!({"key": "colour"}))).await;
    assert_eq!(answer.code, Some(1), "{answer:?}");
    assert_eq!(
        answer.body,
        Some(json!({"exception": "NotFound", "key": "colour"}))
    );

    let answer = pair
        .call(&call("put", json!({"key": "colour", "value": "grün"})))
        .await;
    assert_eq!((answer.code, &answer.body), (Some(0), &None), "{answer:?}");

    let answer = pair.call(&call("get", json!({"key": "colour"}))).await;
    assert_eq!(
        (answer.code, &answer.body),
        (Some(0), &Some(json!("grün"))),
        "{answer:?}"
    );
    assert_eq!(answer.header("trace"), Some("me"));

    for len in [0, 1, 65_536, 1_000_000] {
        let answer = pair.call(&call("blob", json!({"data_len": len}))).await;
        assert_eq!(
            answer.body,
            Some(json!({"data_len": len, "same": true})),
            "{answer:?}"
        );
    }
}

pub(crate) async fn a_thousand_calls_in_flight_get_each_its_own_answer(pair: &Pair) {
    // The service answers none of them before it has them all.
    let call = pair
        .raw("gather")
        .arg2(b"number ")
        .arg3(b"1000")
        .times(1000);
    let answer = pair.call(&call).await;
    assert_eq!(
        (answer.answered, answer.failed, answer.mixed_up),
        (1000, 0, 0),
        "{answer:?}"
    );
}
