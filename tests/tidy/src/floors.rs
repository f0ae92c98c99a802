//! Dependencies go down floors, and floor 1 reaches no runtime, socket or source of randomness.
//!
//! A package says where it stands: `[package.metadata.tchannel] floor = 1`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::Complaints;

/// Complains about packages without a floor, and about dependencies that do not go down.
pub fn go_down(metadata: &Value) -> Complaints {
    let mut complaints = Vec::new();
    let floors = floors(metadata, &mut complaints);
    for package in members(metadata) {
        let name = text(package, "name");
        for dependency in array(package, "dependencies") {
            let below = text(dependency, "name");
            if let (Some(from), Some(to)) = (floors.get(name), floors.get(below))
                && to >= from
            {
                complaints.push(format!(
                    "{name} (floor {from}) depends on {below} (floor {to}): a crate may depend on \
                     lower floors only; hand the fact up as a value, or let the lower crate own a trait"
                ));
            }
        }
    }
    complaints
}

/// Complains about floor-1 packages that reach one of [`IMPURE`], directly or through others.
///
/// Development dependencies do not count: they are not in what users build.
pub fn floor_1_is_pure(metadata: &Value) -> Complaints {
    let floors = floors(metadata, &mut Vec::new());
    let edges = edges(metadata);
    let names: BTreeMap<&str, &str> = array(metadata, "packages")
        .map(|package| (text(package, "id"), text(package, "name")))
        .collect();
    let mut complaints = Vec::new();
    for package in members(metadata).filter(|package| {
        floors
            .get(text(package, "name"))
            .is_some_and(|floor| *floor <= 1)
    }) {
        for id in reached(text(package, "id"), &edges) {
            let reached = names.get(id).copied().unwrap_or(id);
            if IMPURE.contains(&reached) {
                complaints.push(format!(
                    "{} (floor 1) builds {reached}: floor 1 has no runtime, socket or randomness; \
                     find the dependency with `cargo tree -i {reached}` and drop it",
                    text(package, "name")
                ));
            }
        }
    }
    complaints
}

/// What floor 1 must never build.
pub const IMPURE: [&str; 11] = [
    "async-io",
    "async-std",
    "fastrand",
    "futures-executor",
    "getrandom",
    "mio",
    "polling",
    "rand",
    "smol",
    "socket2",
    "tokio",
];

fn floors<'a>(metadata: &'a Value, complaints: &mut Complaints) -> BTreeMap<&'a str, u64> {
    let mut floors = BTreeMap::new();
    for package in members(metadata) {
        let name = text(package, "name");
        match package["metadata"]["tchannel"]["floor"].as_u64() {
            Some(floor @ 0..=4) => {
                floors.insert(name, floor);
            }
            _ => complaints.push(format!(
                "{name} stands on no floor: add `[package.metadata.tchannel]` with `floor = N`, 0 to 4, \
                 to its Cargo.toml (ARCHITECTURE.md says which)"
            )),
        }
    }
    floors
}

fn members(metadata: &Value) -> impl Iterator<Item = &Value> {
    let ids: BTreeSet<&str> = array(metadata, "workspace_members")
        .filter_map(Value::as_str)
        .collect();
    array(metadata, "packages").filter(move |package| ids.contains(text(package, "id")))
}

/// Package id to the ids it is built with.
fn edges(metadata: &Value) -> BTreeMap<&str, Vec<&str>> {
    array(&metadata["resolve"], "nodes")
        .map(|node| {
            let built_with = array(node, "deps")
                .filter(|dep| array(dep, "dep_kinds").any(|kind| kind["kind"] != "dev"))
                .map(|dep| text(dep, "pkg"))
                .collect();
            (text(node, "id"), built_with)
        })
        .collect()
}

fn reached<'a>(from: &'a str, edges: &BTreeMap<&'a str, Vec<&'a str>>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next = vec![from];
    while let Some(id) = next.pop() {
        for id in edges.get(id).into_iter().flatten() {
            if reached.insert(*id) {
                next.push(id);
            }
        }
    }
    reached
}

fn array<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{floor_1_is_pure, go_down};

    fn package(name: &str, floor: Option<u64>, dependencies: &[&str]) -> Value {
        let dependencies: Vec<_> = dependencies.iter().map(|on| json!({"name": on})).collect();
        json!({
            "id": name, "name": name, "dependencies": dependencies,
            "metadata": floor.map(|floor| json!({"tchannel": {"floor": floor}})),
        })
    }

    fn workspace(packages: &[Value]) -> Value {
        let ids: Vec<_> = packages.iter().map(|package| &package["id"]).collect();
        json!({"packages": packages, "workspace_members": ids})
    }

    fn built_with(package: &str, dependency: &str, kind: Value) -> Value {
        json!({"id": package, "deps": [{"pkg": dependency, "dep_kinds": [{"kind": kind}]}]})
    }

    #[test]
    fn a_crate_may_stand_on_lower_floors() {
        let metadata = workspace(&[
            package("proto", Some(1), &["bytes"]),
            package("rt", Some(2), &["proto"]),
        ]);
        assert_eq!(go_down(&metadata), Vec::<String>::new());
    }

    #[test]
    fn a_dependency_upwards_is_refused() {
        let metadata = workspace(&[
            package("proto", Some(1), &["rt"]),
            package("rt", Some(2), &[]),
        ]);
        assert!(go_down(&metadata)[0].starts_with("proto (floor 1) depends on rt (floor 2)"));
    }

    #[test]
    fn crates_of_floor_1_do_not_know_each_other() {
        let metadata = workspace(&[
            package("proto", Some(1), &["ring"]),
            package("ring", Some(1), &[]),
        ]);
        assert_eq!(go_down(&metadata).len(), 1);
    }

    #[test]
    fn a_package_must_say_where_it_stands() {
        let metadata = workspace(&[package("proto", None, &[]), package("rt", Some(7), &[])]);
        assert_eq!(go_down(&metadata).len(), 2);
    }

    #[test]
    fn tokio_below_another_crate_is_found() {
        let mut metadata = workspace(&[package("proto", Some(1), &["helper"])]);
        metadata["resolve"]["nodes"] = json!([
            built_with("proto", "helper", Value::Null),
            built_with("helper", "tokio", Value::Null),
        ]);
        assert!(floor_1_is_pure(&metadata)[0].starts_with("proto (floor 1) builds tokio"));
    }

    #[test]
    fn what_only_tests_need_does_not_count() {
        let mut metadata = workspace(&[package("proto", Some(1), &["rand"])]);
        metadata["resolve"]["nodes"] = json!([built_with("proto", "rand", json!("dev"))]);
        assert_eq!(floor_1_is_pure(&metadata), Vec::<String>::new());
    }
}
