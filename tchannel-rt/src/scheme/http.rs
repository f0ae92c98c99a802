//! http: an HTTP request or response, all but its body, in arg2.
//!
//! ```text
//! request   method~1  url~V      nh:2 (name~2 value~2){nh}
//! response  status:2  message~V  nh:2 (name~2 value~2){nh}
//! ```
//!
//! `~V` is a length in groups of seven bits. Node and Go disagree about the order of the groups, so
//! a length from 128 up is read both ways and the way that consumes arg2 exactly is believed. arg3
//! is the body, as it is.

use bytes::{BufMut, Bytes, BytesMut};

use super::input::{Input, InputError};
use super::{Arg, ArgScheme, SchemeError};

/// The head of an HTTP request.
///
/// Source: spec/schemes/http.md, "args".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Such as `GET`; at most 255 bytes.
    pub method: String,
    /// Path and query, or a whole URL.
    pub url: String,
    /// Header fields.
    pub headers: Fields,
}

impl Request {
    /// arg2 for this request.
    ///
    /// # Errors
    ///
    /// [`SchemeError`] when a part is too long for the length field before it.
    pub fn encode(&self, order: VarintOrder) -> Result<Bytes, SchemeError> {
        let mut arg2 = BytesMut::new();
        self.write(&mut arg2, order).map_err(problem)?;
        Ok(arg2.freeze())
    }

    /// Reads arg2 in whichever varint order fits, Node's first.
    ///
    /// # Errors
    ///
    /// [`SchemeError`] when neither order consumes it exactly.
    pub fn decode(arg2: &[u8]) -> Result<Self, SchemeError> {
        in_either_order(arg2, Self::read)
    }

    fn write(&self, arg2: &mut BytesMut, order: VarintOrder) -> Result<(), TooLong> {
        arg2.put_u8(length(&self.method, "method")?);
        arg2.put_slice(self.method.as_bytes());
        write_varint(arg2, length(&self.url, "url")?, order);
        arg2.put_slice(self.url.as_bytes());
        self.headers.write(arg2)
    }

    fn read(arg2: &mut Input<'_>, order: VarintOrder) -> Result<Self, ReadError> {
        let method_bytes = arg2.u8()?;
        let method = arg2.text(method_bytes.into())?.to_owned();
        let url_bytes = read_varint(arg2, order)?;
        let url = arg2.text(url_bytes)?.to_owned();
        Ok(Self {
            method,
            url,
            headers: Fields::read(arg2)?,
        })
    }
}

/// The head of an HTTP response.
///
/// Source: spec/schemes/http.md, "args".
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// Status code, such as 200. From 400 up it still is a success to TChannel.
    pub status: u16,
    /// Reason phrase, such as `OK`.
    pub message: String,
    /// Header fields.
    pub headers: Fields,
}

impl Response {
    /// arg2 for this response.
    ///
    /// # Errors
    ///
    /// [`SchemeError`] when a part is too long for the length field before it.
    pub fn encode(&self, order: VarintOrder) -> Result<Bytes, SchemeError> {
        let mut arg2 = BytesMut::new();
        self.write(&mut arg2, order).map_err(problem)?;
        Ok(arg2.freeze())
    }

    /// Reads arg2 in whichever varint order fits, Node's first.
    ///
    /// # Errors
    ///
    /// [`SchemeError`] when neither order consumes it exactly.
    pub fn decode(arg2: &[u8]) -> Result<Self, SchemeError> {
        in_either_order(arg2, Self::read)
    }

    fn write(&self, arg2: &mut BytesMut, order: VarintOrder) -> Result<(), TooLong> {
        arg2.put_u16(self.status);
        write_varint(arg2, length(&self.message, "message")?, order);
        arg2.put_slice(self.message.as_bytes());
        self.headers.write(arg2)
    }

    fn read(arg2: &mut Input<'_>, order: VarintOrder) -> Result<Self, ReadError> {
        let status = arg2.u16()?;
        let message_bytes = read_varint(arg2, order)?;
        let message = arg2.text(message_bytes)?.to_owned();
        Ok(Self {
            status,
            message,
            headers: Fields::read(arg2)?,
        })
    }
}

/// HTTP header fields: an ordered multimap whose names are compared without case.
///
/// Node writes names in lower case, Go canonically; both are kept as they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    pairs: Vec<(String, String)>,
}

impl Fields {
    /// No fields.
    #[must_use]
    pub const fn new() -> Self {
        Self { pairs: Vec::new() }
    }

    /// Adds a field behind those already there, whatever their names.
    pub fn append(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.pairs.push((name.into(), value.into()));
    }

