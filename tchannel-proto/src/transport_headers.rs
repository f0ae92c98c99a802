//! Transport headers: what peers and routers read, beside the args that only applications read.
//!
//! ```text
//! nh:1 (hk~1 hv~1){nh}
//! ```
//!
//! Source: spec/protocol/headers.md, "transport headers".

use std::fmt;
use std::ops::Range;

use bytes::{BufMut, Bytes, BytesMut};
use bytestring::ByteString;

use crate::cursor::{DecodeError, Reader, put_text1, short, text1_size};
use crate::limits::{TRANSPORT_HEADER_KEY_MAX, TRANSPORT_HEADERS_MAX};

/// The keys the protocol gives a meaning.
pub mod key {
    /// Arg scheme: how to read arg2 and arg3.
    pub const ARG_SCHEME: &str = "as";
    /// Caller name.
    pub const CALLER_NAME: &str = "cn";
    /// Retry flags.
    pub const RETRY_FLAGS: &str = "re";
    /// Speculative execution.
    pub const SPECULATIVE_EXECUTION: &str = "se";
    /// Failure domain.
    pub const FAILURE_DOMAIN: &str = "fd";
    /// Shard key.
    pub const SHARD_KEY: &str = "sk";
    /// Routing delegate.
    pub const ROUTING_DELEGATE: &str = "rd";
    /// Claim at start.
    pub const CLAIM_AT_START: &str = "cas";
    /// Claim at finish.
    pub const CLAIM_AT_FINISH: &str = "caf";
}

/// What an answer mostly has. For these, nothing of the frame is held.
const USUAL: [&[u8]; 5] = [
    b"\x02as\x03raw",
    b"\x02as\x06thrift",
    b"\x02as\x04json",
    b"\x02as\x07msgpack",
    b"\x02as\x04http",
];

/// Transport headers as they were received: checked, in their order, still in the frame's buffer.
#[derive(Clone, Default)]
pub struct TransportHeaders {
    count: u8,
    /// Where in `bytes` they stand.
    start: u16,
    end: u16,
    bytes: Bytes,
}

impl TransportHeaders {
    /// The value of `key`, if it is there. See [`key`] for the names.
    pub fn get(&self, key: &str) -> Option<&str> {
        std::str::from_utf8(self.get_bytes(key)?).ok()
    }

    /// The same as bytes, for which nobody looks again whether they are text.
    pub fn get_bytes(&self, key: &str) -> Option<&[u8]> {
        let (_, value) = self.pairs().find(|(k, _)| *k == key.as_bytes())?;
        Some(value)
    }

