//! Pings, helpers, and who is to blame.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::{Cluster, MS, SECOND, Solo, change, json_of};
use crate::{Answer, Endpoint, Outcome, Status};

#[test]
fn thirty_pings_in_six_seconds_spread_evenly() {
    let mut solo = Solo::with(&["a:1", "b:1", "c:1", "d:1", "e:1", "f:1", "g:1"]);
    solo.sent.clear();
    solo.run(6 * SECOND);
    let pings = solo.sent_to("/protocol/ping");
    assert!((29..=31).contains(&pings.len()), "{}", pings.len());
    let mut counts = BTreeMap::new();
    pings
        .iter()
        .for_each(|ping| *counts.entry(&ping.to).or_insert(0) += 1);
    let (least, most) = (counts.values().min(), counts.values().max());
    assert!(
        counts.len() == 7 && most <= least.map(|least| least + 1).as_ref(),
        "{counts:?}"
    );
}

#[test]
fn three_others_are_asked_and_one_no_makes_a_suspect() {
    let mut solo = Solo::with(&["a:1", "b:1", "c:1", "d:1", "e:1"]);
    solo.silent.insert("a:1".to_owned(), Outcome::Lost);
    solo.reached.insert("a:1".to_owned(), false);
    // Five take turns, so its own comes within a second; to miss it takes no longer than two.
    let suspected = (0..30).any(|_| {
        solo.run(100 * MS);
        solo.knows("a:1") == "suspect@1337"
    });
    assert!(suspected);
    assert_eq!(solo.sent_to("/protocol/ping-req").len(), 3);
    let request = &solo.sent_to("/protocol/ping-req")[0].body;
    assert_eq!(request["target"], "a:1");
    assert_eq!(request.get("app"), None, "the schema forbids it");
}

#[test]
fn who_can_be_reached_by_others_is_left_alone() {
    let mut solo = Solo::with(&["a:1", "b:1", "c:1"]);
    solo.silent.insert("a:1".to_owned(), Outcome::Lost);
    solo.run(20 * SECOND);
    assert_eq!(solo.knows("a:1"), "alive@1337");
}

#[test]
fn when_nobody_answers_it_may_be_us() {
    let mut solo = Solo::with(&["a:1", "b:1", "c:1"]);
    for other in ["a:1", "b:1", "c:1"] {
        solo.silent.insert(other.to_owned(), Outcome::Lost);
    }
    solo.run(40 * SECOND);
    assert_eq!(solo.node.count(Status::Alive), 4);
    assert!(solo.node.local_health() > 0);
    // Whosever fault it is: a ring of those who cannot be reached serves nobody.
    solo.run(120 * SECOND);
    assert_eq!(solo.node.count(Status::Faulty), 3);
}

#[test]
fn where_nobody_listens_any_more_all_are_given_up() {
    let mut solo = Solo::with(&["a:1", "b:1", "c:1"]);
    for other in ["a:1", "b:1", "c:1"] {
        solo.silent.insert(other.to_owned(), Outcome::Refused);
    }
    solo.run(10 * SECOND);
    assert_eq!(solo.node.count(Status::Faulty), 3);
}

#[test]
fn with_nobody_to_ask_silence_is_enough() {
    let mut solo = Solo::with(&["a:1"]);
    solo.silent.insert("a:1".to_owned(), Outcome::Lost);
    solo.run(2 * SECOND);
    assert_eq!(solo.knows("a:1"), "suspect@1337");
}

#[test]
fn a_refused_connection_needs_no_timeout() {
    let mut solo = Solo::with(&["a:1", "b:1"]);
    solo.silent.insert("a:1".to_owned(), Outcome::Refused);
    solo.reached.insert("a:1".to_owned(), false);
    solo.run(700 * MS);
    assert_eq!(solo.knows("a:1"), "suspect@1337");
}

