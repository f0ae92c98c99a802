//! When a call is tried again, and when it must not be.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tchannel_rt::backoff::Backoff;
use tchannel_rt::retry::{Retry, RetryOn};
use tchannel_rt::{Channel, ErrorCode, HandlerError, Reply};

use crate::support::{LONG, config, echo, listen, soon};
use crate::wire::{Wire, listener};

/// A server whose `svc::method` always fails with `code`, and how often it was called.
async fn failing(code: ErrorCode) -> (Channel, String, Arc<AtomicU32>) {
    let server = Channel::new("svc");
    let count = Arc::new(AtomicU32::new(0));
    let counter = count.clone();
    server.service("svc").raw("method", move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        async move { Err(HandlerError::new(code, "always")) }
    });
    let addr = listen(&server).await;
    (server, addr, count)
}

/// Without waits, so that no time passes.
fn eager(on: RetryOn) -> Retry {
    Retry {
        on,
        backoff: Backoff::new(Duration::ZERO, Duration::ZERO),
        ..Retry::default()
    }
}

#[track_caller]
fn check_count(count: &AtomicU32, expected: u32) {
    assert_eq!(count.load(Ordering::Relaxed), expected);
}

#[tokio::test]
async fn a_call_that_one_peer_refuses_goes_to_another() {
    for code in [ErrorCode::Busy, ErrorCode::Declined] {
        let (_refusing, refusing_addr, refused) = failing(code).await;
        let serving = Channel::new("svc");
        serving
            .service("svc")
            .raw("method", |_| async { Ok(Reply::ok("", "served")) });
        let serving_addr = listen(&serving).await;
        // A client soon knows whom to avoid, so each call is that of a new one.
        for _ in 0..20 {
            let client = Channel::new("test");
            client.peers("svc").add(&refusing_addr);
            client.peers("svc").add(&serving_addr);
            let answer = client.call("svc::method").send("", "").await.unwrap();
            assert_eq!(answer.peer, serving_addr);
            assert!(answer.attempts <= 2, "{} attempts", answer.attempts);
        }
        assert!(refused.load(Ordering::Relaxed) > 0);
    }
}

#[tokio::test]
async fn a_router_that_swallows_packets_leaves_time_for_another() {
    let (serving, _) = echo(Default::default());
    let serving_addr = listen(&serving).await;
    // Connections to it are made, and nobody ever shakes hands.
    let (_hole, hole) = listener().await;
    let mut attempts = 0;
    // Which one is asked first is left to chance.
    while attempts < 2 {
        let patient = config(|config| config.connect_timeout = LONG);
        let client = Channel::with_config("test", patient);
        client.routers().update([&*hole, &*serving_addr], []);
        let call = client.call("echo::echo").ttl(Duration::from_secs(15));
        let answer = soon(call.send("", "hi")).await.unwrap();
        assert_eq!(answer.peer, serving_addr);
        attempts = answer.attempts;
    }
}

#[tokio::test]
async fn a_call_is_tried_five_times_at_most() {
    let (_server, addr, count) = failing(ErrorCode::Busy).await;
    let client = Channel::new("test");
    let call = client.call("svc::method").peer(&addr).ttl(LONG);
    let error = call.send("", "").await.unwrap_err();
    assert_eq!((error.code(), error.attempts()), (ErrorCode::Busy, 5));
    check_count(&count, 5);
}

#[tokio::test]
async fn a_call_that_may_have_run_is_not_tried_again() {
    for code in [
        ErrorCode::UnexpectedError,
        ErrorCode::NetworkError,
        ErrorCode::Timeout,
    ] {
        let (_server, addr, count) = failing(code).await;
        let client = Channel::new("test");
        let call = client.call("svc::method").peer(&addr);
        let error = call.send("", "").await.unwrap_err();
        assert_eq!((error.code(), error.attempts()), (code, 1));
        check_count(&count, 1);
    }
}

#[tokio::test]
async fn a_call_whose_connection_was_lost_in_flight_is_not_tried_again() {
    let (listener, addr) = listener().await;
    let client = Channel::new("test");
    let serve = async {
        let mut wire = Wire::accept(&listener).await;
        wire.hear_call().await;
        drop(wire);
        Wire::accept(&listener).await.hear_call().await
    };
    let error = tokio::select! {
        outcome = client.call("svc::method").peer(&addr).send("", "") => outcome.unwrap_err(),
        again = serve => panic!("it came again: {again:?}"),
    };
    assert_eq!(error.code(), ErrorCode::NetworkError);
}

