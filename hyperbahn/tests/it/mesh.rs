//! Several routers in one process: one hub, whichever of them is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hyperbahn::config::NodeConfig;
use hyperbahn::node::Node;
use hyperbahn::routing::{AffinityConfig, ExitConfig, ROUTER_HEADER};
use serde_json::{Value, json};
use tchannel_rt::hyperbahn::Routers;
use tchannel_rt::{Channel, ChannelConfig, ErrorCode, Reply};

use super::wire::{Wire, call};
use super::{nowhere, service, through};

/// Longest wait for something that must come; only a failing test takes so long.
const LONG: Duration = Duration::from_secs(20);

/// Routers that see each other, each service with `k` exits.
async fn mesh(routers: usize, k: usize) -> Vec<Node> {
    let mut mesh = Vec::new();
    for _ in 0..routers {
        let node = join(&mesh, config(k)).await;
        mesh.push(node);
    }
    settle(&mesh).await;
    mesh
}

async fn join(mesh: &[Node], config: NodeConfig) -> Node {
    let bootstrap = mesh.iter().map(|node| node.address().as_str()).collect();
    Node::start(NodeConfig {
        bootstrap,
        ..config
    })
    .await
    .unwrap()
}

/// Waits until all see all.
async fn settle(mesh: &[Node]) {
    for node in mesh {
        let seen = node.sees(mesh.len());
        tokio::time::timeout(LONG, seen)
            .await
            .unwrap_or_else(|_| panic!("{:#?}", node.members().members));
    }
}

fn config(k: usize) -> NodeConfig {
    NodeConfig {
        exits: ExitConfig {
            default_k: k,
            ..ExitConfig::default()
        },
        ..super::config()
    }
}

async fn ask(router: &Node, endpoint: &str, body: Value) -> Value {
    let asker = Channel::new("test");
    let target = format!("autobahn::{endpoint}");
    let answer = through(router, &asker, &target).json(&body).await.unwrap();
    serde_json::from_slice(&answer.arg3).unwrap()
}

async fn exits(router: &Node, service: &str) -> Vec<String> {
    let exits = ask(router, "hosts_v1", json!({"serviceName": service})).await;
    serde_json::from_value(exits).unwrap()
}

/// The services that have an instance at `router`, with how many.
async fn held(router: &Node) -> BTreeMap<String, usize> {
    let held = ask(router, "exit_services_v1", Value::Null).await;
    serde_json::from_value(held).unwrap()
}

/// A name of which `router` is an exit, or is not.
async fn name_for(mesh: &[Node], router: &Node, is_exit: bool) -> String {
    for n in 0.. {
        let name = format!("service-{n}");
        let exits = exits(&mesh[0], &name).await;
        if exits.contains(&router.address().to_string()) == is_exit {
            return name;
        }
    }
    unreachable!("there are enough names")
}

fn owned(mesh: &[Node]) -> Routers {
    mesh.iter().map(|node| node.address().to_string()).collect()
}

/// Repeats `probe` until it says yes. Nothing tells when a peer has learned something.
async fn eventually<F: Future<Output = bool>>(what: &str, mut probe: impl FnMut() -> F) {
    let attempts = async {
        while !probe().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LONG, attempts)
        .await
        .unwrap_or_else(|_| panic!("{what}"));
}

#[tokio::test]
async fn a_service_advertised_at_one_router_is_called_through_any() {
    let mesh = mesh(5, 2).await;
    let caller = Channel::new("web");
    for (n, router) in mesh.iter().enumerate() {
        let name = format!("service-{n}");
        let instance = service(router, &[&name]).await;
        for entry in &mesh {
            let target = format!("{name}::echo");
            let answer = through(entry, &caller, &target).send("", "hi").await;
            assert_eq!(
                answer.unwrap().arg3,
                "hi",
                "{name} through {}",
                entry.address()
            );
        }
        instance.close().await;
    }
}

#[tokio::test]
async fn all_routers_name_the_same_exits_and_only_they_hold_the_service() {
    let mesh = mesh(5, 2).await;
    let _instance = service(&mesh[0], &["keyvalue"]).await;
    let expected = exits(&mesh[0], "keyvalue").await;
    assert_eq!(expected.len(), 2);
    for router in &mesh {
        assert_eq!(exits(router, "keyvalue").await, expected);
        let is_exit = expected.contains(&router.address().to_string());
        eventually("every exit is told, not only the quick", || async {
            held(router).await.contains_key("keyvalue") == is_exit
        })
        .await;
    }
}

