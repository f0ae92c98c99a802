//! Many calls, and large ones beside them, through our router.

use std::time::Duration;

use test_interop::{Answer, Call, Client, Peer, Server, Way, pattern};

use crate::ours::{self, OurClient};
use crate::pair::{every_peer, start_router};

every_peer! {
    ten_thousand_calls_of_its_client_are_answered,
    ten_thousand_calls_of_its_service_are_answered,
    large_calls_of_its_client_let_small_ones_by,
    large_calls_of_its_service_let_small_ones_by,
}

async fn ten_thousand_calls_of_its_client_are_answered(peer: Peer) {
    let (_node, router) = start_router().await;
    let _service = ours::advertise("kv", router).await;
    let client = Client::start(peer);
    let way = Way::Router(router);
    for _ in 0..50 {
        expect_all(&client.call(way, &small_calls(200)).await, 200);
    }
}

async fn ten_thousand_calls_of_its_service_are_answered(peer: Peer) {
    let (_node, router) = start_router().await;
    let _server = Server::advertise(peer, "kv", &[router]).await;
    let client = OurClient::new();
    let way = Way::Router(router);
    for _ in 0..50 {
        expect_all(&client.call(way, &small_calls(200)).await, 200);
    }
}

async fn large_calls_of_its_client_let_small_ones_by(peer: Peer) {
    let (_node, router) = start_router().await;
    let _service = ours::advertise("kv", router).await;
    let client = Client::start(peer);
    let way = Way::Router(router);
    let large = large_call();
    let (one, two, small) =
        tokio::join!(client.call(way, &large), client.call(way, &large), async {
            client.call(way, &small_calls(50)).await
        },);
    assert_eq!(
        (one.same, two.same),
        (Some(true), Some(true)),
        "{one:?} {two:?}"
    );
    expect_all(&small, 50);
}

async fn large_calls_of_its_service_let_small_ones_by(peer: Peer) {
    let (_node, router) = start_router().await;
    let _server = Server::advertise(peer, "kv", &[router]).await;
    let client = OurClient::new();
    let way = Way::Router(router);
    let large = large_call();
    let (one, two, small) =
        tokio::join!(client.call(way, &large), client.call(way, &large), async {
            client.call(way, &small_calls(50)).await
        },);
    assert_eq!(
        (one.same, two.same),
        (Some(true), Some(true)),
        "{one:?} {two:?}"
    );
    expect_all(&small, 50);
}

fn small_calls(count: usize) -> Call {
    Call::raw("kv", "echo")
        .arg2(b"number ")
        .arg3(&pattern(100))
        .times(count)
}

fn large_call() -> Call {
    let call = Call::raw("kv", "echo").arg3(&pattern(10_000_000));
    call.within(Duration::from_secs(60))
}

#[track_caller]
fn expect_all(answer: &Answer, count: usize) {
    let Answer {
        answered,
        failed,
        mixed_up,
        ..
    } = answer;
    assert_eq!((*answered, *failed, *mixed_up), (count, 0, 0), "{answer:?}");
}
