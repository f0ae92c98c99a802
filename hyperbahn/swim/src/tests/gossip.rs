//! What rides on pings, and what happens when lists differ.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Cluster, SECOND, Solo, change};
use crate::{Answer, Endpoint, Limits, Status};

fn addresses(body: &Value) -> Vec<&str> {
    let changes = body["changes"].as_array().expect("changes");
    changes
        .iter()
        .filter_map(|change| change["address"].as_str())
        .collect()
}

/// Answers pings until nothing is left to tell.
fn drain(solo: &mut Solo) {
    for _ in 0..30 {
        solo.ping("b:1", json!([]));
    }
    assert!(!solo.node.has_news());
}

#[test]
fn after_joining_a_node_tells_only_of_itself() {
    let mut solo = Solo::with(&["a:1", "b:1", "c:1"]);
    solo.run(SECOND);
    let first = solo.sent_to("/protocol/ping")[0];
    assert_eq!(addresses(&first.body), ["me:1"]);
    assert_eq!(first.body["app"], "ringpop");
}

#[test]
fn a_change_is_passed_on_as_it_came() {
    let mut solo = Solo::with(&["a:1", "b:1", "c:1"]);
    drain(&mut solo);
    let mut said = change("b:1", "suspect", 1337);
    said["source"] = json!("c:1");
    said["sourceIncarnationNumber"] = json!(9);
    solo.ping("a:1", json!([said]));
    let answer = solo.ping("a:1", json!([]));
    assert_eq!(answer["changes"], json!([said]));
}

#[test]
fn an_answer_does_not_repeat_the_caller() {
    let mut solo = Solo::with(&["a:1", "b:1", "c:1"]);
    drain(&mut solo);
    solo.ping("a:1", json!([change("b:1", "suspect", 1337)]));
    assert_eq!(addresses(&solo.ping("a:1", json!([]))), Vec::<&str>::new());
    assert_eq!(addresses(&solo.ping("c:1", json!([]))), ["b:1"]);
}

#[test]
fn what_is_known_is_not_passed_on() {
    let mut solo = Solo::with(&["a:1", "b:1", "c:1"]);
    drain(&mut solo);
    solo.ping("a:1", json!([change("b:1", "alive", 1337)]));
    assert!(!solo.node.has_news());
}

#[test]
fn a_different_checksum_is_answered_with_everything_and_a_question() {
    let mut solo = Solo::with(&["a:1", "b:1"]);
    drain(&mut solo);
    solo.sent.clear();
    let answer = solo.ping_saying("a:1", json!([]), 7);
    assert_eq!(addresses(&answer), ["a:1", "b:1", "me:1"]);
    solo.run(Duration::ZERO);
    let joins = solo.sent_to("/protocol/join");
    assert_eq!((joins.len(), &*joins[0].to), (1, "a:1"));
}

#[test]
fn at_most_five_questions_are_open() {
    let mut solo = Solo::with(&["a:1", "b:1"]);
    drain(&mut solo);
    for _ in 0..12 {
        solo.ping_saying("a:1", json!([]), 7);
    }
    solo.run(Duration::ZERO);
    assert_eq!(solo.sent_to("/protocol/join").len() - 2, 5);
}

#[test]
fn while_there_is_news_a_different_checksum_is_no_wonder() {
    let mut solo = Solo::with(&["a:1", "b:1"]);
    let answer = solo.ping_saying("a:1", json!([]), 7);
    assert_eq!(addresses(&answer), ["me:1"]);
}

#[test]
fn a_ping_without_a_body_is_answered() {
    let mut solo = Solo::with(&["a:1"]);
    for body in [
        &b""[..],
        b"null\n",
        b"{}",
        br#"{"changes":null,"checksum":null}"#,
    ] {
        let answer = solo.node.handle_request(solo.now, Endpoint::Ping, body);
        assert!(matches!(answer, Answer::Now(response) if response.ok));
    }
}

#[test]
fn another_app_and_a_broken_body_are_refused() {
    let mut solo = Solo::with(&["a:1"]);
    for body in [
        json!({"app": "other"}),
        json!("what"),
        json!({"changes": 7}),
    ] {
        let answer = solo.request(Endpoint::Ping, body.clone());
        assert!(
            matches!(answer, Answer::Now(response) if !response.ok),
            "{body}"
        );
    }
    solo.ask(Endpoint::Ping, json!({"app": ""}));
}

#[test]
fn limits_hold() {
    let mut solo = Solo::configured(&["a:1"], |config| {
        config.limits = Limits {
            members: 4,
            address_bytes: 8,
            labels: 1,
            ..Limits::default()
        };
    });
    let mut labelled = change("l:1", "alive", 1);
    labelled["labels"] = json!({"a": "b", "c": "d"});
    solo.ping(
        "a:1",
        json!([labelled, change("far.too.long:1", "alive", 1)]),
    );
    assert_eq!(solo.node.members().count(), 2);
    let many: Vec<Value> = (0..100)
        .map(|at| change(&format!("x:{at}"), "alive", 1))
        .collect();
    solo.ping("a:1", json!(many));
    assert_eq!(solo.node.members().count(), 4);
}

#[test]
fn news_reaches_everybody() {
    let mut cluster = Cluster::settled(12);
    let now = cluster.now;
    cluster.nodes[3].set_label(now, "zone", Some("b"));
    cluster.run(3 * SECOND);
    cluster.assert_agreed(12);
    for node in &cluster.nodes {
        let labels = node
            .member("n:3")
            .expect("a member")
            .labels
            .expect("labels");
        assert_eq!(labels.get("zone"), Some("b"));
    }
}

#[test]
fn lists_that_differ_for_no_known_reason_become_one() {
    let mut cluster = Cluster::settled(6);
    cluster.run(60 * SECOND);
    // Known to one, and too old to be passed on.
    let now = cluster.now;
    let list = r#"{"changes":[{"address":"n:5","status":"leave","incarnationNumber":1001000}]}"#;
    cluster.nodes[0].handle_request(now, Endpoint::Ping, list.as_bytes());
    while cluster.nodes[0].has_news() {
        cluster.nodes[0].handle_request(now, Endpoint::Ping, b"");
    }
    cluster.run(5 * SECOND);
    cluster.assert_agreed(6);
    assert!(cluster.nodes[5].count(Status::Alive) == 6, "it has refuted");
}