#[tokio::test]
async fn an_ad_tells_how_many_exits_there_are() {
    for (routers, k, expected) in [(3, 2, 2), (3, 10, 3)] {
        let mesh = mesh(routers, k).await;
        let channel = super::listening(&["keyvalue"]).await;
        let body = json!({"services": [{"cost": 0, "serviceName": "keyvalue"}]});
        let call = through(&mesh[0], &channel, "hyperbahn::ad");
        let answer = call.json(&body).await.unwrap();
        let answer: Value = serde_json::from_slice(&answer.arg3).unwrap();
        assert_eq!(answer, json!({"connectionCount": expected}));
    }
}

#[tokio::test]
async fn a_withdrawn_service_is_gone_everywhere_once_that_is_answered() {
    let mesh = mesh(5, 2).await;
    let caller = Channel::new("web");
    let channel = super::listening(&["keyvalue"]).await;
    let advertised = channel.advertise(owned(&mesh), &["keyvalue"]).unwrap();
    assert!(advertised.advertised().await);
    advertised.withdraw().await;
    for entry in &mesh {
        let refused = through(entry, &caller, "keyvalue::echo").send("", "").await;
        assert_eq!(refused.unwrap_err().code(), ErrorCode::Declined);
        assert!(!held(entry).await.contains_key("keyvalue"));
    }
}

