//! Two halves, and what happens when the wire is mended.

use std::time::Duration;

use super::{Cluster, SECOND};
use crate::{Answer, Endpoint, Status};

/// A ring of six whose halves have given each other up.
fn split() -> Cluster {
    let mut cluster = Cluster::settled(6);
    cluster.split(&[0, 1, 2], &[3, 4, 5]);
    cluster.run(60 * SECOND);
    for node in &cluster.nodes {
        assert_eq!(node.count(Status::Faulty), 3, "{:#?}", cluster.views());
    }
    cluster.cut.clear();
    cluster
}

#[test]
fn the_halves_find_each_other_by_themselves() {
    let mut cluster = split();
    cluster.run(Duration::from_secs(300));
    cluster.assert_agreed(6);
}

#[test]
fn two_demands_are_enough() {
    let mut cluster = split();
    for _ in 0..2 {
        let now = cluster.now;
        let answer = cluster.nodes[0].handle_request(now, Endpoint::Heal, b"{}");
        assert!(matches!(answer, Answer::Later(_)));
        cluster.run(2 * SECOND);
    }
    cluster.assert_agreed(6);
}

#[test]
fn healing_kills_nobody_on_the_way() {
    let mut cluster = split();
    for events in &mut cluster.events {
        events.clear();
    }
    for _ in 0..2 {
        let now = cluster.now;
        cluster.nodes[4].handle_request(now, Endpoint::Heal, b"{}");
        cluster.run(2 * SECOND);
    }
    for at in 0..6 {
        assert_eq!(cluster.told(at, Status::Faulty), 0);
    }
}

#[test]
fn one_that_was_cut_off_alone_comes_back() {
    let mut cluster = Cluster::settled(4);
    cluster.isolate(2);
    cluster.run(120 * SECOND);
    cluster.cut.clear();
    cluster.run(Duration::from_secs(180));
    cluster.assert_agreed(4);
}
