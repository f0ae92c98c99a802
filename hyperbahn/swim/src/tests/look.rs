//! Looking before entering.

use serde_json::json;

use super::{Cluster, SECOND, Solo, change, json_of};
use crate::{Answer, Endpoint, Event, Outcome, Status};

fn looking(others: &[&str]) -> Solo {
    let mut solo = Solo::outside(|_| {});
    solo.look(others);
    solo.run(SECOND);
    solo
}

#[test]
fn who_looks_knows_the_ring_and_tells_nobody() {
    let mut solo = looking(&["a:1", "b:1"]);
    assert!(solo.events.contains(&Event::Looked { joined: 2 }));
    assert_eq!(solo.knows("b:1"), "alive@1337");
    solo.run(10 * SECOND);
    assert!(!solo.node.is_member());
    let paths: Vec<_> = solo.sent.iter().map(|sent| sent.path).collect();
    assert_eq!(paths, ["/protocol/join"; 2]);
}

#[test]
fn who_looks_refuses_pings_and_leaves_itself_out_of_its_list() {
    let mut solo = looking(&["a:1"]);
    let answer = solo.request(Endpoint::Ping, json!({"source": "a:1"}));
    let Answer::Now(refusal) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!(json_of(&refusal)["type"], "ringpop.not-ready");
    let list = solo.ask(Endpoint::Join, json!({"app": "ringpop", "source": "z:1"}));
    assert_eq!(list["membershipChecksum"], 0, "it says nothing");
    let members = list["membership"].as_array().expect("a list");
    let addresses: Vec<_> = members.iter().map(|member| &member["address"]).collect();
    assert_eq!(addresses, ["a:1"]);
}

#[test]
fn who_enters_after_looking_gossips_of_itself() {
    let mut solo = looking(&["a:1"]);
    solo.node.enter(solo.now);
    solo.run(SECOND);
    assert!(solo.events.contains(&Event::Ready { joined: 1 }));
    let pings = solo.sent_to("/protocol/ping");
    assert_eq!(pings[0].body["changes"][0]["address"], "me:1");
    let list = solo.ask(Endpoint::Join, json!({"app": "ringpop", "source": "z:1"}));
    assert_ne!(list["membershipChecksum"], 0);
}

#[test]
fn who_is_to_enter_while_it_looks_enters_when_it_has_looked() {
    let mut solo = Solo::outside(|_| {});
    solo.silent.insert("a:1".to_owned(), Outcome::Lost);
    solo.look(&["a:1", "b:1"]);
    solo.node.enter(solo.now);
    assert!(!solo.node.is_member());
    solo.run(SECOND);
    let at = |wanted| solo.events.iter().position(|event| *event == wanted);
    let looked = at(Event::Looked { joined: 1 });
    assert!(looked.is_some() && looked < at(Event::Ready { joined: 1 }));
}

#[test]
fn who_looks_again_sees_what_is_new() {
    let mut solo = looking(&["a:1"]);
    solo.look(&["a:1", "b:1"]);
    solo.run(SECOND);
    assert_eq!(solo.knows("b:1"), "alive@1337");
}

#[test]
fn who_never_looked_enters_a_ring_of_its_own() {
    let mut solo = Solo::outside(|_| {});
    solo.node.enter(solo.now);
    solo.run(SECOND);
    assert!(solo.events.contains(&Event::Ready { joined: 0 }));
    assert!(solo.sent.is_empty());
}

#[test]
fn what_is_said_of_an_earlier_life_is_outdone_but_not_contradicted_aloud() {
    let mut solo = Solo::outside(|_| {});
    solo.node.look(solo.now, ["a:1"]);
    let request = solo.node.poll_request().expect("a join");
    let body = json!({"membership": [change("me:1", "faulty", 9_000_000)]}).to_string();
    let outcome = Outcome::Answered(body.as_bytes());
    solo.node.handle_response(solo.now, request.id, outcome);
    assert_eq!(solo.knows("me:1"), "alive@9000001");
    assert!(solo.node.poll_request().is_none());
}

#[test]
fn all_who_look_at_once_find_each_other() {
    for size in [2, 3, 5, 20] {
        let mut cluster = Cluster::looking(size);
        cluster.run(3 * SECOND);
        for at in 0..size {
            assert_eq!(cluster.nodes[at].count(Status::Alive), 1, "nobody is in");
        }
        for at in 0..size {
            let now = cluster.now;
            cluster.nodes[at].enter(now);
        }
        cluster.run(10 * SECOND);
        cluster.assert_agreed(size);
    }
}
