//! Our own runtime as something to be measured: an echo server, and a client that loads one.
#![expect(clippy::print_stdout, reason = "other programs read what it prints")]
#![expect(clippy::print_stderr, reason = "and people read what went wrong")]

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use tchannel_rt::hyperbahn::Routers;
use tchannel_rt::{Channel, Reply};
use test_bench::load::{self, Echo};
use test_bench::options::{ClientOptions, Mode, ServerOptions};
use test_bench::runtime;

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
    let channel = Channel::new(&options.service);
    channel
        .service(&options.service)
        .raw("echo", |request| async move {
            Ok(Reply::ok(request.arg2, request.arg3))
        });
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
    let connections: Vec<Connection> = (0..options.load.conns)
        .map(|_| Connection::new(&options))
        .collect();
    let report = load::run(&options.load, options.threads, &connections, |mark| {
        println!("{mark}")
    });
    println!("{}", serde_json::to_string(&report.await)?);
    Ok(())
}

/// A channel with one connection, which its first call dials.
#[derive(Clone)]
struct Connection {
    channel: Channel,
    target: String,
    peer: Option<String>,
}

impl Connection {
    fn new(options: &ClientOptions) -> Self {
        let channel = Channel::new("bench-peer");
        if let Some(router) = &options.router {
            channel.routers().add(router);
        }
        Self {
            channel,
            target: format!("{}::echo", options.service),
            peer: options.router.is_none().then(|| options.addr.clone()),
        }
    }
}

impl Echo for Connection {
    async fn echo(&self, payload: Bytes) -> Result<usize, String> {
        let call = self.channel.call(&self.target).ttl(TTL);
        let call = match &self.peer {
            Some(peer) => call.peer(peer),
            None => call,
        };
        match call.send(Bytes::new(), payload).await {
            Ok(answer) => Ok(answer.arg3.len()),
            Err(error) => Err(error.to_string()),
        }
    }
}

const TTL: Duration = Duration::from_secs(30);
const ADVERTISED_WITHIN: Duration = Duration::from_secs(10);