#[tokio::test]
async fn a_newcomer_holds_what_it_is_an_exit_for_before_others_see_it() {
    let mut mesh = mesh(3, 1).await;
    let names: Vec<_> = (0..60).map(|n| format!("service-{n}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let _instance = service(&mesh[0], &names).await;
    let newcomer = join(&mesh, config(1)).await;
    let held = held(&newcomer).await;
    let mut expected = BTreeSet::new();
    for name in names {
        if exits(&newcomer, name)
            .await
            .contains(&newcomer.address().to_string())
        {
            expected.insert(name.to_owned());
        }
    }
    assert!(!expected.is_empty());
    assert_eq!(held.into_keys().collect::<BTreeSet<_>>(), expected);
    mesh.push(newcomer);
    settle(&mesh).await;
}

#[tokio::test]
async fn a_former_exit_lets_go_of_what_another_holds_now() {
    let mesh_of_one = mesh(1, 1).await;
    let names: Vec<_> = (0..20).map(|n| format!("service-{n}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let _instance = service(&mesh_of_one[0], &names).await;
    let mut mesh = mesh_of_one;
    let newcomer = join(&mesh, config(1)).await;
    mesh.push(newcomer);
    settle(&mesh).await;
    eventually("each service is held by its exit alone", || async {
        let (first, second) = (held(&mesh[0]).await, held(&mesh[1]).await);
        first.len() + second.len() == names.len() && !second.is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_router_that_leaves_hands_over_what_it_alone_held() {
    let mut mesh = mesh(3, 1).await;
    let leaver = mesh.pop().unwrap();
    let name = name_for(&mesh, &leaver, true).await;
    let _instance = service(&mesh[0], &[&name]).await;
    assert!(held(&leaver).await.contains_key(&name));
    leaver.stop().await;
    let caller = Channel::new("web");
    for entry in &mesh {
        let target = format!("{name}::echo");
        let answer = through(entry, &caller, &target).send("", "hi").await;
        assert_eq!(answer.unwrap().arg3, "hi");
    }
    settle(&mesh).await;
}

#[tokio::test]
async fn calls_go_on_at_once_when_an_exit_dies() {
    let mut mesh = mesh(4, 2).await;
    let victim = mesh.pop().unwrap();
    let name = name_for(&mesh, &victim, true).await;
    let _instance = service(&mesh[0], &[&name]).await;
    let caller = Channel::new("web");
    let target = format!("{name}::echo");
    for entry in &mesh {
        through(entry, &caller, &target).send("", "").await.unwrap();
    }
    drop(victim);
    let mut failed = 0;
    for entry in mesh.iter().cycle().take(30) {
        // One may be on its way when the connection breaks; whoever has seen that knows.
        match through(entry, &caller, &target).send("", "hi").await {
            Ok(answer) => assert_eq!(answer.arg3, "hi"),
            Err(error) => {
                assert_eq!(error.code(), ErrorCode::NetworkError, "{error}");
                failed += 1;
            }
        }
    }
    assert!(failed <= mesh.len(), "{failed} of 30");
}

#[tokio::test]
async fn an_ad_is_answered_in_time_while_an_exit_is_dead() {
    let mut mesh = mesh(3, 10).await;
    drop(mesh.pop());
    let channel = super::listening(&["keyvalue"]).await;
    let body = json!({"services": [{"serviceName": "keyvalue"}]});
    let call = through(&mesh[0], &channel, "hyperbahn::ad").ttl(Duration::from_millis(500));
    call.json(&body).await.unwrap();
    assert!(held(&mesh[0]).await.contains_key("keyvalue"));
    eventually("the other exit that lives is told", || async {
        held(&mesh[1]).await.contains_key("keyvalue")
    })
    .await;
}

#[tokio::test]
async fn what_a_router_passes_on_is_passed_on_no_further() {
    let mesh = mesh(3, 1).await;
    let name = name_for(&mesh, &mesh[0], false).await;
    let _instance = service(&mesh[0], &[&name]).await;
    // As another router would call it: by the header, or by an address on the ring.
    let mut marked = ChannelConfig::default();
    marked.init_headers = vec![(ROUTER_HEADER.to_owned(), "1".to_owned())];
    let marked = Channel::with_config("web", marked);
    let target = format!("{name}::echo");
    let refused = through(&mesh[0], &marked, &target).send("", "").await;
    assert_eq!(refused.unwrap_err().code(), ErrorCode::Declined);

    // Not the exit: calls for it might take this connection.
    let exit = &exits(&mesh[0], &name).await[0];
    let mut others = mesh[1..].iter().map(|node| node.address().as_str());
    let on_the_ring = others.find(|other| other != exit).unwrap();
    let mut router = Wire::connect(mesh[0].address().as_str(), on_the_ring).await;
    let refused = router.refusal(7, call(&name, 1000, &[("cn", "web")])).await;
    assert_eq!(
        refused.known_code(),
        ErrorCode::Declined,
        "{}",
        refused.message
    );

    let unmarked = Channel::new("web");
    through(&mesh[0], &unmarked, &target)
        .send("", "")
        .await
        .unwrap();
}

#[tokio::test]
async fn a_routing_delegate_is_found_across_the_mesh() {
    let mesh = mesh(3, 1).await;
    let delegate = name_for(&mesh, &mesh[0], false).await;
    let _instance = service(&mesh[1], &[&delegate, "original"]).await;
    let caller = Channel::new("web");
    let call = through(&mesh[0], &caller, "original::whoami").routing_delegate(&delegate);
    assert_eq!(call.send("", "").await.unwrap().arg3, "original");
}

#[tokio::test]
async fn discover_asks_an_exit() {
    let mesh = mesh(3, 1).await;
    let name = name_for(&mesh, &mesh[0], false).await;
    let instance = service(&mesh[1], &[&name]).await;
    let client = Channel::new("web");
    client.routers().add(mesh[0].address().as_str());
    let found = client.discover(&name).await.unwrap();
    assert_eq!(found, [instance.local_addr().unwrap().to_string()]);
    let nobody = client.discover("nosuch").await.unwrap_err();
    assert_eq!(nobody.message(), "no peer available for nosuch");
}

#[tokio::test]
async fn discover_affine_is_answered_from_what_the_router_holds() {
    let mesh = mesh(3, 1).await;
    let name = name_for(&mesh, &mesh[0], false).await;
    let _instance = service(&mesh[0], &[&name]).await;
    let exit = &exits(&mesh[0], &name).await[0];
    let length = u32::try_from(name.len()).unwrap().to_be_bytes();
    let query = [
        b"\x0c\0\x01\x0b\0\x01",
        &length[..],
        name.as_bytes(),
        b"\0\0",
    ];
    for router in &mesh {
        let asker = Channel::new("test");
        let call = through(router, &asker, "hyperbahn::Hyperbahn::discoverAffine");
        let call = call.arg_scheme("thrift");
        let answer = call.send(&b"\0\0"[..], query.concat()).await.unwrap();
        assert_eq!(
            answer.is_ok(),
            router.address().as_str() == exit,
            "{}",
            router.address()
        );
    }
}

/// An instance that answers with its own address.
async fn named_instance(mesh: &[Node], router: usize) -> Channel {
    let channel = Channel::new("sharded");
    let weak = channel.clone();
    channel.service("sharded").raw("who", move |_| {
        let address = weak.local_addr().unwrap().to_string();
        async move { Ok(Reply::ok("", address)) }
    });
    channel.listen("127.0.0.1:0").await.unwrap();
    let routers = owned(&mesh[router..=router]);
    let advertised = channel.advertise(routers, &["sharded"]).unwrap();
    assert!(advertised.advertised().await);
    channel
}

async fn owner(entry: &Node, key: &str) -> String {
    let caller = Channel::new("web");
    let call = through(entry, &caller, "sharded::who").shard_key(key);
    let answer = call.send("", "").await.unwrap();
    String::from_utf8(answer.arg3.to_vec()).unwrap()
}

#[tokio::test]
async fn a_shard_key_reaches_one_instance_through_every_router_while_it_lives() {
    let mesh = mesh(4, 2).await;
    let mut instances = Vec::new();
    for router in 0..4 {
        instances.push(named_instance(&mesh, router).await);
    }
    eventually("all exits know all instances", || async {
        let body = json!({"serviceName": "sharded"});
        let by_exit = ask(&mesh[0], "connections_v1", body).await;
        let mut exits = by_exit.as_object().unwrap().values();
        exits.all(|exit| {
            exit["instances"]
                .as_object()
                .is_some_and(|all| all.len() == 4)
        })
    })
    .await;
    let keys: Vec<_> = (0..40).map(|n| format!("user-{n}")).collect();
    let mut owners = BTreeMap::new();
    for key in &keys {
        for entry in &mesh {
            let owner = owner(entry, key).await;
            let known = owners.entry(key).or_insert_with(|| owner.clone());
            assert_eq!(*known, owner, "{key} through {}", entry.address());
        }
    }
    let distinct: BTreeSet<_> = owners.values().collect();
    assert_eq!(distinct.len(), 4, "keys are spread over all instances");

    let gone = instances.pop().unwrap();
    let address = gone.local_addr().unwrap().to_string();
    gone.close().await;
    for key in &keys {
        let was = &owners[key];
        let is = owner(&mesh[0], key).await;
        assert!(
            is == *was || *was == address,
            "{key} moved from {was} to {is}"
        );
    }
}

#[tokio::test]
async fn exits_of_a_large_service_share_its_instances_out() {
    let affinity = AffinityConfig {
        from_instances: 10,
        routers_per_instance: 2,
        instances_per_router: 2,
    };
    let mut mesh = Vec::new();
    for _ in 0..4 {
        let config = NodeConfig {
            affinity,
            ..config(10)
        };
        let node = join(&mesh, config).await;
        mesh.push(node);
    }
    settle(&mesh).await;
    let mut instances = Vec::new();
    for n in 0..20 {
        instances.push(named_instance(&mesh, n % 4).await);
    }
    // Who advertised over a connection of its own is called over that one.
    let counts = || async {
        let body = json!({"serviceName": "sharded"});
        let by_exit = ask(&mesh[0], "connections_v1", body).await;
        let mut known = Vec::new();
        let (mut connected, mut dialled): (BTreeMap<String, usize>, usize) = Default::default();
        for exit in by_exit.as_object().unwrap().values() {
            let instances = exit["instances"].as_object().unwrap();
            known.push(instances.len());
            for (address, instance) in instances {
                let [is_in, is_out] =
                    ["in", "out"].map(|way| instance["connected"][way] == json!(true));
                *connected.entry(address.clone()).or_default() += usize::from(is_in || is_out);
                dialled += usize::from(is_out);
            }
        }
        (known, connected, dialled)
    };
    eventually(
        "every instance has two exits connected at least",
        || async {
            let (known, connected, _) = counts().await;
            known == [20; 4] && connected.len() == 20 && connected.values().all(|exits| *exits >= 2)
        },
    )
    .await;
    let (_, _, dialled) = counts().await;
    assert!(dialled < 60, "all to all is 80, their share 40: {dialled}");
    for entry in &mesh {
        for _ in 0..20 {
            let caller = Channel::new("web");
            through(entry, &caller, "sharded::who")
                .send("", "")
                .await
                .unwrap();
        }
    }
}

#[tokio::test]
async fn members_and_services_are_shown_by_any_router() {
    let mesh = mesh(3, 1).await;
    let _instance = service(&mesh[0], &["keyvalue", "other"]).await;
    for router in &mesh {
        let members = ask(router, "members_v1", Value::Null).await;
        let members = members.as_array().unwrap();
        let addresses: Vec<_> = members.iter().map(|member| &member["address"]).collect();
        let mut expected: Vec<_> = mesh
            .iter()
            .map(|node| json!(node.address().as_str()))
            .collect();
        expected.sort_by_key(ToString::to_string);
        assert_eq!(addresses, expected.iter().collect::<Vec<_>>());
        assert!(members.iter().all(|member| member["status"] == "alive"));

        let services = ask(router, "services_v1", Value::Null).await;
        for name in ["keyvalue", "other"] {
            let exit = &exits(router, name).await[0];
            assert_eq!(
                services["services"][name],
                json!({"instances": 1, "exits": {exit: 1}})
            );
        }
        assert_eq!(services["unreachable"], json!({}));
    }
}

#[tokio::test]
async fn a_router_whose_bootstrap_is_dead_is_a_mesh_of_its_own() {
    let config = NodeConfig {
        bootstrap: [nowhere().await].into_iter().collect(),
        ..config(10)
    };
    let node = Node::start(config).await.unwrap();
    let _instance = service(&node, &["keyvalue"]).await;
    assert_eq!(exits(&node, "keyvalue").await, [node.address().to_string()]);
}
