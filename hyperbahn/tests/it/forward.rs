//! Calls for other services: where they go, what is changed on the way, and every way to fail.

use std::time::Duration;

use bytes::Bytes;
use serde_json::json;
use tchannel_proto::ErrorCode;
use tchannel_proto::message::{ErrorFrame, Message};
use tchannel_rt::Channel;
use tokio::net::TcpListener;

use super::wire::{TRACING, Wire, call, encoded, response};
use super::{config, nowhere, router, service, through};
use hyperbahn::config::NodeConfig;
use hyperbahn::node::Node;

const CALLER: [(&str, &str); 2] = [("cn", "web"), ("as", "raw")];
/// An announced address that stands for "I am not listening".
const EPHEMERAL: &str = "0.0.0.0:0";

async fn connect(router: &Node) -> Wire {
    Wire::connect(router.address().as_str(), EPHEMERAL).await
}

/// Registers an address without asking whoever is there.
async fn register(router: &Node, name: &str, address: &str) {
    let body = json!({"services": [{"serviceName": name, "hostPort": address}]});
    let other = Channel::new("other-router");
    let answer = through(router, &other, "hyperbahn::relay-ad")
        .json(&body)
        .await
        .unwrap();
    assert_eq!(&answer.arg3[..], b"{}");
}

/// A service process driven frame by frame, which `router` knows as `keyvalue` and has connected to.
async fn instance(router: &Node) -> Wire {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    register(router, "keyvalue", &address).await;
    Wire::accept(&listener).await
}

#[track_caller]
fn check(error: &ErrorFrame, code: ErrorCode, mentions: &[&str]) {
    assert_eq!(error.known_code(), code, "{}", error.message);
    assert_eq!(error.tracing, TRACING, "{}", error.message);
    for part in mentions {
        assert!(
            error.message.contains(part),
            "{part:?} is not in {:?}",
            error.message
        );
    }
}

#[tokio::test]
async fn only_id_and_ttl_change_on_the_way() {
    let router = router().await;
    let mut instance = instance(&router).await;
    let mut caller = connect(&router).await;
    let headers = [
        ("cn", "web"),
        ("as", "raw"),
        ("sk", "shard"),
        ("re", "n"),
        ("zz", "private"),
    ];
    let sent = call("keyvalue", 1000, &headers);
    caller.send(77, &Message::CallReq(sent.clone())).await;
    let (id, arrived) = instance.receive().await;
    let Message::CallReq(arrived) = arrived else {
        panic!("{arrived:?}");
    };
    assert!(arrived.ttl.is_some_and(|ttl| ttl.as_millis() <= 1000));
    let unchanged = tchannel_proto::message::CallReq {
        ttl: sent.ttl,
        ..arrived
    };
    assert_eq!(unchanged, sent);

    let answer = Message::CallRes(response());
    instance.send(id, &answer).await;
    assert_eq!(caller.frame().await.as_bytes(), &encoded(77, &answer)[..]);
}

#[tokio::test]
async fn an_error_frame_of_the_instance_passes_as_it_is() {
    let router = router().await;
    let mut instance = instance(&router).await;
    let mut caller = connect(&router).await;
    caller
        .send(5, &Message::CallReq(call("keyvalue", 1000, &CALLER)))
        .await;
    let (id, _) = instance.receive().await;
    let busy = Message::Error(ErrorFrame {
        code: ErrorCode::Busy as u8,
        tracing: TRACING,
        message: "go away".into(),
    });
    instance.send(id, &busy).await;
    assert_eq!(caller.receive().await, (5, busy));
}

#[tokio::test]
async fn an_application_error_passes_as_it_is() {
    let router = router().await;
    let _service = service(&router, &["keyvalue"]).await;
    let caller = Channel::new("web");
    let answer = through(&router, &caller, "keyvalue::refuse")
        .send("", "")
        .await
        .unwrap();
    assert!(!answer.is_ok());
    assert_eq!(
        (&answer.arg2[..], &answer.arg3[..]),
        (&b"h"[..], &b"no"[..])
    );
}

#[tokio::test]
async fn a_routing_delegate_chooses_the_instance_and_the_service_name_stays() {
    let router = router().await;
    let mut instance = instance(&router).await;
    let mut caller = connect(&router).await;
    let headers = [("cn", "web"), ("as", "raw"), ("rd", "keyvalue")];
    caller
        .send(2, &Message::CallReq(call("tcollector", 1000, &headers)))
        .await;
    let (_, arrived) = instance.receive().await;
    assert!(
        matches!(&arrived, Message::CallReq(call) if call.service == "tcollector"),
        "{arrived:?}"
    );
}

