//! The binary, as people and scripts use it.

mod mesh;
mod typed;

use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::{nowhere, router, service};
use hyperbahn::node::Node;
use tchannel_rt::Reply;

fn hyperbahn(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hyperbahn"));
    command
        .args(args)
        .env_remove("HYPERBAHN_ROUTERS")
        .env_remove("RUST_LOG")
        .kill_on_drop(true);
    command
}

async fn run(args: &[&str]) -> Output {
    hyperbahn(args).stdin(Stdio::null()).output().await.unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// A process that says where its router listens.
struct Running {
    child: Child,
    router: String,
    rest: BufReader<tokio::process::ChildStdout>,
}

impl Running {
    async fn start(args: &[&str]) -> Self {
        let mut child = hyperbahn(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut rest = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        rest.read_line(&mut line).await.unwrap();
        let router = line
            .trim_end()
            .strip_prefix("router listens on ")
            .map(str::to_owned);
        Self {
            child,
            router: router.unwrap_or_else(|| panic!("unexpected first line {line:?}")),
            rest,
        }
    }

    #[cfg(unix)]
    async fn terminate(mut self) -> i32 {
        let id = self.child.id().unwrap().to_string();
        let sent = Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .await
            .unwrap();
        assert!(sent.success());
        self.child.wait().await.unwrap().code().unwrap()
    }
}

/// Makes a call through `router` and wants this exit status.
async fn call(router: &Node, status: i32, args: &[&str]) -> Output {
    let flags = ["call", "--router", router.address().as_str()];
    let output = run(&[&flags[..], args].concat()).await;
    assert_eq!(
        output.status.code(),
        Some(status),
        "{args:?}: {}",
        stderr(&output)
    );
    output
}

#[tokio::test]
async fn the_exit_status_tells_how_a_call_went() {
    let router = router().await;
    let _service = service(&router, &["keyvalue"]).await;
    let raw = ["--as", "raw", "--ttl"];
    let at = |target| [&[target][..], &raw, &["10s"]].concat();
    call(&router, 0, &at("keyvalue::echo")).await;
    call(&router, 126, &at("keyvalue::refuse")).await;
    call(&router, 3, &at("keyvalue::busy")).await;
    call(&router, 4, &at("nosuch::echo")).await;
    call(&router, 6, &at("keyvalue::nosuch")).await;
    call(&router, 1, &["keyvalue::never", "--ttl", "50ms"]).await;
    call(&router, 64, &["keyvalue"]).await;
    call(&router, 64, &["keyvalue::echo", "{oops"]).await;
    call(&router, 125, &["keyvalue::echo", "@no/such/file"]).await;
}

#[tokio::test]
async fn a_router_that_is_gone_is_a_network_error_and_the_next_one_is_asked() {
    let router = router().await;
    let _service = service(&router, &["keyvalue"]).await;
    let gone = nowhere().await;
    let output = run(&["call", "keyvalue::echo", "--router", &gone]).await;
    assert_eq!(output.status.code(), Some(7), "{}", stderr(&output));
    let both = format!("{gone},{}", router.address());
    let output = run(&["call", "keyvalue::echo", "--router", &both]).await;
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[tokio::test]
async fn a_call_prints_the_body_and_then_code_time_and_peer() {
    let router = router().await;
    let _service = service(&router, &["keyvalue"]).await;
    let output = call(&router, 0, &["keyvalue::echo", r#"{"b": 1, "a": 2}"#]).await;
    assert_eq!(stdout(&output), "{\"b\": 1, \"a\": 2}\n");
    let line = stderr(&output);
    assert!(line.starts_with("ok ("), "{line}");
    assert!(
        line.ends_with(&format!(" ms, {})\n", router.address())),
        "{line}"
    );
}

#[tokio::test]
async fn json_is_one_document_whatever_comes_of_the_call() {
    let router = router().await;
    let _service = service(&router, &["keyvalue"]).await;
    let args = ["keyvalue::echo", "[1]", "--json", "--header", "k=v"];
    let output = call(&router, 0, &args).await;
    let document: Value = serde_json::from_str(stdout(&output)).unwrap();
    assert_eq!(document["code"], "ok");
    assert_eq!(document["body"], json!([1]));
    assert_eq!(document["headers"], json!({"k": "v"}));
    assert_eq!(document["peer"], router.address().as_str());
    assert_eq!(stderr(&output), "");

    let output = call(&router, 4, &["nosuch::echo", "--json"]).await;
    let document: Value = serde_json::from_str(stdout(&output)).unwrap();
    assert_eq!(document["code"], "declined");
    assert!(
        document["message"].as_str().unwrap().contains("nosuch"),
        "{document}"
    );
}

#[tokio::test]
async fn every_scheme_goes_there_and_back() {
    let router = router().await;
    let _service = service(&router, &["keyvalue"]).await;
    for (scheme, body) in [
        ("json", r#"{"a":[1,"x"]}"#),
        ("msgpack", r#"{"a":[1,"x"]}"#),
        ("thrift", r#"{"1":{"str":"x"}}"#),
        ("raw", "any text"),
    ] {
        let output = call(&router, 0, &["keyvalue::echo", body, "--as", scheme]).await;
        assert_eq!(stdout(&output).trim_end(), body, "{scheme}");
    }
}

#[tokio::test]
async fn an_http_status_that_tells_of_failure_is_an_application_error() {
    let router = router().await;
    let process = service(&router, &["web"]).await;
    for (name, head) in [
        ("up", &b"\x00\xc8\x02OK\0\0"[..]),
        ("down", b"\x01\xf7\0\0\0"),
    ] {
        let web = process.service("web");
        web.raw(name, move |_| async move { Ok(Reply::ok(head, "body")) });
    }
    call(&router, 0, &["web::up", "--as", "http"]).await;
    let output = call(&router, 126, &["web::down", "--as", "http"]).await;
    assert!(stdout(&output).contains("503"), "{}", stdout(&output));
}

#[tokio::test]
async fn a_body_comes_from_a_file_or_from_standard_input_too() {
    let router = router().await;
    let _service = service(&router, &["keyvalue"]).await;
    let file = concat!("@", env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let output = call(&router, 0, &["keyvalue::echo", file, "--as", "raw"]).await;
    let expected = std::fs::read_to_string(&file[1..]).unwrap();
    assert_eq!(stdout(&output), expected);

    let address = router.address().as_str();
    let mut child = hyperbahn(&["call", "keyvalue::echo", "-", "--router", address])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stdin, b"[7]")
        .await
        .unwrap();
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    assert_eq!(stdout(&output), "[7]\n");
}

#[tokio::test]
async fn an_instance_can_be_called_without_a_router() {
    let process = super::listening(&["keyvalue"]).await;
    let address = process.local_addr().unwrap().to_string();
    let output = run(&["call", "keyvalue::echo", "1", "--peer", &address]).await;
    assert_eq!(stdout(&output), "1\n", "{}", stderr(&output));
}

#[tokio::test]
async fn routers_come_from_the_environment_unless_one_is_named() {
    let router = router().await;
    let _service = service(&router, &["keyvalue"]).await;
    let gone = nowhere().await;
    let list = format!("{gone},{}", router.address());
    let in_environment = async |routers: &str, args: &[&str]| {
        let mut command = hyperbahn(args);
        let output = command
            .env("HYPERBAHN_ROUTERS", routers)
            .output()
            .await
            .unwrap();
        output.status.code()
    };
    assert_eq!(
        in_environment(&list, &["call", "keyvalue::echo"]).await,
        Some(0)
    );
    assert_eq!(
        in_environment("nonsense", &["call", "keyvalue::echo"]).await,
        Some(64)
    );
    let named = [
        "call",
        "keyvalue::echo",
        "--router",
        router.address().as_str(),
    ];
    assert_eq!(in_environment(&gone, &named).await, Some(0));
}

#[tokio::test]
async fn help_shows_examples_and_a_wrong_flag_is_a_usage_error() {
    for command in [
        "serve",
        "dev",
        "call",
        "describe",
        "members",
        "exits",
        "instances",
        "services",
    ] {
        let output = run(&[command, "--help"]).await;
        assert_eq!(output.status.code(), Some(0));
        assert!(stdout(&output).contains("Examples:"), "{command}");
        let output = run(&[command, "--nonsense"]).await;
        assert_eq!(output.status.code(), Some(64));
    }
    assert_eq!(run(&[]).await.status.code(), Some(64));
}

#[cfg(unix)]
#[tokio::test]
async fn a_router_serves_until_it_is_told_to_stop() {
    let running = Running::start(&["serve", "--listen", "127.0.0.1:0"]).await;
    let health = run(&["call", "autobahn::health_v1", "--router", &running.router]).await;
    assert_eq!(stdout(&health), "\"hello from autobahn\\n\"\n");
    assert_eq!(running.terminate().await, 0);
}

/// The rest of what `dev` prints once it is ready.
async fn welcome(running: &mut Running) -> String {
    let mut told = String::new();
    while !told.contains("Ctrl-C") {
        let read = running.rest.read_line(&mut told).await.unwrap();
        assert_ne!(read, 0, "{told}");
    }
    told
}

#[cfg(unix)]
#[tokio::test]
async fn dev_runs_what_it_tells_people_to_try() {
    let mut running = Running::start(&["dev", "--listen", "127.0.0.1:0"]).await;
    let told = welcome(&mut running).await;
    let tries = told.lines().filter_map(|line| {
        let line = line.trim_start_matches("try:").trim_start();
        line.starts_with(env!("CARGO_BIN_EXE_hyperbahn"))
            .then_some(line)
    });
    let mut printed = String::new();
    for line in tries {
        let output = Command::new("sh").args(["-c", line]).output().await;
        let output = output.unwrap();
        assert!(output.status.success(), "{line}: {}", stderr(&output));
        printed += stdout(&output);
    }
    assert!(printed.contains("{\"hello\":\"world\"}\n"), "{printed}");
    assert!(
        printed.contains("KeyValue::get(key: string) -> string"),
        "{printed}"
    );
    assert!(
        printed.contains("\n\"Hello, Ada!\"\n\"green\"\n"),
        "{printed}"
    );
    for header in [
        "ADDRESS  ",
        "STATUS",
        "EXIT  ",
        "KNOWN BY",
        "SERVICE  ",
        "flaky  ",
    ] {
        assert!(printed.contains(header), "no {header:?} in {printed}");
    }
    assert_eq!(running.terminate().await, 0);
}

#[cfg(unix)]
#[tokio::test]
async fn dev_is_a_mesh_of_three_and_advertises_each_instance_at_another_router() {
    let mut running = Running::start(&["dev", "--listen", "127.0.0.1:0"]).await;
    let told = welcome(&mut running).await;
    let after = |lead: &str| {
        let parts = told.lines().filter_map(|line| line.split_once(lead));
        parts.map(|(_, rest)| rest.to_owned()).collect::<Vec<_>>()
    };
    let mut routers = after("router listens on ");
    routers.insert(0, running.router.clone());
    let advertised = after("advertised at ");
    // They take turns, and some have a remark behind the address.
    let turns = routers.iter().cycle();
    assert_eq!(advertised.len(), 5);
    for (advertised, router) in advertised.iter().zip(turns) {
        assert_eq!(advertised.split(';').next(), Some(router.as_str()));
    }
    for router in &routers {
        let output = run(&["members", "--json", "--router", router]).await;
        let members: Value = serde_json::from_str(stdout(&output)).unwrap();
        assert_eq!(members.as_array().unwrap().len(), 3, "{members}");
    }

    // The slower exits are told in the background.
    let all_know = async {
        loop {
            let output = run(&["exits", "demo", "--json", "--router", &routers[0]]).await;
            let exits: Value = serde_json::from_str(stdout(&output)).unwrap();
            if exits
                .as_array()
                .unwrap()
                .iter()
                .all(|exit| exit["instances"] == 2)
            {
                return;
            }
        }
    };
    let in_time = tokio::time::timeout(Duration::from_secs(30), all_know).await;
    in_time.expect("every exit is told before the next advertisement");

    let mut statuses = Vec::new();
    for router in routers.iter().cycle().take(10) {
        let flaky = run(&["call", "flaky::echo", "--router", router]).await;
        statuses.push(flaky.status.code().unwrap());
    }
    assert_eq!(statuses, [0, 0, 0, 0, 5, 0, 0, 0, 0, 5]);
    assert_eq!(running.terminate().await, 0);
}

#[cfg(unix)]
#[tokio::test]
async fn dev_has_as_many_routers_as_it_is_told() {
    let mut running = Running::start(&["dev", "--listen", "127.0.0.1:0", "--nodes", "1"]).await;
    let told = welcome(&mut running).await;
    assert!(!told.contains("router listens on"), "{told}");
    let echo = ["call", "demo::echo", "1", "--router", &running.router];
    assert_eq!(stdout(&run(&echo).await), "1\n");
    assert_eq!(running.terminate().await, 0);
    let output = run(&["dev", "--nodes", "0"]).await;
    assert_eq!(output.status.code(), Some(64));
}

#[tokio::test]
async fn an_address_that_is_taken_is_named_with_what_to_do() {
    let router = router().await;
    let taken = router.address().as_str();
    for command in ["serve", "dev"] {
        let output = run(&[command, "--listen", taken]).await;
        assert_eq!(output.status.code(), Some(125));
        assert!(stderr(&output).contains(taken), "{}", stderr(&output));
        assert!(
            stderr(&output).contains("is another process using it?"),
            "{}",
            stderr(&output)
        );
    }
}

#[tokio::test]
async fn an_address_that_peers_cannot_dial_is_refused() {
    let output = run(&["serve", "--listen", "0.0.0.0:0"]).await;
    assert_eq!(output.status.code(), Some(125));
    assert!(
        stderr(&output).contains("set announce"),
        "{}",
        stderr(&output)
    );
    let announced = [
        "serve",
        "--listen",
        "0.0.0.0:0",
        "--announce",
        "127.0.0.1:9",
    ];
    assert_eq!(Running::start(&announced).await.router, "127.0.0.1:9");
}

#[tokio::test]
async fn a_config_file_is_read_and_its_mistakes_are_named() {
    let file = std::env::temp_dir().join(format!("hyperbahn-{}.toml", std::process::id()));
    std::fs::write(
        &file,
        "listen = \"0.0.0.0:0\"\nannounce = \"127.0.0.1:9\"\n",
    )
    .unwrap();
    let path = file.to_str().unwrap();
    let running = Running::start(&["serve", "--config", path]).await;
    assert_eq!(running.router, "127.0.0.1:9");
    std::fs::write(&file, "lissten = 1\n").unwrap();
    let output = run(&["serve", "--config", path]).await;
    std::fs::remove_file(&file).unwrap();
    assert_eq!(output.status.code(), Some(64));
    assert!(
        stderr(&output).contains("unknown key lissten"),
        "{}",
        stderr(&output)
    );
}
