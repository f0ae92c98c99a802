//! Which test holds which requirement of `spec/requirements.toml`: `proofs.txt`, one proof a line.
//!
//! ```text
//! TTL-2      odd    ttl 0
//! INIT-4     server handshake: init res version 1
//! CALL-1     test   call::a_call_req_that_we_send_has_every_field_in_its_place
//! ```
//!
//! A proof is an entry of `hostile.json` or `misbehaving-servers.json`, all of which are played, or a test by
//! file and name; the file is one of this suite, or a path from the root. A requirement that nothing can hold
//! yet says so in the ledger: status `planned`, with a reason.

use std::collections::{BTreeMap, BTreeSet};

use crate::vectors::{Vectors, spec, text, workspace};

/// Id, kind and name of each proof.
fn proofs() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    include_str!("proofs.txt").lines().map(|line| {
        let (id, rest) = line.split_once(' ').expect("an id");
        let (kind, name) = rest.trim_start().split_once(' ').expect("a kind");
        (id, kind, name.trim_start())
    })
}

/// The ledger: for each requirement its table, by id.
fn requirements() -> BTreeMap<String, toml::Table> {
    let path = spec().join("requirements.toml");
    let text = std::fs::read_to_string(&path).expect("the ledger");
    let ledger: toml::Table = text.parse().expect("the ledger is TOML");
    let entries = ledger["requirement"].as_array().expect("a list").clone();
    let count = entries.len();
    let by_id: BTreeMap<_, _> = entries
        .into_iter()
        .map(|entry| entry.as_table().expect("a table").clone())
        .map(|entry| (field(&entry, "id").to_owned(), entry))
        .collect();
    assert_eq!(by_id.len(), count, "an id is given twice");
    by_id
}

#[track_caller]
fn field<'a>(entry: &'a toml::Table, name: &str) -> &'a str {
    let value = entry.get(name).and_then(toml::Value::as_str);
    value.unwrap_or_else(|| panic!("{entry:?} has no {name}"))
}

#[test]
fn every_requirement_is_held_by_a_test_or_says_why_not() {
    let proven: BTreeSet<&str> = proofs().map(|(id, ..)| id).collect();
    let mut wrong = Vec::new();
    for (id, entry) in requirements() {
        let is_proven = proven.contains(id.as_str());
        match field(&entry, "status") {
            "must" | "should" | "may" if is_proven => {}
            "must" | "should" | "may" => wrong.push(format!("{id} is held by no test")),
            "planned" if is_proven => wrong.push(format!("{id} is held, so it is not planned")),
            "planned" => assert!(!field(&entry, "reason").is_empty(), "{id}"),
            other => wrong.push(format!("{id}: there is no status {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_requirement_stands_in_a_section_that_exists() {
    for (id, entry) in requirements() {
        let page = spec().join(field(&entry, "page"));
        let page = std::fs::read_to_string(&page).unwrap_or_else(|error| panic!("{id}: {error}"));
        let section = field(&entry, "section");
        let mut headings = page.lines().filter_map(|line| line.strip_prefix("## "));
        let exists = headings.any(|heading| heading == section);
        assert!(exists, "{id}: no section {section:?}");
        assert!(field(&entry, "text").ends_with('.'), "{id} is no sentence");
    }
}

#[test]
fn every_proof_is_there() {
    let requirements = requirements();
    let odd = names(&Vectors::load("hostile"));
    let servers = names(&Vectors::load("misbehaving-servers"));
    for (id, kind, name) in proofs() {
        assert!(requirements.contains_key(id), "{id} is no requirement");
        match kind {
            "odd" => assert!(odd.contains(name), "{id}: no odd input {name:?}"),
            "server" => assert!(servers.contains(name), "{id}: no server {name:?}"),
            "test" => check_test(id, name),
            other => panic!("{id}: {other:?} proves nothing"),
        }
    }
}

fn names(vectors: &Vectors) -> BTreeSet<String> {
    let names = vectors.all().iter().map(|entry| text(&entry["name"]));
    names.map(str::to_owned).collect()
}

fn check_test(id: &str, path: &str) {
    let (file, name) = path.rsplit_once("::").expect("file::name");
    let own = workspace().join("tests/conformance/tests/it");
    let file = match file.ends_with(".rs") {
        true => workspace().join(file),
        false => own.join(file).with_extension("rs"),
    };
    let source = std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("{id}: {}: {error}", file.display()));
    let lines: Vec<&str> = source.lines().map(str::trim_start).collect();
    let heads = [format!("fn {name}("), format!("async fn {name}(")];
    let starts = |line: &&str| heads.iter().any(|head| line.starts_with(head.as_str()));
    let at = lines.iter().position(starts);
    let at = at.unwrap_or_else(|| panic!("{id}: no test {name} in {}", file.display()));
    let mut attributes = lines[..at]
        .iter()
        .rev()
        .take_while(|line| line.starts_with("#["));
    let is_test =
        attributes.any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"));
    assert!(is_test, "{id}: {name} is not run as a test");
}
