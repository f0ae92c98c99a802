//! `hyperbahn call`: one call from the shell.

mod args;
mod codec;
mod report;
mod scheme;
mod stream;
mod target;

use std::time::Instant;

use hyperbahn::host_port::HostPort;
use hyperbahn::interface::Method;
use tchannel_rt::{CallError, Channel, ErrorCode, Response};

pub(crate) use args::{CallArgs, ttl};
use codec::{Codec, Known, Refusal};
use report::{Outcome, Report};
use scheme::{Args, Scheme};

use super::exit::Exit;
use super::lookup::Failure;
use super::routers::OneCall;
use super::{logs, output, routers};

/// Makes the call, prints what came of it and says so in the exit status.
pub(crate) async fn run(args: CallArgs) -> Exit {
    logs::to_stderr("off");
    let peers = match args.peers.list() {
        Ok(peers) => peers,
        Err(reason) => return output::refuse(reason),
    };
    let channel = Channel::new(&args.cn);
    let started = Instant::now();
    // Standard input may be a stream that goes on for long; it is read once it is known to be none.
    let mut body = Vec::new();
    let is_later = args.is_from_stdin() && args.scheme.is_none();
    if !is_later {
        body = match args.body() {
            Ok(body) => body,
            Err(error) => return output::fail(error),
        };
    }
    let known = match codec::know(&args, &channel, &peers, &body).await {
        Ok(known) => known,
        Err(refusal) => return refuse(&args, refusal, started),
    };
    let codec = match known.codec(&args, &body) {
        Ok(codec) => codec,
        Err(reason) => return output::refuse(reason),
    };
    if let Codec::Method(method) = &codec
        && (method.streams_request() || method.streams_response())
    {
        return stream::run(&args, &channel, &peers, &codec, method, &body).await;
    }
    if is_later {
        body = match args.body() {
            Ok(body) => body,
            Err(error) => return output::fail(error),
        };
    }
    let encoded = match codec.encode(&args.headers, &body) {
        Ok(encoded) => encoded,
        Err(reason) => {
            return match &codec {
                Codec::Method(method) => mistaken(&args, method, reason),
                Codec::Scheme(_) => output::refuse(reason),
            };
        }
    };
    let report = call(&args, &channel, &peers, &known, &codec, encoded).await;
    print(&args, &codec, &report);
    report.exit()
}

/// Why the service is not called.
fn refuse(args: &CallArgs, refusal: Refusal, started: Instant) -> Exit {
    let service = &args.target.service;
    match refusal {
        Refusal::Usage(reason) => output::refuse(reason),
        Refusal::Lookup(Failure::Unreadable(reason)) => {
            output::fail(format_args!(
                "what {service} publishes can not be read: {reason}"
            ));
            output::note("--as calls it without its interface");
            Exit::Tool
        }
        Refusal::Lookup(Failure::Call(error)) => {
            let report = failed(args, &error, None, started);
            print(args, &Codec::Scheme(Scheme::Json), &report);
            report.exit()
        }
    }
}

/// What is wrong with the body, and where it says what is right.
fn mistaken(args: &CallArgs, method: &Method<'_>, reason: String) -> Exit {
    let exit = output::refuse(reason);
    let flags = args.peers.flags();
    let (service, method) = (&args.target.service, method.arg1());
    output::note(format_args!(
        "see: hyperbahn describe{flags} {service} {method}"
    ));
    exit
}

async fn call(
    args: &CallArgs,
    channel: &Channel,
    peers: &[HostPort],
    known: &Known,
    codec: &Codec<'_>,
    encoded: Args,
) -> Report {
    let started = Instant::now();
    let call = OneCall {
        channel,
        target: &codec.target(args),
        scheme: codec.scheme(),
        shard_key: args.sk.as_deref(),
        ttl: args.ttl,
    };
    match call.send(peers, &encoded.arg2, &encoded.arg3).await {
        Ok(response) => answered(codec, &response, started),
        Err(error) => {
            let advice = match error.code() {
                ErrorCode::BadRequest => known.advice(),
                _ => None,
            };
            failed(args, &error, advice, started)
        }
    }
}

fn answered(codec: &Codec<'_>, response: &Response, started: Instant) -> Report {
    let args = Args {
        arg2: response.arg2.clone(),
        arg3: response.arg3.clone(),
    };
    let shown = codec.shows(response.is_ok(), &args);
    Report {
        outcome: Outcome::Answered {
            failed: !response.is_ok() || shown.is_failure,
            shown,
        },
        elapsed: started.elapsed(),
        peer: Some(response.peer.to_string()),
    }
}

fn failed(
    args: &CallArgs,
    error: &CallError,
    advice: Option<&'static str>,
    started: Instant,
) -> Report {
    let is_router_missing = args.peers.is_routed() && routers::is_unreachable(error);
    Report {
        outcome: Outcome::Failed {
            code: error.code(),
            message: error.message().to_owned(),
            advice: advice.or(is_router_missing.then_some(routers::ADVICE)),
        },
        elapsed: started.elapsed(),
        peer: error.peer().map(ToOwned::to_owned),
    }
}

/// The body on standard output and the rest beside it, or one document.
fn print(args: &CallArgs, codec: &Codec<'_>, report: &Report) {
    if args.json {
        return output::line(report.json());
    }
    match (report.body(), codec) {
        (Some(body), Codec::Scheme(Scheme::Raw)) => output::bytes(body),
        (Some(body), _) => output::line(String::from_utf8_lossy(body)),
        (None, _) => {}
    }
    report.notes().iter().for_each(output::note);
    output::note(report);
    if let Some(advice) = report.advice() {
        output::note(advice);
    }
}
