//! JSON bodies, and the one way to refuse a bad one.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::answer::{Answer, Body};
use super::read::Request;
use crate::refusal::Refusal;

/// Reads the body of `request`; no bytes at all mean `null`.
pub(super) fn read<T: DeserializeOwned>(
    request: &Request<'_>,
    expected: &str,
) -> Result<T, Refusal> {
    let body = match &request.body[..] {
        [] => b"null",
        body => body,
    };
    serde_json::from_slice(body).map_err(|error| match error.classify() {
        Category::Data => unexpected(request, expected, &error),
        Category::Syntax | Category::Eof | Category::Io => unparsable(request),
    })
}

/// A JSON answer with code 0.
pub(super) fn ok(value: &impl Serialize) -> Answer {
    Answer::Ok(body(value))
}

/// A JSON answer with code 1.
pub(super) fn not_ok(value: &impl Serialize) -> Answer {
    Answer::NotOk(body(value))
}

fn body(value: &impl Serialize) -> Body {
    let arg3 = serde_json::to_vec(value).expect("answers have text keys and plain values");
    Body {
        scheme: "json",
        arg2: Bytes::from_static(b"null"),
        arg3: arg3.into(),
    }
}

// Deployed clients and their tests look for these very words.
fn unparsable(request: &Request<'_>) -> Refusal {
    let shown: String = String::from_utf8_lossy(request.body)
        .chars()
        .take(10)
        .collect();
    Refusal::bad_request(format!(
        "tchannel-json-handler.parse-error.body-failed: Could not parse body (arg3) argument.\n\
         Expected JSON encoded arg3 for endpoint {}.\nGot {shown} instead of JSON.",
        request.endpoint,
    ))
}

fn unexpected(request: &Request<'_>, expected: &str, error: &serde_json::Error) -> Refusal {
    Refusal::bad_request(format!(
        "the body of {} must look like {expected}: {error}",
        request.endpoint,
    ))
}