#[test]
fn an_accusation_of_an_earlier_life_is_void() {
    let mut solo = Solo::with(&["a:1"]);
    solo.silent.insert("a:1".to_owned(), Outcome::Lost);
    solo.run(SECOND);
    solo.ping("a:1", json!([change("a:1", "alive", 1400)]));
    solo.run(600 * MS);
    assert_eq!(solo.knows("a:1"), "alive@1400");
}

#[test]
fn a_helper_says_what_it_found() {
    let mut solo = Solo::with(&["a:1", "b:1"]);
    solo.silent.insert("b:1".to_owned(), Outcome::Lost);
    let ask = |solo: &mut Solo, target: &str| {
        let body = json!({"source": "a:1", "target": target, "checksum": solo.node.checksum()});
        match solo.request(Endpoint::PingReq, body) {
            Answer::Now(response) => json_of(&response),
            Answer::Later(_) => {
                solo.run(2 * SECOND);
                json_of(&solo.node.poll_response().expect("by now").1)
            }
        }
    };
    assert_eq!(ask(&mut solo, "a:1")["pingStatus"], true);
    assert_eq!(ask(&mut solo, "b:1")["pingStatus"], false);
    assert_eq!(ask(&mut solo, "me:1")["pingStatus"], true);
    assert_eq!(
        solo.knows("b:1"),
        "alive@1337",
        "that is for the caller to say"
    );
}

#[test]
fn no_more_than_a_hundred_are_helped_at_once() {
    let mut solo = Solo::with(&["a:1", "b:1"]);
    let body = json!({"source": "a:1", "target": "b:1"});
    for _ in 0..100 {
        let answer =
            solo.node
                .handle_request(solo.now, Endpoint::PingReq, body.to_string().as_bytes());
        assert!(matches!(answer, Answer::Later(_)));
    }
    let answer = solo.request(Endpoint::PingReq, body);
    assert!(matches!(answer, Answer::Now(response) if !response.ok));
}

#[test]
fn a_crash_is_noticed_by_everybody() {
    for size in [2, 3, 8] {
        let mut cluster = Cluster::settled(size);
        cluster.isolate(1);
        cluster.run(20 * SECOND);
        for at in (0..size).filter(|at| *at != 1) {
            let status = cluster.nodes[at].member("n:1").expect("a member").status;
            assert_eq!(status, Status::Faulty, "{:#?}", cluster.views());
            assert_eq!(cluster.nodes[at].count(Status::Alive), size - 1);
        }
    }
}

#[test]
fn who_is_cut_off_blames_nobody_for_a_while() {
    let mut cluster = Cluster::settled(8);
    cluster.isolate(1);
    cluster.run(30 * SECOND);
    assert_eq!(cluster.told(1, Status::Faulty), 0, "{:#?}", cluster.views());
}

#[test]
fn a_wire_that_works_one_way_only_costs_nobody_the_ring() {
    let mut cluster = Cluster::settled(6);
    cluster.cut.insert((0, 1));
    cluster.run(60 * SECOND);
    cluster.assert_agreed(6);
    for at in 0..6 {
        assert_eq!(cluster.told(at, Status::Faulty), 0);
    }
}

#[test]
fn a_restart_in_time_is_not_missed() {
    let mut cluster = Cluster::settled(5);
    cluster.isolate(2);
    cluster.run(Duration::from_millis(2500));
    cluster.cut.clear();
    cluster.run(10 * SECOND);
    cluster.assert_agreed(5);
    for at in 0..5 {
        assert_eq!(
            cluster.told(at, Status::Faulty),
            0,
            "{:#?}",
            cluster.views()
        );
    }
}

#[test]
fn an_address_of_any_length_is_not_kept() {
    let mut solo = Solo::with(&["a:1"]);
    let long = "x".repeat(300);
    for (source, target) in [(&*long, "b:1"), ("b:1", &*long)] {
        let body = json!({"checksum": 1, "changes": [], "source": source, "target": target});
        let answer = solo.request(Endpoint::PingReq, body);
        assert!(matches!(answer, Answer::Now(response) if !response.ok));
    }
    assert!(solo.sent.iter().all(|sent| sent.to != long));
}
