//! The promises of `tchannel-proto`, as the property tests there state them, for libFuzzer to break.

// The property tests use all of it, a fuzz target only its own part.
#[allow(dead_code)]
#[path = "../../../tchannel-proto/tests/it/drive/mod.rs"]
mod drive;

use drive::operations::Wire;
use drive::world::Through;

/// Any bytes, taken as a stream of frames.
pub fn frame_decode(bytes: &[u8]) {
    drive::stream::check(bytes);
}

/// Any frames of one message; any message cut into frames.
pub fn fragments(bytes: &[u8]) {
    drive::reassembly::check_any_frames(bytes);
    drive::message::check_round_trip(bytes);
}

/// Any order of events on two connections, with somebody on the wire between them, and at times a router.
pub fn connection_ops(bytes: &[u8]) {
    let through = match bytes.first() {
        Some(byte) if byte & 1 == 1 => Through::Router,
        _ => Through::Wire,
    };
    drive::operations::check(bytes, through, Wire::Tampered);
}
