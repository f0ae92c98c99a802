//! raw: bytes as they are.
//!
//! There is nothing to encode. What remains is that many raw endpoints carry text.

use bytes::Bytes;
use bytestring::ByteString;

use super::{Arg, ArgScheme, SchemeError};

/// Reads a raw arg as text, without copying it.
///
/// Source: spec/schemes/raw.md, "args".
///
/// # Errors
///
/// [`SchemeError`] when the bytes are not UTF-8.
pub fn text(arg: Arg, bytes: Bytes) -> Result<ByteString, SchemeError> {
    ByteString::try_from(bytes).map_err(|error| SchemeError::new(ArgScheme::Raw, arg, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_the_very_bytes_of_the_arg() {
        let bytes = Bytes::from_static("grüße".as_bytes());
        let text = text(Arg::Body, bytes.clone()).unwrap();
        assert_eq!(text, "grüße");
        assert_eq!(text.as_bytes().as_ptr(), bytes.as_ptr());
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_by_arg() {
        let error = text(Arg::Headers, Bytes::from_static(b"\xff")).unwrap_err();
        assert!(
            error.to_string().starts_with("raw arg2: invalid utf-8"),
            "{error}"
        );
    }
}
