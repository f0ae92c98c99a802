//! Asking a service for its interface.

use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyperbahn::host_port::HostPort;
use hyperbahn::interface::{Interfaces, Unreadable};
use tchannel_codegen::idl::Idl;
use tchannel_rt::{CallError, Channel, ErrorCode, Response};

use super::routers::OneCall;

/// What is known of a service.
#[derive(Debug)]
pub(crate) enum Lookup {
    /// What it publishes.
    Published(Interfaces),
    /// It publishes nothing; what it answered to each question.
    Nothing(Vec<String>),
}

/// Why nothing is known.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The service could not be asked.
    Call(CallError),
    /// What it publishes can not be read.
    Unreadable(Unreadable),
}

/// Time for all questions together, where the command line does not say how patient people are.
pub(crate) const LOOKUP_TTL: Duration = Duration::from_secs(2);

/// Asks `service` for `Meta::interfaces` and, if it does not know that, for `Meta::thriftIDL`, and waits for
/// at most `ttl` in all. Answers longer than [`BYTES_MAX`](hyperbahn::interface::BYTES_MAX) are refused.
///
/// # Errors
///
/// [`Failure`] when there is no answer, or none that can be read.
pub(crate) async fn ask(
    channel: &Channel,
    peers: &[HostPort],
    service: &str,
    ttl: Duration,
) -> Result<Lookup, Failure> {
    let started = Instant::now();
    let mut answers = Vec::new();
    for question in &QUESTIONS {
        let target = format!("{service}::{}", question.method);
        let call = OneCall {
            channel,
            target: &target,
            scheme: question.scheme,
            shard_key: None,
            ttl: ttl.saturating_sub(started.elapsed()),
        };
        let [arg2, arg3] = question.args.map(Bytes::from_static);
        let answer = match call.send(peers, &arg2, &arg3).await {
            Ok(response) if response.is_ok() => match (question.read)(&response) {
                Ok(interfaces) if interfaces.is_empty() => "none is published".to_owned(),
                read => return read.map(Lookup::Published).map_err(Failure::Unreadable),
            },
            Ok(_) => "an application error".to_owned(),
            Err(error) if is_unknown(&error) => format!("{}: {}", error.code(), error.message()),
            Err(error) => return Err(Failure::Call(error)),
        };
        answers.push(format!("{} is answered with {answer}", question.method));
    }
    Ok(Lookup::Nothing(answers))
}

/// What a Thrift file says.
///
/// # Errors
///
/// The complaints, drawn for people.
pub(crate) fn open(path: &Path) -> Result<Interfaces, String> {
    let idl = Idl::open(path).map_err(|errors| errors.to_string())?;
    Ok(Interfaces::from_idl(idl))
}

struct Question {
    method: &'static str,
    scheme: &'static str,
    args: [&'static [u8]; 2],
    read: fn(&Response) -> Result<Interfaces, Unreadable>,
}

const QUESTIONS: [Question; 2] = [
    Question {
        method: "Meta::interfaces",
        scheme: "json",
        args: [b"{}", b"{}"],
        read: |response| Interfaces::published(&response.arg3),
    },
    Question {
        method: "Meta::thriftIDL",
        scheme: "thrift",
        args: [b"\0\0", b"\0"],
        read: |response| Interfaces::published_as_thrift(&response.arg3),
    },
];

/// Whether the service was reached and does not know the question. Go knows `Meta::thriftIDL` and fails.
fn is_unknown(error: &CallError) -> bool {
    matches!(
        error.code(),
        ErrorCode::BadRequest | ErrorCode::UnexpectedError
    )
}
