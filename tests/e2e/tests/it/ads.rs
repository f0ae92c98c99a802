//! Advertisements do not wait for routers that are in trouble.

use std::time::Duration;

use serde_json::json;
use tchannel_rt::retry::Retry;
use tchannel_rt::{Channel, ErrorCode};

use crate::mesh::Mesh;
use crate::routers::ALL;

/// How long deployed clients wait for an answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// Times a client asks: a busy machine may stop it for longer than what is between a router's patience and its
/// own. A router that waits for those in trouble is too late each time.
const TRIES: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn an_ad_is_answered_in_time_while_one_router_is_frozen_and_one_dead() {
    advertise(ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ad_is_answered_in_time_while_two_exits_of_three_are_frozen_or_dead() {
    advertise(3).await;
}

async fn advertise(k: usize) {
    let mut mesh = Mesh::start(5, k).await;
    let channel = Channel::new("greeter");
    channel.listen("127.0.0.1:0").await.expect("a port is free");
    // Connected before, as services are.
    for router in mesh.running() {
        ad(&channel, &router, "greeter").await;
    }
    mesh.router(1).freeze().await;
    mesh.take(2).kill().await;
    for n in 0..10 {
        for router in [0, 3, 4] {
            let name = format!("service-{n}-{router}");
            ad(&channel, mesh.router(router).address(), &name).await;
        }
    }
    mesh.router(1).thaw().await;
}

/// Advertises with the patience of deployed clients.
async fn ad(channel: &Channel, router: &str, name: &str) {
    let body = json!({"services": [{"serviceName": name, "cost": 0}]});
    let mut tries = 1;
    let answer = loop {
        let call = channel.call("hyperbahn::ad").peer(router);
        match call.ttl(PATIENCE).retry(Retry::never()).json(&body).await {
            Err(error) if error.code() == ErrorCode::Timeout && tries < TRIES => tries += 1,
            answer => break answer.unwrap_or_else(|error| panic!("{name}: {error}")),
        }
    };
    assert!(answer.is_ok(), "{answer:?}");
}
