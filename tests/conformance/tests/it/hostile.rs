//! Source: spec/vectors/README.md, "hostile input". Every recorded oddity gets the answer that is ours.

use std::time::Duration;

use serde_json::{Value, json};

use crate::peer::Peer;
use crate::vectors::{Vectors, text};

#[test]
fn every_recorded_oddity_gets_our_answer() {
    let vectors = Vectors::load("hostile");
    let wrong: Vec<String> = vectors
        .all()
        .iter()
        .filter_map(|probe| complaint(&vectors, probe))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn complaint(vectors: &Vectors, probe: &Value) -> Option<String> {
    let peer = play(vectors, probe);
    let ours = (&probe["ours"]["reply"], &probe["ours"]["connection"]);
    let got = (&json!(peer.sent_short()), &json!(peer.state()));
    (got != ours).then(|| {
        let name = text(&probe["name"]);
        format!(
            "{name}: got {} {}, expected {} {}",
            got.0, got.1, ours.0, ours.1
        )
    })
}

/// The accepting end after all of `probe`.
pub(crate) fn play(vectors: &Vectors, probe: &Value) -> Peer {
    let mut peer = Peer::accepting();
    for item in probe["send"].as_array().expect("a list of frames") {
        match text(item) {
            "@drain" => peer.drain(),
            // Here everything is answered as soon as it can be.
            "@answered" => {}
            _ => peer.receive(&vectors.bytes(item)),
        }
    }
    let wait_ms = probe
        .get("wait_ms")
        .map_or(0, |ms| ms.as_u64().expect("ms"));
    peer.wait(Duration::from_millis(wait_ms));
    peer
}
