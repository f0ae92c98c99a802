//! Calls of methods that take or give streams: each value goes and is shown as it comes.

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use hyperbahn::host_port::HostPort;
use hyperbahn::interface::Method;
use serde_json::Value;
use tchannel_rt::scheme::chunks::{Chunks, put_chunk};
use tchannel_rt::{ArgWriter, CallError, Channel, ErrorCode, PendingResponse, StreamResponse};
use tokio::io::{AsyncBufReadExt, BufReader};

use super::args::CallArgs;
use super::codec::{Codec, by_name};
use super::report::{Outcome, Report};
use super::scheme::{Args, Scheme};
use super::{failed, mistaken, print};
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::routers::OneCall;

/// Makes the call and prints what comes of it while it comes.
pub(super) async fn run(
    args: &CallArgs,
    channel: &Channel,
    peers: &[HostPort],
    codec: &Codec<'_>,
    method: &Method<'_>,
    body: &[u8],
) -> Exit {
    let request = match Request::read(args, method, body) {
        Ok(request) => request,
        Err(Wrong::Body(reason)) => return mistaken(args, method, reason),
        Err(Wrong::File(reason)) => return output::fail(reason),
    };
    let headers = args.headers.iter().cloned().collect();
    let arg2 = match by_name(method).encode_headers(&headers) {
        Ok(arg2) => arg2,
        Err(reason) => return output::refuse(reason),
    };
    let target = format!("{}::{}", args.target.service, method.arg1());
    let call = OneCall {
        channel,
        target: &target,
        scheme: method.scheme(),
        shard_key: args.sk.as_deref(),
        ttl: args.ttl,
    };
    let started = Instant::now();
    let ((writer, pending), peer) = match call.begin(peers).await {
        Ok(begun) => begun,
        Err(error) => return end(args, failed(args, &error, None, started)),
    };
    let show = Show {
        args,
        codec,
        method,
        started,
        peer,
    };
    match both(request.send(method, writer, arg2), show.answer(pending)).await {
        Ok(report) => end(args, report),
        Err(reason) => mistaken(args, method, reason),
    }
}

fn end(args: &CallArgs, report: Report) -> Exit {
    print(args, &Codec::Scheme(Scheme::Json), &report);
    report.exit()
}

/// What came of the answer. A request that can not be sent any further is for the answer to explain; one that
/// was not typed well ends both.
async fn both(
    request: impl Future<Output = Result<(), String>>,
    answer: impl Future<Output = Report>,
) -> Result<Report, String> {
    tokio::pin!(request, answer);
    tokio::select! {
        sent = &mut request => {
            sent?;
            Ok(answer.await)
        }
        report = &mut answer => Ok(report),
    }
}

/// What is sent.
enum Request {
    /// The arguments of a method whose answer alone is a stream.
    Whole(Bytes),
    /// Values that are all there.
    Values(Vec<Bytes>),
    /// A value for each line that comes.
    Lines,
}

enum Wrong {
    Body(String),
    File(std::io::Error),
}

impl Request {
    fn read(args: &CallArgs, method: &Method<'_>, body: &[u8]) -> Result<Self, Wrong> {
        let is_unread = args.is_from_stdin() && body.is_empty();
        if is_unread && method.streams_request() {
            return Ok(Self::Lines);
        }
        let read;
        let body = match is_unread {
            true => {
                read = args.body().map_err(Wrong::File)?;
                &read
            }
            false => body,
        };
        let request = match method.streams_request() {
            true => values(body).and_then(|values| {
                let pieces = values.iter().zip(1..);
                let pieces = pieces.map(|(value, number)| piece(method, value, "value", number));
                pieces.collect::<Result<_, _>>().map(Self::Values)
            }),
            false => arguments(body).and_then(|arguments| {
                let arg3 = method.arguments(&arguments);
                arg3.map(Self::Whole).map_err(|error| error.to_string())
            }),
        };
        request.map_err(Wrong::Body)
    }

    /// Sends all of it.
    ///
    /// # Errors
    ///
    /// A sentence about a line that does not fit.
    async fn send(
        self,
        method: &Method<'_>,
        mut writer: ArgWriter,
        arg2: Bytes,
    ) -> Result<(), String> {
        // A call that has failed tells its reason where the answer is awaited.
        if writer.send_arg2(arg2).await.is_err() {
            return Ok(());
        }
        match self {
            Self::Whole(arg3) => {
                let _ = writer.finish_with(arg3).await;
                return Ok(());
            }
            Self::Values(values) => {
                for value in values {
                    if writer.send(chunk(&value)?).await.is_err() {
                        return Ok(());
                    }
                }
            }
            Self::Lines => {
                let mut lines = BufReader::new(tokio::io::stdin()).lines();
                let mut number = 0;
                while let Some(line) = lines.next_line().await.map_err(|error| error.to_string())? {
                    number += 1;
                    if line.trim().is_empty() {
                        continue;
                    }
                    let value = serde_json::from_str(&line)
                        .map_err(|error| format!("line {number} is no JSON: {error}"))?;
                    if writer
                        .send(chunk(&piece(method, &value, "line", number)?)?)
                        .await
                        .is_err()
                    {
                        return Ok(());
                    }
                }
            }
        }
        let _ = writer.finish().await;
        Ok(())
    }
}

