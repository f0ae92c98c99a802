//! Thrift application headers, the map in arg2.
//!
//! ```text
//! nh:2 (k~2 v~2){nh}
//! ```

use bytes::{BufMut, Bytes, BytesMut};

use crate::scheme::input::{Input, InputError};
use crate::scheme::{Arg, ArgScheme, Headers, SchemeError};

/// arg2 for these headers; the two bytes `00 00` when there are none, because Node refuses an empty
/// arg2 and Go never answers it.
///
/// Source: spec/schemes/thrift.md, "application headers".
///
/// # Errors
///
/// [`SchemeError`] when there are more than 65,535 headers or one name or value is longer than that.
pub fn encode_headers(headers: &Headers) -> Result<Bytes, SchemeError> {
    if headers.is_empty() {
        return Ok(Bytes::from_static(&[0, 0]));
    }
    let texts = headers.iter().flat_map(|(name, value)| [name, value]);
    let size_bytes = 2 + texts.clone().map(|text| 2 + text.len()).sum::<usize>();
    let mut arg2 = BytesMut::with_capacity(size_bytes);
    arg2.put_u16(two_bytes(headers.len())?);
    for text in texts {
        arg2.put_u16(two_bytes(text.len())?);
        arg2.put_slice(text.as_bytes());
    }
    Ok(arg2.freeze())
}

/// Reads arg2. An empty one means no headers; of a name that comes twice the last value counts.
///
/// Source: spec/schemes/thrift.md, "application headers".
///
/// # Errors
///
/// [`SchemeError`] when it ends early, goes on after the last pair, or is not UTF-8.
pub fn decode_headers(arg2: &[u8]) -> Result<Headers, SchemeError> {
    match arg2 {
        b"" | b"\0\0" => Ok(Headers::new()),
        map => read(Input(map)).map_err(problem),
    }
}

fn read(mut arg2: Input<'_>) -> Result<Headers, InputError> {
    let count = arg2.u16()?;
    let headers = (0..count)
        .map(|_| Ok((arg2.text2()?, arg2.text2()?)))
        .collect::<Result<_, InputError>>()?;
    arg2.end()?;
    Ok(headers)
}

fn two_bytes(length: usize) -> Result<u16, SchemeError> {
    length
        .try_into()
        .map_err(|_| problem(format_args!("a length of {length} does not fit two bytes")))
}

fn problem(problem: impl std::fmt::Display) -> SchemeError {
    SchemeError::new(ArgScheme::Thrift, Arg::Headers, problem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scheme::headers::arbitrary_headers;
    use proptest::prelude::*;

    #[test]
    fn a_recorded_map_reads_and_writes_byte_for_byte() {
        let headers: Headers = [("h1", "v1")].into_iter().collect();
        let recorded = b"\x00\x01\x00\x02h1\x00\x02v1";
        assert_eq!(encode_headers(&headers).unwrap(), recorded[..]);
        assert_eq!(decode_headers(recorded).unwrap(), headers);
    }

    #[test]
    fn no_headers_are_written_as_a_count_of_zero_and_read_from_nothing_too() {
        assert_eq!(encode_headers(&Headers::new()).unwrap(), b"\0\0"[..]);
        assert!(decode_headers(b"\0\0").unwrap().is_empty());
        assert!(decode_headers(b"").unwrap().is_empty());
    }

    #[test]
    fn the_last_of_two_equal_names_counts_and_a_name_may_be_empty() {
        let headers = decode_headers(b"\0\x03\0\x01a\0\x011\0\0\0\x012\0\x01a\0\x013").unwrap();
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("", "2"), ("a", "3")]);
    }

    #[track_caller]
    fn check_refused(arg2: &[u8], message: &str) {
        assert_eq!(decode_headers(arg2).unwrap_err().to_string(), message);
    }

    #[test]
    fn a_map_that_does_not_fill_arg2_exactly_is_refused() {
        check_refused(b"\0", "thrift arg2: it ends early: 2 bytes wanted, 1 left");
        check_refused(
            b"\0\x01\0\x02h",
            "thrift arg2: it ends early: 2 bytes wanted, 1 left",
        );
        check_refused(b"\0\0x", "thrift arg2: 1 bytes follow its end");
        check_refused(
            b"\0\x01\0\x01\xff\0\0",
            "thrift arg2: a string is not UTF-8",
        );
    }

    #[test]
    fn a_value_that_is_too_long_is_not_cut_short() {
        let headers: Headers = [("a", "x".repeat(65_536))].into_iter().collect();
        let error = encode_headers(&headers).unwrap_err();
        assert_eq!(
            error.to_string(),
            "thrift arg2: a length of 65536 does not fit two bytes"
        );
    }

    proptest! {
        #[test]
        fn headers_come_back_as_they_were(headers in arbitrary_headers()) {
            prop_assert_eq!(decode_headers(&encode_headers(&headers).unwrap()).unwrap(), headers);
        }

        #[test]
        fn no_bytes_make_reading_panic(bytes: Vec<u8>) {
            let _ = decode_headers(&bytes);
        }
    }
}
