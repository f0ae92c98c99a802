//! The client of `peers/README.md`, on our runtime.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::future::join_all;
use serde_json::{Value as Json, json};
use tchannel_rt::retry::{Retry, RetryOn};
use tchannel_rt::scheme::thrift;
use tchannel_rt::{CallError, Channel, ErrorCode, Response};
use test_interop::{Answer, Args, CALLER, Call, Way, pattern};

use super::Record;

/// Makes calls and tells what came of them, as a peer's client does.
pub(crate) struct OurClient {
    channel: Channel,
}

impl OurClient {
    /// A client that has dialled nobody yet.
    pub(crate) fn new() -> Self {
        let channel = Channel::new(CALLER);
        Self { channel }
    }

    /// Makes this call, or these calls.
    pub(crate) async fn call(&self, way: Way, call: &Call) -> Answer {
        if let Way::Router(router) = way {
            self.channel.routers().add(&router.to_string());
        }
        match call.args() {
            Args::Bytes { arg2, arg3 } if call.count() > 1 => {
                self.call_many(way, call, arg2, arg3).await
            }
            Args::Bytes { arg2, arg3 } => self.call_raw(way, call, arg2, arg3).await,
            Args::Values { headers, body } if call.scheme() == "json" => {
                self.call_json(way, call, headers, body).await
            }
            Args::Values { headers, body } => self.call_thrift(way, call, headers, body).await,
        }
        .unwrap_or_else(|error| failure(&error))
    }

    async fn call_raw(
        &self,
        way: Way,
        call: &Call,
        arg2: &[u8],
        arg3: &[u8],
    ) -> Result<Answer, CallError> {
        let (arg2, arg3) = (Bytes::copy_from_slice(arg2), Bytes::copy_from_slice(arg3));
        let response = with(&self.channel, way, call, async |begun| {
            begun
                .arg_scheme(call.scheme())
                .send(arg2.clone(), arg3.clone())
                .await
        })
        .await?;
        Ok(Answer {
            arg2_len: Some(response.arg2.len()),
            arg3_len: Some(response.arg3.len()),
            same: Some(response.arg2 == arg2 && response.arg3 == arg3),
            ..answered(&response)
        })
    }

    async fn call_many(
        &self,
        way: Way,
        call: &Call,
        arg2: &[u8],
        arg3: &[u8],
    ) -> Result<Answer, CallError> {
        let numbered = (0..call.count()).map(|number| {
            let number = u32::try_from(number).expect("a test makes few calls");
            let arg2 = [arg2, &number.to_be_bytes()].concat();
            async move { self.call_raw(way, call, &arg2, arg3).await }
        });
        let mut tally = Answer::default();
        for outcome in join_all(numbered).await {
            count(&mut tally, outcome);
        }
        tally.ok = tally.failed == 0 && tally.mixed_up == 0;
        Ok(tally)
    }

    async fn call_json(
        &self,
        way: Way,
        call: &Call,
        headers: &Json,
        body: &Json,
    ) -> Result<Answer, CallError> {
        let response = with(&self.channel, way, call, async |begun| {
            with_headers(begun, headers).json(body).await
        })
        .await?;
        Ok(Answer {
            headers: headers_of(&response),
            body: serde_json::from_slice(&response.arg3).ok(),
            ..answered(&response)
        })
    }

    async fn call_thrift(
        &self,
        way: Way,
        call: &Call,
        headers: &Json,
        body: &Json,
    ) -> Result<Answer, CallError> {
        let args = args(body);
        let sent = thrift::encode(&args).expect("args of a test fit");
        let response = with(&self.channel, way, call, async |begun| {
            with_headers(begun, headers).thrift(sent).await
        })
        .await?;
        let result: Record = thrift::decode(&response.arg3).expect("a result is a struct");
        Ok(Answer {
            headers: headers_of(&response),
            body: shown(call.method(), &response, &args, &result),
            ..answered(&response)
        })
    }
}

/// Begins the call with our runtime and hands it to `send`.
async fn with(
    channel: &Channel,
    way: Way,
    call: &Call,
    send: impl AsyncFnOnce(tchannel_rt::Call<'_>) -> Result<Response, CallError>,
) -> Result<Response, CallError> {
    let target = format!("{}::{}", call.service(), call.method());
    let address;
    let mut begun = channel.call(&target).ttl(call.ttl()).retry(Retry {
        on: RetryOn::Never,
        ..Retry::default()
    });
    if let Way::Peer(peer) = way {
        address = peer.to_string();
        begun = begun.peer(&address);
    }
    send(begun).await
}

fn with_headers<'a>(begun: tchannel_rt::Call<'a>, headers: &Json) -> tchannel_rt::Call<'a> {
    let headers = headers.as_object().into_iter().flatten();
    headers.fold(begun, |begun, (name, value)| {
        begun.header(name, value.as_str().unwrap_or_default())
    })
}

fn answered(response: &Response) -> Answer {
    Answer {
        ok: true,
        code: Some(u8::from(!response.is_ok())),
        ..Answer::default()
    }
}

fn headers_of(response: &Response) -> Option<BTreeMap<String, String>> {
    let headers = response.application_headers().ok()?;
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Some(headers.iter().map(owned).collect())
}

/// The args struct of a method, its fields in the order of the IDL.
fn args(body: &Json) -> Record {
    if let Some(len) = body["data_len"].as_u64() {
        let len = usize::try_from(len).expect("a length fits");
        return Record::default().bytes(1, pattern(len));
    }
    [(1, "key"), (2, "value")]
        .into_iter()
        .filter_map(|(id, name)| Some((id, body[name].as_str()?.to_owned())))
        .fold(Record::default(), |record, (id, text)| {
            record.bytes(id, text)
        })
}

fn shown(method: &str, response: &Response, args: &Record, result: &Record) -> Option<Json> {
    let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
    if !response.is_ok() {
        let key = result
            .nested(1)
            .and_then(|refusal| refusal.get(1))
            .map(text);
        return Some(json!({"exception": "NotFound", "key": key}));
    }
    match method {
        "KeyValue::get" => result.get(0).map(text).map(Json::from),
        "KeyValue::blob" => {
            let data = result.get(0)?;
            Some(json!({"data_len": data.len(), "same": args.get(1) == Some(data)}))
        }
        _ => None,
    }
}

fn count(tally: &mut Answer, outcome: Result<Answer, CallError>) {
    match outcome {
        Ok(answer) => {
            tally.answered += 1;
            tally.mixed_up += usize::from(answer.same != Some(true));
        }
        Err(error) => {
            tally.failed += 1;
            *tally
                .errors
                .entry(kind(error.code()).to_owned())
                .or_default() += 1;
            tally.message = Some(error.to_string());
        }
    }
}

fn failure(error: &CallError) -> Answer {
    Answer {
        error: Some(kind(error.code()).to_owned()),
        message: Some(error.message().to_owned()),
        ..Answer::default()
    }
}

fn kind(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::Timeout => "timeout",
        ErrorCode::Cancelled => "cancelled",
        ErrorCode::Busy => "busy",
        ErrorCode::Declined => "declined",
        ErrorCode::UnexpectedError => "unexpected",
        ErrorCode::BadRequest => "bad-request",
        ErrorCode::NetworkError => "network",
        ErrorCode::Unhealthy => "unhealthy",
        ErrorCode::FatalProtocolError => "protocol",
    }
}
