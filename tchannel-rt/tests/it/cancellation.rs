//! Nobody works for a caller that waits no longer.

use std::time::Duration;

use tchannel_rt::proto::MessageId;
use tchannel_rt::proto::message::Message;
use tchannel_rt::{Channel, Reply};
use tokio::sync::{mpsc, oneshot};

use crate::support::{LONG, config, echo, listen, soon};
use crate::wire::{Wire, call_req, cancel, listener};

#[tokio::test]
async fn dropping_a_call_drops_its_handler() {
    let (server, mut served) = echo(config(|_| {}));
    let addr = listen(&server).await;
    let client = Channel::new("test");
    let call = client.call("echo::never").peer(&addr).ttl(LONG);
    let handler = tokio::select! {
        handler = served.next() => handler,
        outcome = call.send("", "") => panic!("an answer out of nowhere: {outcome:?}"),
    };
    // The other branch, and with it the call, is dropped by now.
    handler.stopped().await;
    let next = client.call("echo::echo").peer(&addr).send("", "next").await;
    assert_eq!(next.unwrap().arg3, "next");
    assert_eq!(client.connections(), (0, 1));
}

#[tokio::test]
async fn dropping_a_call_sends_cancel_and_the_late_answer_is_ignored() {
    let (listener, addr) = listener().await;
    let client = Channel::new("test");
    let call = client.call("svc::method").peer(&addr).ttl(LONG);
    let (mut wire, id) = tokio::select! {
        heard = async {
            let mut wire = Wire::accept(&listener).await;
            let (id, _) = wire.hear_call().await;
            (wire, id)
        } => heard,
        outcome = call.send("", "") => panic!("an answer out of nowhere: {outcome:?}"),
    };
    let (cancelled, message) = wire.hear().await;
    assert!(matches!(message, Message::Cancel(_)), "{message:?}");
    assert_eq!(cancelled, id);
    wire.answer(id, "late").await;

    let next = client.call("svc::method").peer(&addr).ttl(LONG);
    let (answer, ()) = tokio::join!(next.send("", ""), async {
        let (id, _) = wire.hear_call().await;
        wire.answer(id, "in time").await;
    });
    assert_eq!(answer.unwrap().arg3, "in time");
}

#[tokio::test]
async fn a_cancel_is_answered_and_drops_the_handler() {
    let (server, mut served) = echo(config(|_| {}));
    let mut wire = Wire::connect(&listen(&server).await, "0.0.0.0:0").await;
    wire.say(MessageId(7), call_req("echo::never", 60_000, ""))
        .await;
    let handler = served.next().await;
    wire.say(MessageId(7), cancel("changed my mind")).await;
    let (id, error) = wire.hear_error().await;
    assert_eq!((id, error.code), (MessageId(7), 2), "{error:?}");
    handler.stopped().await;
}

#[tokio::test]
async fn a_call_and_its_cancel_in_one_read_leave_no_handler_at_work() {
    let (server, mut served) = echo(config(|_| {}));
    let mut wire = Wire::connect(&listen(&server).await, "0.0.0.0:0").await;
    let call = call_req("echo::never", 60_000, "");
    wire.say_all([(MessageId(7), call), (MessageId(7), cancel("never mind"))])
        .await;
    assert_eq!(wire.hear_error().await.0, MessageId(7));
    // All handlers that were ever begun are known once a later call was served.
    wire.say(MessageId(8), call_req("echo::echo", 60_000, ""))
        .await;
    assert_eq!(wire.hear().await.0, MessageId(8));
    if let Some(handler) = served.try_next() {
        handler.stopped().await;
    }
}

#[tokio::test]
async fn a_lost_caller_drops_its_handlers() {
    let (server, mut served) = echo(config(|_| {}));
    let mut wire = Wire::connect(&listen(&server).await, "0.0.0.0:0").await;
    for id in 7..10 {
        wire.say(MessageId(id), call_req("echo::never", 60_000, ""))
            .await;
    }
    let mut handlers = Vec::new();
    for _ in 7..10 {
        handlers.push(served.next().await);
    }
    drop(wire);
    for handler in handlers {
        handler.stopped().await;
    }
}

#[tokio::test]
async fn a_passed_deadline_drops_the_handler_and_answers_timeout() {
    let (server, mut served) = echo(config(|_| {}));
    let mut wire = Wire::connect(&listen(&server).await, "0.0.0.0:0").await;
    wire.say(MessageId(7), call_req("echo::never", 20, ""))
        .await;
    served.next().await.stopped().await;
    let (id, error) = wire.hear_error().await;
    assert_eq!((id, error.code), (MessageId(7), 1), "{error:?}");
    assert_eq!(error.message, "request timed out after 20 ms");
}

#[tokio::test]
async fn work_handed_to_others_hears_of_the_end_of_its_call() {
    let server = Channel::new("svc");
    let (calls, mut begun) = mpsc::channel(1);
    server.service("svc").raw("hand-over", move |request| {
        let calls = calls.clone();
        async move {
            let (tell, told) = oneshot::channel();
            let cancellation = request.cancellation();
            tokio::spawn(async move {
                cancellation.cancelled().await;
                let _ = tell.send(());
            });
            let _ = calls.send(told).await;
            std::future::pending().await
        }
    });
    let mut wire = Wire::connect(&listen(&server).await, "0.0.0.0:0").await;
    wire.say(MessageId(7), call_req("svc::hand-over", 60_000, ""))
        .await;
    let told = soon(begun.recv()).await.unwrap();
    wire.say(MessageId(7), cancel("no need")).await;
    soon(told).await.expect("it is told");
}

#[tokio::test]
async fn a_request_that_outlives_its_call_never_hears_of_another_calls_end() {
    let server = Channel::new("svc");
    let (requests, mut kept) = mpsc::channel(1);
    server.service("svc").raw("keep", move |request| {
        let requests = requests.clone();
        async move {
            let _ = requests.send(request).await;
            Ok(Reply::default())
        }
    });
    let (calls, mut begun) = mpsc::channel(1);
    server.service("svc").raw("never", move |request| {
        let calls = calls.clone();
        async move {
            let _ = calls.send(request.cancellation()).await;
            std::future::pending().await
        }
    });
    let addr = listen(&server).await;
    let client = Channel::new("test");
    client
        .call("svc::keep")
        .peer(&addr)
        .send("", "")
        .await
        .unwrap();
    let request = soon(kept.recv()).await.unwrap();
    let second = client
        .call("svc::never")
        .peer(&addr)
        .ttl(Duration::from_secs(60));
    let second_call = tokio::select! {
        token = soon(begun.recv()) => token.unwrap(),
        outcome = second.send("", "") => panic!("an answer out of nowhere: {outcome:?}"),
    };
    // The first call is over, and the second may have its place in every table.
    assert!(request.cancellation().is_cancelled());
    soon(second_call.cancelled()).await;
}
