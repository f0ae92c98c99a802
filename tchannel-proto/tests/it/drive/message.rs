//! Any message, chosen by bytes.

use bytes::BytesMut;
use bytestring::ByteString;
use tchannel_proto::checksum::Checksum;
use tchannel_proto::message::{
    CallReq, CallRes, Cancel, Chunks, Claim, Continuation, ErrorFrame, Init, InitHeaders, Message,
};
use tchannel_proto::{
    ChecksumType, Frame, MessageId, ResponseCode, Tracing, TransportHeaders, Ttl,
};

use super::input::Input;
use super::reassembly::CHECKSUM_TYPES;

/// Encodes a message that `bytes` choose, and expects to decode the same.
pub(crate) fn check_round_trip(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let id = MessageId(input.number() as u32);
    let message = any(&mut input);
    let frame = encode(&message, id);
    assert_eq!(frame.id(), id);
    assert_eq!(frame.frame_type(), Ok(message.frame_type()));
    assert_eq!(Message::decode(frame), Ok(message));
}

/// The frame of a message that fits in one.
pub(crate) fn encode(message: &Message, id: MessageId) -> Frame {
    let mut out = BytesMut::from(&b"before"[..]);
    message
        .encode(id, &mut out)
        .expect("messages made here are short");
    let frame = out.split_off(b"before".len());
    assert_eq!(&out[..], b"before", "an encoder only appends");
    Frame::from_bytes(frame).expect("an encoded message is a frame")
}

/// A message of any type.
pub(crate) fn any(input: &mut Input<'_>) -> Message {
    match input.byte() % 11 {
        0 => Message::CallReq(call_req(input)),
        1 => Message::CallRes(call_res(input)),
        2 => Message::CallReqContinue(continuation(input)),
        3 => Message::CallResContinue(continuation(input)),
        4 => Message::Error(error(input)),
        5 => Message::Cancel(Cancel {
            ttl_ms: input.number() as u32,
            tracing: tracing(input),
            why: text(input, 2_000),
        }),
        6 => Message::Claim(Claim {
            ttl_ms: input.number() as u32,
            tracing: tracing(input),
        }),
        7 => Message::PingReq,
        8 => Message::PingRes,
        9 => Message::InitReq(init(input)),
        _ => Message::InitRes(init(input)),
    }
}

fn call_req(input: &mut Input<'_>) -> CallReq {
    CallReq {
        flags: input.byte(),
        ttl: Ttl::from_millis(input.number() as u32),
        tracing: tracing(input),
        service: text(input, 255),
        headers: headers(input),
        checksum: checksum(input),
        chunks: chunks(input),
    }
}

fn call_res(input: &mut Input<'_>) -> CallRes {
    CallRes {
        flags: input.byte(),
        code: ResponseCode(input.byte()),
        tracing: tracing(input),
        headers: headers(input),
        checksum: checksum(input),
        chunks: chunks(input),
    }
}

fn continuation(input: &mut Input<'_>) -> Continuation {
    Continuation {
        flags: input.byte(),
        checksum: checksum(input),
        chunks: chunks(input),
    }
}

fn error(input: &mut Input<'_>) -> ErrorFrame {
    ErrorFrame {
        code: input.byte(),
        tracing: tracing(input),
        message: text(input, 2_000),
    }
}

fn init(input: &mut Input<'_>) -> Init {
    let version = input.number() as u16;
    let count = input.byte() % 8;
    let headers = (0..count)
        .map(|_| (text(input, 300), text(input, 300)))
        .collect();
    Init {
        version,
        headers: InitHeaders(headers),
    }
}

fn headers(input: &mut Input<'_>) -> TransportHeaders {
    let count = input.byte() % 129;
    // The number in front keeps keys apart; the rest is whatever fits.
    let pairs: Vec<(String, ByteString)> = (0..count)
        .map(|n| (format!("{n:03}{}", text(input, 12)), text(input, 255)))
        .collect();
    TransportHeaders::from_pairs(pairs.iter().map(|(key, value)| (&key[..], &value[..])))
        .expect("keys are short and differ")
}

/// Often none, so that a receiver gets past it.
fn checksum(input: &mut Input<'_>) -> Checksum {
    let checksum_type = match input.flag() {
        true => input.one_of(&CHECKSUM_TYPES),
        false => ChecksumType::None,
    };
    let value = match checksum_type.value_size() {
        0 => 0,
        _ => input.number() as u32,
    };
    Checksum {
        checksum_type,
        value,
    }
}

fn chunks(input: &mut Input<'_>) -> Chunks {
    let chunks: Vec<&[u8]> = (0..input.byte() % 5)
        .map(|_| {
            let length = input.number() % 5_000;
            input.bytes(length)
        })
        .collect();
    Chunks::from_slices(chunks)
}

fn tracing(input: &mut Input<'_>) -> Tracing {
    let mut word = || {
        input
            .bytes(8)
            .iter()
            .fold(0, |word, byte| word << 8 | u64::from(*byte))
    };
    Tracing {
        span_id: word(),
        parent_id: word(),
        trace_id: word(),
        flags: word() as u8,
    }
}

/// At most `limit` bytes of UTF-8.
fn text(input: &mut Input<'_>, limit: usize) -> ByteString {
    let length = usize::from(input.byte());
    let text = String::from_utf8_lossy(input.bytes(length)).into_owned();
    ByteString::from(&text[..text.floor_char_boundary(limit)])
}
