//! Any bytes as a stream from a peer: cut, decoded, peeked at, encoded again.

use bytes::BytesMut;
use tchannel_proto::message::{ArrivingHead, Message};
use tchannel_proto::peek::{self, CallReqPeek};
use tchannel_proto::{Decoder, Frame, FrameType, Ttl, header_key};

/// Cuts `bytes` into frames and holds each to what follows from being one.
pub(crate) fn check(bytes: &[u8]) {
    let mut decoder = Decoder::new();
    decoder.buffer_mut().extend_from_slice(bytes);
    let mut seen = 0;
    while let Ok(Some(frame)) = decoder.next_frame() {
        assert_eq!(
            frame.as_bytes(),
            &bytes[seen..seen + frame.as_bytes().len()]
        );
        seen += frame.as_bytes().len();
        check_frame(&frame);
    }
}

/// Whatever decodes also encodes, to the same message; and a relay's eyes see what the codec sees.
pub(crate) fn check_frame(frame: &Frame) {
    let decoded = Message::decode(copy(frame));
    if let Ok(message) = &decoded {
        let mut again = BytesMut::new();
        message
            .encode(frame.id(), &mut again)
            .expect("what came in one frame fits in one frame");
        let again = Frame::from_bytes(again).expect("an encoded message is a frame");
        assert_eq!(again.id(), frame.id());
        assert_eq!(Message::decode(again).as_ref(), Ok(message));
    }
    check_head(frame, decoded.as_ref().ok());
    if frame.frame_type() == Ok(FrameType::CallReq) {
        check_peek(frame, decoded.as_ref().ok());
    }
    peek_at_anything(frame);
}

/// A head has what the whole frame has, as soon as it is there, and no other frame has one.
fn check_head(frame: &Frame, decoded: Option<&Message>) {
    let bytes = frame.as_bytes();
    let head = ArrivingHead::peek(bytes);
    let (chunks, before) = match decoded {
        Some(Message::CallReq(it)) => (&it.chunks, 2),
        Some(Message::CallRes(it)) => (&it.chunks, 2),
        Some(Message::CallReqContinue(it) | Message::CallResContinue(it)) => (&it.chunks, 0),
        // The head does not look at what texts say.
        None if head.is_some_and(|head| head.is_first()) => return,
        _ => return assert_eq!(head, None),
    };
    let last = chunks.iter().nth(before);
    let last = last.filter(|_| chunks.iter().count() == before + 1);
    assert_eq!(head.is_some(), last.is_some());
    let (Some(head), Some(chunk)) = (head, last) else {
        return;
    };
    assert_eq!(Ok(head.frame_type), frame.frame_type());
    assert_eq!(head.id, frame.id());
    assert_eq!(head.more, peek::more_fragments(frame));
    assert_eq!(
        (head.chunk_size, &bytes[head.size..]),
        (chunk.len(), &chunk[..])
    );
    assert_eq!(ArrivingHead::peek(&bytes[..head.size]), Some(head));
    assert_eq!(ArrivingHead::peek(&bytes[..head.size - 1]), None);
}

fn check_peek(frame: &Frame, decoded: Option<&Message>) {
    let peeked = CallReqPeek::parse(frame.payload());
    let Some(Message::CallReq(call)) = decoded else {
        return;
    };
    let Some(arg1) = call.chunks.iter().next() else {
        return;
    };
    let peeked = peeked.expect("a relay can read what the codec can read");
    let header = |key: &str| call.headers.get(key).unwrap_or_default().as_bytes();
    assert_eq!(peeked.service, call.service.as_bytes());
    assert_eq!(peeked.arg1, &arg1[..]);
    assert_eq!(peeked.ttl, call.ttl);
    assert_eq!(peeked.tracing, call.tracing);
    assert_eq!(peeked.caller_name, header(header_key::CALLER_NAME));
    assert_eq!(
        peeked.routing_delegate,
        header(header_key::ROUTING_DELEGATE)
    );
    assert_eq!(peeked.shard_key, header(header_key::SHARD_KEY));
    check_rewritten_ttl(frame);
}

/// A relay's new ttl changes the ttl and nothing else.
fn check_rewritten_ttl(frame: &Frame) {
    let mut rewritten = copy(frame);
    peek::rewrite_ttl(&mut rewritten, Ttl::MAX);
    let Ok(Message::CallReq(mut call)) = Message::decode(rewritten) else {
        panic!("a new ttl made the frame unreadable");
    };
    assert_eq!(call.ttl, Some(Ttl::MAX));
    let Ok(Message::CallReq(before)) = Message::decode(copy(frame)) else {
        panic!("it was read before");
    };
    call.ttl = before.ttl;
    assert_eq!(call, before);
}

/// These take frames of any type and must answer for each.
fn peek_at_anything(frame: &Frame) {
    let mut frame = copy(frame);
    let _ = peek::more_fragments(&frame);
    let _ = peek::call_req_tracing(&frame);
    let _ = peek::call_res_is_ok(&frame);
    let _ = CallReqPeek::parse(frame.payload());
    peek::rewrite_ttl(&mut frame, Ttl::MAX);
}

fn copy(frame: &Frame) -> Frame {
    Frame::from_bytes(BytesMut::from(frame.as_bytes())).expect("it was a frame before")
}
