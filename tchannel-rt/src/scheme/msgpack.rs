//! msgpack: a map of strings in arg2, any MessagePack value in arg3.
//!
//! Structs are written as maps with their field names, so that a field may be added on one side
//! before the other.

use std::io::ErrorKind;

use bytes::Bytes;
use rmp_serde::decode::Error;
use rmp_serde::{Deserializer, Serializer};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::{Arg, ArgScheme, Headers, MAX_DEPTH, SchemeError, written};

/// arg2 for these headers; the one byte `80` when there are none.
///
/// Source: spec/schemes/msgpack.md, "writing".
#[must_use]
pub fn encode_headers(headers: &Headers) -> Bytes {
    if headers.is_empty() {
        return Bytes::from_static(&[0x80]);
    }
    rmp_serde::to_vec_named(headers)
        .expect("a map of strings is always MessagePack")
        .into()
}

/// Reads arg2; zero bytes mean no headers.
///
/// Source: spec/schemes/msgpack.md, "reading".
///
/// # Errors
///
/// [`SchemeError`] when it is not exactly one map of strings to strings.
pub fn decode_headers(arg2: &[u8]) -> Result<Headers, SchemeError> {
    match arg2 {
        b"" | b"\x80" => Ok(Headers::new()),
        map => read(Arg::Headers, map),
    }
}

/// arg3 for `value`, structs as maps.
///
/// Source: spec/schemes/msgpack.md, "args".
///
/// # Errors
///
/// [`SchemeError`] when the value refuses to be serialized.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Bytes, SchemeError> {
    let mut out = written::take();
    let mut values = Serializer::new(&mut out).with_struct_map();
    match value.serialize(&mut values) {
        Ok(()) => Ok(written::give(out)),
        Err(error) => Err(SchemeError::new(ArgScheme::Msgpack, Arg::Body, error)),
    }
}

/// Reads arg3. Unknown fields are skipped.
///
/// Source: spec/schemes/msgpack.md, "reading".
///
/// # Errors
///
/// [`SchemeError`] when it is not exactly one value, nests deeper than 128, or is no `T`.
pub fn decode<T: DeserializeOwned>(arg3: &[u8]) -> Result<T, SchemeError> {
    read(Arg::Body, arg3)
}

fn read<T: DeserializeOwned>(arg: Arg, bytes: &[u8]) -> Result<T, SchemeError> {
    let mut values = Deserializer::from_read_ref(bytes);
    values.set_max_depth(MAX_DEPTH);
    let refused =
        |problem: &dyn std::fmt::Display| SchemeError::new(ArgScheme::Msgpack, arg, problem);
    let value = T::deserialize(&mut values).map_err(|error| refused(&error))?;
    match IgnoredAny::deserialize(&mut values) {
        Err(error) if is_end(&error) => Ok(value),
        _ => Err(refused(&"bytes follow the value")),
    }
}

/// Whether there was not even the first byte of another value.
fn is_end(error: &Error) -> bool {
    matches!(error, Error::InvalidMarkerRead(cause) if cause.kind() == ErrorKind::UnexpectedEof)
}

#[cfg(test)]
mod tests {
    use super::super::ErrorBody;
    use super::super::headers::arbitrary_headers;
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Old {
        name: String,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct New {
        age: Option<u32>,
        name: String,
    }

    #[track_caller]
    fn check_refused<T: std::fmt::Debug>(result: Result<T, SchemeError>, message: &str) {
        let error = result.unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }

    #[test]
    fn no_headers_are_the_empty_map_and_may_be_no_bytes_at_all() {
        assert_eq!(encode_headers(&Headers::new()), b"\x80"[..]);
        assert!(decode_headers(b"\x80").unwrap().is_empty());
        assert!(decode_headers(b"").unwrap().is_empty());
    }

    #[test]
    fn headers_that_are_no_map_of_strings_are_refused() {
        check_refused(decode_headers(b"\xc0"), "msgpack arg2: ");
        check_refused(decode_headers(b"\x90"), "msgpack arg2: ");
        check_refused(decode_headers(b"\x81\xa1a\x01"), "msgpack arg2: ");
    }

    #[test]
    fn a_field_may_be_added_before_the_other_side_knows_it() {
        let new = New {
            age: Some(7),
            name: "n".into(),
        };
        let old = Old { name: "n".into() };
        assert_eq!(decode::<Old>(&encode(&new).unwrap()).unwrap(), old);
        assert_eq!(
            decode::<New>(&encode(&old).unwrap()).unwrap(),
            New {
                age: None,
                name: "n".into()
            }
        );
    }

    #[test]
    fn a_struct_is_written_with_its_field_names() {
        assert_eq!(
            encode(&Old { name: "n".into() }).unwrap(),
            b"\x81\xa4name\xa1n"[..]
        );
    }

    #[test]
    fn a_body_is_exactly_one_value() {
        check_refused(decode::<u8>(b""), "msgpack arg3: ");
        check_refused(
            decode::<u8>(b"\x01\x02"),
            "msgpack arg3: bytes follow the value",
        );
        check_refused(
            decode::<u8>(b"\x01\xa4na"),
            "msgpack arg3: bytes follow the value",
        );
        check_refused(
            decode::<Option<u8>>(b"\xc0\xc0"),
            "msgpack arg3: bytes follow the value",
        );
        assert_eq!(decode::<Option<u8>>(b"\xc0").unwrap(), None);
        assert_eq!(decode::<()>(b"\xc0").ok(), Some(()));
    }

    #[test]
    fn a_length_without_the_data_is_refused_before_memory_is_taken() {
        check_refused(decode::<String>(b"\xdb\xff\xff\xff\xff"), "msgpack arg3: ");
        check_refused(
            decode::<Vec<u64>>(b"\xdd\xff\xff\xff\xff"),
            "msgpack arg3: ",
        );
        check_refused(
            decode::<std::collections::HashMap<u8, u8>>(b"\xdf\xff\xff\xff\xff"),
            "msgpack arg3: ",
        );
    }

    #[test]
    fn a_body_that_nests_too_deep_is_refused() {
        check_refused(
            decode::<IgnoredAny>(&vec![0x91; 1 << 20]),
            "msgpack arg3: depth limit exceeded",
        );
    }

    #[test]
    fn an_application_error_has_type_and_message() {
        let body = ErrorBody {
            kind: "bad".into(),
            message: "no".into(),
        };
        let arg3 = encode(&body).unwrap();
        assert_eq!(arg3, b"\x82\xa4type\xa3bad\xa7message\xa2no"[..]);
        assert_eq!(decode::<ErrorBody>(&arg3).unwrap(), body);
    }

    proptest! {
        #[test]
        fn headers_come_back_as_they_were(headers in arbitrary_headers()) {
            prop_assert_eq!(decode_headers(&encode_headers(&headers)).unwrap(), headers);
        }

        #[test]
        fn no_bytes_make_reading_panic(bytes: Vec<u8>) {
            let _ = decode_headers(&bytes);
            let _ = decode::<IgnoredAny>(&bytes);
        }

        #[test]
        fn a_value_cut_short_is_refused(name in ".{1,40}", cut in 0.0..1.0f64) {
            let arg3 = encode(&New { age: Some(1), name }).unwrap();
            let cut = (arg3.len() as f64 * cut) as usize;
            prop_assert!(decode::<New>(&arg3[..cut]).is_err());
        }
    }
}
