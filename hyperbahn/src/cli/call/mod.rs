//! `hyperbahn call`: one call from the shell.

mod args;
mod report;
mod scheme;
mod target;

use std::time::Instant;

use hyperbahn::host_port::HostPort;
use tchannel_rt::{CallError, Response};

pub(crate) use args::CallArgs;
use report::{Outcome, Report};
use scheme::{Args, Scheme};

use super::exit::Exit;
use super::routers::OneCall;
use super::{logs, output, routers};

/// Makes the call, prints what came of it and says so in the exit status.
pub(crate) async fn run(args: CallArgs) -> Exit {
    logs::to_stderr("off");
    let peers = match args.peers() {
        Ok(peers) => peers,
        Err(reason) => return output::refuse(reason),
    };
    let body = match args.body() {
        Ok(body) => body,
        Err(error) => return output::fail(error),
    };
    let encoded = match args.scheme.encode(&args.headers, &body) {
        Ok(encoded) => encoded,
        Err(reason) => return output::refuse(reason),
    };
    let report = call(&args, &peers, encoded).await;
    print(&args, &report);
    report.exit()
}

async fn call(args: &CallArgs, peers: &[HostPort], encoded: Args) -> Report {
    let started = Instant::now();
    let call = OneCall {
        caller: &args.cn,
        target: &args.target.to_string(),
        scheme: args.scheme.name(),
        shard_key: args.sk.as_deref(),
        ttl: args.ttl,
    };
    match call.send(peers, &encoded.arg2, &encoded.arg3).await {
        Ok(response) => answered(args.scheme, &response, started),
        Err(error) => {
            let is_router_missing = args.peer.is_none() && routers::is_unreachable(&error);
            failed(&error, is_router_missing, started)
        }
    }
}

fn answered(scheme: Scheme, response: &Response, started: Instant) -> Report {
    let args = Args {
        arg2: response.arg2.clone(),
        arg3: response.arg3.clone(),
    };
    let shown = scheme.decode(&args).unwrap_or_else(|reason| {
        output::note(format_args!("the answer is shown as bytes: {reason}"));
        scheme::as_bytes(&args)
    });
    Report {
        outcome: Outcome::Answered {
            failed: !response.is_ok() || shown.is_failure,
            shown,
        },
        elapsed: started.elapsed(),
        peer: Some(response.peer.to_string()),
    }
}

fn failed(error: &CallError, is_router_missing: bool, started: Instant) -> Report {
    Report {
        outcome: Outcome::Failed {
            code: error.code(),
            message: error.message().to_owned(),
            advice: is_router_missing.then_some(routers::ADVICE),
        },
        elapsed: started.elapsed(),
        peer: error.peer().map(ToOwned::to_owned),
    }
}

/// The body on standard output and the rest beside it, or one document.
fn print(args: &CallArgs, report: &Report) {
    if args.json {
        return output::line(report.json());
    }
    match report.body() {
        Some(body) if args.scheme == Scheme::Raw => output::bytes(body),
        Some(body) => output::line(String::from_utf8_lossy(body)),
        None => {}
    }
    output::note(report);
    if let Some(advice) = report.advice() {
        output::note(advice);
    }
}
