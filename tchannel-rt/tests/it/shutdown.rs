//! Closing a channel: what is in flight finishes, what is new goes elsewhere, and it ends in bound.

use std::time::Duration;

use futures::FutureExt;
use tchannel_rt::proto::MessageId;
use tchannel_rt::proto::message::Message;
use tchannel_rt::proto::peek::CallReqPeek;
use tchannel_rt::{Channel, ErrorCode, PeerInfo, PeerList, Reply, RetryAdvice, Route, RouteTo};
use tokio::sync::{mpsc, oneshot};

use crate::support::{LONG, config, echo, listen, once, soon};
use crate::wire::{Wire, call_req};

/// A channel whose `svc::wait` answers what it is sent through the second value.
fn waiting() -> (Channel, mpsc::Receiver<oneshot::Sender<&'static str>>) {
    let server = Channel::new("svc");
    let (calls, begun) = mpsc::channel(8);
    server.service("svc").raw("wait", move |_| {
        let calls = calls.clone();
        async move {
            let (tell, told) = oneshot::channel();
            calls.send(tell).await?;
            Ok(Reply::ok("", told.await?))
        }
    });
    (server, begun)
}

#[tokio::test]
async fn calls_in_flight_finish_and_new_ones_are_declined() {
    let (server, mut begun) = waiting();
    let mut wire = Wire::connect(&listen(&server).await, "0.0.0.0:0").await;
    wire.say(MessageId(7), call_req("svc::wait", 60_000, ""))
        .await;
    let tell = soon(begun.recv()).await.unwrap();

    let closing = tokio::spawn(async move { server.close().await });
    let (id, notice) = wire.hear_error().await;
    assert_eq!((id, notice.code), (MessageId::NONE, 4));
    assert_eq!(notice.message, "draining: closing");

    wire.say(MessageId(8), call_req("svc::wait", 60_000, ""))
        .await;
    let (id, refusal) = wire.hear_error().await;
    assert_eq!((id, refusal.code), (MessageId(8), 4));
    assert!(!closing.is_finished());

    tell.send("finished").unwrap();
    let (id, answer) = wire.hear().await;
    assert!(matches!((id, answer), (MessageId(7), Message::CallRes(_))));
    wire.hear_ping_and_answer().await;
    assert!(wire.next().await.is_none());
    drop(wire);
    assert_eq!(soon(closing).await.unwrap(), 0, "calls cut off");
}

#[tokio::test]
async fn a_call_that_was_on_its_way_when_closing_began_is_declined_and_not_lost() {
    let (server, _) = echo(Default::default());
    let mut wire = Wire::connect(&listen(&server).await, "0.0.0.0:0").await;
    // It has arrived when this returns, and nobody has had a chance to read it.
    wire.say(MessageId(7), call_req("echo::echo", 60_000, ""))
        .await;
    let closing = tokio::spawn(async move { server.close().await });
    assert_eq!(wire.hear_error().await.0, MessageId::NONE);
    wire.hear_ping_and_answer().await;
    let (id, refusal) = wire.hear_error().await;
    assert_eq!((id, refusal.code), (MessageId(7), 4));
    assert!(wire.next().await.is_none());
    assert_eq!(soon(closing).await.unwrap(), 0, "calls cut off");
}

#[tokio::test]
async fn calls_of_a_peer_that_learns_of_the_closing_late_are_declined_and_not_lost() {
    let (server, _) = echo(Default::default());
    let mut wire = Wire::connect(&listen(&server).await, "0.0.0.0:0").await;
    let closing = tokio::spawn(async move { server.close().await });
    assert_eq!(wire.hear_error().await.0, MessageId::NONE);
    let (ping, question) = wire.hear().await;
    assert_eq!(question, Message::PingReq);
    for id in 7..10 {
        wire.say(MessageId(id), call_req("echo::echo", 60_000, ""))
            .await;
        let (declined, refusal) = wire.hear_error().await;
        assert_eq!((declined, refusal.code), (MessageId(id), 4));
    }
    wire.say(ping, Message::PingRes).await;
    assert!(wire.next().await.is_none());
    assert_eq!(soon(closing).await.unwrap(), 0, "calls cut off");
}

#[tokio::test]
async fn a_call_that_does_not_end_is_cut_off_at_the_limit() {
    let limit = Duration::from_millis(20);
    let (server, mut served) = echo(config(|config| config.drain_limit = limit));
    let addr = listen(&server).await;
    let client = Channel::new("test");
    let call = once(client.call("echo::never").peer(&addr).ttl(LONG)).send("", "");
    let close = async {
        let handler = served.next().await;
        let cut_off = server.close().await;
        handler.stopped().await;
        cut_off
    };
    let (outcome, cut_off) = soon(async { tokio::join!(call, close) }).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.code(), ErrorCode::NetworkError);
    assert_eq!(error.retry_advice(), RetryAdvice::IfIdempotent);
    assert_eq!(cut_off, 1);
}

#[tokio::test]
async fn callers_turn_to_another_peer_while_one_is_closing() {
    let (closing, mut begun) = waiting();
    let (other, mut other_begun) = waiting();
    let (closing_addr, other_addr) = (listen(&closing).await, listen(&other).await);
    let client = Channel::new("test");
    client.peers("svc").add(&closing_addr);
    let first = tokio::spawn({
        let client = client.clone();
        async move { client.call("svc::wait").ttl(LONG).send("", "").await }
    });
    let tell = soon(begun.recv()).await.unwrap();
    client.peers("svc").add(&other_addr);
    let mut close = Box::pin(closing.close());
    assert!(close.as_mut().now_or_never().is_none());

    for _ in 0..10 {
        let call = client.call("svc::wait").ttl(LONG).send("", "");
        let answer = async {
            let tell = soon(other_begun.recv()).await.unwrap();
            tell.send("elsewhere").unwrap();
        };
        let (answer, ()) = soon(async { tokio::join!(call, answer) }).await;
        assert_eq!(answer.unwrap().peer, other_addr);
    }
    tell.send("in time").unwrap();
    assert_eq!(soon(close).await, 0, "calls cut off");
    assert_eq!(soon(first).await.unwrap().unwrap().arg3, "in time");
}