    /// The first value under `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).next()
    }

    /// Every value under `name`, in order.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.iter()
            .filter(move |(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// All names and values, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        self.pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn write(&self, arg2: &mut BytesMut) -> Result<(), TooLong> {
        let count = self.pairs.len();
        arg2.put_u16(count.try_into().map_err(|_| TooLong {
            part: "header count",
            length: count,
        })?);
        for (name, value) in self.iter() {
            for (text, part) in [(name, "header name"), (value, "header value")] {
                arg2.put_u16(length(text, part)?);
                arg2.put_slice(text.as_bytes());
            }
        }
        Ok(())
    }

    fn read(arg2: &mut Input<'_>) -> Result<Self, ReadError> {
        let count = arg2.u16()?;
        let mut fields = Self::new();
        for _ in 0..count {
            let name = arg2.text2()?;
            fields.append(name, arg2.text2()?);
        }
        Ok(fields)
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Fields {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self {
            pairs: pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        }
    }
}

/// Which seven-bit group of a length stands first.
///
/// Source: spec/schemes/http.md, "varint".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VarintOrder {
    /// Most significant first, as Node writes.
    #[default]
    Node,
    /// Least significant first, as Go writes.
    Go,
}

fn in_either_order<T>(
    arg2: &[u8],
    read: fn(&mut Input<'_>, VarintOrder) -> Result<T, ReadError>,
) -> Result<T, SchemeError> {
    let exactly = |order| {
        let mut input = Input(arg2);
        let value = read(&mut input, order)?;
        input.end()?;
        Ok::<T, ReadError>(value)
    };
    exactly(VarintOrder::Node).or_else(|error| exactly(VarintOrder::Go).map_err(|_| problem(error)))
}

fn write_varint(arg2: &mut BytesMut, value: u32, order: VarintOrder) {
    let significant_bits = u32::BITS - value.leading_zeros();
    let groups = significant_bits.div_ceil(7).max(1);
    for written in 0..groups {
        let group = match order {
            VarintOrder::Node => groups - 1 - written,
            VarintOrder::Go => written,
        };
        let bits = (value >> (7 * group)) as u8 & 0x7f;
        let more = if written + 1 < groups { 0x80 } else { 0 };
        arg2.put_u8(bits | more);
    }
}

fn read_varint(arg2: &mut Input<'_>, order: VarintOrder) -> Result<usize, ReadError> {
    let mut value = 0u64;
    for read in 0..MAX_VARINT_BYTES {
        let byte = arg2.u8()?;
        let bits = u64::from(byte & 0x7f);
        value = match order {
            VarintOrder::Node => (value << 7) | bits,
            VarintOrder::Go => value | (bits << (7 * read)),
        };
        if byte & 0x80 == 0 {
            return usize::try_from(value).map_err(|_| ReadError::LongVarint);
        }
    }
    Err(ReadError::LongVarint)
}

/// Enough for 32 bits.
const MAX_VARINT_BYTES: u32 = 5;

fn length<N: TryFrom<usize>>(text: &str, part: &'static str) -> Result<N, TooLong> {
    N::try_from(text.len()).map_err(|_| TooLong {
        part,
        length: text.len(),
    })
}

fn problem(error: impl std::fmt::Display) -> SchemeError {
    SchemeError::new(ArgScheme::Http, Arg::Headers, error)
}

#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Input(#[from] InputError),
    #[error("a varint is longer than {MAX_VARINT_BYTES} bytes")]
    LongVarint,
}

#[derive(Debug, thiserror::Error)]
#[error("a {part} of {length} does not fit, shorten it")]
struct TooLong {
    part: &'static str,
    length: usize,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `GET /path?q=1` with `X-A: b`, as Go wrote it.
    const GO_REQUEST: &[u8] = b"\x03GET\x09/path?q=1\x00\x01\x00\x03X-A\x00\x01b";
    /// `200 OK` as Node wrote it.
    const NODE_RESPONSE: &[u8] = b"\x00\xc8\x02OK\x00\x01\x00\x0ccontent-type\x00\x0atext/plain";

    fn get(url: impl Into<String>, headers: &[(&str, &str)]) -> Request {
        Request {
            method: "GET".into(),
            url: url.into(),
            headers: headers.iter().copied().collect(),
        }
    }

    /// The recorded request for a slash and 200 times `p`, whose length of 201 is written `varint`.
    fn recorded_long_url(varint: [u8; 2]) -> Vec<u8> {
        [b"\x03GET", &varint[..], b"/", &[b'p'; 200], b"\0\0"].concat()
    }

