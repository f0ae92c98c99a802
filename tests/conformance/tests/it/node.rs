//! Source: spec/hyperbahn/api.md, "Endpoints of a router"; spec/hyperbahn/routing.md, "answers": what recorded routers were asked, sent over a socket
//! to a router of ours; and calls that it passes on.

use hyperbahn::config::NodeConfig;
use hyperbahn::node::Node;
use serde_json::{Value, json};
use tchannel_proto::Frame;
use tokio::net::TcpListener;

use crate::call::{chunks, frame};
use crate::peer::short;
use crate::value;
use crate::vectors::{Vectors, hex, number, text};
use crate::wire::{Server, Wire};

/// A router alone, and a connection to it that has announced 127.0.0.1:21399.
async fn asked() -> (Node, Wire) {
    let config = NodeConfig {
        listen: "127.0.0.1:0".to_owned(),
        ..NodeConfig::default()
    };
    let node = Node::start(config).await.expect("a free port");
    let init_req = exchange("init_req_listening_client");
    let wire = connect(&node, &hex(&init_req["frame"]["hex"])).await;
    (node, wire)
}

async fn connect(node: &Node, init_req: &[u8]) -> Wire {
    let addr = node.address().as_str().parse().expect("an address");
    let mut wire = Wire::connect(addr).await;
    wire.send(init_req).await;
    wire.read(1).await;
    wire
}

fn exchange(name: &str) -> Value {
    let vectors = Vectors::load("hyperbahn");
    let found = vectors.list("exchanges").iter().find(|x| x["name"] == name);
    found
        .unwrap_or_else(|| panic!("no exchange {name}"))
        .clone()
}

/// `ours` with the answer to the handshake before it.
fn after_init(ours: &Value) -> Value {
    let mut reply = vec![json!("init res id 1")];
    reply.extend(ours["reply"].as_array().expect("replies").iter().cloned());
    json!({"reply": reply, "connection": ours["connection"]})
}

