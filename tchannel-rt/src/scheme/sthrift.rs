//! sthrift: arg1 and arg2 as in thrift, and in arg3 a stream of Thrift values, each a
//! [chunk](super::chunks).
//!
//! The side of a method that is no stream, and an exception, are as in [`thrift`](super::thrift).

use bytes::Bytes;

use super::thrift::{Value, decode_with, encode_with};
use super::{ArgScheme, SchemeError};

/// One value as a chunk holds it, without its length.
///
/// Source: spec/schemes/sthrift.md, "chunks".
///
/// # Errors
///
/// [`SchemeError`] when a string or container is longer than Thrift can say.
pub fn encode<T: Value>(value: &T) -> Result<Bytes, SchemeError> {
    encode_with(ArgScheme::Sthrift, |writer| value.write_value(writer))
}

/// Reads what a chunk holds, which is exactly one value.
///
/// Source: spec/schemes/sthrift.md, "chunks".
///
/// # Errors
///
/// [`SchemeError`] when it is not, or no `T`.
pub fn decode<T: Value>(chunk: &Bytes) -> Result<T, SchemeError> {
    decode_with(ArgScheme::Sthrift, chunk, T::read_value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_holds_a_value_without_field_or_stop() {
        assert_eq!(encode(&7i32).unwrap(), b"\x00\x00\x00\x07"[..]);
        let text = "ab".to_owned();
        assert_eq!(encode(&text).unwrap(), b"\x00\x00\x00\x02ab"[..]);
        assert_eq!(decode::<String>(&encode(&text).unwrap()), Ok(text));
    }

    #[test]
    fn a_chunk_is_exactly_one_value() {
        for bytes in [&b""[..], b"\x00\x00\x00", b"\x00\x00\x00\x07\x00"] {
            let error = decode::<i32>(&Bytes::copy_from_slice(bytes)).unwrap_err();
            assert!(error.to_string().starts_with("sthrift arg3: "), "{error}");
        }
    }
}