    #[test]
    fn a_recorded_request_reads_and_writes_byte_for_byte() {
        let request = get("/path?q=1", &[("X-A", "b")]);
        assert_eq!(Request::decode(GO_REQUEST).unwrap(), request);
        assert_eq!(request.encode(VarintOrder::Node).unwrap(), GO_REQUEST);
    }

    #[test]
    fn a_recorded_response_reads_and_writes_byte_for_byte() {
        let response = Response {
            status: 200,
            message: "OK".into(),
            headers: [("content-type", "text/plain")].into_iter().collect(),
        };
        assert_eq!(Response::decode(NODE_RESPONSE).unwrap(), response);
        assert_eq!(response.encode(VarintOrder::Go).unwrap(), NODE_RESPONSE);
    }

    #[test]
    fn a_long_url_reads_in_the_order_of_either_peer() {
        let request = get("/".to_owned() + &"p".repeat(200), &[]);
        for (order, varint) in [
            (VarintOrder::Node, [0x81, 0x49]),
            (VarintOrder::Go, [0xc9, 0x01]),
        ] {
            let recorded = recorded_long_url(varint);
            assert_eq!(Request::decode(&recorded).unwrap(), request, "{order:?}");
            assert_eq!(request.encode(order).unwrap(), recorded, "{order:?}");
        }
    }

    #[test]
    fn nodes_order_is_written_unless_told_otherwise() {
        assert_eq!(VarintOrder::default(), VarintOrder::Node);
    }

    #[test]
    fn a_field_that_comes_twice_has_both_values_under_any_case() {
        let fields: Fields = [("x-a", "b"), ("y", "z"), ("X-A", "c")]
            .into_iter()
            .collect();
        assert_eq!(fields.get("X-a"), Some("b"));
        assert_eq!(fields.get_all("x-a").collect::<Vec<_>>(), ["b", "c"]);
    }

    #[track_caller]
    fn check_refused(arg2: &[u8], message: &str) {
        assert_eq!(Request::decode(arg2).unwrap_err().to_string(), message);
    }

    #[test]
    fn a_request_that_fits_neither_order_is_refused() {
        check_refused(b"", "http arg2: it ends early: 1 bytes wanted, 0 left");
        check_refused(
            &GO_REQUEST[..GO_REQUEST.len() - 1],
            "http arg2: it ends early: 1 bytes wanted, 0 left",
        );
        check_refused(
            &[GO_REQUEST, b"x"].concat(),
            "http arg2: 1 bytes follow its end",
        );
        check_refused(b"\x01\xff\0\0\0", "http arg2: a string is not UTF-8");
        check_refused(
            &[b"\x03GET", &[0x80; 9][..]].concat(),
            "http arg2: a varint is longer than 5 bytes",
        );
    }

    #[test]
    fn a_part_that_is_too_long_for_its_length_is_not_written() {
        let request = Request {
            method: "M".repeat(256),
            ..Request::default()
        };
        let error = request.encode(VarintOrder::Node).unwrap_err();
        assert_eq!(
            error.to_string(),
            "http arg2: a method of 256 does not fit, shorten it"
        );
        let request = get("/", &[("cookie", &"x".repeat(65_536))]);
        assert!(request.encode(VarintOrder::Node).is_err());
    }

    fn arbitrary_fields() -> impl Strategy<Value = Fields> {
        prop::collection::vec((".{0,8}", ".{0,20}"), 0..6)
            .prop_map(|pairs| pairs.into_iter().collect())
    }

    proptest! {
        #[test]
        fn a_request_comes_back_as_it_was(
            method in ".{0,60}", url in ".{0,99}", headers in arbitrary_fields(),
        ) {
            let request = Request { method, url, headers };
            prop_assert_eq!(Request::decode(&request.encode(VarintOrder::Node).unwrap()).unwrap(), request);
        }

        #[test]
        fn a_varint_comes_back_in_the_order_it_was_written(value: u32, go: bool) {
            let order = if go { VarintOrder::Go } else { VarintOrder::Node };
            let mut bytes = BytesMut::new();
            write_varint(&mut bytes, value, order);
            let mut input = Input(&bytes);
            prop_assert_eq!(read_varint(&mut input, order).unwrap(), value as usize);
            prop_assert!(input.end().is_ok());
        }

        #[test]
        fn no_bytes_make_reading_panic(bytes: Vec<u8>) {
            let _ = Request::decode(&bytes);
            let _ = Response::decode(&bytes);
        }
    }
}
