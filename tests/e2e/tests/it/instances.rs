//! Instances come and go under 2,000 calls a second.

use std::collections::HashSet;
use std::time::Instant;

use serde_json::json;
use tchannel_rt::ErrorCode;

use crate::mesh::{Mesh, PATIENCE, SERVICE, ask, eventually};
use crate::routers::{ALL, FEW, SOME, WORK};
use crate::traffic::Traffic;

#[tokio::test(flavor = "multi_thread")]
async fn instances_that_join_and_leave_fail_no_call() {
    join_and_leave(ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_that_join_and_leave_behind_few_exits_fail_no_call() {
    join_and_leave(FEW).await;
}

async fn join_and_leave(k: usize) {
    let mesh = Mesh::start(5, k).await;
    let mut instances = mesh.instances(3).await;
    let traffic = Traffic::start(&mesh.callers(), WORK);
    traffic.answered(SOME).await;
    let joining = mesh.instance(3).await;
    while !traffic.has_answered(joining.address()) {
        traffic.answered(1).await;
    }
    instances.remove(0).stop().await;
    traffic.answered(SOME).await;
    let counts = traffic
        .stop(&format!("an instance joins, one leaves, k = {k}"))
        .await;
    counts.assert_none_failed();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_is_killed_fails_only_calls_that_it_may_have_begun() {
    kill(ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_behind_few_exits_that_is_killed_fails_only_calls_that_it_may_have_begun() {
    kill(FEW).await;
}

async fn kill(k: usize) {
    let mesh = Mesh::start(5, k).await;
    let mut instances = mesh.instances(3).await;
    let traffic = Traffic::start(&mesh.callers(), WORK);
    traffic.answered(SOME).await;
    let dying = instances.remove(0);
    let address = dying.address().to_owned();
    let in_flight = traffic.in_flight();
    dying.kill().await;
    for router in mesh.running() {
        eventually(&format!("{router} has lost the instance"), || {
            is_lost(&router, &address)
        })
        .await;
    }
    let noticed = Instant::now();
    let in_flight = in_flight.max(traffic.in_flight());
    traffic.answered(2 * SOME).await;
    let scenario = format!("an instance is killed, k = {k}, {in_flight} in flight");
    let counts = traffic.stop(&scenario).await;
    for failed in &counts.failed {
        let told = failed.error.to_string();
        assert_eq!(failed.error.code(), ErrorCode::NetworkError, "{told}");
        assert!(told.contains(&address), "{address} is not to blame: {told}");
        assert!(failed.sent < noticed, "sent after the end: {told}");
    }
    assert!(counts.failed.len() <= in_flight, "{}", counts.failed.len());
}

/// Whether `router` has no connection to `instance`.
async fn is_lost(router: &str, instance: &str) -> bool {
    let body = json!({"serviceName": SERVICE});
    let known = ask(router, "exit_connections_v1", body).await;
    known.is_some_and(|known| {
        let connected = &known[instance]["connected"];
        connected["in"] != true && connected["out"] != true
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_by_name_reach_every_instance_and_follow_those_that_come() {
    let mesh = Mesh::start(1, ALL).await;
    let first = mesh.instance(0).await;
    let caller = mesh.callers().remove(0);
    let who = async || {
        let call = caller.call("greeter::who").ttl(PATIENCE);
        let answer = call.send("", "").await;
        String::from_utf8_lossy(&answer.expect("an instance is there").arg3).into_owned()
    };
    assert_eq!(who().await, first.address());
    let second = mesh.instance(0).await;
    let mut seen = HashSet::new();
    while seen.len() < 2 {
        seen.insert(who().await);
    }
    assert!(seen.contains(second.address()));
}
