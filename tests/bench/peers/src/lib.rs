//! Other RPC systems as something to be measured: each echoes bytes, by the flags and the loop of `test-bench`.
#![expect(clippy::print_stdout, reason = "other programs read what it prints")]

pub mod tarpc_echo;
pub mod tonic_echo;
pub mod volo_echo;

use std::error::Error;

use test_bench::load::{self, Echo};
use test_bench::options::{ClientOptions, Mode};
use test_bench::runtime;

/// How a program ends.
pub type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// One RPC system, from its flags to its line of results.
pub trait Peer {
    /// One connection of it.
    type Connection: Echo;

    /// Serves on a port of loopback, from `listener` on.
    fn serve(listener: tokio::net::TcpListener) -> impl Future<Output = Outcome>;

    /// Connects to `addr`.
    fn connect(
        addr: String,
    ) -> impl Future<Output = Result<Self::Connection, Box<dyn Error + Send + Sync>>>;
}

/// Does what the flags of this process say.
///
/// # Errors
///
/// What is wrong with the flags, or what failed.
pub fn main<P: Peer>() -> Outcome {
    match Mode::from_env()? {
        Mode::Server(options) => runtime::with_threads(options.threads)?.block_on(async {
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", options.port)).await?;
            println!("READY {}", listener.local_addr()?.port());
            P::serve(listener).await
        }),
        Mode::Client(options) => {
            runtime::with_threads(options.threads)?.block_on(call::<P>(options))
        }
    }
}

async fn call<P: Peer>(options: ClientOptions) -> Outcome {
    let mut connections = Vec::new();
    for _ in 0..options.load.conns {
        connections.push(P::connect(options.addr.clone()).await?);
    }
    let report = load::run(&options.load, options.threads, &connections, |mark| {
        println!("{mark}")
    });
    println!("{}", serde_json::to_string(&report.await)?);
    Ok(())
}
