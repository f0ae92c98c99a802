//! How calls fail, and what their callers are told to do about it.

use tchannel_rt::ErrorCode::{
    self, Busy, Cancelled, Declined, FatalProtocolError, NetworkError, Timeout, UnexpectedError,
    Unhealthy,
};
use tchannel_rt::RetryAdvice::{self, IfIdempotent, Never, Safe};
use tchannel_rt::proto::MessageId;
use tchannel_rt::retry::Retry;
use tchannel_rt::{CallError, Channel, ErrorCode::BadRequest, HandlerError, Reply};

use crate::support::{LONG, config, echo, listen, once, soon};
use crate::wire::{Wire, listener};

/// Calls somebody whose side is played by `serve`.
async fn call_served_by<F: Future>(serve: impl FnOnce(tokio::net::TcpListener) -> F) -> CallError {
    let (listener, addr) = listener().await;
    let client = Channel::new("test");
    let call = once(client.call("svc::method").peer(&addr).ttl(LONG));
    let (outcome, _) = soon(async { tokio::join!(call.send("", ""), serve(listener)) }).await;
    outcome.expect_err("nobody answers")
}

#[track_caller]
fn check(error: &CallError, code: ErrorCode, advice: RetryAdvice) {
    assert_eq!(
        (error.code(), error.retry_advice()),
        (code, advice),
        "{error}"
    );
}

#[tokio::test]
async fn an_error_frame_of_any_code_says_what_to_do_next() {
    for (byte, code, advice) in [
        (0x01, Timeout, IfIdempotent),
        (0x02, Cancelled, Never),
        (0x03, Busy, Safe),
        (0x04, Declined, Safe),
        (0x05, UnexpectedError, IfIdempotent),
        (0x06, BadRequest, Never),
        (0x07, NetworkError, IfIdempotent),
        (0x08, Unhealthy, Never),
        (0x42, UnexpectedError, IfIdempotent),
        (0xFF, FatalProtocolError, IfIdempotent),
    ] {
        let error = call_served_by(|listener| async move {
            let mut wire = Wire::accept(&listener).await;
            let (id, _) = wire.hear_call().await;
            wire.answer_error(id, byte, "as asked").await;
            wire
        })
        .await;
        check(&error, code, advice);
        assert_eq!(error.message(), "as asked");
        assert_eq!(error.attempts(), 1);
    }
}

#[tokio::test]
async fn an_error_names_target_peer_and_tries() {
    let (server, addr) = {
        let (server, _) = echo(config(|_| {}));
        server
            .service("echo")
            .raw("busy", |_| async { Err(HandlerError::busy("no room")) });
        let addr = listen(&server).await;
        (server, addr)
    };
    let client = Channel::new("test");
    let call = once(client.call("echo::busy").peer(&addr));
    let error = call.send("", "").await.unwrap_err();
    let text = error.to_string();
    let expected = format!("busy: no room (calling echo::busy at {addr}, 1 try, ");
    assert!(text.starts_with(&expected), "{text}");
    assert_eq!(error.peer(), Some(&*addr));
    drop(server);
}

#[tokio::test]
async fn a_port_where_nobody_listens_is_told_from_other_troubles() {
    let (listener, addr) = listener().await;
    drop(listener);
    let client = Channel::new("test");
    // The second finds the back-off of the first.
    for _ in 0..2 {
        let call = once(client.call("svc::method").peer(&addr));
        let error = call.send("", "").await.unwrap_err();
        check(&error, NetworkError, Safe);
        assert!(error.is_connection_refused() && !error.is_from_peer());
    }
    let hung_up = call_served_by(|listener| async move { drop(listener.accept().await) }).await;
    check(&hung_up, NetworkError, Safe);
    assert!(!hung_up.is_connection_refused());
    let told = call_served_by(|listener| async move {
        let mut wire = Wire::accept(&listener).await;
        let (id, _) = wire.hear_call().await;
        wire.answer_error(id, 0x07, "as asked").await;
        wire
    });
    let told = told.await;
    assert!(told.is_from_peer() && !told.is_connection_refused());
}

#[tokio::test]
async fn what_a_handler_says_arrives_with_its_code() {
    let server = Channel::new("svc");
    let addr = listen(&server).await;
    let client = Channel::new("test");
    for (said, heard) in [
        (Timeout, Timeout),
        (Cancelled, Cancelled),
        (Busy, Busy),
        (Declined, Declined),
        (UnexpectedError, UnexpectedError),
        (BadRequest, BadRequest),
        (NetworkError, NetworkError),
        (Unhealthy, Unhealthy),
        // It would cost the caller the connection.
        (FatalProtocolError, UnexpectedError),
    ] {
        server.service("svc").raw("fail", move |_| async move {
            Err(HandlerError::new(said, "as asked"))
        });
        let call = once(client.call("svc::fail").peer(&addr));
        let error = call.send("", "").await.unwrap_err();
        assert_eq!((error.code(), error.message()), (heard, "as asked"));
    }
    assert_eq!(client.connections(), (0, 1));
}

