//! Every limit of a channel, and what happens at it.

use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use tchannel_rt::proto::MessageId;
use tchannel_rt::proto::message::Message;
use tchannel_rt::{Channel, ErrorCode, Reply, RetryAdvice};

use crate::support::{LONG, config, echo, listen, once, soon, until};
use crate::wire::{Wire, call_req, call_req_continue, cancel, listener, more_to_come};

#[tokio::test]
async fn calls_over_inbound_in_flight_max_are_busy_until_one_ends() {
    let (server, mut served) = echo(config(|config| config.inbound_in_flight_max = 2));
    let mut wire = Wire::connect(&listen(&server).await, "0.0.0.0:0").await;
    for id in [7, 8] {
        wire.say(MessageId(id), call_req("echo::never", 60_000, ""))
            .await;
        served.next().await;
    }
    wire.say(MessageId(9), call_req("echo::echo", 60_000, ""))
        .await;
    let (id, error) = wire.hear_error().await;
    assert_eq!((id, error.code), (MessageId(9), 3));
    assert_eq!(
        error.message,
        "2 calls are in flight on this connection, which is its limit"
    );
    wire.say(MessageId(8), cancel("")).await;
    assert_eq!(wire.hear_error().await.0, MessageId(8));
    wire.say(MessageId(10), call_req("echo::echo", 60_000, "room"))
        .await;
    let (id, answer) = wire.hear().await;
    assert!(matches!((id, answer), (MessageId(10), Message::CallRes(_))));
}

#[tokio::test]
async fn calls_over_outbound_in_flight_max_are_busy_and_not_sent() {
    let (server, mut served) = echo(Default::default());
    let addr = listen(&server).await;
    let client = Channel::with_config("test", config(|config| config.outbound_in_flight_max = 1));
    let first = client.call("echo::never").peer(&addr).ttl(LONG);
    let second = async {
        served.next().await;
        once(client.call("echo::echo").peer(&addr))
            .send("", "")
            .await
    };
    let error = tokio::select! {
        outcome = second => outcome.unwrap_err(),
        outcome = first.send("", "") => panic!("an answer out of nowhere: {outcome:?}"),
    };
    assert_eq!(error.code(), ErrorCode::Busy);
    assert_eq!(error.retry_advice(), RetryAdvice::Safe);
    let later = client.call("echo::echo").peer(&addr).send("", "room").await;
    assert_eq!(later.unwrap().arg3, "room");
}

#[tokio::test]
async fn connections_over_connections_max_are_closed_on_arrival() {
    let (server, _) = echo(config(|config| config.connections_max = 1));
    let addr = listen(&server).await;
    let first = Channel::new("first");
    first
        .call("echo::echo")
        .peer(&addr)
        .send("", "")
        .await
        .unwrap();

    let second = Channel::new("second");
    let refused = once(second.call("echo::echo").peer(&addr))
        .send("", "")
        .await;
    let error = refused.unwrap_err();
    assert_eq!(error.code(), ErrorCode::NetworkError);
    assert_eq!(error.retry_advice(), RetryAdvice::Safe);
    assert_eq!(server.connections(), (1, 0));

    first.close().await;
    until(|| server.connections() == (0, 0)).await;
    let third = Channel::new("third");
    third
        .call("echo::echo")
        .peer(&addr)
        .send("", "")
        .await
        .unwrap();
}

#[tokio::test]
async fn dialling_stops_at_connections_max_too() {
    let (a, _) = echo(Default::default());
    let (b, _) = echo(Default::default());
    let (addr_a, addr_b) = (listen(&a).await, listen(&b).await);
    let client = Channel::with_config("test", config(|config| config.connections_max = 1));
    client
        .call("echo::echo")
        .peer(&addr_a)
        .send("", "")
        .await
        .unwrap();
    let refused = once(client.call("echo::echo").peer(&addr_b))
        .send("", "")
        .await;
    let error = refused.unwrap_err();
    assert_eq!(error.retry_advice(), RetryAdvice::Safe);
    assert!(
        error.message().contains("1 connections are open"),
        "{error}"
    );
    client
        .call("echo::echo")
        .peer(&addr_a)
        .send("", "")
        .await
        .unwrap();
}

