//! `hyperbahn call`: one call from the shell.

mod args;
mod report;
mod scheme;
mod target;
mod thrift_json;

use std::time::Instant;

use hyperbahn::host_port::HostPort;
use tchannel_rt::retry::{Retry, RetryOn};
use tchannel_rt::{CallError, Channel, ErrorCode, Response, RetryAdvice};

pub(crate) use args::CallArgs;
use report::{Outcome, Report};
use scheme::{Args, Scheme};

use super::exit::Exit;
use super::{logs, output};

/// Makes the call, prints what came of it and says so in the exit status.
pub(crate) async fn run(args: CallArgs) -> Exit {
    logs::to_stderr("off");
    let routers = std::env::var(tchannel_rt::hyperbahn::ROUTERS_VARIABLE).ok();
    let peers = match args.peers(routers.as_deref()) {
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

/// Calls the first of `peers` that can be reached, once.
async fn call(args: &CallArgs, peers: &[HostPort], encoded: Args) -> Report {
    let started = Instant::now();
    let channel = Channel::new(&args.cn);
    let target = args.target.to_string();
    let mut last = None;
    for peer in peers {
        let left = args.ttl.saturating_sub(started.elapsed());
        let mut call = channel
            .call(&target)
            .peer(peer.as_str())
            .arg_scheme(args.scheme.name())
            .ttl(left)
            .retry(once());
        if let Some(key) = &args.sk {
            call = call.shard_key(key);
        }
        match call.send(encoded.arg2.clone(), encoded.arg3.clone()).await {
            Ok(response) => return answered(args.scheme, &response, started),
            Err(error) if is_unreachable(&error) => last = Some(error),
            Err(error) => return failed(&error, started),
        }
    }
    failed(&last.expect("there is a peer to call"), started)
}

/// A person wants to see what happened, not what a second attempt would have hidden.
fn once() -> Retry {
    Retry {
        on: RetryOn::Never,
        max_attempts: 1,
        ..Retry::default()
    }
}

/// Whether no byte of the call has left, for want of a connection.
fn is_unreachable(error: &CallError) -> bool {
    error.code() == ErrorCode::NetworkError && error.retry_advice() == RetryAdvice::Safe
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
            failed: !response.is_ok(),
            shown,
        },
        elapsed: started.elapsed(),
        peer: Some(response.peer.to_string()),
    }
}

fn failed(error: &CallError, started: Instant) -> Report {
    Report {
        outcome: Outcome::Failed {
            code: error.code(),
            message: error.message().to_owned(),
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
}
