//! The Hyperbahn clients of the peers and our router.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::join_all;
use tchannel_rt::{Channel, ErrorCode};
use test_interop::{Call, Client, DEFAULT_TTL, Peer, Server, Way, pattern};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::ours;
use crate::pair::{every_peer, start_router};

every_peer! {
    an_instance_it_advertises_is_discovered_by_every_client,
    a_service_that_nobody_offers_is_not_discovered,
    a_call_to_a_service_that_nobody_offers_is_declined,
    a_router_that_does_not_answer_is_passed_over,
    a_call_in_flight_fails_at_once_when_its_instance_dies,
    a_call_to_an_instance_that_has_died_fails_at_once,
    a_handler_behind_the_router_stops_when_its_caller_dies,
    a_service_of_ours_that_closes_is_called_no_more,
    a_service_calls_another_over_the_connections_it_has,
    calls_cancelled_at_the_router_leave_its_instance_as_good_as_before,
}

async fn an_instance_it_advertises_is_discovered_by_every_client(peer: Peer) {
    let (_node, router) = start_router().await;
    let server = Server::advertise(peer, "kv", &[router]).await;
    let instance = server.address().to_string();

    let hosts = our_client(router).discover("kv").await;
    assert_eq!(hosts.expect("there is an instance"), [instance.as_str()]);
    for other in [Peer::node(), Peer::go()].into_iter().flatten() {
        let answer = Client::start(other).discover(router, "kv").await;
        assert_eq!(
            answer.hosts,
            [instance.as_str()],
            "{}: {answer:?}",
            other.name()
        );
    }
}

fn our_client(router: SocketAddr) -> Channel {
    let channel = Channel::new("interop");
    channel.routers().add(&router.to_string());
    channel
}

async fn a_service_that_nobody_offers_is_not_discovered(peer: Peer) {
    let (_node, router) = start_router().await;
    let answer = Client::start(peer).discover(router, "nobody").await;
    let message = answer.message.unwrap_or_default();
    if peer == Peer::Python {
        assert_eq!(answer.error.as_deref(), Some("unsupported"), "{message}");
        return;
    }
    assert_eq!(answer.error.as_deref(), Some("no-peers"), "{message}");
    assert!(
        message.contains("no peer available for nobody"),
        "{message}"
    );
}

async fn a_call_to_a_service_that_nobody_offers_is_declined(peer: Peer) {
    let (_node, router) = start_router().await;
    let call = Call::raw("nobody", "echo");
    let answer = Client::start(peer).call(Way::Router(router), &call).await;
    assert_eq!(answer.error.as_deref(), Some("declined"), "{answer:?}");
    let message = answer.message.unwrap_or_default();
    assert!(message.contains("nobody"), "{message}");
}

async fn a_router_that_does_not_answer_is_passed_over(peer: Peer) {
    let nobody = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let absent = nobody.local_addr().expect("it is bound");
    drop(nobody);
    let (_node, router) = start_router().await;
    let server = Server::advertise(peer, "kv", &[absent, router]).await;
    let hosts = our_client(router).discover("kv").await;
    assert_eq!(
        hosts.expect("there is an instance"),
        [server.address().to_string()]
    );
}

async fn a_call_in_flight_fails_at_once_when_its_instance_dies(peer: Peer) {
    let (_node, router) = start_router().await;
    let server = Server::advertise(peer, "kv", &[router]).await;
    let client = our_client(router);
    client
        .call("kv::echo")
        .ttl(DEFAULT_TTL)
        .send("", "")
        .await
        .expect("it lives");

    let call = client.call("kv::never").ttl(DEFAULT_TTL);
    let (outcome, ()) = tokio::join!(call.send("", ""), async { drop(server) });
    let error = outcome.expect_err("nobody can answer");
    assert_eq!(error.code(), ErrorCode::NetworkError, "{error}");
}

async fn a_call_to_an_instance_that_has_died_fails_at_once(peer: Peer) {
    let (_node, router) = start_router().await;
    let service = ours::advertise("kv", router).await;
    let client = Client::start(peer);
    let echo = Call::raw("kv", "echo");
    let answer = client.call(Way::Router(router), &echo).await;
    assert!(answer.ok, "{answer:?}");

    // Without a word to the router.
    drop(service);
    let answer = client.call(Way::Router(router), &echo).await;
    let error = answer.error.as_deref().unwrap_or("none");
    assert!(["network", "declined"].contains(&error), "{answer:?}");
}

