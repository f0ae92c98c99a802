//! Frames as the values that `spec/vectors/README.md` describes, and back.

use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};
use tchannel_proto::checksum::Checksum;
use tchannel_proto::message::{
    CallReq, CallRes, Cancel, Chunks, Claim, Continuation, ErrorFrame, Init, InitHeaders, Message,
};
use tchannel_proto::{
    ChecksumType, Frame, FrameType, MessageId, ResponseCode, Tracing, TransportHeaders, Ttl,
};

use crate::vectors::{hex, number, text, to_hex};

/// A frame out of its bytes.
#[track_caller]
pub(crate) fn frame(bytes: &[u8]) -> Frame {
    Frame::from_bytes(BytesMut::from(bytes)).expect("bytes of one whole frame")
}

/// The message in a frame.
#[track_caller]
pub(crate) fn message(bytes: &[u8]) -> Message {
    Message::decode(frame(bytes)).expect("a readable frame")
}

/// The bytes of `message` under `id`.
#[track_caller]
pub(crate) fn encode(id: MessageId, message: &Message) -> Vec<u8> {
    let mut out = BytesMut::new();
    message.encode(id, &mut out).expect("it fits in one frame");
    out.to_vec()
}

/// The value of a frame.
#[track_caller]
pub(crate) fn read(bytes: &[u8]) -> Value {
    let id = frame(bytes).id().0;
    let message = message(bytes);
    let mut value = fields(&message);
    value["type"] = json!(type_name(message.frame_type()));
    value["id"] = json!(id);
    value
}

/// The frame that `value` describes.
#[track_caller]
pub(crate) fn write(value: &Value) -> Vec<u8> {
    encode(id(value), &message_of(value))
}

/// The id in a value.
#[track_caller]
pub(crate) fn id(value: &Value) -> MessageId {
    MessageId(small(&value["id"]))
}

fn fields(message: &Message) -> Value {
    match message {
        Message::InitReq(init) | Message::InitRes(init) => {
            let headers = init.headers.0.iter();
            let headers: Vec<_> = headers.map(|(key, value)| [&**key, &**value]).collect();
            json!({"version": init.version, "headers": headers})
        }
        Message::CallReq(call) => json!({
            "flags": call.flags,
            "ttl_ms": call.ttl.map_or(0, Ttl::as_millis),
            "tracing": tracing(call.tracing),
            "service": &*call.service,
            "headers": pairs(&call.headers),
            "checksum": checksum(call.checksum),
            "chunks": chunks(&call.chunks),
        }),
        Message::CallRes(call) => json!({
            "flags": call.flags,
            "code": call.code.0,
            "tracing": tracing(call.tracing),
            "headers": pairs(&call.headers),
            "checksum": checksum(call.checksum),
            "chunks": chunks(&call.chunks),
        }),
        Message::CallReqContinue(more) | Message::CallResContinue(more) => json!({
            "flags": more.flags,
            "checksum": checksum(more.checksum),
            "chunks": chunks(&more.chunks),
        }),
        Message::Cancel(cancel) => json!({
            "ttl_ms": cancel.ttl_ms,
            "tracing": tracing(cancel.tracing),
            "why": &*cancel.why,
        }),
        Message::Claim(claim) => json!({
            "ttl_ms": claim.ttl_ms,
            "tracing": tracing(claim.tracing),
        }),
        Message::Error(error) => json!({
            "code": error.code,
            "tracing": tracing(error.tracing),
            "message": &*error.message,
        }),
        _ => json!({}),
    }
}

fn message_of(value: &Value) -> Message {
    match text(&value["type"]) {
        "init req" => Message::InitReq(init_of(value)),
        "init res" => Message::InitRes(init_of(value)),
        "call req" => Message::CallReq(CallReq {
            flags: small(&value["flags"]),
            ttl: Ttl::from_millis(small(&value["ttl_ms"])),
            tracing: tracing_of(&value["tracing"]),
            service: text(&value["service"]).into(),
            headers: headers_of(&value["headers"]),
            checksum: checksum_of(&value["checksum"]),
            chunks: chunks_of(&value["chunks"]),
        }),
        "call res" => Message::CallRes(CallRes {
            flags: small(&value["flags"]),
            code: ResponseCode(small(&value["code"])),
            tracing: tracing_of(&value["tracing"]),
            headers: headers_of(&value["headers"]),
            checksum: checksum_of(&value["checksum"]),
            chunks: chunks_of(&value["chunks"]),
        }),
        "call req continue" => Message::CallReqContinue(continuation_of(value)),
        "call res continue" => Message::CallResContinue(continuation_of(value)),
        "cancel" => Message::Cancel(Cancel {
            ttl_ms: small(&value["ttl_ms"]),
            tracing: tracing_of(&value["tracing"]),
            why: text(&value["why"]).into(),
        }),
        "claim" => Message::Claim(Claim {
            ttl_ms: small(&value["ttl_ms"]),
            tracing: tracing_of(&value["tracing"]),
        }),
        "error" => Message::Error(ErrorFrame {
            code: small(&value["code"]),
            tracing: tracing_of(&value["tracing"]),
            message: text(&value["message"]).into(),
        }),
        "ping req" => Message::PingReq,
        "ping res" => Message::PingRes,
        other => panic!("no frame type is called {other:?}"),
    }
}

