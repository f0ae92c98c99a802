//! Deadline, trace and caller go from a call to the calls made while serving it.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tchannel_rt::proto::Tracing;
use tchannel_rt::{CallContext, Channel, HandlerError, Incoming};

use crate::support::{LONG, listen, soon};
use crate::wire::{Wire, listener};

/// A call as its handler saw it.
#[derive(Debug, Serialize, Deserialize)]
struct Seen {
    left_ms: u128,
    caller: String,
    service: String,
    span: u64,
    parent: u64,
    trace: u64,
}

impl Seen {
    fn now(context: &CallContext) -> Self {
        let Tracing {
            span_id,
            parent_id,
            trace_id,
            ..
        } = context.tracing();
        Self {
            left_ms: context.remaining().as_millis(),
            caller: context.caller().to_owned(),
            service: context.service().to_owned(),
            span: span_id,
            parent: parent_id,
            trace: trace_id,
        }
    }
}

/// How a handler makes its own call.
#[derive(Clone, Copy, Serialize, Deserialize)]
enum Nested {
    Plainly,
    WithLongTtl,
    InSpawnedTask,
    InSpawnedTaskWithContext,
}

/// Calls `front::ask`, which calls `back::tell`; gives what both saw.
async fn ask(how: Nested) -> (Seen, Seen) {
    let back = Channel::new("back");
    back.service("back")
        .json("tell", |request: Incoming<()>| async move {
            Ok(Seen::now(&request.context))
        });
    let back_addr = listen(&back).await;

    let front = Channel::new("front");
    let calls = front.clone();
    front
        .service("front")
        .json("ask", move |request: Incoming<Nested>| {
            let (channel, addr) = (calls.clone(), back_addr.clone());
            async move {
                let here = Seen::now(&request.context);
                let there = tell(channel, addr, request.body, request.context).await?;
                Ok((here, there))
            }
        });
    let front_addr = listen(&front).await;

    let client = Channel::new("client");
    let call = client.call("front::ask").peer(&front_addr);
    let answer = call.ttl(Duration::from_secs(30)).json(&how).await;
    let seen = answer.unwrap().decode().unwrap();
    // The handler holds its own channel, so nobody but `close` ends it.
    front.close().await;
    seen
}

async fn tell(
    channel: Channel,
    addr: String,
    how: Nested,
    context: CallContext,
) -> Result<Seen, HandlerError> {
    let call = async move {
        let call = channel.call("back::tell").peer(&addr);
        let call = match how {
            Nested::WithLongTtl => call.ttl(LONG),
            _ => call,
        };
        call.json(&()).await
    };
    let answer = match how {
        Nested::Plainly | Nested::WithLongTtl => call.await?,
        Nested::InSpawnedTask => tokio::spawn(call).await??,
        Nested::InSpawnedTaskWithContext => tokio::spawn(context.scope(call)).await??,
    };
    Ok(answer.decode()?)
}

#[track_caller]
fn check_inherited((front, back): (Seen, Seen)) {
    assert!(
        back.left_ms <= front.left_ms && back.left_ms > 1000,
        "{front:?} {back:?}"
    );
    assert_eq!((back.trace, back.parent), (front.trace, front.span));
    assert_ne!(back.span, front.span);
    assert_eq!((&*front.caller, &*front.service), ("client", "front"));
    assert_eq!((&*back.caller, &*back.service), ("front", "back"));
}

#[tokio::test]
async fn a_nested_call_inherits_deadline_and_trace() {
    check_inherited(ask(Nested::Plainly).await);
}

#[tokio::test]
async fn a_nested_call_can_not_wait_longer_than_its_caller() {
    check_inherited(ask(Nested::WithLongTtl).await);
}

#[tokio::test]
async fn a_task_that_a_handler_spawns_inherits_what_it_is_given() {
    check_inherited(ask(Nested::InSpawnedTaskWithContext).await);
    let (front, back) = ask(Nested::InSpawnedTask).await;
    assert_ne!(back.trace, front.trace);
    assert!(back.left_ms <= 1000, "the default ttl, not {back:?}");
}

#[tokio::test]
async fn a_call_made_outside_of_any_is_the_root_of_its_trace() {
    let (listener, addr) = listener().await;
    let client = Channel::new("client");
    let call = client.call("svc::method").peer(&addr).send("", "");
    let serve = async {
        let mut wire = Wire::accept(&listener).await;
        let (id, call) = wire.hear_call().await;
        wire.answer(id, "").await;
        call
    };
    let (answer, call) = tokio::join!(call, serve);
    answer.unwrap();
    assert_eq!(call.tracing.trace_id, call.tracing.span_id);
    assert_eq!(call.tracing.parent_id, 0);
    assert_ne!(call.tracing.span_id, 0);
    let ttl = call.ttl.unwrap().as_millis();
    assert!(ttl <= 1000, "the default ttl, not {ttl} ms");
    assert!(CallContext::current().is_none());
}

#[tokio::test]
async fn time_spent_connecting_is_taken_off_the_ttl() {
    let (listener, addr) = listener().await;
    let client = Channel::new("client");
    let call = client.call("svc::method").peer(&addr);
    let serve = async {
        let mut wire = Wire::accept_mutely(&listener).await;
        let begun = Instant::now();
        // Not waiting for something: this is the slowness that the ttl must show.
        tokio::time::sleep(Duration::from_millis(30)).await;
        let spent = begun.elapsed();
        wire.shake_hands_as(&addr).await;
        let (id, call) = wire.hear_call().await;
        wire.answer(id, "").await;
        (spent, call.ttl.unwrap().as_duration())
    };
    let call = call.ttl(Duration::from_secs(10)).send("", "");
    let (answer, (spent, ttl)) = tokio::join!(call, soon(serve));
    answer.unwrap();
    assert!(ttl <= Duration::from_secs(10) - spent, "{ttl:?}, {spent:?}");
}

#[tokio::test]
async fn a_call_with_no_time_left_is_not_sent() {
    let (_listener, addr) = listener().await;
    let client = Channel::new("client");
    let call = client.call("svc::method").peer(&addr).ttl(Duration::ZERO);
    let error = call.send("", "").await.unwrap_err();
    assert_eq!(error.code(), tchannel_rt::ErrorCode::Timeout);
    assert_eq!(error.retry_advice(), tchannel_rt::RetryAdvice::Safe);
}
