//! The Hyperbahn clients of the peers and our router.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use tchannel_rt::{Channel, ErrorCode};
use test_interop::{Call, Client, DEFAULT_TTL, Peer, Server, Way};
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