#[tokio::test]
async fn a_router_answers_every_recorded_oddity_as_we_say() {
    let mut wrong = Vec::new();
    for probe in Vectors::load("hyperbahn").list("probes") {
        let expected = after_init(&probe["ours"]);
        let (_node, mut wire) = asked().await;
        let mut replies = 1;
        for name in probe["after"].as_array().into_iter().flatten() {
            replies += 1;
            wire.send(&hex(&exchange(text(name))["request"]["hex"]))
                .await;
            wire.read(replies).await;
        }
        wire.forget(replies - 1);
        wire.send(&hex(&probe["send"])).await;
        let got = wire.finish(&expected).await;
        if got != expected {
            wrong.push(format!(
                "{}: got {got}, expected {expected}",
                text(&probe["name"])
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn recorded_clients_advertise_discover_and_withdraw() {
    let names = [
        "discover_no_peers",
        "ad",
        "discover_at_exit_node",
        "hosts_v1",
        "health_v1",
        "unad",
        "relay_ad",
        "discover_affine_hop",
        "relay_unad",
    ];
    let (_node, mut wire) = asked().await;
    let mut replies = vec!["init res id 1".to_owned()];
    for name in names {
        let exchange = exchange(name);
        wire.send(&hex(&exchange["request"]["hex"])).await;
        replies.push(short(&hex(&exchange["response"]["hex"])));
        // A client waits for the one answer before it asks for the next.
        wire.read(replies.len()).await;
    }
    let expected = json!({"reply": replies, "connection": "open"});
    assert_eq!(wire.finish(&expected).await, expected);
}

/// A router, a caller, and an instance of `svc` that the router has been told of.
struct Mesh {
    _node: Node,
    caller: Wire,
    instance: TcpListener,
}

impl Mesh {
    async fn new() -> Self {
        let instance = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let (node, mut router) = asked().await;
        let at = instance.local_addr().expect("an address");
        let body = json!({"services": [{"serviceName": "svc", "hostPort": at.to_string()}]});
        let mut relay_ad = chunks(["relay-ad", "null", &body.to_string()]);
        relay_ad["service"] = json!("hyperbahn");
        relay_ad["headers"] = json!([["as", "json"], ["cn", "svc"]]);
        router.send(&frame("call req", 2, relay_ad)).await;
        router.read(2).await;
        let init_req = Vectors::load("hostile").bytes(&json!("@init"));
        Self {
            caller: connect(&node, &init_req).await,
            _node: node,
            instance,
        }
    }

    /// Sends a call with this ttl, and gives the instance and what it is sent.
    async fn call(&mut self, ttl_ms: u32) -> (Server, Frame) {
        self.caller.send(&echo(ttl_ms)).await;
        let mut instance = Server::accept(&self.instance).await;
        instance.read().await.expect("init req");
        let init_res = Vectors::load("misbehaving-servers").bytes(&json!("@init res"));
        instance.write(&init_res, None).await;
        let call = instance.read().await.expect("call req");
        (instance, call)
    }

    /// What the caller has got, the answer to the handshake apart.
    async fn finish(self, expected: &[&str]) {
        let expected = after_init(&json!({"reply": expected, "connection": "open"}));
        assert_eq!(self.caller.finish(&expected).await, expected);
    }
}

/// A call of `svc` under id 5.
fn echo(ttl_ms: u32) -> Vec<u8> {
    let mut call = chunks(["echo", "h", "body"]);
    call["ttl_ms"] = json!(ttl_ms);
    frame("call req", 5, call)
}

#[tokio::test]
async fn a_call_goes_out_with_less_ttl_and_never_more_than_two_minutes() {
    for (ttl_ms, most) in [(5_000, 5_000), (600_000, 120_000), (u32::MAX, 120_000)] {
        let mut mesh = Mesh::new().await;
        let (mut instance, mut passed) = mesh.call(ttl_ms).await;
        let left = number(&value::read(passed.as_bytes())["ttl_ms"]);
        assert!((1..=most).contains(&left), "{left} of {ttl_ms}");

        let answer = Vectors::load("misbehaving-servers").bytes(&json!("@answer"));
        instance.write(&answer, Some(passed.id())).await;
        mesh.finish(&["call res id 5 ok crc-32"]).await;

        passed.set_id(tchannel_proto::MessageId(5));
        assert_eq!(
            value::read(passed.as_bytes())["chunks"],
            value::read(&echo(1))["chunks"]
        );
    }
}

#[tokio::test]
async fn a_call_whose_deadline_passes_at_the_instance_times_out() {
    let mut mesh = Mesh::new().await;
    let _silent = mesh.call(1_000).await;
    mesh.finish(&["error 0x01 id 5"]).await;
}

#[tokio::test]
async fn a_call_on_a_connection_that_is_lost_gets_network_error() {
    let mut mesh = Mesh::new().await;
    let (instance, _) = mesh.call(60_000).await;
    drop(instance);
    mesh.finish(&["error 0x07 id 5"]).await;
}

#[tokio::test]
async fn an_instance_that_cannot_be_reached_gives_network_error() {
    let mut mesh = Mesh::new().await;
    let (instance, _) = mesh.call(60_000).await;
    // Nobody listens there any more.
    let Mesh {
        _node,
        mut caller,
        instance: listener,
    } = mesh;
    drop((instance, listener));
    caller.read(2).await;
    caller.forget(1);
    caller.send(&echo(60_000)).await;
    let expected = json!({"reply": ["init res id 1", "error 0x07 id 5"], "connection": "open"});
    assert_eq!(caller.finish(&expected).await, expected);
}

#[tokio::test]
async fn the_calls_of_a_caller_that_is_gone_are_cancelled_at_the_instance() {
    let mut mesh = Mesh::new().await;
    let (mut instance, call) = mesh.call(60_000).await;
    drop(mesh.caller);
    let cancel = instance.read().await.expect("a cancel");
    let cancel = value::read(cancel.as_bytes());
    assert_eq!(
        (&cancel["type"], &cancel["id"]),
        (&json!("cancel"), &json!(call.id().0))
    );
}
