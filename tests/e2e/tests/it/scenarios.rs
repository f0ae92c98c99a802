//! Instances and routers come and go under load.

use std::collections::HashSet;
use std::time::Duration;

use tchannel_rt::{Channel, ErrorCode};
use test_e2e::Process;

use crate::load::Load;

const PROCESS: &str = env!("CARGO_BIN_EXE_e2e-process");

async fn router_at(listen: &str) -> Process {
    Process::start(PROCESS, &["router", listen]).await
}

async fn instance(name: &str, router: &Process) -> Process {
    Process::start(PROCESS, &["service", name, router.address()]).await
}

fn caller(router: &Process) -> Channel {
    let channel = Channel::new("caller");
    channel.routers().add(router.address());
    channel
}

async fn who(channel: &Channel) -> String {
    let answer = channel
        .call("greeter::who")
        .ttl(Duration::from_secs(5))
        .send("", "")
        .await;
    String::from_utf8_lossy(&answer.expect("an instance is there").arg3).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_by_name_reach_every_instance_and_follow_those_that_come() {
    let router = router_at("127.0.0.1:0").await;
    let first = instance("greeter", &router).await;
    let channel = caller(&router);
    assert_eq!(who(&channel).await, first.address());
    let second = instance("greeter", &router).await;
    let mut seen = HashSet::new();
    while seen.len() < 2 {
        seen.insert(who(&channel).await);
    }
    assert!(seen.contains(second.address()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_is_stopped_fails_no_call() {
    let router = router_at("127.0.0.1:0").await;
    let leaving = instance("greeter", &router).await;
    let staying = instance("greeter", &router).await;
    let channel = caller(&router);
    let load = Load::start(&channel, "greeter::slow", 50);
    load.answered(100).await;
    leaving.stop().await;
    load.answered(100).await;
    let counts = load.stop().await;
    assert!(
        counts.failed.is_empty(),
        "{:?} of {} failed, {} were retried",
        counts.failed,
        counts.answered,
        counts.retried
    );
    assert_eq!(who(&channel).await, staying.address());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_is_killed_fails_only_calls_that_it_may_have_begun() {
    const IN_FLIGHT: usize = 50;
    let router = router_at("127.0.0.1:0").await;
    let dying = instance("greeter", &router).await;
    let staying = instance("greeter", &router).await;
    let channel = caller(&router);
    let load = Load::start(&channel, "greeter::slow", IN_FLIGHT);
    load.answered(100).await;
    dying.kill().await;
    load.answered(500).await;
    let counts = load.stop().await;
    let lost = |code: ErrorCode| code == ErrorCode::NetworkError;
    assert!(
        counts.failed.iter().all(|error| lost(error.code())),
        "{:?}",
        counts.failed
    );
    assert!(
        counts.failed.len() <= IN_FLIGHT,
        "{} failed",
        counts.failed.len()
    );
    assert_eq!(who(&channel).await, staying.address());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_is_killed_and_comes_back_knows_its_services_again() {
    let router = router_at("127.0.0.1:0").await;
    let address = router.address().to_owned();
    let instance = instance("greeter", &router).await;
    let channel = caller(&router);
    assert_eq!(who(&channel).await, instance.address());
    router.kill().await;
    let _again = router_at(&address).await;
    // The instance notices by itself; until then the new router declines.
    let found = async {
        loop {
            match channel.call("greeter::who").send("", "").await {
                Ok(answer) => return answer,
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    let answer = tokio::time::timeout(Duration::from_secs(20), found)
        .await
        .expect("found again");
    assert_eq!(answer.arg3, instance.address());
}