#[tokio::test]
async fn a_call_that_nobody_can_take_is_declined_by_service_cause_and_router() {
    let router = router().await;
    let mut caller = connect(&router).await;
    let error = caller.refusal(2, call("nosuch", 1000, &CALLER)).await;
    let address = router.address().as_str();
    check(
        &error,
        ErrorCode::Declined,
        &[
            "no peer available for request: no instance of \"nosuch\"",
            address,
        ],
    );
}

#[tokio::test]
async fn a_call_without_caller_service_or_ttl_is_a_bad_request_and_the_connection_stays() {
    let router = router().await;
    let _service = service(&router, &["keyvalue"]).await;
    let mut caller = connect(&router).await;
    let address = router.address().as_str();
    let bad = ErrorCode::BadRequest;
    for headers in [&[("as", "raw")][..], &[("cn", ""), ("as", "raw")]] {
        let error = caller.refusal(2, call("keyvalue", 1000, headers)).await;
        check(&error, bad, &["missing cn header", "keyvalue", address]);
    }
    let error = caller.refusal(3, call("", 1000, &CALLER)).await;
    check(&error, bad, &["names no service", "web", address]);
    let error = caller.refusal(4, call("keyvalue", 0, &CALLER)).await;
    check(&error, bad, &["ttl", "keyvalue", address]);
    let error = caller
        .refusal(5, call("hyperbahn", 1000, &[("as", "json")]))
        .await;
    check(&error, bad, &["missing cn header", "hyperbahn", address]);
    caller.ping(6).await;
}

#[tokio::test]
async fn a_ttl_beyond_two_minutes_is_cut_to_two_minutes() {
    let router = router().await;
    let mut instance = instance(&router).await;
    let mut caller = connect(&router).await;
    caller
        .send(2, &Message::CallReq(call("keyvalue", u32::MAX, &CALLER)))
        .await;
    let (_, arrived) = instance.receive().await;
    let Message::CallReq(arrived) = arrived else {
        panic!("{arrived:?}");
    };
    assert!(arrived.ttl.is_some_and(|ttl| ttl.as_millis() <= 120_000));
}

#[tokio::test]
async fn an_instance_that_is_gone_is_a_network_error_by_service_instance_and_router() {
    let router = router().await;
    let gone = nowhere().await;
    register(&router, "keyvalue", &gone).await;
    let mut caller = connect(&router).await;
    let error = caller.refusal(2, call("keyvalue", 5000, &CALLER)).await;
    check(
        &error,
        ErrorCode::NetworkError,
        &["keyvalue", &gone, router.address().as_str()],
    );
}

