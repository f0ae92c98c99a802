//! Registrations outlive the routers that took them, without help from those who made them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use tchannel_rt::{Channel, Reply};

use crate::mesh::{Mesh, PATIENCE, ask, eventually, exits};
use crate::routers::{ALL, FEW};

const SERVICES: usize = 12;

/// Instances that advertise once and never again, by the name of their service.
type Instances = BTreeMap<String, Vec<Channel>>;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_advertised_once_is_known_after_all_routers_have_restarted() {
    restart_all(ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_advertised_once_is_known_after_all_few_exits_have_restarted() {
    restart_all(FEW).await;
}

async fn restart_all(k: usize) {
    let mut mesh = Mesh::start(5, k).await;
    let instances = advertise(&mesh).await;
    all_are_known(&mesh, &instances).await;
    for router in 0..5 {
        mesh.take(router).stop().await;
        mesh.start_router(router).await;
        all_are_called(&mesh, &instances).await;
    }
    mesh.settled().await;
    all_are_known(&mesh, &instances).await;
    all_are_called(&mesh, &instances).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_router_that_was_killed_learns_from_the_others_what_was_advertised() {
    let mut mesh = Mesh::start(5, FEW).await;
    let instances = advertise(&mesh).await;
    for router in 0..5 {
        mesh.take(router).kill().await;
        mesh.start_router(router).await;
        mesh.settled().await;
        all_are_known(&mesh, &instances).await;
    }
    all_are_called(&mesh, &instances).await;
}

/// Two instances of each service, each advertised at another router.
async fn advertise(mesh: &Mesh) -> Instances {
    let mut instances = Instances::new();
    for (n, router) in (0..2 * SERVICES).zip(mesh.addresses().iter().cycle()) {
        let name = format!("service-{}", n / 2);
        let instance = advertised_once("127.0.0.1:0", router, &name).await;
        instances.entry(name).or_default().push(instance);
    }
    instances
}

/// An instance of this process that listens at `listen` and has advertised at `router`.
pub(crate) async fn advertised_once(listen: &str, router: &str, name: &str) -> Channel {
    let instance = Channel::new(name);
    instance.listen(listen).await.expect("a port is free");
    instance.service(name).raw(
        "echo",
        |request| async move { Ok(Reply::ok("", request.arg3)) },
    );
    let body = json!({"services": [{"serviceName": name, "cost": 0}]});
    let call = instance.call("hyperbahn::ad").peer(router);
    let answer = call.json(&body).await.expect("the router takes it");
    assert!(answer.is_ok(), "{answer:?}");
    instance
}

/// Waits until each exit of each service knows each of its instances. Nobody advertises meanwhile, so they
/// have it from each other.
async fn all_are_known(mesh: &Mesh, instances: &Instances) {
    for (name, instances) in instances {
        let expected: BTreeSet<_> = instances
            .iter()
            .filter_map(|instance| Some(instance.local_addr()?.to_string()))
            .collect();
        for exit in exits(&mesh.running()[0], name).await {
            eventually(&format!("{exit} knows {expected:?} of {name}"), || async {
                known_at(&exit, name).await == expected
            })
            .await;
        }
    }
}

/// The instances of `name` that `exit` knows.
pub(crate) async fn known_at(exit: &str, name: &str) -> BTreeSet<String> {
    let body = json!({"serviceName": name});
    let known = ask(exit, "exit_connections_v1", body).await;
    let known = known.unwrap_or_default();
    let known = known.as_object().into_iter().flatten();
    known.map(|(instance, _)| instance.clone()).collect()
}

/// Calls each service through each router once.
async fn all_are_called(mesh: &Mesh, instances: &Instances) {
    let caller = Channel::new("caller");
    for name in instances.keys() {
        let target = format!("{name}::echo");
        for router in mesh.running() {
            let call = caller.call(&target).peer(&router).ttl(PATIENCE);
            let answer = call.send("", name.clone()).await;
            let answer = answer.unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(answer.arg3, name.as_bytes());
        }
    }
}