#[tokio::test]
async fn a_request_over_message_bytes_max_is_a_bad_request_and_the_connection_stays() {
    let (server, _) = echo(config(|config| config.message_bytes_max = 100_000));
    let addr = listen(&server).await;
    let client = Channel::new("test");
    let call = |bytes| {
        let call = client.call("echo::echo").peer(&addr).ttl(LONG);
        soon(call.send("", Bytes::from(vec![0; bytes])))
    };
    assert_eq!(call(100_000).await.unwrap().arg3.len(), 100_000);
    let error = call(100_001).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::BadRequest);
    assert!(error.message().contains("100000 bytes"), "{error}");
    let error = call(10 << 20).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::BadRequest);
    call(1).await.unwrap();
    assert_eq!(client.connections(), (0, 1));
}

#[tokio::test]
async fn requests_that_arrive_together_have_a_bound_together() {
    let (server, _) = echo(config(|config| config.arriving_bytes_max = 500_000));
    let mut wire = Wire::connect(&listen(&server).await, "0.0.0.0:0").await;
    let part = "x".repeat(50_000);
    for id in 1..=10 {
        let begun = more_to_come(call_req("echo::echo", 60_000, &part));
        wire.say(MessageId(id), begun).await;
    }
    // That was all there is room for, and it stays so until one of them ends.
    wire.say(MessageId(10), call_req_continue("x", false)).await;
    let (id, error) = wire.hear_error().await;
    assert_eq!((id, error.code), (MessageId(10), 3));
    assert!(error.message.contains("500001 bytes"), "{error:?}");

    wire.say(MessageId(11), call_req("echo::echo", 60_000, "whole"))
        .await;
    assert_eq!(wire.hear().await.0, MessageId(11));
    wire.say(MessageId(1), cancel("")).await;
    assert_eq!(wire.hear_error().await.0, MessageId(1));
    for id in 2..=9 {
        wire.say(MessageId(id), call_req_continue("y", false)).await;
        wire.say(MessageId(id), call_req_continue("z", true)).await;
        let (at, answer) = wire.hear().await;
        assert!(matches!((at, answer), (at, Message::CallRes(_)) if at == MessageId(id)));
    }
}

#[tokio::test]
async fn a_response_over_message_bytes_max_fails_its_call_and_the_connection_stays() {
    let server = Channel::new("svc");
    server.service("svc").raw("zeros", |request| async move {
        let bytes = std::str::from_utf8(&request.arg3)?.parse()?;
        Ok(Reply::ok("", vec![0; bytes]))
    });
    let addr = listen(&server).await;
    let client = Channel::with_config("test", config(|config| config.message_bytes_max = 100_000));
    let call = |bytes: usize| {
        let call = client.call("svc::zeros").peer(&addr).ttl(LONG);
        soon(call.send("", bytes.to_string()))
    };
    assert_eq!(call(100_000).await.unwrap().arg3.len(), 100_000);
    for bytes in [100_001, 10 << 20] {
        let error = call(bytes).await.unwrap_err();
        assert_eq!(error.retry_advice(), RetryAdvice::Never);
        assert!(error.message().contains("100000 bytes"), "{error}");
    }
    call(1).await.unwrap();
    assert_eq!(client.connections(), (0, 1));
}

#[tokio::test]
async fn whoever_dials_and_stays_silent_is_told_and_closed() {
    let limit = Duration::from_millis(20);
    let (server, _) = echo(config(|config| config.init_timeout = limit));
    let mut wire = Wire::connect_mutely(&listen(&server).await).await;
    let (id, error) = wire.hear_error().await;
    assert_eq!((id, error.code), (MessageId::NONE, 0xFF));
    assert_eq!(error.message, "no handshake within 20 ms");
    assert!(wire.next().await.is_none());
    drop(wire);
    until(|| server.connections() == (0, 0)).await;
}

#[tokio::test]
async fn a_silent_peer_fails_the_dial_within_its_limit() {
    let (listener, addr) = listener().await;
    let limit = Duration::from_millis(20);
    let client = Channel::with_config("test", config(|config| config.connect_timeout = limit));
    let call = once(client.call("svc::method").peer(&addr).ttl(LONG));
    let mute = Wire::accept_mutely(&listener);
    let (outcome, _mute) = soon(async { tokio::join!(call.send("", ""), mute) }).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.code(), ErrorCode::NetworkError);
    assert_eq!(error.retry_advice(), RetryAdvice::Safe);
    assert!(error.message().contains("within 20 ms"), "{error}");
    until(|| client.connections() == (0, 0)).await;
}