#[tokio::test]
async fn any_error_of_a_handler_becomes_an_unexpected_error() {
    let server = Channel::new("svc");
    server.service("svc").raw("parse", |request| async move {
        let number: u32 = std::str::from_utf8(&request.arg3)?.parse()?;
        Ok(Reply::ok("", number.to_string()))
    });
    let addr = listen(&server).await;
    let client = Channel::new("test");
    let call = || once(client.call("svc::parse").peer(&addr));
    assert_eq!(call().send("", "7").await.unwrap().arg3, "7");
    let error = call().send("", "x").await.unwrap_err();
    check(&error, UnexpectedError, IfIdempotent);
    assert_eq!(error.message(), "invalid digit found in string");
}

#[tokio::test]
async fn an_unknown_service_and_an_unknown_endpoint_are_bad_requests_that_name_it() {
    let (server, _) = echo(config(|_| {}));
    let addr = listen(&server).await;
    let client = Channel::new("test");
    for (target, text) in [
        (
            "nobody::home",
            r#"unknown service "nobody" (method "home")"#,
        ),
        (
            "echo::nothing",
            r#"no such endpoint service="echo" endpoint="nothing""#,
        ),
    ] {
        let error = client.call(target).peer(&addr).send("", "").await;
        let error = error.unwrap_err();
        check(&error, BadRequest, Never);
        assert_eq!(error.message(), text);
    }
}

#[tokio::test]
async fn a_peer_that_refuses_connections_has_seen_nothing() {
    let error = call_served_by(|listener| async move { drop(listener) }).await;
    check(&error, NetworkError, Safe);
}

#[tokio::test]
async fn a_peer_that_closes_during_the_handshake_has_seen_nothing() {
    let error = call_served_by(|listener| async move {
        drop(Wire::accept_mutely(&listener).await);
    })
    .await;
    check(&error, NetworkError, Safe);
}

#[tokio::test]
async fn a_peer_that_refuses_the_handshake_has_seen_nothing_and_its_words_are_passed_on() {
    let error = call_served_by(|listener| async move {
        let mut wire = Wire::accept_mutely(&listener).await;
        wire.hear().await;
        wire.answer_error(MessageId(1), 0xFF, "not you").await;
        wire.hear_out().await
    })
    .await;
    check(&error, NetworkError, Safe);
    assert!(error.message().contains("not you"), "{error}");
}

#[tokio::test]
async fn a_connection_lost_after_the_call_has_left_may_have_run_it() {
    let error = call_served_by(|listener| async move {
        let mut wire = Wire::accept(&listener).await;
        wire.hear_call().await;
    })
    .await;
    check(&error, NetworkError, IfIdempotent);
}

#[tokio::test]
async fn a_connection_lost_before_the_call_has_left_has_not_run_it() {
    let (listener, addr) = listener().await;
    let client = Channel::new("test");
    // More than any socket buffer holds, so that what comes behind it stays here.
    let large = vec![0; 15 << 20];
    let stuck = once(client.call("svc::method").peer(&addr).ttl(LONG)).send("", large);
    let behind = async {
        let mut wire = Wire::accept(&listener).await;
        wire.hear_call().await;
        let behind = once(client.call("svc::method").peer(&addr).ttl(LONG));
        let hang_up = async {
            // By then the call behind has had its turn.
            tokio::task::yield_now().await;
            drop(wire);
        };
        tokio::join!(behind.send("", ""), hang_up).0
    };
    let (stuck, behind) = soon(async { tokio::join!(stuck, behind) }).await;
    check(&stuck.unwrap_err(), NetworkError, IfIdempotent);
    check(&behind.unwrap_err(), NetworkError, Safe);
}

#[tokio::test]
async fn a_lost_connection_fails_all_its_calls_at_once() {
    let (listener, addr) = listener().await;
    let client = Channel::new("test");
    let calls =
        (0..100).map(|_| once(client.call("svc::method").peer(&addr).ttl(LONG)).send("", ""));
    let hang_up = async {
        let mut wire = Wire::accept(&listener).await;
        for _ in 0..100 {
            wire.hear_call().await;
        }
    };
    let calls = futures::future::join_all(calls);
    let (outcomes, ()) = soon(async { tokio::join!(calls, hang_up) }).await;
    for outcome in outcomes {
        check(&outcome.unwrap_err(), NetworkError, IfIdempotent);
    }
    assert_eq!(client.connections(), (0, 0));
}

#[tokio::test]
async fn a_connection_that_the_peer_calls_broken_fails_all_its_calls() {
    let error = call_served_by(|listener| async move {
        let mut wire = Wire::accept(&listener).await;
        wire.hear_call().await;
        wire.answer_error(MessageId::NONE, 0xFF, "enough").await;
        wire.hear_out().await
    })
    .await;
    assert_eq!(error.retry_advice(), IfIdempotent);
    assert_eq!(error.code(), NetworkError);
}

#[tokio::test]
async fn a_call_for_which_there_is_no_peer_says_how_to_name_one() {
    let client = Channel::new("test");
    let call = client.call("svc::method").retry(Retry::default());
    let error = call.send("", "").await.unwrap_err();
    check(&error, Declined, Safe);
    assert!(error.message().contains(".peer(..)"), "{error}");
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_a_network_error_that_names_it() {
    let client = Channel::new("test");
    let call = once(client.call("svc::method").peer("not a host:1"));
    let error = call.send("", "").await.unwrap_err();
    check(&error, NetworkError, Safe);
    assert!(error.message().contains("not a host"), "{error}");
}
