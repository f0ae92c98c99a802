//! Calls with the same shard key reach the same instance, whichever router they come through.

use std::cell::Cell;
use std::collections::BTreeMap;

use futures::StreamExt;
use tchannel_rt::Channel;

use crate::hand_over::known_at;
use crate::mesh::{Mesh, PATIENCE, SERVICE, eventually, exits};
use crate::routers::{ALL, FEW};

const KEYS: usize = 40;
/// Calls in flight at a time.
const AT_ONCE: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_key_keeps_its_instance_while_routers_restart() {
    keep(ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_key_keeps_its_instance_while_its_exit_restarts() {
    keep(FEW).await;
}

async fn keep(k: usize) {
    let mut mesh = Mesh::start(5, k).await;
    let mut instances = mesh.instances(4).await;
    all_exits_know(&mesh, 4).await;
    let caller = mesh.callers().remove(0);
    let owners = owners(&caller, None).await;
    for router in mesh.running() {
        assert_eq!(
            self::owners(&caller, Some(&router)).await,
            owners,
            "{router}"
        );
    }

    let calls = keep_while(mesh.restart_all(), &caller, &owners).await;
    println!(
        "{calls} calls with {KEYS} shard keys while all routers restart, k = {k}: none went astray"
    );
    for router in mesh.running() {
        assert_eq!(
            self::owners(&caller, Some(&router)).await,
            owners,
            "{router}"
        );
    }

    let gone = instances.remove(0);
    let address = gone.address().to_owned();
    gone.stop().await;
    all_exits_know(&mesh, 3).await;
    let after = self::owners(&caller, None).await;
    for (key, owner) in owners {
        match owner == address {
            true => assert_ne!(after[&key], address, "{key}"),
            false => assert_eq!(after[&key], owner, "{key}"),
        }
    }
    for router in mesh.running() {
        assert_eq!(
            self::owners(&caller, Some(&router)).await,
            after,
            "{router}"
        );
    }
}

/// Waits until each exit has heard of so many instances: an ad is answered once most have.
async fn all_exits_know(mesh: &Mesh, count: usize) {
    for exit in exits(&mesh.running()[0], SERVICE).await {
        eventually(&format!("{exit} knows {count} instances"), || async {
            known_at(&exit, SERVICE).await.len() == count
        })
        .await;
    }
}

/// Calls with one key after the other until `something` is done, and says how often.
async fn keep_while(
    something: impl Future<Output = ()>,
    caller: &Channel,
    owners: &BTreeMap<usize, String>,
) -> usize {
    let is_done = Cell::new(false);
    let calls = async {
        let mut calls = 0;
        for (key, expected) in owners.iter().cycle().take_while(|_| !is_done.get()) {
            assert_eq!(owner(caller, None, *key).await, *expected, "{key}");
            calls += 1;
        }
        calls
    };
    let something = async {
        something.await;
        is_done.set(true);
    };
    futures::join!(calls, something).0
}

/// The instance of each key, through `router` or through any.
async fn owners(caller: &Channel, router: Option<&str>) -> BTreeMap<usize, String> {
    let owners = (0..KEYS).map(async |key| (key, owner(caller, router, key).await));
    // Fewer than make an instance busy, which would send keys elsewhere.
    futures::stream::iter(owners)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await
}

async fn owner(caller: &Channel, router: Option<&str>, key: usize) -> String {
    let key = format!("user-{key}");
    let mut call = caller.call("greeter::who").shard_key(&key).ttl(PATIENCE);
    if let Some(router) = router {
        call = call.peer(router);
    }
    let answer = call.send("", "").await;
    let answer = answer.unwrap_or_else(|error| panic!("{key}: {error}"));
    String::from_utf8_lossy(&answer.arg3).into_owned()
}