#[tokio::test]
async fn a_call_that_may_run_twice_is_tried_again_after_a_lost_connection() {
    let (listener, addr) = listener().await;
    let client = Channel::new("test");
    let serve = async {
        let mut wire = Wire::accept(&listener).await;
        wire.hear_call().await;
        drop(wire);
        let mut wire = Wire::accept(&listener).await;
        let (id, _) = wire.hear_call().await;
        wire.answer(id, "at last").await;
        wire
    };
    let call = client
        .call("svc::method")
        .peer(&addr)
        .ttl(LONG)
        .idempotent();
    let (answer, _wire) = soon(async { tokio::join!(call.send("", ""), serve) }).await;
    let answer = answer.unwrap();
    assert_eq!((&answer.arg3[..], answer.attempts), (&b"at last"[..], 2));
}

#[tokio::test]
async fn each_policy_retries_what_it_says() {
    use ErrorCode::{BadRequest, Busy, Cancelled, Declined, Timeout, UnexpectedError, Unhealthy};
    for (on, code, attempts) in [
        (RetryOn::Never, Busy, 1),
        (RetryOn::NonIdempotent, Declined, 5),
        (RetryOn::NonIdempotent, UnexpectedError, 1),
        (RetryOn::ConnectionError, Busy, 5),
        (RetryOn::ConnectionError, UnexpectedError, 1),
        (RetryOn::Unexpected, UnexpectedError, 5),
        (RetryOn::Unexpected, Timeout, 1),
        (RetryOn::Idempotent, Timeout, 5),
        (RetryOn::Idempotent, BadRequest, 1),
        (RetryOn::Idempotent, Cancelled, 1),
        (RetryOn::Idempotent, Unhealthy, 1),
    ] {
        let (_server, addr, count) = failing(code).await;
        let client = Channel::new("test");
        let call = client.call("svc::method").peer(&addr).ttl(LONG);
        let error = call.retry(eager(on)).send("", "").await.unwrap_err();
        assert_eq!(error.attempts(), attempts, "{on:?} after {code}");
        check_count(&count, attempts);
    }
}

#[tokio::test]
async fn a_call_is_not_tried_again_past_its_deadline() {
    let (_server, addr, count) = failing(ErrorCode::Busy).await;
    let client = Channel::new("test");
    let a_year = Duration::from_secs(365 * 24 * 3600);
    let retry = Retry {
        backoff: Backoff::new(a_year, a_year),
        ..Retry::default()
    };
    let call = client
        .call("svc::method")
        .peer(&addr)
        .ttl(LONG)
        .retry(retry);
    let error = soon(call.send("", "")).await.unwrap_err();
    // The first retry goes out at once; the wait before the second would end after the deadline.
    assert_eq!((error.code(), error.attempts()), (ErrorCode::Busy, 2));
    check_count(&count, 2);
}

#[tokio::test]
async fn all_calls_together_have_a_budget_of_retries() {
    let (_server, addr, count) = failing(ErrorCode::Busy).await;
    let client = Channel::new("test");
    let calls = 200;
    for _ in 0..calls {
        let call = client.call("svc::method").peer(&addr).ttl(LONG);
        let retried = call.retry(eager(RetryOn::ConnectionError));
        retried.send("", "").await.unwrap_err();
    }
    let retries = count.load(Ordering::Relaxed) - calls;
    // 10 a second over ten seconds, and a fifth of the calls; or all that again should a window have passed.
    assert!(retries >= 100, "{retries}");
    assert!(
        retries <= 2 * (100 + calls / 5),
        "{retries} of 800 without a budget"
    );
}

#[tokio::test]
async fn peers_that_can_not_be_reached_are_passed_over() {
    let serving = Channel::new("svc");
    serving
        .service("svc")
        .raw("method", |_| async { Ok(Reply::ok("", "served")) });
    let serving_addr = listen(&serving).await;
    let client = Channel::with_config("test", config(|config| config.redial_min = LONG));
    let peers = client.peers("svc");
    peers.add(&serving_addr);
    for _ in 0..3 {
        let (gone, addr) = listener().await;
        drop(gone);
        peers.add(&addr);
    }
    for _ in 0..20 {
        let answer = client.call("svc::method").ttl(LONG).send("", "").await;
        assert_eq!(answer.unwrap().peer, serving_addr);
    }
}

#[tokio::test]
async fn the_header_re_says_what_others_may_retry() {
    let (listener, addr) = listener().await;
    let client = Channel::new("test");
    let serve = async {
        let mut wire = Wire::accept(&listener).await;
        let mut flags = Vec::new();
        for _ in 0..3 {
            let (id, call) = wire.hear_call().await;
            flags.push(call.headers.get("re").map(str::to_owned));
            wire.answer(id, "").await;
        }
        flags
    };
    let calls = async {
        for on in [RetryOn::Never, RetryOn::default(), RetryOn::Idempotent] {
            let call = client.call("svc::method").peer(&addr).retry(eager(on));
            call.send("", "").await.unwrap();
        }
    };
    let (flags, ()) = tokio::join!(serve, calls);
    assert_eq!(flags, ["n", "c", "ct"].map(|flags| Some(flags.to_owned())));
}
