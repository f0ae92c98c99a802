//! Every cell of who overrides whom, by pings, and what is said of the node itself.

use serde_json::{Value, json};

use super::{SECOND, Solo, WALL_MS, change};
use crate::{Event, Status};

const KNOWN_AT: u64 = 2000;

/// What is known after gossip about a member of which something else is known.
#[track_caller]
fn check(known: Status, said: Status, at: u64, expected: Status) {
    let mut solo = Solo::with(&["a:1", "b:1"]);
    solo.ping("a:1", json!([change("b:1", known.as_str(), KNOWN_AT)]));
    solo.ping("a:1", json!([change("b:1", said.as_str(), at)]));
    let incarnation = if expected == known && at <= KNOWN_AT {
        KNOWN_AT
    } else {
        at
    };
    let expected = format!("{expected}@{incarnation}");
    assert_eq!(
        solo.knows("b:1"),
        expected,
        "{known} is said to be {said}@{at}"
    );
}

#[test]
fn a_lower_incarnation_never_wins() {
    for known in Status::ALL {
        for said in Status::ALL {
            check(known, said, KNOWN_AT - 1, known);
        }
    }
}

#[test]
fn at_the_same_incarnation_the_later_status_wins() {
    for known in Status::ALL {
        for said in Status::ALL {
            check(known, said, KNOWN_AT, known.max(said));
        }
    }
}

#[test]
fn a_higher_incarnation_always_wins() {
    for known in Status::ALL {
        for said in Status::ALL {
            check(known, said, KNOWN_AT + 1, said);
        }
    }
}

#[test]
fn an_unknown_tombstone_is_neither_kept_nor_passed_on() {
    let mut solo = Solo::with(&["a:1", "b:1"]);
    for status in ["tombstone", "faulty"] {
        let mut said = change("z:1", status, 7);
        said["tombstone"] = json!(true);
        solo.ping("a:1", json!([said]));
        assert_eq!(solo.knows("z:1"), "unknown");
    }
    let answer = solo.ping("b:1", json!([]));
    assert!(!answer.to_string().contains("z:1"), "{answer}");
}

#[test]
fn labels_come_and_go_whole_with_what_is_believed() {
    let mut solo = Solo::with(&["a:1", "b:1"]);
    let labelled = |status: &str, at: u64, labels: Value| {
        let mut said = change("b:1", status, at);
        said["labels"] = labels;
        json!([said])
    };
    let value = |solo: &Solo, key: &str| {
        let member = solo.node.member("b:1").expect("a member");
        member
            .labels
            .and_then(|labels| labels.get(key).map(str::to_owned))
    };
    solo.ping(
        "a:1",
        labelled("alive", 2000, json!({"hello": "goodbye", "x": "y"})),
    );
    assert_eq!(value(&solo, "x"), Some("y".to_owned()));
    solo.ping("a:1", labelled("alive", 2000, json!({"hello": "world"})));
    assert_eq!(
        value(&solo, "hello"),
        Some("world".to_owned()),
        "they weigh more"
    );
    solo.ping("a:1", labelled("alive", 2000, json!({"hello": "goodbye"})));
    assert_eq!(
        value(&solo, "hello"),
        Some("world".to_owned()),
        "they weigh less"
    );
    solo.ping(
        "a:1",
        labelled("suspect", 2000, json!({"hello": "goodbye"})),
    );
    assert_eq!(
        value(&solo, "hello"),
        Some("goodbye".to_owned()),
        "the status is news"
    );
    solo.ping("a:1", json!([change("b:1", "alive", 2001)]));
    assert_eq!(value(&solo, "hello"), None);
}

#[track_caller]
fn refutes(status: &str, ahead: u64) {
    let mut solo = Solo::with(&["a:1", "b:1"]);
    solo.run(SECOND);
    let answer = solo.ping("a:1", json!([change("me:1", status, WALL_MS + 1 + ahead)]));
    let said = answer["changes"].as_array().expect("changes");
    let mine = said.iter().find(|change| change["address"] == "me:1");
    let mine = mine.unwrap_or_else(|| panic!("no refutation in {answer}"));
    let now = WALL_MS + 1000;
    assert_eq!(mine["status"], "alive");
    assert_eq!(mine["incarnationNumber"], now.max(WALL_MS + 2 + ahead));
    assert_eq!(mine["source"], "me:1");
    assert_eq!(mine["sourceIncarnationNumber"], mine["incarnationNumber"]);
    let refuted =
        |event: &Event| matches!(event, Event::Refuted { source, .. } if **source == *"a:1");
    assert!(solo.events.iter().any(refuted), "{:?}", solo.events);
}

#[test]
fn a_claim_about_oneself_is_refuted_in_the_answer_to_it() {
    for status in ["suspect", "faulty", "leave", "tombstone"] {
        refutes(status, 0);
    }
}

#[test]
fn a_refutation_never_goes_back_in_time() {
    // One hour ahead of our clock.
    refutes("alive", 3_600_000);
    refutes("suspect", 3_600_000);
}

#[test]
fn what_is_old_or_true_about_oneself_changes_nothing() {
    let mut solo = Solo::with(&["a:1", "b:1"]);
    let before = solo.knows("me:1");
    solo.ping("a:1", json!([change("me:1", "faulty", 7)]));
    solo.ping("a:1", json!([change("me:1", "alive", WALL_MS)]));
    assert_eq!(solo.knows("me:1"), before);
}

#[test]
fn a_claim_that_cannot_be_outdone_is_ignored() {
    let mut solo = Solo::with(&["a:1", "b:1"]);
    let before = solo.knows("me:1");
    for incarnation in [crate::MAX_INCARNATION, u64::MAX] {
        solo.ping("a:1", json!([change("me:1", "suspect", incarnation)]));
        assert_eq!(solo.knows("me:1"), before);
    }
    solo.ping(
        "a:1",
        json!([change("me:1", "suspect", crate::MAX_INCARNATION - 2)]),
    );
    assert_eq!(
        solo.knows("me:1"),
        format!("alive@{}", crate::MAX_INCARNATION - 1)
    );
    solo.ping(
        "a:1",
        json!([change("me:1", "suspect", crate::MAX_INCARNATION - 1)]),
    );
    assert_eq!(
        solo.knows("me:1"),
        format!("alive@{}", crate::MAX_INCARNATION - 1)
    );
}
