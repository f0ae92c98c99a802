//! How members call each other, and what the end of a call says of the one that was called.

use std::sync::Arc;

use bytes::Bytes;
use hyperbahn_swim::{Outcome, Request, RequestId};
use tchannel_rt::retry::Retry;
use tchannel_rt::{CallError, Channel, ErrorCode, Response};

use super::SERVICE;

/// Application headers: none.
pub(super) const NO_HEADERS: Bytes = Bytes::from_static(b"null");

/// How a request ended, with what was answered.
pub(super) struct Ended {
    pub(super) id: RequestId,
    answer: Result<Response, CallError>,
}

/// Makes one request. It is tried once: swim knows better when to try again, and whom.
pub(super) async fn ask(channel: Arc<Channel>, request: Request) -> Ended {
    let target = format!("{SERVICE}::{}", request.path);
    let call = channel
        .call(&target)
        .peer(&request.to)
        .ttl(request.timeout)
        .arg_scheme("json")
        .caller_name(SERVICE)
        .retry(Retry::never());
    let answer = call.send(NO_HEADERS, request.body).await;
    Ended {
        id: request.id,
        answer,
    }
}

impl Ended {
    pub(super) fn outcome(&self) -> Outcome<'_> {
        match &self.answer {
            Ok(answer) if answer.is_ok() => Outcome::Answered(&answer.arg3),
            Ok(_) => Outcome::Rejected,
            Err(error) => outcome_of(error),
        }
    }
}

fn outcome_of(error: &CallError) -> Outcome<'static> {
    match error.code() {
        _ if error.is_connection_refused() => Outcome::Refused,
        // It speaks, but of somebody else's silence: nothing was answered.
        ErrorCode::Timeout | ErrorCode::NetworkError => Outcome::Lost,
        _ if error.is_from_peer() => Outcome::Rejected,
        _ => Outcome::Lost,
    }
}