#[tokio::test]
async fn no_call_fails_while_one_of_two_instances_lives() {
    let router = router().await;
    let _service = service(&router, &["keyvalue"]).await;
    register(&router, "keyvalue", &nowhere().await).await;
    let caller = Channel::new("web");
    for _ in 0..50 {
        through(&router, &caller, "keyvalue::echo")
            .send("", "")
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn an_instance_that_dies_during_a_call_is_a_network_error_by_instance_and_router() {
    let router = router().await;
    let mut instance = instance(&router).await;
    let mut caller = connect(&router).await;
    caller
        .send(2, &Message::CallReq(call("keyvalue", 5000, &CALLER)))
        .await;
    instance.receive().await;
    drop(instance);
    let (id, Message::Error(error)) = caller.receive().await else {
        panic!("no error frame");
    };
    assert_eq!(id, 2);
    check(
        &error,
        ErrorCode::NetworkError,
        &["keyvalue", "instance", router.address().as_str()],
    );
}

#[tokio::test]
async fn a_deadline_that_passes_is_a_timeout_for_the_caller_and_a_cancel_for_the_instance() {
    let router = router().await;
    let mut instance = instance(&router).await;
    let mut caller = connect(&router).await;
    caller
        .send(2, &Message::CallReq(call("keyvalue", 50, &CALLER)))
        .await;
    let (id, _) = instance.receive().await;
    let (answered, Message::Error(error)) = caller.receive().await else {
        panic!("no error frame");
    };
    assert_eq!(answered, 2);
    check(
        &error,
        ErrorCode::Timeout,
        &["keyvalue", "instance", router.address().as_str()],
    );
    let (cancelled, cancel) = instance.receive().await;
    assert!(matches!(cancel, Message::Cancel(_)), "{cancel:?}");
    assert_eq!(cancelled, id);
    // A late answer is recognised and goes nowhere.
    instance.send(id, &Message::CallRes(response())).await;
    instance.ping(9).await;
    caller.ping(9).await;
}

#[tokio::test]
async fn a_caller_that_cancels_or_leaves_ends_its_call_at_the_instance() {
    let router = router().await;
    let mut instance = instance(&router).await;
    let mut caller = connect(&router).await;
    caller
        .send(2, &Message::CallReq(call("keyvalue", 5000, &CALLER)))
        .await;
    let (first, _) = instance.receive().await;
    let cancel = tchannel_proto::message::Cancel {
        ttl_ms: 0,
        tracing: TRACING,
        why: "changed my mind".into(),
    };
    caller.send(2, &Message::Cancel(cancel)).await;
    let (cancelled, message) = instance.receive().await;
    assert!(matches!(message, Message::Cancel(_)), "{message:?}");
    assert_eq!(cancelled, first);
    let honoured = Message::Error(ErrorFrame {
        code: ErrorCode::Cancelled as u8,
        tracing: TRACING,
        message: "cancelled".into(),
    });
    instance.send(first, &honoured).await;
    assert_eq!(caller.receive().await, (2, honoured));

    caller
        .send(3, &Message::CallReq(call("keyvalue", 5000, &CALLER)))
        .await;
    let (second, _) = instance.receive().await;
    drop(caller);
    let (cancelled, message) = instance.receive().await;
    assert!(matches!(message, Message::Cancel(_)), "{message:?}");
    assert_eq!(cancelled, second);
}

#[tokio::test]
async fn ten_megabytes_come_back_as_they_were_sent() {
    let router = router().await;
    let _service = service(&router, &["keyvalue"]).await;
    let caller = Channel::new("web");
    let arg3: Bytes = (0..10_000_000_u32).map(|n| (n % 251) as u8).collect();
    let call = through(&router, &caller, "keyvalue::echo").ttl(Duration::from_secs(60));
    let answer = call.send("headers", arg3.clone()).await.unwrap();
    assert!(answer.arg3 == arg3, "the bytes changed on the way");
}

#[tokio::test]
async fn a_thousand_calls_at_once_each_get_their_own_answer() {
    let router = router().await;
    let _services = [
        service(&router, &["keyvalue"]).await,
        service(&router, &["keyvalue"]).await,
    ];
    let caller = Channel::new("web");
    let calls = (0..1000).map(|n| {
        let call = through(&router, &caller, "keyvalue::echo").ttl(Duration::from_secs(30));
        async move {
            let answer = call.send("", n.to_string()).await.unwrap();
            assert_eq!(answer.arg3, n.to_string());
        }
    });
    futures::future::join_all(calls).await;
}

#[tokio::test]
async fn a_stopping_router_lets_calls_finish() {
    let router = router().await;
    let mut instance = instance(&router).await;
    let mut caller = connect(&router).await;
    caller
        .send(2, &Message::CallReq(call("keyvalue", 20_000, &CALLER)))
        .await;
    let (id, _) = instance.receive().await;
    let stopping = tokio::spawn(router.stop());
    // The instance learns of it first, and answers all the same.
    let (_, notice) = instance.receive().await;
    assert!(
        matches!(&notice, Message::Error(notice) if notice.message.starts_with("draining")),
        "{notice:?}"
    );
    instance.send(id, &Message::CallRes(response())).await;
    let answer = loop {
        match caller.receive().await {
            (2, answer) => break answer,
            (_, Message::Error(_)) => {}
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(answer, Message::CallRes(_)), "{answer:?}");
    drop((instance, caller));
    assert_eq!(stopping.await.unwrap(), 0);
}

#[tokio::test]
async fn what_does_not_finish_while_the_router_drains_is_cut_off_and_counted() {
    let drain = Duration::from_millis(10);
    let router = Node::start(NodeConfig { drain, ..config() }).await.unwrap();
    let mut instance = instance(&router).await;
    let mut caller = connect(&router).await;
    caller
        .send(2, &Message::CallReq(call("keyvalue", 20_000, &CALLER)))
        .await;
    instance.receive().await;
    assert_ne!(router.stop().await, 0);
}

#[tokio::test]
async fn connections_beyond_connections_max_are_closed_on_arrival() {
    for (connections_max, is_admitted) in [(1, false), (2, true)] {
        let config = NodeConfig {
            connections_max,
            ..config()
        };
        let router = Node::start(config).await.unwrap();
        let _first = service(&router, &["first"]).await;
        let second = Channel::new("second");
        let answer = through(&router, &second, "first::echo").send("", "").await;
        let code = answer.map_err(|error| error.code()).map(drop);
        let expected = is_admitted.then_some(()).ok_or(ErrorCode::NetworkError);
        assert_eq!(code, expected, "{connections_max}");
    }
}
