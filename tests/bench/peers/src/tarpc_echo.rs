//! tarpc over TCP with bincode; a task for each request, as its documentation has it.

use std::error::Error;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::StreamExt;
use tarpc::server::{BaseChannel, Channel};
use tarpc::tokio_serde::formats::Bincode;
use tarpc::tokio_util::codec::LengthDelimitedCodec;
use tarpc::{client, context, serde_transport};
use test_bench::load::Echo;
use tokio::net::{TcpListener, TcpStream};

use crate::{Outcome, Peer};

/// What is served.
#[tarpc::service]
pub trait Bench {
    /// Gives back what it gets.
    async fn echo(payload: Bytes) -> Bytes;
}

#[derive(Clone)]
struct Server;

impl Bench for Server {
    async fn echo(self, _: context::Context, payload: Bytes) -> Bytes {
        payload
    }
}

/// tarpc.
pub struct Tarpc;

impl Peer for Tarpc {
    type Connection = BenchClient;

    async fn serve(listener: TcpListener) -> Outcome {
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let transport = serde_transport::new(framed(stream), Bincode::default());
            let requests = BaseChannel::with_defaults(transport).execute(Server.serve());
            tokio::spawn(requests.for_each(|request| async {
                tokio::spawn(request);
            }));
        }
    }

    async fn connect(addr: String) -> Result<BenchClient, Box<dyn Error + Send + Sync>> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        let transport = serde_transport::new(framed(stream), Bincode::default());
        let mut config = client::Config::default();
        // So that thousands of calls in flight wait for answers, not for room in a queue.
        config.max_in_flight_requests = 1 << 20;
        config.pending_request_buffer = 1 << 14;
        Ok(BenchClient::new(config, transport).spawn())
    }
}

impl Echo for BenchClient {
    async fn echo(&self, payload: Bytes) -> Result<usize, String> {
        let mut context = context::current();
        context.deadline = Instant::now() + Duration::from_secs(30);
        let answer = BenchClient::echo(self, context, payload).await;
        answer
            .map(|body| body.len())
            .map_err(|error| error.to_string())
    }
}

fn framed(stream: TcpStream) -> tarpc::tokio_util::codec::Framed<TcpStream, LengthDelimitedCodec> {
    // The default takes no more than 8 MiB; what is measured stays below.
    LengthDelimitedCodec::builder().new_framed(stream)
}
