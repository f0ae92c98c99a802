//! What a deployed router was asked over a socket is asked of ours, and answered as recorded where
//! ours does not differ on purpose. Source: spec/hyperbahn/api.md, "Endpoints of a router".

use bytes::Bytes;
use serde_json::Value;
use tchannel_proto::Frame;
use tchannel_proto::message::{ErrorFrame, Message};

use super::router;
use super::wire::Wire;

/// The recordings, in the spec's own format.
const VECTORS: &str = include_str!("../../../spec/vectors/hyperbahn.json");
/// Where the recorded service process listened.
const INSTANCE: &str = "127.0.0.1:21399";

fn vectors(kind: &str) -> Vec<Value> {
    let mut vectors: Value = serde_json::from_str(VECTORS).unwrap();
    match vectors[kind].take() {
        Value::Array(entries) => entries,
        other => panic!("{kind} is {other}"),
    }
}

fn hex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap().as_bytes();
    let (pairs, []) = digits.as_chunks::<2>() else {
        panic!("odd number of digits");
    };
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    pairs.iter().map(|pair| byte(pair)).collect()
}

/// Asks what the recorded exchange of that name asks, and wants code and args of its answer.
async fn replay(wire: &mut Wire, name: &str) {
    let entries = vectors("exchanges");
    let exchange = entries.iter().find(|entry| entry["name"] == name).unwrap();
    wire.send_bytes(&hex(&exchange["request"]["hex"])).await;
    let (id, answer) = wire.receive().await;
    let recorded = Frame::from_bytes(hex(&exchange["response"]["hex"])[..].into()).unwrap();
    assert_eq!(id, recorded.id().0, "{name}");
    match (answer, Message::decode(recorded).unwrap()) {
        (Message::CallRes(ours), Message::CallRes(theirs)) => {
            assert_eq!(ours.code, theirs.code, "{name}");
            assert_eq!(ours.tracing, theirs.tracing, "{name}");
            assert_eq!(ours.headers, theirs.headers, "{name}");
            assert_eq!(
                texts(ours.chunks.iter()),
                texts(theirs.chunks.iter()),
                "{name}"
            );
        }
        other => panic!("{name}: {other:?}"),
    }
}

fn texts(chunks: impl Iterator<Item = Bytes>) -> Vec<String> {
    chunks
        .map(|chunk| chunk.escape_ascii().to_string())
        .collect()
}

#[tokio::test]
async fn a_recorded_client_advertises_discovers_and_withdraws() {
    let router = router().await;
    let mut wire = Wire::connect(router.address().as_str(), INSTANCE).await;
    for name in [
        "discover_no_peers",
        "ad",
        "discover_at_exit_node",
        "unad",
        "relay_ad",
        "discover_affine_hop",
        "discover_at_forward_node",
        "relay_unad",
        "discover_empty_name",
        "health_v1",
        "hosts_v1_bad_name",
    ] {
        replay(&mut wire, name).await;
    }
}

#[tokio::test]
async fn a_router_names_itself_as_the_host_of_every_service() {
    let router = router().await;
    let caller = tchannel_rt::Channel::new("tester");
    let question = serde_json::json!({"serviceName": "keyvalue"});
    let hosts = super::through(&router, &caller, "autobahn::hosts_v1")
        .json(&question)
        .await;
    let hosts: Vec<String> = hosts.unwrap().decode().unwrap();
    assert_eq!(hosts, [router.address().as_str()]);
}

#[tokio::test]
async fn connections_tell_who_introduced_itself_how() {
    let router = router().await;
    let process = super::service(&router, &["keyvalue"]).await;
    let caller = tchannel_rt::Channel::new("tester");
    let question = serde_json::json!({"serviceName": "keyvalue"});
    let answer = super::through(&router, &caller, "autobahn::connections_v1")
        .json(&question)
        .await;
    let answer: Value = answer.unwrap().decode().unwrap();
    let address = process.local_addr().unwrap().to_string();
    let instance = &answer[router.address().as_str()]["instances"][&address];
    assert_eq!(instance["connected"]["in"], true, "{answer}");
    assert_eq!(instance["initHeaders"]["in"]["hostPort"], address);
    assert_eq!(instance["initHeaders"]["in"]["tchannelLanguage"], "rust");
    assert_eq!(instance["serviceNames"], serde_json::json!(["keyvalue"]));
}

#[tokio::test]
async fn odd_input_gets_the_answer_that_the_spec_chose() {
    for probe in vectors("probes") {
        let router = router().await;
        let mut wire = Wire::connect(router.address().as_str(), INSTANCE).await;
        wire.send_bytes(&hex(&probe["send"])).await;
        for expected in probe["ours"]["reply"].as_array().unwrap() {
            let (id, reply) = wire.receive().await;
            assert_eq!(
                &summary(id, &reply),
                expected,
                "{}: {reply:?}",
                probe["name"]
            );
            same_words(&probe, &reply);
        }
        assert_eq!(probe["ours"]["connection"], "open", "{}", probe["name"]);
        wire.ping(90).await;
    }
}

/// `error 0x06 id 2` and the like, as the vectors write them.
fn summary(id: u32, message: &Message) -> String {
    match message {
        Message::Error(error) => format!("error {:#04x} id {id}", error.code),
        Message::PingRes => format!("ping res id {id}"),
        Message::CallRes(response) => {
            let code = match response.code.0 {
                0 => "ok".to_owned(),
                code => format!("code {code}"),
            };
            let checksum = format!("{:?}", response.checksum.checksum_type).to_lowercase();
            format!("call res id {id} {code} {checksum}")
        }
        other => format!("{other:?} id {id}"),
    }
}

/// Where the recorded router refused with the same code, our message begins with its words.
fn same_words(probe: &Value, reply: &Message) {
    let recorded = &probe["hyperbahn"]["replies"][0]["value"];
    if let Message::Error(ErrorFrame { code, message, .. }) = reply
        && recorded["code"] == *code
    {
        let theirs = recorded["message"].as_str().unwrap();
        assert!(
            message.starts_with(theirs),
            "{message:?} is not {theirs:?} and more"
        );
    }
}
