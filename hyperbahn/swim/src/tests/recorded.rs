//! What deployed members computed and sent.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Solo;
use crate::checksum::{Flavour, Line, checksum, detect};
use crate::members::Members;
use crate::status::Standing;
use crate::{Answer, Endpoint, Labels, Outcome, Status, dissemination};

fn vectors(kind: &str) -> Vec<Value> {
    entries(
        include_str!("../../../../spec/vectors/membership.json"),
        kind,
    )
}

fn entries(file: &str, kind: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(file).expect("JSON");
    let vectors = file[kind].as_array().expect("a list");
    assert!(!vectors.is_empty());
    vectors.clone()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

fn labels(value: &Value) -> Labels {
    let labels = value.as_object().into_iter().flatten();
    labels
        .map(|(key, value)| (key.as_str(), text(value)))
        .collect()
}

fn standing(member: &Value) -> Standing {
    let status = Status::from_word(text(&member["status"])).expect("a status");
    let incarnation = member["incarnationNumber"].as_u64().expect("a number");
    Standing::new(incarnation, status).expect("a real incarnation")
}

fn flavour(vector: &Value) -> Flavour {
    match text(&vector["producer"]) {
        "go" => Flavour::Go,
        _ => Flavour::Node,
    }
}

#[test]
fn every_recorded_list_has_its_checksum() {
    for vector in vectors("vectors") {
        let mut members = Members::new(flavour(&vector));
        for member in vector["members"].as_array().expect("a list") {
            let address: Arc<str> = Arc::from(text(&member["address"]));
            let labels = Arc::new(labels(&member["labels"]));
            let place = members.find(&address, 0);
            members.set(place, &address, standing(member), Some(labels));
        }
        assert_eq!(members.checksum(), vector["checksum"], "{}", vector["name"]);
    }
}

#[test]
fn lists_of_one_to_a_thousand_members_have_their_checksums() {
    let sizes = include_str!("../../../../spec/vectors/sizes.json");
    let (mut go, mut node) = (Members::new(Flavour::Go), Members::new(Flavour::Node));
    let mut count = 0;
    for entry in entries(sizes, "vectors") {
        for members in [&mut go, &mut node] {
            add_numbered(members, count);
        }
        count += 1;
        assert_eq!(entry["size"], count);
        assert_eq!(go.checksum(), entry["members"]["go"], "{count}");
        assert_eq!(node.checksum(), entry["members"]["node"], "{count}");
    }
    assert_eq!(count, 1000);
}

/// Adds this one of the members of `sizes.json`.
fn add_numbered(members: &mut Members, i: usize) {
    let port = ["2100", "21000", "21001", "3000"][i % 4];
    let (hundred, quarter) = (i / 100 % 10, i / 4 % 25);
    let address = Arc::from(format!("10.{}.{hundred}.{quarter}:{port}", i / 1000));
    let incarnation = 1_700_000_000_000 + (i * i) as u64;
    let standing = Standing::new(incarnation, Status::ALL[i % 5]).expect("a real incarnation");
    let zone = || Arc::new(Labels::from_iter([("zone", (i % 3).to_string())]));
    let place = members.find(&address, 0);
    members.set(place, &address, standing, i.is_multiple_of(7).then(zone));
}

#[test]
fn the_flavour_of_every_recorded_list_is_told() {
    for vector in vectors("vectors") {
        let list = vector["members"].as_array().expect("a list");
        let mut lines: Vec<Line<'_>> = list
            .iter()
            .map(|member| Line {
                address: text(&member["address"]),
                standing: standing(member),
                label_checksum: labels(&member["labels"]).checksum(),
            })
            .collect();
        let sum = vector["checksum"].as_u64().expect("a number") as u32;
        let both_agree = lines.is_empty();
        let told = detect(&mut lines, sum);
        assert!(
            told == Some(flavour(&vector)) || both_agree,
            "{}",
            vector["name"]
        );
        assert_eq!(checksum(flavour(&vector), lines.into_iter()), sum);
    }
}

#[test]
fn every_recorded_set_of_labels_has_its_checksum() {
    for vector in vectors("labels") {
        let checksum = labels(&vector["labels"]).checksum();
        assert_eq!(checksum, vector["checksum"], "{}", vector["name"]);
    }
}

#[test]
fn a_change_goes_out_as_often_as_recorded() {
    for vector in vectors("limits") {
        let others = vector["others"].as_u64().expect("a number") as usize;
        assert_eq!(
            dissemination::limit(15, others),
            vector["limit"],
            "{others}"
        );
    }
}

fn body(name: &str) -> Vec<u8> {
    let bodies = vectors("bodies");
    let body = bodies.iter().find(|body| body["name"] == name);
    let body = body.unwrap_or_else(|| panic!("no body {name:?}"));
    text(&body["arg3"]).as_bytes().to_vec()
}

#[test]
fn recorded_requests_are_answered_and_believed() {
    for producer in ["go", "node"] {
        let mut solo = Solo::with(&["a:1"]);
        for (endpoint, request) in [(Endpoint::Join, "join"), (Endpoint::Ping, "ping")] {
            let body = body(&format!("{producer} {request} request"));
            let answer = solo.node.handle_request(solo.now, endpoint, &body);
            assert!(
                matches!(answer, Answer::Now(response) if response.ok),
                "{producer} {request}"
            );
        }
        assert!(solo.knows("127.0.0.1:21713").starts_with("alive@17953067"));
    }
}

#[test]
fn recorded_answers_to_a_join_let_us_in() {
    for (producer, flavour) in [("go", Flavour::Go), ("node", Flavour::Node)] {
        let mut solo = Solo::outside(|_| {});
        solo.node.join(solo.now, ["127.0.0.1:21711"]);
        let request = solo.node.poll_request().expect("a join");
        let body = body(&format!("{producer} join response"));
        solo.node
            .handle_response(solo.now, request.id, Outcome::Answered(&body));
        assert!(solo.node.is_member());
        // The Go member was alone and said 0, which tells nothing: the default is Go's.
        assert_eq!(solo.node.flavour(), flavour);
        assert!(solo.knows("127.0.0.1:21711").starts_with("alive@17953067"));
    }
}

#[test]
fn recorded_answers_to_a_ping_are_believed() {
    for producer in ["go", "node"] {
        let mut solo = Solo::with(&["a:1"]);
        solo.node
            .handle_request(solo.now, Endpoint::GossipTick, b"");
        let request = solo.node.poll_request().expect("a ping");
        let body = body(&format!("{producer} ping response"));
        solo.node
            .handle_response(solo.now, request.id, Outcome::Answered(&body));
        assert!(
            solo.knows("127.0.0.1:21713").starts_with("alive@17953067"),
            "{producer}"
        );
    }
}

#[test]
fn our_bodies_have_the_fields_of_theirs() {
    let mut solo = Solo::with(&["a:1"]);
    solo.run(super::SECOND);
    let keys = |body: &Value| -> Vec<String> {
        body.as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect()
    };
    let recorded = |name: &str| -> Value { serde_json::from_slice(&body(name)).expect("JSON") };
    let join = solo.sent_to("/protocol/join")[0].body.clone();
    assert_eq!(keys(&join), keys(&recorded("node join request")));
    let ping = solo.sent_to("/protocol/ping")[0].body.clone();
    assert_eq!(keys(&ping), keys(&recorded("go ping request")));
    let answer = solo.ask(Endpoint::Join, json!({"app": "ringpop", "source": "z:1"}));
    assert_eq!(keys(&answer), keys(&recorded("node join response")));
}