async fn a_handler_behind_the_router_stops_when_its_caller_dies(peer: Peer) {
    let (_node, router) = start_router().await;
    let (events, mut happens) = mpsc::channel(2);
    let service = Channel::new("kv");
    ours::offer_never(&service, "kv", events);
    service.listen("127.0.0.1:0").await.expect("a port is free");
    ours::advertise_to(&service, "kv", router).await;

    let client = Client::start(peer);
    let never = Call::raw("kv", "never");
    tokio::select! {
        event = happens.recv() => assert_eq!(event, Some("began")),
        answer = client.call(Way::Router(router), &never) => panic!("{answer:?}"),
    }
    drop(client);
    assert_eq!(happens.recv().await, Some("stopped"));
}

async fn a_service_of_ours_that_closes_is_called_no_more(peer: Peer) {
    let (_node, router) = start_router().await;
    let service = ours::advertise("kv", router).await;
    let client = Client::start(peer);
    let echo = Call::raw("kv", "echo");
    let answer = client.call(Way::Router(router), &echo).await;
    assert!(answer.ok, "{answer:?}");

    service.close().await;
    let answer = client.call(Way::Router(router), &echo).await;
    assert_eq!(answer.error.as_deref(), Some("declined"), "{answer:?}");
}

/// Its client prefers the connection that the router has dialled to it for calls.
async fn a_service_calls_another_over_the_connections_it_has(peer: Peer) {
    let (_node, router) = start_router().await;
    let _back = ours::advertise("back", router).await;
    let _front = Server::advertise(peer, "front", &[router]).await;
    let client = our_client(router);
    for len in [0, 1, 1000, 65_536, 1_000_000] {
        let arg3 = Bytes::from(pattern(len));
        let call = client.call("front::forward").ttl(DEFAULT_TTL);
        let response = call.send("back", arg3.clone()).await;
        let response = response.unwrap_or_else(|error| panic!("{len} bytes: {error}"));
        assert!(response.arg3 == arg3, "{len} bytes");
    }
    let calls = (0..200).map(|number| {
        let (client, number) = (client.clone(), format!("call {number}"));
        async move {
            let call = client.call("front::forward").ttl(DEFAULT_TTL);
            let response = call.send("back", number.clone()).await;
            assert_eq!(response.expect("both services live").arg3, number);
        }
    });
    join_all(calls).await;
}

async fn calls_cancelled_at_the_router_leave_its_instance_as_good_as_before(peer: Peer) {
    let (_node, router) = start_router().await;
    let _server = Server::advertise(peer, "kv", &[router]).await;
    let client = our_client(router);
    for _ in 0..100 {
        let call = client.call("kv::echo").ttl(DEFAULT_TTL);
        call.send("", "here").await.expect("the instance lives");
        let never = client.call("kv::never").ttl(DEFAULT_TTL);
        let sent = never.send("", "").now_or_never();
        assert!(sent.is_none(), "nobody can have answered yet");
    }
    let call = client.call("kv::echo").ttl(DEFAULT_TTL);
    let response = call.send("", "still here").await;
    assert_eq!(response.expect("the instance lives").arg3, "still here");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_node_withdraws_is_called_no_more() {
    let Some(peer) = Peer::node() else { return };
    let (_node, router) = start_router().await;
    let mut server = Server::advertise(peer, "kv", &[router]).await;
    let client = our_client(router);
    client
        .call("kv::echo")
        .ttl(DEFAULT_TTL)
        .send("", "")
        .await
        .expect("it is advertised");

    server.unadvertise().await;
    let outcome = client.call("kv::echo").ttl(DEFAULT_TTL).send("", "").await;
    let error = outcome.expect_err("nobody offers it");
    assert_eq!(error.code(), ErrorCode::Declined, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_in_every_language_share_one_name() {
    let (_node, router) = start_router().await;
    let service = ours::advertise("kv", router).await;
    let mut servers = Vec::new();
    for peer in [Peer::node(), Peer::python(), Peer::go()]
        .into_iter()
        .flatten()
    {
        servers.push(Server::advertise(peer, "kv", &[router]).await);
    }
    let mut instances: BTreeSet<_> = servers.iter().map(|server| server.address()).collect();
    instances.extend(service.local_addr());

    let client = our_client(router);
    let hosts = client.discover("kv").await.expect("there are instances");
    let discovered: BTreeSet<SocketAddr> = hosts
        .iter()
        .map(|host| host.parse().expect("an address"))
        .collect();
    assert_eq!(discovered, instances);
    for number in 0..200 {
        let number = format!("call {number}");
        let call = client.call("kv::echo").ttl(DEFAULT_TTL);
        let response = call
            .send("", number.clone())
            .await
            .expect("each instance answers");
        assert_eq!(response.arg3, number);
    }
}
