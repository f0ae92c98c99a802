//! What the commands about the mesh print, with routers at work.

use std::time::Duration;

use hyperbahn::node::Node;
use serde_json::{Value, json};
use tchannel_rt::Channel;

use super::{run, stderr, stdout};
use crate::{config, listening, nowhere, service, through};

/// Longest wait for something that must come; only a failing test takes so long.
const LONG: Duration = Duration::from_secs(30);

async fn mesh(count: usize) -> Vec<Node> {
    let mut mesh: Vec<Node> = Vec::new();
    for _ in 0..count {
        let mut config = config();
        config.bootstrap = mesh.iter().map(|node| node.address().as_str()).collect();
        mesh.push(Node::start(config).await.unwrap());
    }
    for node in &mesh {
        let seen = tokio::time::timeout(LONG, node.sees(count)).await;
        assert!(seen.is_ok(), "{:#?}", node.members().members);
    }
    mesh
}

/// What a command prints when all goes well.
async fn ask(router: &Node, args: &[&str]) -> String {
    let output = run(&[args, &["--router", router.address().as_str()]].concat()).await;
    assert_eq!(
        output.status.code(),
        Some(0),
        "{args:?}: {}",
        stderr(&output)
    );
    stdout(&output).to_owned()
}

async fn document(router: &Node, args: &[&str]) -> Value {
    let printed = ask(router, &[args, &["--json"]].concat()).await;
    serde_json::from_str(&printed).unwrap()
}

/// Asks again until the answer is as it must become.
async fn becomes(router: &Node, args: &[&str], wanted: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    let asking = async {
        while !wanted(&last) {
            last = document(router, args).await;
        }
    };
    let in_time = tokio::time::timeout(LONG, asking).await;
    assert!(in_time.is_ok(), "{args:?}: {last:#}");
    last
}

fn all(exits: &Value, field: &str, expected: usize) -> bool {
    let mut exits = exits.as_array().into_iter().flatten();
    exits.all(|exit| exit[field] == expected)
}

/// The cells of each line up to the notes.
fn rows(table: &str) -> Vec<Vec<&str>> {
    let lines = table.lines().take_while(|line| !line.is_empty());
    let cells = lines.map(|line| line.split("  ").map(str::trim));
    cells
        .map(|cells| cells.filter(|cell| !cell.is_empty()).collect())
        .collect()
}

fn sorted(mesh: &[Node]) -> Vec<&str> {
    let mut addresses: Vec<_> = mesh.iter().map(|node| node.address().as_str()).collect();
    addresses.sort_unstable();
    addresses
}

#[tokio::test]
async fn every_router_shows_the_same_mesh_to_people_and_to_programs() {
    let mesh = mesh(3).await;
    let instance = service(&mesh[0], &["keyvalue", "other"]).await;
    let _second = service(&mesh[1], &["keyvalue"]).await;
    let address = instance.local_addr().unwrap().to_string();
    let exits = becomes(&mesh[0], &["exits", "keyvalue"], |exits| {
        *exits != Value::Null && all(exits, "instances", 2) && all(exits, "connected", 2)
    })
    .await;

    let members = document(&mesh[1], &["members"]).await;
    let addresses: Vec<_> = members.as_array().unwrap().iter().collect();
    assert_eq!(
        addresses
            .iter()
            .map(|member| member["address"].as_str().unwrap())
            .collect::<Vec<_>>(),
        sorted(&mesh)
    );
    assert!(
        addresses
            .iter()
            .all(|member| member["status"] == "alive" && member["incarnation"].is_u64())
    );
    let table = ask(&mesh[2], &["members"]).await;
    let lines = rows(&table);
    assert_eq!(
        lines[0],
        ["ADDRESS", "STATUS", "INCARNATION (ms)", "LABELS"]
    );
    for (line, member) in lines[1..].iter().zip(&addresses) {
        assert_eq!(
            line[..3],
            [
                member["address"].as_str().unwrap(),
                "alive",
                &member["incarnation"].to_string()
            ]
        );
    }

    let body = json!({"serviceName": "keyvalue"});
    let asker = Channel::new("test");
    let order = through(&mesh[1], &asker, "autobahn::hosts_v1").json(&body);
    let order: Vec<String> = serde_json::from_slice(&order.await.unwrap().arg3).unwrap();
    let expected = order
        .iter()
        .map(|exit| json!({"address": exit, "instances": 2, "connected": 2}));
    assert_eq!(exits, expected.collect::<Value>());
    let table = ask(&mesh[2], &["exits", "keyvalue"]).await;
    let mut lines = vec![vec!["EXIT", "INSTANCES", "CONNECTED"]];
    lines.extend(order.iter().map(|exit| vec![exit.as_str(), "2", "2"]));
    assert_eq!(rows(&table), lines, "{table}");

    let found = document(&mesh[1], &["instances", "keyvalue"]).await;
    assert_eq!(found["unreachable"], json!({}));
    let found = found["instances"].as_array().unwrap();
    assert_eq!(found.len(), 2, "{found:#?}");
    let found = found.iter().find(|one| one["address"] == address).unwrap();
    assert_eq!(found["language"], "rust");
    assert_eq!(found["known_by"], json!(sorted(&mesh)));
    assert_eq!(found["connected_to"], json!(sorted(&mesh)));
    assert_eq!(found["other_services"], json!(["other"]));
    let table = ask(&mesh[2], &["instances", "keyvalue"]).await;
    let lines = rows(&table);
    let line = lines.iter().find(|line| line[0] == address).unwrap();
    assert_eq!(line[3..], ["3 exits", "3 exits", "other"], "{table}");

    let services = document(&mesh[1], &["services"]).await;
    assert_eq!(services["unreachable"], json!({}));
    assert_eq!(services["services"]["keyvalue"]["instances"], 2);
    let table = ask(&mesh[2], &["services"]).await;
    assert_eq!(
        rows(&table),
        [
            ["SERVICE", "INSTANCES", "EXITS"],
            ["keyvalue", "2", "3"],
            ["other", "1", "3"]
        ],
        "{table}"
    );
}

