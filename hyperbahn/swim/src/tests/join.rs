//! Entering, and being asked to let others in.

use serde_json::json;

use super::{Cluster, SECOND, Solo, change, json_of};
use crate::{Answer, Endpoint, Event, Flavour, Outcome};

#[test]
fn a_ring_of_one_is_ready_at_once() {
    let solo = {
        let mut solo = Solo::outside(|_| {});
        solo.join(&["me:1"]);
        solo
    };
    assert!(solo.events.contains(&Event::Ready { joined: 0 }));
    assert!(solo.sent.is_empty());
}

#[test]
fn pings_are_refused_until_then() {
    let mut solo = Solo::outside(|_| {});
    solo.silent.insert("a:1".to_owned(), Outcome::Lost);
    solo.join(&["a:1"]);
    let answer = solo.request(Endpoint::Ping, json!({"source": "a:1"}));
    let Answer::Now(refusal) = answer else {
        panic!("{answer:?}")
    };
    assert!(!refusal.ok);
    assert_eq!(json_of(&refusal)["type"], "ringpop.not-ready");
    solo.ask(Endpoint::Join, json!({"app": "ringpop", "source": "a:1"}));
}

#[test]
fn a_dead_seed_costs_one_timeout() {
    let mut solo = Solo::outside(|_| {});
    solo.silent.insert("a:1".to_owned(), Outcome::Lost);
    solo.join(&["a:1", "b:1", "c:1"]);
    solo.run(SECOND);
    assert!(
        solo.events.contains(&Event::Ready { joined: 2 }),
        "{:?}",
        solo.events
    );
}

#[test]
fn while_nobody_lets_us_in_the_list_of_hosts_is_asked_for() {
    let mut solo = Solo::outside(|_| {});
    solo.silent.insert("a:1".to_owned(), Outcome::Lost);
    solo.join(&["a:1"]);
    solo.run(SECOND);
    assert!(solo.events.contains(&Event::HostsWanted));
    solo.node.handle_hosts(solo.now, ["b:1"]);
    solo.run(2 * SECOND);
    assert!(
        solo.events.contains(&Event::Ready { joined: 1 }),
        "{:?}",
        solo.events
    );
}

#[test]
fn the_request_names_the_ring_the_joiner_and_its_life() {
    let solo = Solo::with(&["a:1"]);
    let expected = json!({"app": "ringpop", "source": "me:1", "incarnationNumber": 1_000_000});
    assert_eq!(solo.sent[0].body, expected);
}

#[test]
fn the_answer_lists_everybody_and_a_tombstone_in_disguise() {
    let mut solo = Solo::with(&["a:1"]);
    solo.ping("a:1", json!([change("a:1", "tombstone", 1337)]));
    let answer = solo.ask(Endpoint::Join, json!({"app": "ringpop", "source": "z:1"}));
    assert_eq!(answer["app"], "ringpop");
    assert_eq!(answer["coordinator"], "me:1");
    assert_eq!(answer["membershipChecksum"], solo.node.checksum());
    let tombstone = &answer["membership"][0];
    assert_eq!(
        (&tombstone["status"], &tombstone["tombstone"]),
        (&json!("faulty"), &json!(true))
    );
    assert_eq!(tombstone["source"], "me:1");
    let members = answer["membership"].as_array().expect("a list");
    assert!(members.iter().all(|member| member.get("id").is_none()));
}

#[test]
fn joins_that_make_no_sense_are_refused_in_this_order() {
    let mut solo = Solo::with(&["a:1"]);
    for (body, kind) in [
        (json!({"app": "x", "source": "me:1"}), "ringpop.self-join"),
        (
            json!({"app": "x", "source": "nowhere"}),
            "ringpop.invalid-join.source",
        ),
        (json!({"app": "x"}), "ringpop.invalid-join.source"),
        (
            json!({"app": "x", "source": "z:1"}),
            "ringpop.invalid-join.app",
        ),
        (json!({"source": "z:1"}), "ringpop.invalid-join.app"),
    ] {
        let answer = solo.request(Endpoint::Join, body.clone());
        let Answer::Now(refusal) = answer else {
            panic!("{answer:?}")
        };
        assert!(!refusal.ok);
        assert_eq!(json_of(&refusal)["type"], kind, "{body}");
    }
    assert_eq!(
        solo.knows("z:1"),
        "unknown",
        "joining makes nobody a member"
    );
}

#[test]
fn suspects_and_faulty_ones_learned_by_joining_have_their_time_from_then() {
    let mut solo = Solo::outside(|_| {});
    solo.join(&["a:1"]);
    let request = solo.node.poll_request();
    assert!(request.is_none(), "answered above");
    solo.ping("a:1", json!([change("x:1", "suspect", 7)]));
    solo.silent.insert("x:1".to_owned(), Outcome::Refused);
    solo.run(5 * SECOND);
    assert_eq!(solo.knows("x:1"), "faulty@7");
}

/// Joins a ring whose only member says this.
fn join_one_who_says(checksum: u64) -> Solo {
    let mut solo = Solo::outside(|_| {});
    solo.node.join(solo.now, ["a:1"]);
    let request = solo.node.poll_request().expect("a join");
    let body = json!({
        "app": "ringpop", "coordinator": "a:1", "membershipChecksum": checksum,
        "membership": [change("127.0.0.1:3000", "alive", 1_414_142_122_274)],
    });
    let body = body.to_string();
    let outcome = Outcome::Answered(body.as_bytes());
    solo.node.handle_response(solo.now, request.id, outcome);
    solo.events
        .extend(std::iter::from_fn(|| solo.node.poll_event()));
    solo
}

#[test]
fn the_checksum_is_written_as_in_the_ring_that_was_joined() {
    assert_eq!(join_one_who_says(594_055_096).node.flavour(), Flavour::Go);
    assert_eq!(
        join_one_who_says(1_632_809_354).node.flavour(),
        Flavour::Node
    );
    let undecided = join_one_who_says(0);
    assert!(undecided.node.is_member());
}

#[test]
fn a_ring_that_hashes_otherwise_does_not_count() {
    let solo = join_one_who_says(7);
    assert!(!solo.node.is_member());
    let foreign = |event: &Event| matches!(event, Event::ForeignChecksum { checksum: 7, .. });
    assert!(solo.events.iter().any(foreign), "{:?}", solo.events);
    assert_eq!(solo.knows("127.0.0.1:3000"), "unknown");
}

#[test]
fn all_at_once_find_each_other() {
    for size in [2, 3, 5, 20] {
        let mut cluster = Cluster::starting(size, |_| {});
        cluster.run(10 * SECOND);
        cluster.assert_agreed(size);
    }
}

#[test]
fn a_restart_with_an_older_clock_outranks_the_life_before() {
    let mut solo = Solo::outside(|_| {});
    solo.node.join(solo.now, ["a:1"]);
    let request = solo.node.poll_request().expect("a join");
    let body = json!({"membership": [change("me:1", "faulty", 9_000_000)]}).to_string();
    let outcome = Outcome::Answered(body.as_bytes());
    solo.node.handle_response(solo.now, request.id, outcome);
    assert_eq!(solo.knows("me:1"), "alive@9000001");
}
