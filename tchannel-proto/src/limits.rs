//! Every number of the protocol, once, with where it comes from.

/// Bytes of the header that opens every frame. Source: spec/protocol/framing.md, "frame header".
pub const FRAME_HEADER_SIZE: usize = 16;

/// Largest frame in bytes, header included. Source: spec/protocol/framing.md, "frame header".
pub const FRAME_SIZE_MAX: usize = 65_535;

/// The protocol version that is spoken. Source: spec/protocol/init.md, "init req".
pub const VERSION: u16 = 2;

/// Most init headers beyond the standard five that are sent, and that are kept of a peer.
/// Source: spec/protocol/init.md, "further headers".
pub const INIT_HEADERS_FURTHER_MAX: usize = 32;

/// Most bytes that those have together, keys and values. Source: spec/protocol/init.md, "further headers".
pub const INIT_HEADERS_FURTHER_BYTES_MAX: usize = 4096;

/// Largest arg1 (method name) in bytes. Source: spec/protocol/fragments.md, "receiving".
pub const ARG1_MAX: usize = 16_384;

/// Most transport headers of one message. Source: spec/protocol/headers.md, "limits".
pub const TRANSPORT_HEADERS_MAX: usize = 128;

/// Longest transport header key in bytes that is accepted. Source: spec/protocol/headers.md, "limits".
pub const TRANSPORT_HEADER_KEY_MAX: usize = 16;

/// Longest transport header key in bytes that is sent: deployed Node peers refuse 16.
/// Source: spec/protocol/headers.md, "limits".
pub const TRANSPORT_HEADER_KEY_SENT_MAX: usize = 15;

/// Longest message of an error frame in bytes: what fits in one frame.
/// Source: spec/protocol/errors.md, "error frame".
pub const ERROR_MESSAGE_MAX: usize = FRAME_SIZE_MAX - FRAME_HEADER_SIZE - 1 - 25 - 2;

/// Free bytes a frame must have left before another arg is opened in it: its length and one byte.
/// Source: spec/protocol/fragments.md, "sending".
pub const ROOM_TO_OPEN_AN_ARG: usize = 3;

/// Most calls of one connection and one direction that an id can tell apart.
/// Source: spec/protocol/call.md, "message ids".
pub const IN_FLIGHT_MAX: usize = 1 << 18;

/// Most forgotten calls of a connection whose late answers are still recognised.
/// Source: spec/protocol/call.md, "message ids".
pub const TOMBSTONES_MAX: usize = 30_000;
