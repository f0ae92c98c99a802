//! Source: spec/hyperbahn/api.md, "Endpoints of a router": what recorded routers were asked, sent over a socket
//! to a router of ours.

use hyperbahn::config::NodeConfig;
use hyperbahn::node::Node;
use serde_json::{Value, json};

use crate::peer::short;
use crate::vectors::{Vectors, hex, text};
use crate::wire::Wire;

/// A router alone, and a connection to it that has announced 127.0.0.1:21399.
async fn asked() -> (Node, Wire) {
    let mut config = NodeConfig::default();
    config.listen = "127.0.0.1:0".to_owned();
    let node = Node::start(config).await.expect("a free port");
    let addr = node.address().as_str().parse().expect("an address");
    let mut wire = Wire::connect(addr).await;
    wire.send(&hex(&exchange("init_req_listening_client")["frame"]["hex"]))
        .await;
    wire.read(1).await;
    (node, wire)
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
