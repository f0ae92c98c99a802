//! A question to one router, and what to say when there is no answer.

use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use hyperbahn::host_port::HostPort;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tchannel_rt::{CallError, Channel, ErrorCode, Response};

use crate::cli::exit::Exit;
use crate::cli::routers::{self, OneCall, RouterArgs};
use crate::cli::table::Table;
use crate::cli::{logs, output};

/// More than the second that a router gives the others to answer it.
const TTL: Duration = Duration::from_secs(3);

/// Whom to ask, and for whom the answer is.
#[derive(Debug, Args)]
pub(crate) struct AskArgs {
    #[command(flatten)]
    routers: RouterArgs,

    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

impl AskArgs {
    /// What the first router that can be reached answers to an `autobahn` question.
    ///
    /// # Errors
    ///
    /// How the command ends when there is no such answer. Why has been printed.
    pub(super) async fn ask<T: DeserializeOwned>(
        &self,
        endpoint: &str,
        body: &Value,
    ) -> Result<T, Exit> {
        logs::to_stderr("off");
        let routers = self.routers.list().map_err(output::refuse)?;
        let call = OneCall {
            channel: &Channel::new("hyperbahn-cli"),
            target: &format!("autobahn::{endpoint}"),
            scheme: "json",
            shard_key: None,
            ttl: TTL,
        };
        let arg2 = Bytes::from_static(b"null");
        match call.send(&routers, &arg2, &body.to_string().into()).await {
            Ok(answer) => read(endpoint, &answer),
            Err(error) => Err(complain(&error, &routers)),
        }
    }

    /// Prints the document or the table, and ends the command.
    pub(super) fn show(&self, document: &impl Serialize, table: &Table) -> Exit {
        match self.json {
            true => {
                let document = serde_json::to_string(document);
                output::line(document.expect("text keys and plain values"));
            }
            false => output::line(table),
        }
        Exit::Success
    }
}

fn read<T: DeserializeOwned>(endpoint: &str, answer: &Response) -> Result<T, Exit> {
    if !answer.is_ok() {
        output::fail(refusal(&answer.arg3));
        return Err(Exit::Application);
    }
    serde_json::from_slice(&answer.arg3).map_err(|error| {
        output::fail(format_args!(
            "{} answers {endpoint} in a way that this version does not understand: {error}",
            answer.peer
        ))
    })
}

/// The message of a typed JSON error, or all there is.
fn refusal(arg3: &[u8]) -> String {
    let error: Option<Value> = serde_json::from_slice(arg3).ok();
    let message = error.as_ref().and_then(|error| error["message"].as_str());
    match message {
        Some(message) => message.to_owned(),
        None => String::from_utf8_lossy(arg3).into_owned(),
    }
}

fn complain(error: &CallError, routers: &[HostPort]) -> Exit {
    let message = error.message();
    let asked = routers.iter().map(HostPort::as_str).collect::<Vec<_>>();
    if routers::is_unreachable(error) {
        let asked = asked.join(" or ");
        output::fail(format_args!("no router answers at {asked}: {message}"));
        output::note(routers::ADVICE);
    } else {
        let asked = error.peer().map_or_else(|| asked.join(" or "), Into::into);
        let code = error.code();
        output::fail(format_args!("the router at {asked}: {code}: {message}"));
        if let Some(advice) = advice(error) {
            output::note(advice);
        }
    }
    Exit::System(error.code())
}

fn advice(error: &CallError) -> Option<&'static str> {
    match error.code() {
        ErrorCode::BadRequest => {
            Some("is that a router, and of this version? ask another with --router H:P")
        }
        ErrorCode::Timeout | ErrorCode::NetworkError | ErrorCode::Busy | ErrorCode::Declined => {
            Some("ask another router with --router H:P, or this one again")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_the_words_of_the_router() {
        assert_eq!(refusal(br#"{"type":"t","message":"bad name"}"#), "bad name");
        assert_eq!(refusal(b"anything else"), "anything else");
    }
}
