//! Source: spec/vectors/README.md, "hostile input": the same oddities, sent over a socket to a channel of
//! the runtime, so that what endpoints and schemes answer is what users get.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tchannel_proto::Decoder;
use tchannel_rt::scheme::thrift;
use tchannel_rt::{Channel, ChannelConfig, ErrorCode, HandlerError, HandlerResult, Reply, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::peer::short;
use crate::service::{FOUND, Get, HEALTHY, NOT_FOUND, NOTHING, Skipped, error_code};
use crate::value;
use crate::vectors::{Vectors, text};

/// The id of a ping that ends each probe: whatever is to come has come before its answer.
const LAST_PING: u32 = 0x0bad_cafe;

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
        let mut socket = TcpStream::connect(addr).await.expect("a listening channel");
        let got = play(&mut socket, &vectors, probe).await;
        let expected = json!({
            "reply": probe["ours"]["reply"],
            "connection": probe["ours"]["connection"],
        });
        if got != expected {
            wrong.push(format!(
                "{}: got {got}, expected {expected}",
                text(&probe["name"])
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn config() -> ChannelConfig {
    let mut config = ChannelConfig::default();
    config.init_timeout = Duration::from_secs(1);
    config
}

/// Sends `probe`, waits for as many replies as are ours, and then for the last ping or the end.
async fn play(socket: &mut TcpStream, vectors: &Vectors, probe: &Value) -> Value {
    let mut replies = Replies::new(socket);
    for item in probe["send"].as_array().expect("a list of frames") {
        if text(item) == "@answered" {
            while replies.got.len() < 2 && replies.next().await {}
        } else {
            replies.send(&vectors.bytes(item)).await;
        }
    }
    let ours = &probe["ours"];
    let count = ours["reply"].as_array().expect("replies").len();
    while replies.got.len() < count && replies.next().await {}
    if ours["connection"] == "open" {
        let ping = json!({"type": "ping req", "id": LAST_PING});
        replies.send(&value::write(&ping)).await;
    }
    while replies.next().await {}
    let is_open = replies.has_last_pong();
    let mut got = replies.got;
    got.truncate(got.len() - usize::from(is_open));
    json!({"reply": got, "connection": if is_open { "open" } else { "closed" }})
}

struct Replies<'a> {
    socket: &'a mut TcpStream,
    decoder: Decoder,
    got: Vec<String>,
}

impl<'a> Replies<'a> {
    fn new(socket: &'a mut TcpStream) -> Self {
        Self {
            socket,
            decoder: Decoder::new(),
            got: Vec::new(),
        }
    }

    /// The channel may have closed before it has read all of it.
    async fn send(&mut self, bytes: &[u8]) {
        let _ = self.socket.write_all(bytes).await;
    }

    fn has_last_pong(&self) -> bool {
        self.got.last() == Some(&format!("ping res id {LAST_PING}"))
    }

    /// Reads one more frame. `false` when the channel has closed, or has answered the last ping.
    async fn next(&mut self) -> bool {
        if self.has_last_pong() {
            return false;
        }
        loop {
            if let Some(frame) = self.decoder.next_frame().expect("frames of our own") {
                self.got.push(short(frame.as_bytes()));
                return true;
            }
            let read = self.socket.read_buf(self.decoder.buffer_mut()).await;
            if read.is_err() || read.is_ok_and(|count| count == 0) {
                return false;
            }
        }
    }
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