#[tokio::test]
async fn an_idle_connection_says_so_and_closes() {
    let (listener, addr) = listener().await;
    let limit = Some(Duration::from_millis(20));
    let client = Channel::with_config("test", config(|config| config.idle_close = limit));
    let call = client.call("svc::method").peer(&addr).ttl(LONG);
    let serve = async {
        let mut wire = Wire::accept(&listener).await;
        let (id, _) = wire.hear_call().await;
        wire.answer(id, "").await;
        wire
    };
    let (answer, mut wire) = tokio::join!(call.send("", ""), serve);
    answer.unwrap();
    let (id, notice) = wire.hear_error().await;
    assert_eq!((id, notice.code), (MessageId::NONE, 4));
    assert_eq!(notice.message, "draining: idle");
    wire.hear_ping_and_answer().await;
    assert!(wire.next().await.is_none());
    drop(wire);
    until(|| client.connections() == (0, 0)).await;
}

#[tokio::test]
async fn a_connection_in_use_is_not_idle_at_either_end() {
    let idle = config(|config| config.idle_close = Some(Duration::from_millis(500)));
    let (server, _) = echo(idle.clone());
    let addr = listen(&server).await;
    let client = Channel::with_config("test", idle);
    let mut dialled = std::collections::HashSet::new();
    for _ in 0..20 {
        client
            .call("echo::echo")
            .peer(&addr)
            .send("", "")
            .await
            .unwrap();
        dialled.extend(server.all_remotes().iter().map(|remote| remote.addr));
        // The gap between calls, much shorter than the limit.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(dialled.len(), 1, "dialled from {dialled:?}");
}

#[tokio::test]
async fn a_call_in_flight_keeps_its_connection_from_being_idle() {
    let idle = config(|config| config.idle_close = Some(Duration::from_millis(200)));
    let server = Channel::with_config("svc", idle.clone());
    server.service("svc").raw("slow", |_| async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(Reply::ok("", "done"))
    });
    let addr = listen(&server).await;
    let client = Channel::with_config("test", idle);
    let call = once(client.call("svc::slow").peer(&addr).ttl(LONG));
    assert_eq!(soon(call.send("", "")).await.unwrap().arg3, "done");
}

#[tokio::test]
async fn a_peer_that_answers_pings_no_more_is_given_up_and_its_calls_fail_at_once() {
    let (listener, addr) = listener().await;
    let after = Some(Duration::from_millis(20));
    let client = Channel::with_config("test", config(|config| config.ping_after = after));
    let call = once(client.call("svc::method").peer(&addr).ttl(LONG));
    let serve = async {
        let mut wire = Wire::accept(&listener).await;
        wire.hear_call().await;
        let (id, ping) = wire.hear().await;
        assert_eq!(ping, Message::PingReq);
        wire.say(id, Message::PingRes).await;
        wire.hear_out().await
    };
    let (outcome, heard) = soon(async { tokio::join!(call.send("", ""), serve) }).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.code(), ErrorCode::NetworkError);
    assert_eq!(error.retry_advice(), RetryAdvice::IfIdempotent);
    assert_eq!(heard, [const { Message::PingReq }; 3]);
}

#[tokio::test]
async fn a_peer_that_never_answered_a_ping_is_kept() {
    let (listener, addr) = listener().await;
    let after = Some(Duration::from_millis(5));
    let client = Channel::with_config("test", config(|config| config.ping_after = after));
    let call = client.call("svc::method").peer(&addr).ttl(LONG);
    let serve = async {
        let mut wire = Wire::accept(&listener).await;
        let (call, _) = wire.hear_call().await;
        for _ in 0..10 {
            assert_eq!(wire.hear().await.1, Message::PingReq);
        }
        wire.answer(call, "still here").await;
        wire
    };
    let (answer, _wire) = soon(async { tokio::join!(call.send("", ""), serve) }).await;
    assert_eq!(answer.unwrap().arg3, "still here");
}

#[tokio::test]
async fn pings_are_answered_at_any_time() {
    let (server, mut served) = echo(Default::default());
    let mut wire = Wire::connect(&listen(&server).await, "0.0.0.0:0").await;
    wire.say(MessageId(5), Message::PingReq).await;
    assert_eq!(wire.hear().await, (MessageId(5), Message::PingRes));
    // A call that never ends holds the connection open while the server shuts down.
    wire.say(MessageId(6), call_req("echo::never", 60_000, ""))
        .await;
    served.next().await;
    let closing = server.close();
    tokio::pin!(closing);
    assert!(closing.as_mut().now_or_never().is_none());
    let exchange = async {
        assert_eq!(wire.hear_error().await.1.message, "draining: closing");
        wire.say(MessageId(7), Message::PingReq).await;
        assert_eq!(wire.hear().await, (MessageId(7), Message::PingRes));
    };
    tokio::select! {
        () = exchange => {}
        _ = closing => panic!("closed with a call in flight"),
    }
}
