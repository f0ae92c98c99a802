//! Deadline, trace and caller go from a call to the calls made while serving it.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tchannel_rt::proto::peek::CallReqPeek;
use tchannel_rt::proto::{MessageId, Tracing};
use tchannel_rt::{
    CallContext, Channel, ChannelConfig, ErrorCode, HandlerError, Incoming, PeerInfo, PeerList,
    Route, RouteTo,
};
use tokio::net::TcpListener;

use crate::support::{LONG, config, listen, soon};
use crate::wire::{Wire, call_req, listener};

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

#[tokio::test]
async fn the_deadline_of_a_lone_call_is_what_wakes_its_connection() {
    let (listener, addr) = listener().await;
    let client = Channel::with_config("test", woken_by_deadlines());
    let peer = tokio::spawn(answer_once_and_fall_silent(listener));
    let call = |ttl| client.call("svc::method").peer(&addr).ttl(ttl);
    call(LONG).send("", "").await.unwrap();
    let _silent = peer.await.unwrap();

    tokio::time::pause();
    tokio::select! {
        outcome = call(TTL).send("", "") => {
            assert_eq!(outcome.unwrap_err().code(), ErrorCode::Timeout);
        }
        () = tokio::time::sleep(OTHERS) => panic!("another timer has to wake it"),
    }
}

#[tokio::test]
async fn the_deadline_of_a_lone_relayed_call_is_what_wakes_its_connection() {
    let (listener, addr) = listener().await;
    let router = Channel::with_config("router", woken_by_deadlines());
    let instances = router.new_peer_list("svc");
    instances.add(&addr);
    router.relay(To(instances));
    let router_addr = listen(&router).await;
    let instance = tokio::spawn(answer_once_and_fall_silent(listener));
    let mut caller = Wire::connect(&router_addr, "0.0.0.0:0").await;
    let ttl_ms = |ttl: Duration| u32::try_from(ttl.as_millis()).unwrap();
    let first = call_req("svc::method", ttl_ms(LONG), "");
    caller.say(MessageId(1), first).await;
    caller.hear().await;
    let _silent = instance.await.unwrap();

    tokio::time::pause();
    let second = call_req("svc::method", ttl_ms(TTL), "");
    caller.say(MessageId(2), second).await;
    tokio::select! {
        (id, error) = caller.hear_error() => {
            assert_eq!((id, error.code), (MessageId(2), ErrorCode::Timeout as u8));
        }
        () = tokio::time::sleep(OTHERS) => panic!("another timer has to wake it"),
    }
}

const TTL: Duration = Duration::from_millis(50);

/// Before any timer but that of a call with [`TTL`].
const OTHERS: Duration = Duration::from_secs(1);

fn woken_by_deadlines() -> ChannelConfig {
    config(|config| {
        config.connect_timeout = 2 * OTHERS;
        config.init_timeout = 2 * OTHERS;
        config.ping_after = None;
    })
}

async fn answer_once_and_fall_silent(listener: TcpListener) -> Wire {
    let mut wire = Wire::accept(&listener).await;
    let (id, _) = wire.hear_call().await;
    wire.answer(id, "").await;
    wire
}

/// Relays every call to the same peers.
struct To(PeerList);

impl Route for To {
    fn route(&self, _: &CallReqPeek<'_>, _: &PeerInfo) -> RouteTo {
        RouteTo::Peers(self.0.clone())
    }

    fn hop(&self) -> &str {
        "the router"
    }
}