    /// All headers in the order of the wire.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs().filter_map(|(key, value)| {
            Some((
                std::str::from_utf8(key).ok()?,
                std::str::from_utf8(value).ok()?,
            ))
        })
    }

    fn pairs(&self) -> Pairs<'_> {
        Pairs { rest: self.block() }
    }

    fn block(&self) -> &[u8] {
        let (start, end) = self.place();
        &self.bytes[start..end]
    }

    /// Where they stand in [`bytes`](Self::bytes).
    pub(crate) fn place(&self) -> (usize, usize) {
        (usize::from(self.start), usize::from(self.end))
    }

    /// What they are a part of.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Puts `bytes` in place of those they are a part of, in which they stand at the same place.
    pub(crate) fn set_bytes(&mut self, bytes: Bytes) {
        self.bytes = bytes;
    }

    /// The `count` headers at `place` in `bytes`, which were [checked](Self::check).
    pub(crate) fn within(bytes: Bytes, count: u8, place: Range<usize>) -> Self {
        let in_a_frame = |at| u16::try_from(at).expect("headers that were checked are in a frame");
        Self {
            count,
            start: in_a_frame(place.start),
            end: in_a_frame(place.end),
            bytes,
        }
    }

    /// The value of `key` as a slice that lives on, if it is there.
    pub fn get_slice(&self, key: &str) -> Option<ByteString> {
        let value = self.get_bytes(key)?;
        ByteString::try_from(self.bytes.slice_ref(value)).ok()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        usize::from(self.count)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Builds headers from pairs, for encoding a [`Message`](crate::message::Message) by hand.
    ///
    /// # Errors
    ///
    /// The same that decoding them would give.
    pub fn from_pairs<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, DecodeError> {
        let mut out = BytesMut::new();
        let mut count = 0;
        for (key, value) in pairs {
            put_text1(&mut out, key.as_bytes());
            put_text1(&mut out, value.as_bytes());
            count += 1;
        }
        let mut framed = BytesMut::with_capacity(out.len() + 1);
        framed.put_u8(u8::try_from(count).map_err(|_| too_many(count))?);
        framed.put_slice(&out);
        Self::decode(&mut Reader::new(framed.freeze()))
    }

    /// # Errors
    ///
    /// [`DecodeError`] for a short block, a duplicate or empty key, and what is over a limit.
    /// Source: spec/protocol/headers.md, "limits".
    pub(crate) fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        if let [1, rest @ ..] = reader.rest()
            && let Some(usual) = USUAL.into_iter().find(|usual| rest.starts_with(usual))
        {
            reader.slice(1 + usual.len(), "transport headers")?;
            return Ok(Self::within(Bytes::from_static(usual), 1, 0..usual.len()));
        }
        let start = reader.at() + 1;
        let count = Self::check(reader)?;
        let block = reader.since(start);
        let size = block.len();
        Ok(Self::within(block, count, 0..size))
    }

    /// Reads over headers, and gives how many there are.
    ///
    /// # Errors
    ///
    /// As for [`decode`](Self::decode).
    pub(crate) fn check(reader: &mut Reader) -> Result<u8, DecodeError> {
        let count = reader.u8("transport header count")?;
        if usize::from(count) > TRANSPORT_HEADERS_MAX {
            return Err(too_many(usize::from(count)));
        }
        let size = checked_size(reader.rest(), count)?;
        reader.slice(size, "transport headers")?;
        Ok(count)
    }

    pub(crate) fn encode(&self, out: &mut BytesMut) {
        out.put_u8(self.count);
        out.put_slice(self.block());
    }
}

impl PartialEq for TransportHeaders {
    fn eq(&self, other: &Self) -> bool {
        self.count == other.count && self.block() == other.block()
    }
}

impl Eq for TransportHeaders {}

impl fmt::Debug for TransportHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// How many bytes of `rest` hold `count` headers, once they are found to be such.
fn checked_size(rest: &[u8], count: u8) -> Result<usize, DecodeError> {
    let mut fields = Fields { rest };
    // Keys that begin differently are different, which most do.
    let mut begun = 0_u64;
    let mut may_repeat = false;
    for _ in 0..count {
        let bit = 1 << (first_of_key(fields.next("transport header key")?)? % 64);
        may_repeat |= begun & bit != 0;
        begun |= bit;
        fields.next("transport header value")?;
    }
    let (block, _) = rest.split_at(rest.len() - fields.rest.len());
    // Lengths below 128 are ASCII as well, so that one look is enough for nearly all.
    if !block.is_ascii() {
        check_text(block)?;
    }
    if may_repeat {
        check_unique(block)?;
    }
    Ok(block.len())
}

/// The first byte of a key, once its length is found to be allowed.
fn first_of_key(key: &[u8]) -> Result<u8, DecodeError> {
    match key {
        [] => Err(DecodeError::EmptyKey),
        [first, ..] if key.len() <= TRANSPORT_HEADER_KEY_MAX => Ok(*first),
        _ => Err(DecodeError::KeyTooLong {
            length: key.len(),
            limit: TRANSPORT_HEADER_KEY_MAX,
        }),
    }
}

fn check_text(block: &[u8]) -> Result<(), DecodeError> {
    for (key, value) in (Pairs { rest: block }) {
        let not_utf8 = |field| move |_| DecodeError::NotUtf8 { field };
        std::str::from_utf8(key).map_err(not_utf8("transport header key"))?;
        std::str::from_utf8(value).map_err(not_utf8("transport header value"))?;
    }
    Ok(())
}

fn check_unique(block: &[u8]) -> Result<(), DecodeError> {
    let mut later = Pairs { rest: block };
    while let Some((key, _)) = later.next() {
        let before = &block[..block.len() - later.rest.len()];
        check_differs(key, before)?;
    }
    Ok(())
}