/// Relays every call to the same peers.
struct To(PeerList);

impl Route for To {
    fn route(&self, _: &CallReqPeek<'_>, _: &PeerInfo) -> RouteTo {
        RouteTo::Peers(self.0.clone())
    }

    fn hop(&self) -> &str {
        "here"
    }
}

fn relay_to(instance: &str) -> Channel {
    let relay = Channel::new("relay");
    let peers = relay.new_peer_list("echo");
    peers.add(instance);
    relay.relay(To(peers));
    relay
}

fn is_connected(client: &Channel, router: &str) -> bool {
    let routers = client.routers().states();
    let mut connected = routers.iter().filter(|peer| peer.outbound_connections > 0);
    connected.any(|peer| peer.host_port == router)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn relays_that_restart_one_after_the_other_under_load_cost_no_call() {
    let (server, _) = echo(Default::default());
    let instance = listen(&server).await;
    let client = Channel::new("test");
    let mut relays = Vec::new();
    for _ in 0..3 {
        let relay = relay_to(&instance);
        let addr = listen(&relay).await;
        client.routers().add(&addr);
        relays.push((relay, addr));
    }
    let (answered, mut answers) = mpsc::channel(1);
    let load = (0..32).map(|_| {
        let (client, answered) = (client.clone(), answered.clone());
        tokio::spawn(async move {
            loop {
                let call = client.call("echo::echo").ttl(LONG);
                let outcome = call.send("", "hi").await;
                if answered.send(outcome.map(drop)).await.is_err() {
                    return;
                }
            }
        })
    });
    let load: Vec<_> = load.collect();
    let mut calls = async |count: usize| {
        for _ in 0..count {
            let outcome = soon(answers.recv()).await.expect("they go on");
            outcome.expect("no call fails");
        }
    };
    for round in 0..2 {
        for (relay, addr) in &mut relays {
            calls(300).await;
            let closing = relay.clone();
            let closing = tokio::spawn(async move { closing.close().await });
            while !closing.is_finished() {
                calls(1).await;
            }
            assert_eq!(closing.await.unwrap(), 0, "calls cut off, round {round}");
            *relay = relay_to(&instance);
            relay.listen(addr).await.expect("the port is free again");
            // Who restarts many waits until one is in use again before turning to the next.
            while !is_connected(&client, addr) {
                calls(1).await;
            }
        }
    }
    calls(300).await;
    drop(answers);
    soon(futures::future::try_join_all(load)).await.unwrap();
}

#[tokio::test]
async fn a_handler_may_still_call_others_while_its_channel_closes() {
    let (back, _) = echo(Default::default());
    let back_addr = listen(&back).await;
    let front = Channel::new("front");
    let (calls, mut begun) = mpsc::channel(1);
    let nested = front.clone();
    front.service("front").raw("ask", move |_| {
        let (calls, nested, back_addr) = (calls.clone(), nested.clone(), back_addr.clone());
        async move {
            let (tell, told) = oneshot::channel::<()>();
            calls.send(tell).await?;
            told.await?;
            let answer = nested
                .call("echo::echo")
                .peer(&back_addr)
                .send("", "nested")
                .await?;
            Ok(Reply::ok("", answer.arg3))
        }
    });
    let front_addr = listen(&front).await;
    let client = Channel::new("client");
    let call = client.call("front::ask").peer(&front_addr).ttl(LONG);
    let close = async {
        let tell = soon(begun.recv()).await.unwrap();
        let mut close = Box::pin(front.close());
        assert!(close.as_mut().now_or_never().is_none());
        tell.send(()).unwrap();
        close.await
    };
    let (answer, cut_off) = soon(async { tokio::join!(call.send("", ""), close) }).await;
    assert_eq!(answer.unwrap().arg3, "nested");
    assert_eq!(cut_off, 0, "calls cut off");
    assert_eq!(front.connections(), (0, 0));
}

#[tokio::test]
async fn a_closed_channel_neither_calls_nor_listens() {
    let (server, _) = echo(Default::default());
    let addr = listen(&server).await;
    let client = Channel::new("test");
    client
        .call("echo::echo")
        .peer(&addr)
        .send("", "")
        .await
        .unwrap();
    client.close().await;
    let error = client.call("echo::echo").peer(&addr).send("", "").await;
    let error = error.unwrap_err();
    assert_eq!(error.retry_advice(), RetryAdvice::Safe);
    assert!(error.message().contains("closed"), "{error}");

    server.close().await;
    assert!(server.listen("127.0.0.1:0").await.is_err());
    assert!(tokio::net::TcpStream::connect(&addr).await.is_err());
    assert_eq!(
        (client.connections(), server.connections()),
        ((0, 0), (0, 0))
    );
}

#[tokio::test]
async fn closing_twice_or_with_nothing_open_ends_at_once() {
    let (idle, _) = echo(Default::default());
    assert_eq!(soon(idle.close()).await, 0);
    let (server, _) = echo(Default::default());
    listen(&server).await;
    assert_eq!(soon(server.close()).await, 0);
    assert_eq!(soon(server.close()).await, 0);
}