fn piece(method: &Method<'_>, value: &Value, what: &str, number: usize) -> Result<Bytes, String> {
    let piece = method.piece(value);
    piece.map_err(|error| format!("{what} {number}: {error}"))
}

fn chunk(value: &[u8]) -> Result<Bytes, String> {
    let mut chunk = BytesMut::new();
    put_chunk(&mut chunk, value, VALUE_BYTES_MAX).map_err(|error| error.to_string())?;
    Ok(chunk.freeze())
}

fn arguments(body: &[u8]) -> Result<Value, String> {
    match body.trim_ascii() {
        b"" => Ok(Value::Null),
        body => serde_json::from_slice(body)
            .map_err(|error| format!("BODY is no JSON object of the arguments by name: {error}")),
    }
}

/// The elements of one array, or one value after another.
fn values(body: &[u8]) -> Result<Vec<Value>, String> {
    let values = serde_json::Deserializer::from_slice(body).into_iter::<Value>();
    let values: Result<Vec<Value>, _> = values.collect();
    let mut values = values.map_err(|error| format!("BODY is no array of values: {error}"))?;
    match &mut values[..] {
        [Value::Array(all)] => Ok(std::mem::take(all)),
        _ => Ok(values),
    }
}

/// Where and how an answer is shown.
struct Show<'a> {
    args: &'a CallArgs,
    codec: &'a Codec<'a>,
    method: &'a Method<'a>,
    started: Instant,
    peer: &'a HostPort,
}

impl Show<'_> {
    async fn answer(&self, pending: PendingResponse) -> Report {
        let shown = match pending.response().await {
            Ok(response) => self.response(response).await,
            Err(error) => Err(error),
        };
        match shown {
            Ok(outcome) => self.report(outcome),
            Err(error) => failed(self.args, &error, None, self.started),
        }
    }

    fn report(&self, outcome: Outcome) -> Report {
        Report {
            outcome,
            elapsed: self.started.elapsed(),
            peer: Some(self.peer.as_str().to_owned()),
        }
    }

    async fn response(&self, mut response: StreamResponse) -> Result<Outcome, CallError> {
        let arg2 = response.args.arg2(HEADER_BYTES_MAX).await?;
        if response.code.is_ok() && self.method.streams_response() {
            return self.values(response, &arg2).await;
        }
        let arg3 = response.args.arg3(VALUE_BYTES_MAX).await?;
        let is_ok = response.code.is_ok();
        let shown = self.codec.shows(is_ok, &Args { arg2, arg3 });
        Ok(Outcome::Answered {
            failed: !is_ok,
            shown,
        })
    }

    async fn values(
        &self,
        mut response: StreamResponse,
        arg2: &[u8],
    ) -> Result<Outcome, CallError> {
        let mut chunks = Chunks::new(VALUE_BYTES_MAX);
        let mut values = 0;
        while let Some(bytes) = response.args.next_chunk().await? {
            chunks.push(bytes);
            loop {
                match chunks.cut() {
                    Ok(Some(chunk)) => match self.method.answer_piece(&chunk) {
                        Ok(answer) => self.value(&answer.body.to_string(), &answer.notes),
                        Err(error) => return Ok(broken(values, error)),
                    },
                    Ok(None) => break,
                    Err(error) => return Ok(broken(values, error)),
                }
                values += 1;
            }
        }
        if let Err(error) = chunks.finish() {
            return Ok(broken(values, error));
        }
        let headers = by_name(self.method).decode_headers(arg2);
        Ok(Outcome::Streamed {
            values,
            headers: headers.unwrap_or_default(),
        })
    }

    fn value(&self, body: &str, notes: &[String]) {
        match self.args.json {
            true => output::line(format_args!("{{\"body\":{body}}}")),
            false => output::line(body),
        }
        if !self.args.json {
            notes.iter().for_each(output::note);
        }
    }
}

/// An answer that is no stream of what the interface says.
fn broken(values: u64, error: impl std::fmt::Display) -> Outcome {
    Outcome::Failed {
        code: ErrorCode::BadRequest,
        message: format!("after {values} values the answer can not be read: {error}"),
        advice: None,
    }
}

/// Bytes of one value, and of an answer that is no stream.
const VALUE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of application headers.
const HEADER_BYTES_MAX: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(body: &str, expected: &[Value]) {
        assert_eq!(values(body.as_bytes()).as_deref(), Ok(expected), "{body}");
    }

    #[test]
    fn a_body_is_an_array_or_one_value_after_another() {
        use serde_json::json;

        reads("", &[]);
        reads("[]", &[]);
        reads("[1, 2]", &[json!(1), json!(2)]);
        reads("1", &[json!(1)]);
        reads("1 2\n{\"a\": 3}\n", &[json!(1), json!(2), json!({"a": 3})]);
        // Of values that are arrays themselves, two make it clear.
        reads("[[1]]", &[json!([1])]);
        reads("[1]\n[2]", &[json!([1]), json!([2])]);
        let refused = values(b"[1").unwrap_err();
        assert!(
            refused.starts_with("BODY is no array of values: EOF"),
            "{refused}"
        );
    }
}