/// Whether `key` is there but once in `pairs`, of which it is the last.
fn check_differs(key: &[u8], pairs: &[u8]) -> Result<(), DecodeError> {
    let pairs = Pairs { rest: pairs };
    if pairs.filter(|(other, _)| *other == key).count() == 1 {
        return Ok(());
    }
    Err(DecodeError::DuplicateKey {
        key: String::from_utf8_lossy(key).into_owned(),
    })
}

fn too_many(count: usize) -> DecodeError {
    DecodeError::TooManyHeaders {
        count,
        limit: TRANSPORT_HEADERS_MAX,
    }
}

/// Walks a block that has still to be checked.
struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    fn next(&mut self, field: &'static str) -> Result<&'a [u8], DecodeError> {
        let Some((&length, rest)) = self.rest.split_first() else {
            return Err(short(field, 1, 0));
        };
        let length = usize::from(length);
        let Some((bytes, rest)) = rest.split_at_checked(length) else {
            return Err(short(field, length, rest.len()));
        };
        self.rest = rest;
        Ok(bytes)
    }
}

/// Walks a block that [`TransportHeaders::decode`] has checked.
struct Pairs<'a> {
    rest: &'a [u8],
}

impl<'a> Pairs<'a> {
    fn field(&mut self) -> Option<&'a [u8]> {
        let (&length, rest) = self.rest.split_first()?;
        let (field, rest) = rest.split_at_checked(usize::from(length))?;
        self.rest = rest;
        Some(field)
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        Some((self.field()?, self.field()?))
    }
}

/// Transport headers to be sent: the known ones by name, any others behind them.
///
/// Empty optional values are left out. Values are cut at 255 bytes by the encoder, so the builders above
/// this floor refuse longer ones. Source: spec/protocol/headers.md, "transport headers".
#[derive(Clone, Copy, Debug, Default)]
pub struct SendHeaders<'a> {
    /// `as`, required in requests and responses.
    pub arg_scheme: &'a str,
    /// `cn`, required in requests.
    pub caller_name: Option<&'a str>,
    /// `re`.
    pub retry_flags: Option<&'a str>,
    /// `se`.
    pub speculative_execution: Option<&'a str>,
    /// `fd`.
    pub failure_domain: Option<&'a str>,
    /// `sk`.
    pub shard_key: Option<&'a str>,
    /// `rd`.
    pub routing_delegate: Option<&'a str>,
    /// `cas`.
    pub claim_at_start: Option<&'a str>,
    /// `caf`.
    pub claim_at_finish: Option<&'a str>,
    /// Headers the protocol does not know.
    pub other: &'a [(&'a str, &'a str)],
}

impl SendHeaders<'_> {
    #[inline]
    fn for_each(&self, mut each: impl FnMut(&str, &str)) {
        each(key::ARG_SCHEME, self.arg_scheme);
        let mut if_given = |key, value: Option<&str>| {
            if let Some(value) = value {
                each(key, value);
            }
        };
        if_given(key::CALLER_NAME, self.caller_name);
        if_given(key::RETRY_FLAGS, self.retry_flags);
        if_given(key::SPECULATIVE_EXECUTION, self.speculative_execution);
        if_given(key::FAILURE_DOMAIN, self.failure_domain);
        if_given(key::SHARD_KEY, self.shard_key);
        if_given(key::ROUTING_DELEGATE, self.routing_delegate);
        if_given(key::CLAIM_AT_START, self.claim_at_start);
        if_given(key::CLAIM_AT_FINISH, self.claim_at_finish);
        for (key, value) in self.other {
            each(key, value);
        }
    }

    /// Bytes they take on the wire.
    pub(crate) fn size(&self) -> usize {
        let mut size = 1;
        self.for_each(|key, value| {
            size += text1_size(key.as_bytes()) + text1_size(value.as_bytes());
        });
        size
    }

    pub(crate) fn encode(&self, out: &mut impl BufMut) {
        let mut count = 0;
        self.for_each(|_, _| count += 1);
        out.put_u8(count);
        self.for_each(|key, value| {
            put_text1(out, key.as_bytes());
            put_text1(out, value.as_bytes());
        });
    }
}
