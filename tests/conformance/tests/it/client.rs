//! Source: spec/vectors/README.md, "misbehaving servers": the same servers on a socket, called by a channel of
//! the runtime.

use std::time::Duration;

use serde_json::{Value, json};
use tchannel_rt::retry::Retry;
use tchannel_rt::{CallError, Channel, ChannelConfig, Response};
use tokio::net::TcpListener;

use crate::value;
use crate::vectors::{Vectors, text};
use crate::wire::Server;

#[tokio::test]
async fn a_call_of_a_channel_ends_as_it_must_whatever_the_server_does() {
    let vectors = Vectors::load("misbehaving-servers");
    let mut wrong = Vec::new();
    for case in vectors.all() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let addr = listener.local_addr().expect("an address").to_string();
        let server = serve(&listener, &vectors, case);
        let channel = Channel::with_config("caller", config());
        let call = call(&channel, &addr);
        // The server lasts until the call has ended, whatever it has done by then.
        let outcome = tokio::select! {
            outcome = call => ended_as(outcome),
            () = server => unreachable!("a server has no end of its own"),
        };
        let expected = expected(case);
        if outcome != expected {
            let name = text(&case["name"]);
            wrong.push(format!("{name}: got {outcome}, expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn config() -> ChannelConfig {
    let mut config = ChannelConfig::default();
    // Well before the call's own second is over.
    config.connect_timeout = Duration::from_millis(200);
    config
}

/// For a caller, every way to lose a connection is the same.
fn expected(case: &Value) -> &str {
    match text(&case["ours"]["connection"]) {
        "closed" => "network error",
        _ => text(&case["ours"]["call"]),
    }
}

async fn call(channel: &Channel, addr: &str) -> Result<Response, CallError> {
    channel
        .call("svc::echo")
        .peer(addr)
        .ttl(Duration::from_secs(1))
        .retry(Retry {
            max_attempts: 1,
            ..Retry::default()
        })
        .send("h", "body")
        .await
}

fn ended_as(outcome: Result<Response, CallError>) -> String {
    match outcome {
        Ok(response) if response.is_ok() => "ok".to_owned(),
        Ok(_) => "application error".to_owned(),
        Err(error) if error.message().starts_with("bad response") => "bad response".to_owned(),
        Err(error) => error.code().name().replace('-', " "),
    }
}

/// Plays the server of `case` to whoever connects, and never returns.
async fn serve(listener: &TcpListener, vectors: &Vectors, case: &Value) {
    let mut server = Server::accept(listener).await;
    server.read().await;
    let is_handshake = case["at"] == "handshake";
    let mut id = None;
    if !is_handshake {
        server.write(&vectors.bytes(&json!("@init res")), id).await;
        id = server.read().await.map(|call| call.id());
    }
    for item in case["server"].as_array().expect("a list of frames") {
        match text(item) {
            "@close" => server.close(),
            "@reply" => {
                server.read().await;
            }
            _ => server.write(&vectors.bytes(item), id).await,
        }
    }
    if is_handshake && let Some(call) = server.read().await {
        let answer = vectors.bytes(&json!("@answer"));
        server.write(&answer, Some(call.id())).await;
    }
    std::future::pending().await
}

#[tokio::test]
async fn a_call_of_a_channel_names_scheme_caller_and_retry_flags() {
    let vectors = Vectors::load("misbehaving-servers");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = listener.local_addr().expect("an address").to_string();
    let channel = Channel::new("caller");
    let server = async {
        let mut server = Server::accept(&listener).await;
        server.read().await.expect("init req");
        server
            .write(&vectors.bytes(&json!("@init res")), None)
            .await;
        server.read().await.expect("call req")
    };
    let frame = tokio::select! {
        frame = server => frame,
        outcome = call(&channel, &addr) => panic!("an answer out of nowhere: {outcome:?}"),
    };
    let value = value::read(frame.as_bytes());
    let header = |key: &str| {
        let pairs = value["headers"].as_array().expect("pairs");
        let found = pairs.iter().find(|pair| pair[0] == key);
        text(&found.unwrap_or_else(|| panic!("no {key}: {value}"))[1]).to_owned()
    };
    assert_eq!(header("as"), "raw");
    assert_eq!(header("cn"), "caller");
    assert!(["n", "c", "t", "ct", "tc"].contains(&header("re").as_str()));
    assert_eq!(
        (&value["service"], &value["flags"]),
        (&json!("svc"), &json!(0))
    );
    assert_eq!(value["chunks"], json!(["6563686f", "68", "626f6479"]));
}
