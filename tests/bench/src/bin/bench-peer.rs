//! Our own runtime as something to be measured: an echo server, and a client that loads one.
#![expect(clippy::print_stdout, reason = "other programs read what it prints")]
#![expect(clippy::print_stderr, reason = "and people read what went wrong")]

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use tchannel_rt::hyperbahn::Routers;
use tchannel_rt::{Channel, ChannelConfig};
use test_bench::load;
use test_bench::options::{ClientOptions, Mode, ServerOptions};
use test_bench::runtime;
use test_bench::typed::{Caller, serve_echo};

fn main() -> ExitCode {
    let mode = match Mode::from_env() {
        Ok(mode) => mode,
        Err(refusal) => {
            eprintln!("{refusal}");
            return ExitCode::from(2);
        }
    };
    let outcome = match mode {
        Mode::Server(options) => run(options.threads, serve(options)),
        Mode::Client(options) => run(options.threads, call(options)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench-peer: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(threads: usize, work: impl Future<Output = Outcome>) -> Outcome {
    runtime::with_threads(threads)?.block_on(work)
}

type Outcome = Result<(), Box<dyn Error>>;

async fn serve(options: ServerOptions) -> Outcome {
    let mut config = ChannelConfig::default();
    config.connections_max = CONNECTIONS_MAX;
    let channel = Channel::with_config(&options.service, config);
    serve_echo(&channel, &options.service);
    let addr = channel
        .listen(&format!("127.0.0.1:{}", options.port))
        .await?;
    if let Some(router) = &options.advertise {
        let advertisement = channel.advertise(Routers::from_iter([router]), &[&options.service])?;
        if tokio::time::timeout(ADVERTISED_WITHIN, advertisement.advertised())
            .await
            .is_err()
        {
            eprintln!("bench-peer: {router} has not taken the advertisement yet; going on");
        }
    }
    println!("READY {}", addr.port());
    std::future::pending().await
}

async fn call(options: ClientOptions) -> Outcome {
    let connections: Vec<Caller> = (0..options.load.conns)
        .map(|_| connection(&options))
        .collect();
    let mark = |mark| println!("{mark}");
    let report = load::run(&options.load, options.threads, &connections, mark).await;
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

fn connection(options: &ClientOptions) -> Caller {
    let channel = Channel::new("bench-peer");
    let peer = match &options.router {
        None => Some(&*options.addr),
        Some(router) => {
            channel.routers().add(router);
            None
        }
    };
    Caller::new(channel, &options.service, peer, options.load.scheme)
}

/// A crowd, and whoever loads the server beside it.
const CONNECTIONS_MAX: usize = 20_000;
const ADVERTISED_WITHIN: Duration = Duration::from_secs(10);
