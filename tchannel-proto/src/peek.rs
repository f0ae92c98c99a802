//! What a relay needs of a call req, read at its offsets; and id and ttl rewritten in place.
//!
//! Nothing behind arg1 is looked at, no checksum is verified, nothing is allocated.
//!
//! Source: spec/hyperbahn/routing.md, "a relayed call".

use crate::checksum::ChecksumType;
use crate::cursor::DecodeError;
use crate::frame::{Frame, FrameType};
use crate::message::flags::MORE_FRAGMENTS;
use crate::span::Tracing;
use crate::transport_headers::key;
use crate::ttl::Ttl;

const FLAGS_AT: usize = 0;
const TTL_AT: usize = 1;
const TRACING_AT: usize = 5;
const SERVICE_AT: usize = TRACING_AT + Tracing::SIZE;
const RESPONSE_TRACING_AT: usize = 2;

/// A call req as a relay sees it. Strings are the bytes on the wire; a relay compares them, it does not read them.
#[derive(Clone, Copy, Debug)]
pub struct CallReqPeek<'a> {
    /// More frames of this request follow.
    pub more_fragments: bool,
    /// What the caller will wait; `None` for the illegal zero.
    pub ttl: Option<Ttl>,
    /// The trace, for the error frames that the relay itself may have to send.
    pub tracing: Tracing,
    /// Who should answer.
    pub service: &'a [u8],
    /// `cn`, empty when absent.
    pub caller_name: &'a [u8],
    /// `rd`, empty when absent.
    pub routing_delegate: &'a [u8],
    /// `sk`, empty when absent.
    pub shard_key: &'a [u8],
    /// The method, as far as it stands in this frame.
    pub arg1: &'a [u8],
}

impl<'a> CallReqPeek<'a> {
    /// Reads the payload of a call req up to the end of arg1.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] when a field up to arg1 is not whole or the checksum type is unknown.
    pub fn parse(payload: &'a [u8]) -> Result<Self, DecodeError> {
        let mut at = Walk { rest: payload };
        let fixed = at.take(SERVICE_AT, "flags, ttl and tracing")?;
        let service = at.text1("service")?;
        let mut peek = Self {
            more_fragments: fixed[FLAGS_AT] & MORE_FRAGMENTS != 0,
            ttl: Ttl::from_millis(u32::from_be_bytes([fixed[1], fixed[2], fixed[3], fixed[4]])),
            tracing: Tracing::peek(&fixed[TRACING_AT..]),
            service,
            caller_name: &[],
            routing_delegate: &[],
            shard_key: &[],
            arg1: &[],
        };
        for _ in 0..at.u8("transport header count")? {
            let key = at.text1("transport header key")?;
            let value = at.text1("transport header value")?;
            peek.header(key, value);
        }
        at.checksum()?;
        let length = usize::from(at.u16("arg1 length")?);
        peek.arg1 = at.take(length, "arg1")?;
        Ok(peek)
    }

    fn header(&mut self, key: &'a [u8], value: &'a [u8]) {
        if key == key::CALLER_NAME.as_bytes() {
            self.caller_name = value;
        } else if key == key::ROUTING_DELEGATE.as_bytes() {
            self.routing_delegate = value;
        } else if key == key::SHARD_KEY.as_bytes() {
            self.shard_key = value;
        }
    }
}

/// Writes another ttl over that of a call req.
pub fn rewrite_ttl(frame: &mut Frame, ttl: Ttl) {
    if let Some(field) = frame.payload_mut().get_mut(TTL_AT..TRACING_AT) {
        field.copy_from_slice(&ttl.as_millis().to_be_bytes());
    }
}

/// Whether further frames of the same message follow this call frame.
pub fn more_fragments(frame: &Frame) -> bool {
    frame
        .payload()
        .first()
        .is_some_and(|flags| flags & MORE_FRAGMENTS != 0)
}

/// The tracing field of a call req, or zeros when it is not whole.
pub fn call_req_tracing(frame: &Frame) -> Tracing {
    tracing_of_call_req(frame.payload())
}

/// The same, of its payload.
pub(crate) fn tracing_of_call_req(payload: &[u8]) -> Tracing {
    payload
        .get(TRACING_AT..)
        .map_or_else(Tracing::default, Tracing::peek)
}

/// Whether a call res or continuation can be passed on without harm: its checksum type is known and it
/// holds a chunk. Deployed Go peers die of either. Source: spec/protocol/fragments.md, "receiving".
pub fn is_safe_to_forward(frame: &Frame) -> bool {
    let is_response = frame.frame_type() == Ok(FrameType::CallRes);
    checked_chunks(frame.payload(), is_response).is_ok()
}

fn checked_chunks(payload: &[u8], is_response: bool) -> Result<(), DecodeError> {
    let mut at = Walk { rest: payload };
    at.u8("flags")?;
    if is_response {
        at.call_res_head()?;
    }
    at.checksum()?;
    at.take(2, "first chunk")?;
    Ok(())
}

/// Whether a call res says that the application was content; `None` when it is not whole.
pub fn call_res_is_ok(frame: &Frame) -> Option<bool> {
    let payload = frame.payload();
    (payload.len() >= RESPONSE_TRACING_AT + Tracing::SIZE).then(|| payload[1] == 0)
}

/// A walk over the fields of a payload.
pub(crate) struct Walk<'a> {
    rest: &'a [u8],
}

impl<'a> Walk<'a> {
    pub(crate) fn new(payload: &'a [u8]) -> Self {
        Self { rest: payload }
    }

    /// Bytes not walked over.
    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    /// What stands between flags and checksum of a call req.
    pub(crate) fn call_req_head(&mut self) -> Result<(), DecodeError> {
        self.take(SERVICE_AT - TTL_AT, "ttl and tracing")?;
        self.text1("service")?;
        self.transport_headers()
    }

    /// What stands between flags and checksum of a call res.
    pub(crate) fn call_res_head(&mut self) -> Result<(), DecodeError> {
        self.take(1 + Tracing::SIZE, "code and tracing")?;
        self.transport_headers()
    }

    fn transport_headers(&mut self) -> Result<(), DecodeError> {
        for _ in 0..self.u8("transport header count")? {
            self.text1("transport header key")?;
            self.text1("transport header value")?;
        }
        Ok(())
    }

    pub(crate) fn checksum(&mut self) -> Result<(), DecodeError> {
        let value = self.u8("checksum type")?;
        let checksum_type =
            ChecksumType::from_byte(value).ok_or(DecodeError::ChecksumType { value })?;
        self.take(checksum_type.value_size(), "checksum")?;
        Ok(())
    }

    pub(crate) fn take(
        &mut self,
        needed: usize,
        field: &'static str,
    ) -> Result<&'a [u8], DecodeError> {
        let left = self.rest.len();
        let (taken, rest) = self
            .rest
            .split_at_checked(needed)
            .ok_or(DecodeError::Short {
                field,
                needed,
                left,
            })?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        Ok(self.take(1, field)?[0])
    }

    pub(crate) fn u16(&mut self, field: &'static str) -> Result<u16, DecodeError> {
        let bytes = self.take(2, field)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn text1(&mut self, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let length = usize::from(self.u8(field)?);
        self.take(length, field)
    }
}
