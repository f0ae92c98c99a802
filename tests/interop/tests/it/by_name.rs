//! The command line calls each peer's Thrift service by names and values, and explains it.

use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};
use test_interop::{Peer, Server};

use crate::pair::every_peer;
use crate::typed;

every_peer! {
    json_is_stored_and_found_by_names,
    every_type_comes_back_as_it_was_typed,
    an_exception_comes_by_its_name,
    what_is_published_needs_no_file,
}

const KV: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/kv.thrift");
const TORTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/torture.thrift");

async fn json_is_stored_and_found_by_names(peer: Peer) {
    let server = Server::start(peer, "kv").await;
    let put = json!({"key": "colour", "value": "grün"});
    let put = by_file(&server, "kv::put", &put, KV).await;
    assert_eq!(told(&put), (0, Value::Null), "{put:?}");
    let got = by_file(&server, "kv::get", &json!({"key": "colour"}), KV).await;
    assert_eq!(told(&got), (0, json!("grün")), "{got:?}");
    let blob = by_file(&server, "kv::blob", &json!({"data": "AP8="}), KV).await;
    assert_eq!(told(&blob), (0, json!("AP8=")), "{blob:?}");
}

async fn every_type_comes_back_as_it_was_typed(peer: Peer) {
    let server = Server::start(peer, "torture").await;
    let point = json!({"x": -1, "y": 1});
    let shape = json!({"many": [{"circle": 2.5}, {"corner": point}, {"many": []}]});
    let tree = json!({"left": {"children": [], "name": "l"}, "children": [], "name": "t"});
    let everything = json!({
        "flag": true, "small": 127, "medium": -32768, "number": 2_147_483_647,
        "great": "-9223372036854775808", "fraction": -1.5e-300, "text": "Grüße, 世界 🦀",
        "data": "AP8=", "color": "BLUE", "point": point, "points": [point, point],
        "words": ["one"], "counts": {"eins": 1, "zwei": 2}, "nested": {"7": {"a": ["AP8=", ""]}},
        "shape": shape, "tree": tree, "maybe_text": "", "deep": [[[true, false], []], []],
    });
    let call = async |method: &str, it: &Value| {
        let target = format!("torture::Torture::{method}");
        by_file(&server, &target, &json!({ "it": it }), TORTURE).await
    };
    let answer = call("everything", &everything).await;
    assert_eq!(told(&answer), (0, everything), "{answer:?}");
    let answer = call("colors", &json!(["RED", 5, "BLUE"])).await;
    assert_eq!(
        told(&answer),
        (0, json!(["RED", "GREEN", "BLUE"])),
        "{answer:?}"
    );
    let answer = call("whoami", &json!("me")).await;
    assert_eq!(told(&answer), (0, json!("me")), "{answer:?}");
}

async fn an_exception_comes_by_its_name(peer: Peer) {
    let server = Server::start(peer, "kv").await;
    let missing = by_file(&server, "kv::get", &json!({"key": "colour"}), KV).await;
    let expected = json!({"NotFound": {"key": "colour"}});
    assert_eq!(told(&missing), (126, expected), "{missing:?}");
}

/// Node publishes its Thrift file; Go knows the question and has no answer, Python does not know it.
async fn what_is_published_needs_no_file(peer: Peer) {
    let server = Server::start(peer, "kv").await;
    let address = server.address().to_string();
    let described = hyperbahn(&["describe", "kv", "--peer", &address, "--ttl", "30s"]).await;
    let get = ["call", "kv::get", r#"{"key":"colour"}"#];
    let got = hyperbahn(&[&get[..], &["--peer", &address, "--ttl", "30s"]].concat()).await;
    if peer == Peer::Node {
        let text = String::from_utf8_lossy(&described.stdout);
        assert!(
            text.contains("KeyValue::get(key: string) -> string"),
            "{described:?}"
        );
        assert_eq!(
            told(&got),
            (126, json!({"NotFound": {"key": "colour"}})),
            "{got:?}"
        );
        return;
    }
    let said = String::from_utf8_lossy(&described.stderr);
    assert_eq!(described.status.code(), Some(6), "{said}");
    assert!(
        said.contains("kv publishes no interface") && said.contains("--thrift FILE"),
        "{said}"
    );
    assert_eq!(got.status.code(), Some(6), "{got:?}");
}

/// What people type and what generated code sends are the same bytes.
#[test]
fn json_and_generated_code_agree_on_every_byte() {
    use hyperbahn::interface::Interfaces;
    use tchannel_codegen::idl::Idl;

    let torture = Interfaces::from_idl(Idl::open(TORTURE).unwrap());
    for (method, arguments, result) in typed::exchanges(Peer::Go) {
        let method = torture.find(&format!("Torture::{method}")).unwrap();
        let is_ok = method.arg1() != "Torture::fail";
        let answer = method.answer(is_ok, &result).unwrap();
        assert_eq!(answer.notes, Vec::<String>::new());
        let body = answer.body.to_value();
        let it = if is_ok { body } else { body["Failure"].clone() };
        let typed = match arguments.as_ref() {
            b"\0" => json!({}),
            _ => json!({ "it": it }),
        };
        assert_eq!(
            method.arguments(&typed).unwrap(),
            arguments,
            "{}",
            method.arg1()
        );
    }
}

async fn by_file(server: &Server, target: &str, body: &Value, file: &str) -> Output {
    let address = server.address().to_string();
    let body = body.to_string();
    hyperbahn(&[
        "call", target, &body, "--peer", &address, "--thrift", file, "--ttl", "30s",
    ])
    .await
}

/// The exit status, and the JSON on standard output.
fn told(output: &Output) -> (i32, Value) {
    let status = output.status.code().expect("it was not killed");
    (
        status,
        serde_json::from_slice(&output.stdout).unwrap_or_default(),
    )
}

async fn hyperbahn(args: &[&str]) -> Output {
    let mut command = tokio::process::Command::new(binary());
    command
        .args(args)
        .stdin(Stdio::null())
        .output()
        .await
        .expect("it was just built")
}

/// The command as it is in this work tree.
fn binary() -> &'static str {
    static BINARY: OnceLock<String> = OnceLock::new();
    BINARY.get_or_init(|| {
        let built = Command::new(env!("CARGO"))
            .args([
                "build",
                "-q",
                "-p",
                "hyperbahn",
                "--bin",
                "hyperbahn",
                "--message-format=json",
            ])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo runs this test");
        assert!(built.status.success());
        let messages = String::from_utf8_lossy(&built.stdout).into_owned();
        let messages = messages
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut executables =
            messages.filter_map(|message| message["executable"].as_str().map(str::to_owned));
        executables.next_back().expect("a binary was built")
    })
}
