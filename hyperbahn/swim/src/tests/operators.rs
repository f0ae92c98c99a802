//! Endpoints of the tools, leaving, and stats.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Cluster, SECOND, Solo, change, json_of};
use crate::{Answer, Endpoint, Event, Outcome, Status, Surroundings};

fn text(solo: &mut Solo, endpoint: Endpoint) -> String {
    match solo.request(endpoint, Value::Null) {
        Answer::Now(response) => String::from_utf8_lossy(&response.body).into_owned(),
        later => panic!("{later:?}"),
    }
}

#[test]
fn bodies_are_those_that_tools_expect() {
    let mut solo = Solo::with(&["a:1"]);
    solo.ping("a:1", json!([change("b:1", "faulty", 7)]));
    for (endpoint, body) in [
        (Endpoint::Health, "ok"),
        (Endpoint::GossipStop, "{}"),
        (Endpoint::GossipStatus, r#"{"status":"stopped"}"#),
        (Endpoint::GossipStart, "{}"),
        (Endpoint::GossipStatus, r#"{"status":"started"}"#),
        (Endpoint::GossipToggle, "{}"),
        (Endpoint::GossipStatus, r#"{"status":"stopped"}"#),
        (Endpoint::Leave, r#"{"status":"ok"}"#),
        (Endpoint::Rejoin, r#"{"status":"rejoined"}"#),
        (Endpoint::Reap, r#"{"reaped":1,"status":"ok"}"#),
        (Endpoint::DampReq, r#"{"scores":[]}"#),
        (Endpoint::Debug, "ok"),
    ] {
        assert_eq!(text(&mut solo, endpoint), body, "{endpoint:?}");
    }
    assert_eq!(solo.knows("b:1"), "tombstone@7");
}

#[test]
fn a_stopped_node_pings_nobody_until_a_tick_and_then_once() {
    let mut solo = Solo::with(&["a:1", "b:1"]);
    solo.run(SECOND);
    text(&mut solo, Endpoint::GossipStop);
    solo.sent.clear();
    solo.run(5 * SECOND);
    assert_eq!(solo.sent.len(), 0);
    let Answer::Later(id) = solo.request(Endpoint::GossipTick, Value::Null) else {
        panic!("a tick takes a ping")
    };
    solo.run(5 * SECOND);
    assert_eq!(solo.sent.len(), 1);
    let (answered, response) = solo.node.poll_response().expect("the tick is over");
    assert_eq!(answered, id);
    assert_eq!(
        json_of(&response),
        json!({"checksum": solo.node.checksum()})
    );
}

#[test]
fn stopping_ends_a_ping_that_waits() {
    let mut solo = Solo::with(&["a:1", "b:1"]);
    for other in ["a:1", "b:1"] {
        solo.silent.insert(other.to_owned(), Outcome::Lost);
    }
    solo.run(300 * super::MS);
    text(&mut solo, Endpoint::GossipStop);
    solo.sent.clear();
    solo.run(10 * SECOND);
    assert_eq!(solo.sent.len(), 0);
}

#[test]
fn leaving_and_coming_back_are_told_in_a_new_life() {
    let mut solo = Solo::with(&["a:1", "b:1"]);
    solo.run(10 * SECOND);
    let mut last = 1_000_000;
    for (endpoint, status) in [(Endpoint::Leave, "leave"), (Endpoint::Rejoin, "alive")] {
        solo.ask(endpoint, Value::Null);
        let answer = solo.ping("a:1", json!([]));
        let changes = answer["changes"].as_array().expect("changes");
        assert_eq!(changes.len(), 1);
        assert_eq!(
            (&changes[0]["address"], &changes[0]["status"]),
            (&json!("me:1"), &json!(status))
        );
        let incarnation = changes[0]["incarnationNumber"].as_u64().expect("a number");
        assert!(incarnation > last);
        last = incarnation;
    }
}

#[test]
fn one_that_left_refutes_as_one_that_left() {
    let mut solo = Solo::with(&["a:1"]);
    solo.ask(Endpoint::Leave, Value::Null);
    solo.ping("a:1", json!([change("me:1", "alive", 2_000_000)]));
    assert_eq!(solo.knows("me:1"), "leave@2000001");
}

#[test]
fn eviction_tells_two_in_five_once_each() {
    let others = ["a:1", "b:1", "c:1", "d:1", "e:1", "f:1"];
    let mut solo = Solo::with(&others);
    solo.run(10 * SECOND);
    solo.sent.clear();
    solo.node.evict(solo.now);
    solo.run(Duration::ZERO);
    let pings = solo.sent_to("/protocol/ping");
    assert_eq!(pings.len(), 3);
    for ping in pings {
        let changes = &ping.body["changes"];
        assert_eq!(changes.as_array().map(Vec::len), Some(1));
        assert_eq!(
            (&changes[0]["source"], &changes[0]["status"]),
            (&json!("me:1"), &json!("faulty"))
        );
    }
    assert!(solo.events.contains(&Event::Evicted));
}

#[test]
fn eviction_ends_even_if_nobody_answers() {
    let mut solo = Solo::with(&["a:1"]);
    solo.silent.insert("a:1".to_owned(), Outcome::Lost);
    solo.node.evict(solo.now);
    solo.run(1600 * super::MS);
    assert!(solo.events.contains(&Event::Evicted));
}

#[test]
fn after_an_eviction_nobody_needs_to_find_out() {
    let mut cluster = Cluster::settled(10);
    let now = cluster.now;
    cluster.nodes[4].evict(now);
    cluster.run(SECOND);
    for at in (0..10).filter(|at| *at != 4) {
        assert_eq!(
            cluster.nodes[at].count(Status::Alive),
            9,
            "{:#?}",
            cluster.views()
        );
        assert_eq!(cluster.told(at, Status::Suspect), 0);
    }
}

#[test]
fn who_left_says_so_to_whoever_pings() {
    let mut solo = Solo::with(&["a:1", "b:1", "c:1"]);
    solo.node.evict(solo.now);
    solo.run(SECOND);
    assert!(solo.node.is_gone());
    solo.sent.clear();
    let answer = solo.ping("c:1", json!([]));
    assert_eq!(answer["changes"][0]["address"], "me:1");
    assert_eq!(answer["changes"][0]["status"], "faulty");
    solo.run(10 * SECOND);
    assert!(solo.sent.is_empty(), "it probes nobody");
}

#[test]
fn stats_have_the_fields_of_the_closed_schema() {
    let mut solo = Solo::configured(&["a:1"], |config| {
        config.labels.insert("__identity", "alpha");
    });
    solo.run(SECOND);
    let around = Surroundings {
        servers: vec!["a:1".to_owned()],
        replica_checksum: Some(7),
        ..Surroundings::default()
    };
    let stats = solo.node.stats(solo.now, &around);
    let stats: Value = serde_json::from_slice(&stats).expect("JSON");
    let keys = |value: &Value| -> Vec<String> {
        value
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect()
    };
    assert_eq!(
        keys(&stats),
        [
            "hooks",
            "membership",
            "process",
            "protocol",
            "ring",
            "tchannelVersion",
            "timestamp",
            "uptime",
            "version"
        ]
    );
    assert_eq!(
        keys(&stats["process"]["memory"]),
        ["heapTotal", "heapUsed", "rss"]
    );
    assert_eq!(keys(&stats["membership"]), ["checksum", "members"]);
    let mine = &stats["membership"]["members"][1];
    assert_eq!(mine["labels"], json!({"__identity": "alpha"}));
    assert_eq!(stats["hooks"], Value::Null);
    assert_eq!(stats["ring"]["checksums"]["replica"], 7);
    assert!(stats["protocol"]["timing"].is_object());
}

#[test]
fn only_so_many_wait_for_a_healing() {
    let mut solo = Solo::configured(&["a:1"], |config| config.limits.helps = 2);
    for at in 0..4 {
        let answer = solo.request(Endpoint::Heal, Value::Null);
        assert_eq!(matches!(answer, Answer::Later(_)), at < 2);
    }
}