#[tokio::test]
async fn a_router_that_is_dead_is_named_by_every_command() {
    let mut mesh = mesh(3).await;
    let _instance = service(&mesh[0], &["keyvalue"]).await;
    let dead = mesh.pop().unwrap();
    let address = dead.address().to_string();
    drop(dead);

    let table = ask(&mesh[0], &["exits", "keyvalue"]).await;
    let no_answer = format!("{address} did not answer: ");
    assert!(
        rows(&table).contains(&vec![&address, "-", "-"]) && table.contains(&no_answer),
        "{table}"
    );
    for command in [&["instances", "keyvalue"][..], &["services"]] {
        let table = ask(&mesh[0], command).await;
        assert!(table.contains(&no_answer), "{table}");
        let document = document(&mesh[0], command).await;
        assert!(document["unreachable"][&address].is_string(), "{document}");
    }

    let is_doubted = |members: &Value| {
        let mut members = members.as_array().into_iter().flatten();
        members.any(|member| member["address"] == *address && member["status"] != "alive")
    };
    becomes(&mesh[0], &["members"], is_doubted).await;
    let table = ask(&mesh[0], &["members"]).await;
    assert!(
        table.contains(&format!("\n{address} is suspect: "))
            || table.contains(&format!("\n{address} is faulty: ")),
        "{table}"
    );
}

#[tokio::test]
async fn an_exit_that_knows_too_little_and_an_instance_that_is_gone_are_noted() {
    let mesh = mesh(2).await;
    let gone = nowhere().await;
    let body = json!({"services": [{"serviceName": "keyvalue", "hostPort": gone}]});
    // Routers that have just met tell each other, but not what is withdrawn.
    for (router, endpoint) in [(&mesh[0], "relay-ad"), (&mesh[1], "relay-unad")] {
        let target = format!("hyperbahn::{endpoint}");
        let teller = Channel::new("test");
        let told = through(router, &teller, &target).json(&body);
        assert!(told.await.unwrap().is_ok());
    }

    let behind = format!("{} knows 0 of 1 instance of keyvalue", mesh[1].address());
    for command in ["exits", "instances"] {
        let table = ask(&mesh[1], &[command, "keyvalue"]).await;
        assert!(table.contains(&behind), "{table}");
    }
    let table = ask(&mesh[1], &["instances", "keyvalue"]).await;
    assert!(
        table.contains(&format!("{gone} is connected to no exit")),
        "{table}"
    );
}

#[tokio::test]
async fn a_service_that_nobody_offers_has_exits_and_no_instances() {
    let mesh = mesh(1).await;
    for command in ["exits", "instances"] {
        let table = ask(&mesh[0], &[command, "nosuch"]).await;
        assert!(
            table.contains("no instance of nosuch is known: is it running"),
            "{table}"
        );
    }
    let table = ask(&mesh[0], &["services"]).await;
    assert!(table.contains("no service is advertised"), "{table}");
}

#[tokio::test]
async fn without_a_router_people_are_told_what_to_do() {
    let gone = nowhere().await;
    for command in [
        &["members"][..],
        &["exits", "keyvalue"],
        &["instances", "keyvalue"],
        &["services"],
        &["call", "keyvalue::echo"],
    ] {
        let output = run(&[command, &["--router", &gone]].concat()).await;
        assert_eq!(output.status.code(), Some(7), "{}", stderr(&output));
        assert_eq!(stdout(&output), "");
        for part in [&*gone, "hyperbahn dev", "--router", "HYPERBAHN_ROUTERS"] {
            assert!(stderr(&output).contains(part), "{}", stderr(&output));
        }
    }
    let router = &mesh(1).await[0];
    let both = format!("{gone},{}", router.address());
    let output = run(&["members", "--router", &both]).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[tokio::test]
async fn what_a_router_refuses_has_the_exit_status_that_a_call_has() {
    let router = &mesh(1).await[0];
    let bad = run(&["exits", "a b", "--router", router.address().as_str()]).await;
    assert_eq!(bad.status.code(), Some(126));
    assert!(
        stderr(&bad).contains("requires valid service name"),
        "{}",
        stderr(&bad)
    );

    let process = listening(&["keyvalue"]).await;
    let no_router = process.local_addr().unwrap().to_string();
    let output = run(&["members", "--router", &no_router]).await;
    assert_eq!(output.status.code(), Some(6), "{}", stderr(&output));
    assert!(
        stderr(&output).contains(&no_router) && stderr(&output).contains("--router"),
        "{}",
        stderr(&output)
    );
}
