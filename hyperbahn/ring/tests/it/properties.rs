//! What holds for any set of servers, however it came about, and for any key.

use std::collections::BTreeMap;

use hyperbahn_ring::{Ring, Server, fingerprint32};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};

#[test]
fn neither_order_nor_history_matters() {
    check(vec(change(), 0..40), |changes| {
        let stepwise = changes.iter().fold(Ring::default(), apply);
        let left = left_by(&changes);
        let forward = Ring::from_servers(left.values().cloned());
        let backward = Ring::from_servers(left.into_values().rev());
        prop_assert_eq!(&stepwise, &forward);
        prop_assert_eq!(&stepwise, &backward);
        Ok(())
    });
}

#[test]
fn a_change_is_its_removals_and_then_its_additions() {
    let change = (servers(), vec(address(), 0..8), vec(server(), 0..8));
    check(change, |(servers, removed, added)| {
        let ring = Ring::from_servers(servers);
        let removed = || removed.iter().map(String::as_str);
        let without = removed().fold(ring.clone(), |ring, address| ring.remove(address));
        let stepwise = added.iter().cloned().fold(without, |ring, s| ring.add(s));
        prop_assert_eq!(ring.change(removed(), added), stepwise);
        Ok(())
    });
}

#[test]
fn a_walk_meets_servers_as_a_plain_search_through_all_points_does() {
    check((servers(), key()), |(servers, key)| {
        let ring = Ring::from_servers(servers);
        let walk: Vec<&str> = ring.walk(&key).map(Server::address).collect();
        prop_assert_eq!(walk, plain_walk(ring.servers(), &key));
        Ok(())
    });
}

#[test]
fn the_first_n_are_the_beginning_of_the_walk_and_the_owner_is_the_first() {
    check((servers(), key(), 0..20_usize), |(servers, key, n)| {
        let ring = Ring::from_servers(servers);
        let walk: Vec<&Server> = ring.walk(&key).collect();
        prop_assert_eq!(walk.len(), ring.servers().len());
        prop_assert_eq!(ring.lookup(&key), walk.first().copied());
        prop_assert_eq!(&ring.lookup_n(&key, n), &walk[..n.min(walk.len())]);
        Ok(())
    });
}

#[test]
fn a_ring_without_servers_has_no_owner_for_any_key() {
    check((servers(), key()), |(servers, key)| {
        let ring = Ring::from_servers(servers.clone());
        let addresses = servers.iter().map(Server::address);
        for ring in [Ring::default(), ring.change(addresses, [])] {
            prop_assert_eq!(ring.lookup(&key), None);
            prop_assert_eq!(ring.lookup_n(&key, 3), Vec::<&Server>::new());
        }
        Ok(())
    });
}

/// So a key moves only to the server that came or from the one that left, and of its first n servers at
/// most one changes.
#[test]
fn a_server_that_comes_or_goes_leaves_the_others_in_their_order() {
    check((servers(), server(), key()), |(servers, server, key)| {
        let without = Ring::from_servers(servers).remove(server.address());
        let with = without.add(server.clone());
        let others = with.walk(&key).filter(|met| **met != server);
        prop_assert!(others.eq(without.walk(&key)));
        prop_assert_eq!(with.remove(server.address()), without);
        Ok(())
    });
}

/// Runs `test` on many values; a failure prints the smallest one it can find.
#[track_caller]
fn check<S: Strategy>(strategy: S, test: impl Fn(S::Value) -> TestCaseResult) {
    let config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    if let Err(failure) = TestRunner::new(config).run(&strategy, test) {
        panic!("{failure}");
    }
}

#[derive(Clone, Debug)]
enum Change {
    Add(Server),
    Remove(String),
}

fn apply(ring: Ring, change: &Change) -> Ring {
    match change {
        Change::Add(server) => ring.add(server.clone()),
        Change::Remove(address) => ring.remove(address),
    }
}

fn left_by(changes: &[Change]) -> BTreeMap<String, Server> {
    let mut left = BTreeMap::new();
    for change in changes {
        match change {
            Change::Add(server) => left.insert(server.address().to_owned(), server.clone()),
            Change::Remove(address) => left.remove(address),
        };
    }
    left
}

fn plain_walk<'a>(servers: &'a [Server], key: &str) -> Vec<&'a str> {
    let points_of = |server: &'a Server| server.points().map(|hash| (hash, server.address()));
    let mut points: Vec<(u32, &str)> = servers.iter().flat_map(points_of).collect();
    points.sort_unstable();
    let hash = fingerprint32(key.as_bytes());
    let (before, from): (Vec<_>, Vec<_>) = points.into_iter().partition(|point| point.0 < hash);
    let mut met = Vec::new();
    for (_, address) in from.into_iter().chain(before) {
        if !met.contains(&address) {
            met.push(address);
        }
    }
    met
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        2 => server().prop_map(Change::Add),
        1 => address().prop_map(Change::Remove),
    ]
}

fn servers() -> impl Strategy<Value = Vec<Server>> {
    vec(server(), 0..12)
}

/// Some share an identity, so that all their points are equal.
fn server() -> impl Strategy<Value = Server> {
    prop_oneof![
        3 => address().prop_map(Server::new),
        1 => (address(), "[ab]").prop_map(|(at, name)| Server::with_identity(at, name)),
    ]
}

/// Few addresses, so that they come again, and of ports that run into an index, so that points are equal.
fn address() -> impl Strategy<Value = String> {
    let port = prop_oneof![Just(21), Just(210), Just(2100), 1..40_u16];
    (0..3_u8, port).prop_map(|(host, port)| format!("10.0.0.{host}:{port}"))
}

/// Any text, or the text of a point.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        (address(), 0..100_u8).prop_map(|(address, index)| format!("{address}{index}")),
    ]
}