fn init_of(value: &Value) -> Init {
    let headers = string_pairs(&value["headers"]);
    let headers = headers.map(|(key, value)| (key.into(), value.into()));
    Init {
        version: small(&value["version"]),
        headers: InitHeaders(headers.collect()),
    }
}

fn continuation_of(value: &Value) -> Continuation {
    Continuation {
        flags: small(&value["flags"]),
        checksum: checksum_of(&value["checksum"]),
        chunks: chunks_of(&value["chunks"]),
    }
}

/// The name of a type in the vectors.
pub(crate) fn type_name(frame_type: FrameType) -> &'static str {
    match frame_type {
        FrameType::InitReq => "init req",
        FrameType::InitRes => "init res",
        FrameType::CallReq => "call req",
        FrameType::CallRes => "call res",
        FrameType::CallReqContinue => "call req continue",
        FrameType::CallResContinue => "call res continue",
        FrameType::Cancel => "cancel",
        FrameType::Claim => "claim",
        FrameType::PingReq => "ping req",
        FrameType::PingRes => "ping res",
        FrameType::Error => "error",
    }
}

const CHECKSUM_TYPES: [(ChecksumType, &str); 4] = [
    (ChecksumType::None, "none"),
    (ChecksumType::Crc32, "crc-32"),
    (ChecksumType::Farmhash, "farmhash"),
    (ChecksumType::Crc32c, "crc-32C"),
];

/// The name of a checksum type in the vectors.
pub(crate) fn checksum_name(checksum_type: ChecksumType) -> &'static str {
    let found = CHECKSUM_TYPES.iter().find(|(t, _)| *t == checksum_type);
    found.expect("every type is named").1
}

/// The checksum type that is called `name` in the vectors.
pub(crate) fn checksum_type(name: &Value) -> ChecksumType {
    let found = CHECKSUM_TYPES.iter().find(|(_, n)| *n == text(name));
    found.expect("a type that exists").0
}

fn checksum(checksum: Checksum) -> Value {
    let name = checksum_name(checksum.checksum_type);
    match checksum.checksum_type {
        ChecksumType::None => json!({"type": name}),
        _ => json!({"type": name, "value": format!("{:08x}", checksum.value)}),
    }
}

/// The checksum in a value.
pub(crate) fn checksum_of(value: &Value) -> Checksum {
    Checksum {
        checksum_type: checksum_type(&value["type"]),
        value: value.get("value").map_or(0, |value| {
            u32::from_str_radix(text(value), 16).expect("hex digits")
        }),
    }
}

fn tracing(tracing: Tracing) -> Value {
    json!({
        "span": format!("{:016x}", tracing.span_id),
        "parent": format!("{:016x}", tracing.parent_id),
        "trace": format!("{:016x}", tracing.trace_id),
        "flags": tracing.flags,
    })
}

fn tracing_of(value: &Value) -> Tracing {
    let id = |key| u64::from_str_radix(text(&value[key]), 16).expect("hex digits");
    Tracing {
        span_id: id("span"),
        parent_id: id("parent"),
        trace_id: id("trace"),
        flags: small(&value["flags"]),
    }
}

/// Transport headers as pairs.
pub(crate) fn pairs(headers: &TransportHeaders) -> Value {
    let pairs: Vec<_> = headers.iter().map(|(key, value)| [key, value]).collect();
    json!(pairs)
}

fn headers_of(value: &Value) -> TransportHeaders {
    TransportHeaders::from_pairs(string_pairs(value)).expect("headers within the limits")
}

fn string_pairs(value: &Value) -> impl Iterator<Item = (&str, &str)> {
    let pairs = value.as_array().expect("a list of pairs");
    pairs.iter().map(|pair| (text(&pair[0]), text(&pair[1])))
}

fn chunks(chunks: &Chunks) -> Value {
    let chunks: Vec<String> = chunks.iter().map(|chunk| to_hex(&chunk)).collect();
    json!(chunks)
}

fn chunks_of(value: &Value) -> Chunks {
    let chunks: Vec<Bytes> = value
        .as_array()
        .expect("a list of chunks")
        .iter()
        .map(|chunk| hex(chunk).into())
        .collect();
    Chunks::from_slices(chunks.iter().map(|chunk| &chunk[..]))
}

#[track_caller]
fn small<T: TryFrom<u64, Error: std::fmt::Debug>>(value: &Value) -> T {
    T::try_from(number(value)).expect("it fits its field")
}
