//! Thrift bodies, and the one way to refuse a bad one.

use bytes::Bytes;
use tchannel_rt::scheme::thrift::{ReadError, Reader, Writer};

use super::answer::Body;
use super::read::Request;
use crate::refusal::Refusal;

/// Reads the one struct that is the body of `request`, naming the struct in which a field is
/// missing.
pub(super) fn read<T>(
    request: &Request<'_>,
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, ReadError>,
    struct_of: fn(field: &str) -> &'static str,
) -> Result<T, Refusal> {
    let mut reader = Reader::new(request.body);
    let value = read(&mut reader).and_then(|value| reader.finish().map(|()| value));
    value.map_err(|error| {
        let problem = match error {
            ReadError::Missing { name, .. } => format!("{error} on {}", struct_of(name)),
            _ => error.to_string(),
        };
        unparsable(request, &problem)
    })
}

/// The args of an answer.
pub(super) fn body(write: impl FnOnce(&mut Writer)) -> Body {
    let mut writer = Writer::new();
    write(&mut writer);
    Body {
        scheme: "thrift",
        arg2: Bytes::from_static(&[0, 0]),
        arg3: writer
            .finish()
            .expect("names and lists here are far below 2 GiB"),
    }
}

// Deployed clients and their tests look for these very words.
fn unparsable(request: &Request<'_>, problem: &str) -> Refusal {
    let shown: String = String::from_utf8_lossy(request.body)
        .chars()
        .take(10)
        .collect();
    Refusal::bad_request(format!(
        "tchannel-thrift-handler.parse-error.body-failed: Could not parse body (arg3) argument.\n\
         Expected Thrift encoded arg3 for endpoint {}.\nGot {shown} instead of Thrift.\n\
         Parsing error was: {problem}.\n",
        request.endpoint,
    ))
}
