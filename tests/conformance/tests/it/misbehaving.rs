//! Source: spec/vectors/README.md, "misbehaving servers". Our call ends as it must, whatever the server does.

use std::time::Duration;

use serde_json::{Value, json};

use crate::peer::Peer;
use crate::value;
use crate::vectors::{Vectors, text};

/// The id of the client's call in the recordings.
const RECORDED_ID: u32 = 2;

#[test]
fn every_recorded_misbehaviour_ends_our_call_as_it_must() {
    let vectors = Vectors::load("misbehaving-servers");
    let wrong: Vec<String> = vectors
        .all()
        .iter()
        .filter_map(|case| complaint(&vectors, case))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn complaint(vectors: &Vectors, case: &Value) -> Option<String> {
    let (peer, reply) = play(vectors, case);
    let ours = &case["ours"];
    let got = json!({"call": peer.ended_as(), "reply": reply, "connection": peer.state()});
    let keys = ["call", "reply", "connection"];
    let wrong = keys.iter().any(|key| got[key] != ours[key]);
    wrong.then(|| format!("{}: got {got}, expected {ours}", text(&case["name"])))
}

/// The connecting end after all of `case`, and what it sent besides init req and call req.
fn play(vectors: &Vectors, case: &Value) -> (Peer, Vec<String>) {
    let mut peer = Peer::connecting();
    let mut id = None;
    if case["at"] == "call" {
        peer.receive(&vectors.bytes(&json!("@init res")));
        id = Some(peer.call().expect("an open connection").id().0);
    }
    for item in case["server"].as_array().expect("a list of frames") {
        match text(item) {
            "@close" => peer.disconnect(),
            "@reply" => assert!(peer.sent().len() > 2, "the client has answered"),
            _ => peer.receive(&renumbered(vectors.bytes(item), id)),
        }
    }
    if case["at"] == "handshake" && peer.connection.is_open() {
        id = Some(peer.call().expect("an open connection").id().0);
        peer.receive(&renumbered(vectors.bytes(&json!("@answer")), id));
    }
    let wait_ms = case.get("wait_ms");
    let wait_ms = wait_ms.map_or(0, |ms| ms.as_u64().expect("ms"));
    peer.wait(Duration::from_millis(wait_ms));

    let own = ["init req", "call req"];
    let reply = peer.sent_short();
    let reply = reply
        .iter()
        .filter(|sent| !own.iter().any(|own| sent.starts_with(own)));
    let reply = reply.map(|sent| recorded(sent, id)).collect();
    (peer, reply)
}

/// `bytes` with the id of our call where the recording has that of its own.
fn renumbered(bytes: Vec<u8>, id: Option<u32>) -> Vec<u8> {
    let mut frame = value::frame(&bytes);
    if let Some(id) = id
        && frame.id().0 == RECORDED_ID
    {
        frame.set_id(tchannel_proto::MessageId(id));
    }
    frame.as_bytes().to_vec()
}

/// The other way round, in what was sent.
fn recorded(sent: &str, id: Option<u32>) -> String {
    match id {
        Some(id) => sent.replace(&id.to_string(), &RECORDED_ID.to_string()),
        None => sent.to_owned(),
    }
}
