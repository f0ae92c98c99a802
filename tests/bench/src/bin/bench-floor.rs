//! What the kernel allows as something to be measured: an echo without any RPC, and a relay that only copies.
//!
//! ```text
//! bench-floor std|tokio server|client ...   as bench-peer
//! bench-floor copy H:P                      listens, prints READY, copies to H:P and back
//! ```
#![expect(clippy::print_stdout, reason = "other programs read what it prints")]
#![expect(clippy::print_stderr, reason = "and people read what went wrong")]

use std::error::Error;
use std::process::ExitCode;

use test_bench::floor::{blocking, copy, polled};
use test_bench::options::{ClientOptions, Mode, ServerOptions};
use test_bench::report::Report;
use test_bench::runtime;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let kind = args.next().unwrap_or_default();
    let outcome = match &*kind {
        "copy" => relay(args.next()),
        "std" | "tokio" => echo(&kind, args),
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-floor: {error}");
            ExitCode::FAILURE
        }
    }
}

type Outcome = Result<(), Box<dyn Error>>;

fn relay(to: Option<String>) -> Outcome {
    let to = to.ok_or(USAGE)?;
    runtime::with_threads(1)?.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("READY {}", listener.local_addr()?.port());
        Ok(copy::serve(listener, to).await?)
    })
}

fn echo(kind: &str, args: impl Iterator<Item = String>) -> Outcome {
    match Mode::parse(args)? {
        Mode::Server(options) => serve(kind, &options),
        Mode::Client(options) => {
            println!("{}", serde_json::to_string(&load(kind, &options)?)?);
            Ok(())
        }
    }
}

fn serve(kind: &str, options: &ServerOptions) -> Outcome {
    let listener = std::net::TcpListener::bind(("127.0.0.1", options.port))?;
    println!("READY {}", listener.local_addr()?.port());
    if kind == "std" {
        return Ok(blocking::serve(&listener)?);
    }
    listener.set_nonblocking(true)?;
    runtime::with_threads(options.threads)?.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        Ok(polled::serve(listener).await?)
    })
}

fn load(kind: &str, options: &ClientOptions) -> Result<Report, Box<dyn Error>> {
    let mark = |mark| println!("{mark}");
    if kind == "std" {
        return Ok(blocking::load(&options.addr, &options.load, mark)?);
    }
    let runtime = runtime::with_threads(options.threads)?;
    Ok(runtime.block_on(polled::load(&options.addr, &options.load, mark))?)
}

const USAGE: &str = "usage: bench-floor std|tokio server|client ..., or bench-floor copy H:P";
