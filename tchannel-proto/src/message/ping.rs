//! Ping req and ping res: sixteen bytes each, no payload.
//!
//! Source: spec/protocol/control.md, "ping".

use bytes::BytesMut;

use crate::frame::{FrameType, MessageId, close_frame, open_frame};
use crate::limits::FRAME_HEADER_SIZE;

/// Bytes of either ping frame.
pub const PING_SIZE: usize = FRAME_HEADER_SIZE;

/// Appends a ping req or ping res under `id`.
pub fn encode_ping(out: &mut BytesMut, frame_type: FrameType, id: MessageId) {
    let start = open_frame(out, frame_type, id);
    close_frame(out, start, 0);
}
