//! Source: spec/vectors/README.md, "hostile input": the same oddities, sent over a socket to a channel of
//! the runtime, so that what endpoints and schemes answer is what users get.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tchannel_rt::scheme::thrift;
use tchannel_rt::{Channel, ChannelConfig, ErrorCode, HandlerError, HandlerResult, Reply, Request};

use crate::call::{chunks, frame};
use crate::service::{FOUND, Get, HEALTHY, NOT_FOUND, NOTHING, Skipped, error_code};
use crate::vectors::{Vectors, text, to_hex};
use crate::wire::Wire;

#[tokio::test]
async fn a_channel_answers_every_recorded_oddity_as_the_bare_connection_does() {
    let channel = Channel::with_config("svc", config());
    register(&channel);
    let addr = channel.listen("127.0.0.1:0").await.expect("a free port");
    let vectors = Vectors::load("hostile");
    let mut wrong = Vec::new();
    for probe in vectors
        .all()
        .iter()
        .filter(|probe| probe["group"] != "shutdown")
    {
        let got = play(addr, &vectors, probe).await;
        let ours = &probe["ours"];
        if got["reply"] != ours["reply"] || got["connection"] != ours["connection"] {
            let name = text(&probe["name"]);
            wrong.push(format!("{name}: got {got}, expected {ours}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn config() -> ChannelConfig {
    let mut config = ChannelConfig::default();
    config.init_timeout = Duration::from_secs(1);
    config
}

/// Sends `probe` to `addr`, and gives what came back in the form of `ours`.
async fn play(addr: SocketAddr, vectors: &Vectors, probe: &Value) -> Value {
    let mut wire = Wire::connect(addr).await;
    for item in probe["send"].as_array().expect("a list of frames") {
        if text(item) == "@answered" {
            wire.read(2).await;
        } else {
            wire.send(&vectors.bytes(item)).await;
        }
    }
    wire.finish(&probe["ours"]).await
}

fn register(channel: &Channel) {
    let service = channel.service("svc");
    service.raw("echo", echo);
    service.raw("slow", |request| async move {
        let ms = std::str::from_utf8(&request.arg3)?.parse()?;
        tokio::time::sleep(Duration::from_millis(ms)).await;
        echo(request).await
    });
    service.raw("never", |_| std::future::pending());
    service.raw("throw", |_| async {
        Err(HandlerError::unexpected("thrown"))
    });
    service.raw("notok", |request| async move {
        Ok(Reply::application_error(request.arg2, request.arg3))
    });
    service.json(
        "jecho",
        |incoming| async move { Ok::<Value, _>(incoming.body) },
    );
    service.json("jfail", |_: tchannel_rt::Incoming<Value>| async {
        Err::<Value, _>(HandlerError::application("refused", "no"))
    });
    service.json("jboom", |_: tchannel_rt::Incoming<Value>| async {
        Err::<Value, _>(HandlerError::unexpected("boom"))
    });
    service.thrift("KV::get", |incoming| async move {
        let get: Get = thrift::decode(&incoming.body).map_err(bad_request)?;
        Ok(if get.key == "x" {
            Err(NOT_FOUND)
        } else {
            Ok(FOUND)
        })
    });
    service.thrift("KV::put", |incoming| {
        skip_and_answer(incoming.body, NOTHING)
    });
    service.thrift("Meta::health", |incoming| {
        skip_and_answer(incoming.body, HEALTHY)
    });
    for name in ERRORS {
        let code = error_code(name).expect("a code of that name");
        service.raw(&format!("err_{name}"), move |_| failed(code));
    }
    service.raw("err_ProtocolError", |_| {
        failed(ErrorCode::FatalProtocolError)
    });
}

const ERRORS: [&str; 8] = [
    "Timeout",
    "Cancelled",
    "Busy",
    "Declined",
    "UnexpectedError",
    "BadRequest",
    "NetworkError",
    "Unhealthy",
];

async fn echo(request: Request) -> HandlerResult {
    Ok(Reply::ok(request.arg2, request.arg3))
}

async fn failed(code: ErrorCode) -> HandlerResult {
    Err(HandlerError::new(code, "as asked"))
}

async fn skip_and_answer(arg3: Bytes, answer: Bytes) -> Result<Result<Bytes, Bytes>, HandlerError> {
    thrift::decode::<Skipped>(&arg3).map_err(bad_request)?;
    Ok(Ok(answer))
}

fn bad_request(error: tchannel_rt::scheme::SchemeError) -> HandlerError {
    HandlerError::bad_request(error.to_string())
}

#[tokio::test]
async fn a_request_over_the_ceiling_is_refused_and_the_connection_stays() {
    let mut config = config();
    config.message_bytes_max = 100_000;
    let channel = Channel::with_config("svc", config);
    register(&channel);
    let addr = channel.listen("127.0.0.1:0").await.expect("a free port");
    let mut wire = Wire::connect(addr).await;
    wire.send(&Vectors::load("hostile").bytes(&json!("@init")))
        .await;
    let half = "z".repeat(60_000);
    for (id, rest) in [(5, 40_000), (6, 39_999)] {
        let mut first = chunks(["echo", "h", &half]);
        first["flags"] = json!(1);
        wire.send(&frame("call req", id, first)).await;
        let rest = to_hex("z".repeat(rest).as_bytes());
        wire.send(&frame("call req continue", id, json!({"chunks": [rest]})))
            .await;
    }
    let expected = json!({
        "reply": [
            "init res id 1",
            "error 0x06 id 5",
            "call res id 6 ok none",
            "call res continue id 6",
        ],
        "connection": "open",
    });
    assert_eq!(wire.finish(&expected).await, expected);
}
