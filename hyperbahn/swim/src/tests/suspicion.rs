//! From suspect to gone, as the ring sees it.

use serde_json::{Value, json};

use super::{MS, SECOND, Solo, change};
use crate::{Event, Outcome};

/// A node that hears of a suspect which answers pings but never refutes, as no real member does.
fn suspicious() -> Solo {
    let mut solo = Solo::with(&["a:1", "b:1", "c:1"]);
    solo.ping("a:1", json!([change("b:1", "suspect", 1337)]));
    solo
}

#[test]
fn a_suspect_that_does_not_refute_is_faulty_after_five_seconds() {
    let mut solo = suspicious();
    solo.run(4999 * MS);
    assert_eq!(solo.knows("b:1"), "suspect@1337");
    solo.run(MS);
    assert_eq!(solo.knows("b:1"), "faulty@1337");
}

#[test]
fn one_whose_incarnation_rises_meanwhile_too() {
    let mut solo = suspicious();
    solo.run(3 * SECOND);
    solo.ping("a:1", json!([change("b:1", "suspect", 1400)]));
    solo.run(3 * SECOND);
    assert_eq!(solo.knows("b:1"), "suspect@1400");
    solo.run(2 * SECOND);
    assert_eq!(solo.knows("b:1"), "faulty@1400");
}

#[test]
fn other_accusers_shorten_its_time_and_are_passed_on() {
    let mut solo = suspicious();
    for accuser in ["c:1", "d:1", "e:1"] {
        let mut said = change("b:1", "suspect", 1337);
        said["source"] = json!(accuser);
        solo.ping("a:1", json!([said]));
        let answer = solo.ping("z:1", json!([])).to_string();
        assert!(answer.contains(accuser), "{answer}");
    }
    solo.run(1999 * MS);
    assert_eq!(solo.knows("b:1"), "suspect@1337");
    solo.run(MS);
    assert_eq!(solo.knows("b:1"), "faulty@1337");
}

#[test]
fn a_suspect_hears_the_accusation_with_every_ping() {
    let mut solo = suspicious();
    for _ in 0..40 {
        solo.ping("z:1", json!([]));
    }
    assert!(!solo.node.has_news());
    solo.sent.clear();
    solo.run(3 * SECOND);
    let pings = solo.sent_to("/protocol/ping");
    let carries = |to: &str| {
        let mut pings = pings.iter().filter(|ping| ping.to == to);
        pings.all(|ping| ping.body["changes"].to_string().contains("suspect"))
    };
    assert!(carries("b:1"), "{pings:?}");
    assert!(!carries("a:1"));
}

#[test]
fn a_refutation_in_time_leaves_no_trace() {
    let mut solo = suspicious();
    solo.run(SECOND);
    solo.ping("b:1", json!([change("b:1", "alive", 1338)]));
    solo.events.clear();
    solo.run(30 * SECOND);
    assert_eq!(solo.knows("b:1"), "alive@1338");
    let changes = solo
        .events
        .iter()
        .filter(|event| matches!(event, Event::Changed(_)));
    assert_eq!(changes.count(), 0);
}

#[test]
fn the_faulty_become_tombstones_and_are_forgotten() {
    let mut solo = Solo::configured(&["a:1", "b:1"], |config| {
        config.faulty_period = 10 * SECOND;
        config.tombstone_period = 3 * SECOND;
    });
    solo.silent.insert("b:1".to_owned(), Outcome::Refused);
    solo.ping("a:1", json!([change("b:1", "faulty", 1337)]));
    solo.run(10 * SECOND);
    assert_eq!(solo.knows("b:1"), "tombstone@1337");
    let answer = solo.ping("a:1", json!([])).to_string();
    assert!(answer.contains(r#""tombstone":true"#), "{answer}");
    solo.run(3 * SECOND);
    assert_eq!(solo.knows("b:1"), "unknown");
    let forgotten = |event: &Event| match event {
        Event::Changed(changes) => changes.iter().any(|change| change.after.is_none()),
        _ => false,
    };
    assert!(solo.events.iter().any(forgotten));
}

#[test]
fn those_who_left_are_not_remembered_for_ever() {
    let mut solo = Solo::configured(&["a:1", "b:1"], |config| {
        config.leave_period = Some(10 * SECOND);
    });
    solo.ping("a:1", json!([change("b:1", "leave", 1337)]));
    solo.run(9 * SECOND);
    assert_eq!(solo.knows("b:1"), "leave@1337");
    solo.run(61 * SECOND);
    assert_eq!(solo.knows("b:1"), "unknown");
}

#[test]
fn many_joins_and_leaves_leave_nothing_behind() {
    let mut solo = Solo::configured(&["a:1"], |config| {
        config.faulty_period = SECOND;
        config.tombstone_period = SECOND;
    });
    for round in 0..30 {
        let at = |port: usize| format!("h:{}", round * 100 + port);
        let batch = |status: &str| -> Vec<_> {
            let ports = 0..100;
            ports.map(|port| change(&at(port), status, 1)).collect()
        };
        solo.ping("a:1", json!(batch("alive")));
        solo.ping("a:1", json!(batch("faulty")));
        solo.run(3 * SECOND);
        solo.events.clear();
        solo.sent.clear();
    }
    assert_eq!(solo.node.members().count(), 2);
    for _ in 0..100 {
        solo.ping("a:1", json!([]));
    }
    assert!(!solo.node.has_news());
}

#[test]
fn thousands_that_came_and_went_leave_nothing() {
    let mut solo = Solo::configured(&["a:1"], |config| {
        config.faulty_period = SECOND;
        config.tombstone_period = SECOND;
    });
    for batch in 0..20 {
        for status in ["alive", "faulty"] {
            let members = (0..250).map(|at| change(&format!("b:{}", batch * 250 + at), status, 7));
            solo.ping("a:1", Value::Array(members.collect()));
        }
        solo.run(3 * SECOND);
        solo.sent.clear();
        solo.events.clear();
    }
    solo.run(30 * SECOND);
    assert_eq!(solo.node.members().count(), 2);
    assert!(!solo.node.has_news());
}
