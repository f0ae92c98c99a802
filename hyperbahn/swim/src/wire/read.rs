//! Bodies to values. Missing fields are empty, unknown ones are skipped.

use serde::Deserialize;

use super::claim::Claims;
use super::lenient::{Flag, Number, Text};
use crate::error::Refusal;

/// A ping or ping-req, or the response to one: they share their fields.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Exchange<'a> {
    pub(crate) checksum: Number,
    #[serde(borrow)]
    pub(crate) changes: Claims<'a>,
    #[serde(borrow)]
    pub(crate) source: Text<'a>,
    pub(crate) source_incarnation_number: Number,
    #[serde(borrow)]
    pub(crate) app: Text<'a>,
    #[serde(borrow)]
    pub(crate) target: Text<'a>,
    pub(crate) ping_status: Flag,
}

/// Somebody asks for our membership.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct JoinRequest<'a> {
    #[serde(borrow)]
    pub(crate) app: Text<'a>,
    #[serde(borrow)]
    pub(crate) source: Text<'a>,
}

/// Somebody's membership.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct JoinResponse<'a> {
    #[serde(borrow)]
    pub(crate) app: Text<'a>,
    #[serde(borrow)]
    pub(crate) membership: Claims<'a>,
    pub(crate) membership_checksum: Number,
}

/// A request about a key.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Keyed<'a> {
    #[serde(borrow)]
    pub(crate) key: Text<'a>,
}

/// Reads a body. An empty one, and `null`, have no fields.
pub(crate) fn read<'a, T: Default + Deserialize<'a>>(
    body: &'a [u8],
    limit_bytes: usize,
) -> Result<T, Refusal> {
    if body.len() > limit_bytes {
        return Err(Refusal::BodyTooLong {
            size_bytes: body.len(),
            limit_bytes,
        });
    }
    if matches!(body.trim_ascii(), b"" | b"null") {
        return Ok(T::default());
    }
    // Once for the whole body is faster than once for each string.
    let text = std::str::from_utf8(body).map_err(|error| bad_body(&error))?;
    serde_json::from_str(text).map_err(|error| bad_body(&error))
}

fn bad_body(error: &dyn std::error::Error) -> Refusal {
    Refusal::BadBody {
        why: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Exchange, JoinResponse, read};
    use crate::error::Refusal;

    #[test]
    fn an_empty_body_has_no_fields() {
        for body in [&b""[..], b"null\n", b"{}"] {
            let exchange: Exchange<'_> = read(body, 100).expect("nothing is something");
            assert!(exchange.changes.0.is_empty());
            assert_eq!(exchange.source.0, "");
        }
    }

    #[test]
    fn nulls_are_as_good_as_nothing() {
        let body = br#"{"app":null,"membership":null,"membershipChecksum":null}"#;
        let response: JoinResponse<'_> = read(body, 100).expect("nulls");
        assert!(response.membership.0.is_empty());
        assert_eq!(response.membership_checksum.0, None);
    }

    #[test]
    fn a_body_over_the_limit_is_not_looked_at() {
        let refusal = read::<Exchange<'_>>(&[b'['; 101], 100).expect_err("too long");
        assert_eq!(
            refusal,
            Refusal::BodyTooLong {
                size_bytes: 101,
                limit_bytes: 100
            }
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read::<Exchange<'_>>(&body, 1000);
            let _ = read::<JoinResponse<'_>>(&body, 1000);
        }

        #[test]
        fn no_json_panics(parts in prop::collection::vec(0..PARTS.len(), 0..30)) {
            let body: String = parts.into_iter().map(|part| PARTS[part]).collect();
            let _ = read::<Exchange<'_>>(body.as_bytes(), 1000);
            let _ = read::<JoinResponse<'_>>(body.as_bytes(), 1000);
        }
    }

    const PARTS: [&str; 14] = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "null",
        "-1e9",
        "\"a\"",
        "\"changes\":[{",
        "\"membership\":[",
        "\"address\":",
        "\"status\":\"alive\"",
        "\"labels\":{",
    ];
}
