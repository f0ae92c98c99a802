//! Routers come and go under 2,000 calls a second, and nobody notices.
//!
//! Each scenario once with every router an exit, and once with two exits of five, so that most calls pass two
//! routers and exits move whenever the ring changes.

use std::time::Instant;

use tchannel_rt::ErrorCode;

use crate::mesh::{Mesh, SERVICE, eventually, exits};
use crate::traffic::Traffic;

pub(crate) const WORK: &str = "greeter::work";

/// Every router is an exit.
pub(crate) const ALL: usize = 10;
pub(crate) const FEW: usize = 2;

/// Calls before, between and after what happens.
pub(crate) const SOME: usize = 2000;

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_joins_fails_no_call() {
    join(ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_joins_and_takes_over_as_an_exit_fails_no_call() {
    join(FEW).await;
}

async fn join(k: usize) {
    let mut mesh = Mesh::start(5, k).await;
    let _instances = mesh.instances(4).await;
    let callers = mesh.callers();
    let traffic = Traffic::start(&callers, WORK);
    traffic.answered(SOME).await;
    mesh.add().await;
    for caller in &callers {
        caller.routers().add(mesh.router(5).address());
    }
    mesh.settled().await;
    traffic.answered(2 * SOME).await;
    let counts = traffic.stop(&format!("a router joins, k = {k}")).await;
    counts.assert_none_failed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_leaves_fails_no_call() {
    leave(ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exit_that_leaves_fails_no_call() {
    leave(FEW).await;
}

async fn leave(k: usize) {
    let mut mesh = Mesh::start(5, k).await;
    let _instances = mesh.instances(4).await;
    let traffic = Traffic::start(&mesh.callers(), WORK);
    traffic.answered(SOME).await;
    let leaving = an_exit(&mesh).await;
    mesh.take(leaving).stop().await;
    mesh.settled().await;
    traffic.answered(2 * SOME).await;
    let counts = traffic.stop(&format!("a router leaves, k = {k}")).await;
    counts.assert_none_failed();
}

#[tokio::test(flavor = "multi_thread")]
async fn restarting_all_routers_one_after_another_fails_no_call() {
    restart_all(ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restarting_all_routers_while_exits_move_fails_no_call() {
    restart_all(FEW).await;
}

async fn restart_all(k: usize) {
    let mut mesh = Mesh::start(5, k).await;
    let _instances = mesh.instances(4).await;
    let traffic = Traffic::start(&mesh.callers(), WORK);
    traffic.answered(SOME).await;
    mesh.restart_all().await;
    traffic.answered(2 * SOME).await;
    let counts = traffic.stop(&format!("all routers restart, k = {k}")).await;
    counts.assert_none_failed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_is_killed_fails_only_calls_it_may_have_begun() {
    kill(ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exit_that_is_killed_fails_only_calls_it_may_have_begun() {
    kill(FEW).await;
}

async fn kill(k: usize) {
    let mut mesh = Mesh::start(5, k).await;
    let _instances = mesh.instances(4).await;
    let callers = mesh.callers();
    let traffic = Traffic::start(&callers, WORK);
    traffic.answered(SOME).await;
    let dying = an_exit(&mesh).await;
    let router = mesh.take(dying);
    let address = router.address().to_owned();
    let in_flight = traffic.in_flight();
    router.kill().await;
    // A caller that has not noticed yet can not know either whether its call has arrived.
    eventually("all callers have lost the router", || async {
        callers
            .iter()
            .all(|caller| caller.remotes(&address).is_empty())
    })
    .await;
    let noticed = Instant::now();
    let in_flight = in_flight.max(traffic.in_flight());
    traffic.answered(2 * SOME).await;
    mesh.start_router(dying).await;
    mesh.settled().await;
    traffic.answered(SOME).await;
    let counts = traffic
        .stop(&format!(
            "a router is killed, k = {k}, {in_flight} in flight"
        ))
        .await;
    for failed in &counts.failed {
        let told = failed.error.to_string();
        assert!(told.contains(&address), "{address} is not to blame: {told}");
        assert_eq!(failed.error.code(), ErrorCode::NetworkError, "{told}");
        assert!(failed.sent < noticed, "sent after the end: {told}");
    }
    assert!(counts.failed.len() <= in_flight, "{}", counts.failed.len());
}

/// A router that is an exit of the service that is called, and in few exits the first of them.
async fn an_exit(mesh: &Mesh) -> usize {
    let exits = exits(mesh.router(0).address(), SERVICE).await;
    let place = mesh
        .addresses()
        .iter()
        .position(|address| exits.contains(address));
    place.expect("there are exits")
}

#[tokio::test(flavor = "multi_thread")]
async fn routers_that_all_start_at_once_are_one_mesh() {
    let mesh = Mesh::start_at_once(5, FEW).await;
    let _instances = mesh.instances(4).await;
    let traffic = Traffic::start(&mesh.callers(), WORK);
    traffic.answered(SOME).await;
    let counts = traffic.stop("all routers start at once, k = 2").await;
    counts.assert_none_failed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_router_that_is_killed_and_comes_back_knows_its_services_again() {
    let mut mesh = Mesh::start(1, ALL).await;
    let instance = mesh.instance(0).await;
    let caller = mesh.callers().remove(0);
    mesh.take(0).kill().await;
    mesh.start_router(0).await;
    // The instance notices by itself; until then the new router declines.
    eventually("the instance has advertised again", || async {
        let answer = caller.call("greeter::who").send("", "").await;
        answer.is_ok_and(|answer| answer.arg3 == instance.address())
    })
    .await;
}
