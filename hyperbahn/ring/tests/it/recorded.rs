//! Every entry of `spec/vectors/ring.json` and `sizes.json`: what Ringpop answered, we answer.

use hyperbahn_ring::{Ring, Server, fingerprint32};
use serde_json::Value;

#[test]
fn every_recorded_string_has_its_hash() {
    for entry in list("hashes") {
        let bytes = unhex(text(&entry["bytes"]));
        assert_eq!(fingerprint32(&bytes), number(&entry["hash"]), "{entry}");
    }
}

#[test]
fn a_server_has_its_recorded_points() {
    for entry in list("points") {
        let points = Server::new(text(&entry["address"])).points();
        let recorded: Vec<u32> = array(&entry["hashes"]).iter().map(number).collect();
        assert_eq!(points.to_vec(), recorded, "{entry}");
    }
}

#[test]
fn a_ring_begins_and_ends_at_its_recorded_points() {
    for entry in list("ends") {
        let servers = array(&entry["servers"]).iter().map(server);
        let points =
            servers.flat_map(|server| server.points().map(|hash| (hash, server.address().into())));
        let points: Vec<(u32, String)> = points.collect();
        let end = |name: &str| {
            let point = &entry[name];
            (number(&point["hash"]), text(&point["owner"]).to_owned())
        };
        assert_eq!(points.iter().min(), Some(&end("smallest")), "{entry}");
        assert_eq!(points.iter().max(), Some(&end("largest")), "{entry}");
    }
}

#[test]
fn every_recorded_key_finds_its_servers() {
    for entry in list("vectors") {
        let ring = ring(&entry);
        let n = number(&entry["n"]) as usize;
        for lookup in array(&entry["lookups"]) {
            let key = text(&lookup["key"]);
            assert_eq!(fingerprint32(key.as_bytes()), number(&lookup["hash"]));
            check(&name(&entry), &ring, key, n, lookup);
        }
    }
}

#[track_caller]
fn check(name: &str, ring: &Ring, key: &str, n: usize, lookup: &Value) {
    let found: Vec<&str> = addresses(ring.lookup_n(key, n));
    if let Some(count) = lookup.get("count") {
        assert_eq!(found.len(), number(count) as usize, "{name}: {key:?}");
        return;
    }
    let recorded: Vec<&str> = array(&lookup["servers"]).iter().map(text).collect();
    assert_eq!(found, recorded, "{name}: {key:?}");
    if let Some(owner) = recorded.first() {
        let found = ring.lookup(key).map(Server::address);
        assert_eq!(found, Some(*owner), "{name}: {key:?}");
    }
}

#[test]
fn every_recorded_ring_has_its_checksum() {
    let mut compared = 0;
    for entry in list("vectors") {
        if let Some(checksum) = entry.get("checksum") {
            assert_eq!(
                ring(&entry).checksum(),
                number(checksum),
                "{}",
                name(&entry)
            );
            compared += 1;
        }
    }
    assert!(compared > 0, "no ring has a checksum");
}

#[test]
fn every_recorded_ring_has_its_replica_checksum() {
    let mut compared = 0;
    for entry in list("vectors") {
        if let Some(checksum) = entry.get("replica_checksum") {
            let found = ring(&entry).replica_checksum();
            assert_eq!(found, number(checksum), "{}", name(&entry));
            compared += 1;
        }
    }
    assert!(compared > 0, "no ring has a replica checksum");
}

#[test]
fn a_million_keys_have_their_owners_on_rings_of_one_to_a_thousand() {
    let mut ring = Ring::default();
    let mut sizes = 0;
    for entry in entries(SIZES, "vectors") {
        ring = ring.add(Server::new(numbered(sizes)));
        let keys = (sizes * 1000..).map(|number| format!("key{number}"));
        let keys: Vec<String> = keys.take(1000).collect();
        sizes += 1;
        assert_eq!(number(&entry["size"]) as usize, sizes);
        assert_eq!(ring.checksum(), number(&entry["checksum"]), "{sizes}");
        let owners = keys.iter().filter_map(|key| ring.lookup(key));
        assert_eq!(digest(owners), number(&entry["owners"]), "{sizes}");
        let threes = keys[..100].iter().flat_map(|key| ring.lookup_n(key, 3));
        assert_eq!(digest(threes), number(&entry["threes"]), "{sizes}");
        if let Some(checksum) = entry.get("replica_checksum") {
            assert_eq!(ring.replica_checksum(), number(checksum), "{sizes}");
        }
    }
    assert_eq!(sizes, 1000);
}

/// Where this one of the servers of `sizes.json` is.
fn numbered(i: usize) -> String {
    let port = ["2100", "21000", "21001", "3000"][i % 4];
    format!("10.{}.{}.{}:{port}", i / 1000, i / 100 % 10, i / 4 % 25)
}

fn digest<'a>(servers: impl Iterator<Item = &'a Server>) -> u32 {
    let mut text = String::new();
    for server in servers {
        text.push_str(server.address());
        text.push(';');
    }
    fingerprint32(text.as_bytes())
}

/// The ring of an entry, made one server at a time in the recorded order.
fn ring(entry: &Value) -> Ring {
    let servers = array(&entry["servers"]).iter().map(server);
    let ring = servers.fold(Ring::default(), |ring, server| ring.add(server));
    match entry.get("removed") {
        Some(address) => ring.remove(text(address)),
        None => ring,
    }
}

fn server(value: &Value) -> Server {
    let address = text(&value["address"]);
    match value.get("identity") {
        Some(identity) => Server::with_identity(address, text(identity)),
        None => Server::new(address),
    }
}

fn addresses(servers: Vec<&Server>) -> Vec<&str> {
    servers.into_iter().map(Server::address).collect()
}

fn name(entry: &Value) -> String {
    text(&entry["name"]).to_owned()
}

/// The entries of one list of `ring.json`.
fn list(name: &str) -> Vec<Value> {
    entries(RINGS, name)
}

/// The entries of one list of a file, which is not empty.
fn entries(file: &str, name: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(file).expect("vectors are JSON");
    assert_eq!(file["format"], "tchannel-vectors/1");
    let entries = array(&file[name]).clone();
    assert!(!entries.is_empty(), "{name} is empty");
    entries
}

#[track_caller]
fn array(value: &Value) -> &Vec<Value> {
    value.as_array().expect("a list")
}

#[track_caller]
fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

#[track_caller]
fn number(value: &Value) -> u32 {
    let number = value.as_u64().expect("a number");
    number.try_into().expect("a number of 32 bits")
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks_exact(2);
    digits
        .map(|pair| std::str::from_utf8(pair).expect("hex is ASCII"))
        .map(|pair| u8::from_str_radix(pair, 16).expect("two digits of hex"))
        .collect()
}

const RINGS: &str = include_str!("../../../../spec/vectors/ring.json");
const SIZES: &str = include_str!("../../../../spec/vectors/sizes.json");
