//! json: an object of strings in arg2, any JSON value in arg3.
//!
//! Peers differ in white space, so JSON args are compared as values, never as bytes.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Arg, ArgScheme, Headers, SchemeError, written};

/// arg2 for these headers: compact, `{}` when there are none.
///
/// Source: spec/schemes/json.md, "writing".
#[must_use]
pub fn encode_headers(headers: &Headers) -> Bytes {
    if headers.is_empty() {
        return Bytes::from_static(b"{}");
    }
    serde_json::to_vec(headers)
        .expect("a map of strings is always JSON")
        .into()
}

/// Reads arg2. Nothing, `null` and `""` are what peers send for no headers.
///
/// Source: spec/schemes/json.md, "reading".
///
/// # Errors
///
/// [`SchemeError`] when it is not JSON, not an object, or has a value that is not a string.
pub fn decode_headers(arg2: &[u8]) -> Result<Headers, SchemeError> {
    match arg2.trim_ascii() {
        b"" | b"{}" | b"null" | b"\"\"" => Ok(Headers::new()),
        object => read(Arg::Headers, object),
    }
}

/// arg3 for `value`, compact.
///
/// Source: spec/schemes/json.md, "writing".
///
/// # Errors
///
/// [`SchemeError`] when the value has no form in JSON, such as a map whose keys are no strings.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Bytes, SchemeError> {
    let mut out = written::take();
    serde_json::to_writer(&mut out, value).map_err(|error| problem(Arg::Body, &error))?;
    Ok(written::give(out))
}

/// Reads arg3; zero bytes are read as `null`.
///
/// Source: spec/schemes/json.md, "reading".
///
/// # Errors
///
/// [`SchemeError`] when it is not one JSON value, nests deeper than 128, or is no `T`.
pub fn decode<T: DeserializeOwned>(arg3: &[u8]) -> Result<T, SchemeError> {
    match arg3.trim_ascii() {
        b"" => read(Arg::Body, b"null"),
        value => read(Arg::Body, value),
    }
}

fn read<T: DeserializeOwned>(arg: Arg, bytes: &[u8]) -> Result<T, SchemeError> {
    serde_json::from_slice(bytes).map_err(|error| problem(arg, &error))
}

fn problem(arg: Arg, error: &serde_json::Error) -> SchemeError {
    SchemeError::new(ArgScheme::Json, arg, error)
}

#[cfg(test)]
mod tests {
    use super::super::headers::arbitrary_headers;
    use super::super::{ErrorBody, MAX_DEPTH};
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    #[track_caller]
    fn check_headers(arg2: &str, expected: &[(&str, &str)]) {
        let headers = decode_headers(arg2.as_bytes()).unwrap();
        assert_eq!(headers.iter().collect::<Vec<_>>(), expected, "{arg2:?}");
    }

    #[track_caller]
    fn check_refused<T: std::fmt::Debug>(result: Result<T, SchemeError>, message: &str) {
        let error = result.unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }

    #[test]
    fn every_way_peers_write_no_headers_is_understood() {
        for arg2 in ["", "null", "null\n", "{}", "{}\n", "\"\"", " { } "] {
            check_headers(arg2, &[]);
        }
    }

    #[test]
    fn headers_of_node_python_and_go_read_the_same() {
        for arg2 in [r#"{"h":"1"}"#, r#"{"h": "1"}"#, "{\"h\":\"1\"}\n"] {
            check_headers(arg2, &[("h", "1")]);
        }
    }

    #[test]
    fn the_last_of_two_equal_header_names_counts() {
        check_headers(r#"{"a":"1","b":"2","a":"3"}"#, &[("b", "2"), ("a", "3")]);
    }

    #[test]
    fn headers_that_are_no_object_of_strings_are_refused() {
        check_refused(decode_headers(b"[]"), "json arg2: invalid type: sequence");
        check_refused(
            decode_headers(br#"{"a":1}"#),
            "json arg2: invalid type: integer `1`",
        );
        check_refused(
            decode_headers(br#"{"a":"1"} x"#),
            "json arg2: trailing characters",
        );
        check_refused(decode_headers(b"{"), "json arg2: EOF");
    }

    #[test]
    fn more_headers_than_the_bound_are_refused() {
        let arg2 = format!(
            "{{{}}}",
            vec![r#""":"""#; super::super::MAX_HEADERS + 1].join(",")
        );
        check_refused(
            decode_headers(arg2.as_bytes()),
            "json arg2: more than 65535 headers",
        );
    }

    #[test]
    fn empty_headers_are_written_as_an_empty_object() {
        assert_eq!(encode_headers(&Headers::new()), "{}");
    }

    #[test]
    fn a_body_of_any_spacing_reads_the_same() {
        for arg3 in [r#"{"b":[1,2]}"#, r#"{"b": [1, 2]}"#, "{\"b\":[1,2]}\n"] {
            assert_eq!(
                decode::<Value>(arg3.as_bytes()).unwrap(),
                json!({"b": [1, 2]})
            );
        }
    }

    #[test]
    fn no_body_is_null() {
        assert_eq!(decode::<Value>(b"").unwrap(), Value::Null);
        assert_eq!(decode::<Option<u32>>(b"\n").unwrap(), None);
        check_refused(decode::<u32>(b""), "json arg3: invalid type: null");
    }

    #[test]
    fn an_application_error_is_read_from_every_peer() {
        for arg3 in [
            r#"{"type":"my-error","message":"no"}"#,
            r#"{"type": "my-error", "message": "no", "id": 7}"#,
        ] {
            let body: ErrorBody = decode(arg3.as_bytes()).unwrap();
            assert_eq!(
                (body.kind.as_str(), body.message.as_str()),
                ("my-error", "no")
            );
        }
    }

    #[test]
    fn an_application_error_is_written_with_type_and_message() {
        let body = ErrorBody {
            kind: "bad".into(),
            message: "no".into(),
        };
        assert_eq!(encode(&body).unwrap(), r#"{"type":"bad","message":"no"}"#);
    }

    #[test]
    fn a_body_that_nests_too_deep_is_refused() {
        let arg3 = "[".repeat(MAX_DEPTH + 1);
        check_refused(
            decode::<Value>(arg3.as_bytes()),
            "json arg3: recursion limit exceeded",
        );
    }

    #[test]
    fn a_value_that_json_cannot_say_is_not_written() {
        check_refused(
            encode(&std::collections::BTreeMap::from([((1, 2), 3)])),
            "json arg3: key must be a string",
        );
    }

    proptest! {
        #[test]
        fn headers_come_back_as_they_were(headers in arbitrary_headers()) {
            prop_assert_eq!(decode_headers(&encode_headers(&headers)).unwrap(), headers);
        }

        #[test]
        fn no_bytes_make_reading_panic(bytes: Vec<u8>) {
            let _ = decode_headers(&bytes);
            let _ = decode::<Value>(&bytes);
        }
    }
}
