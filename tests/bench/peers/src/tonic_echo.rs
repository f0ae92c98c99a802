//! tonic with its defaults, but for the largest message.

use std::error::Error;

use bytes::Bytes;
use test_bench::load::Echo;
use tokio::net::TcpListener;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint, Server};
use tonic::{Request, Response, Status};

use crate::{Outcome, Peer};

#[allow(missing_docs, clippy::all)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/bench.Bench.rs"));
}

use generated::bench_client::BenchClient;
use generated::bench_server::{Bench, BenchServer};

/// What goes and what comes.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Payload {
    /// Bytes as they are.
    #[prost(bytes = "bytes", tag = "1")]
    pub data: Bytes,
}

struct EchoServer;

#[tonic::async_trait]
impl Bench for EchoServer {
    async fn echo(&self, request: Request<Payload>) -> Result<Response<Payload>, Status> {
        Ok(Response::new(request.into_inner()))
    }
}

/// tonic.
pub struct Tonic;

impl Peer for Tonic {
    type Connection = BenchClient<Channel>;

    async fn serve(listener: TcpListener) -> Outcome {
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        let service = BenchServer::new(EchoServer)
            .max_decoding_message_size(MESSAGE_MAX)
            .max_encoding_message_size(MESSAGE_MAX);
        Ok(Server::builder()
            .add_service(service)
            .serve_with_incoming(incoming)
            .await?)
    }

    async fn connect(addr: String) -> Result<Self::Connection, Box<dyn Error + Send + Sync>> {
        let channel = Endpoint::from_shared(format!("http://{addr}"))?
            .tcp_nodelay(true)
            .connect()
            .await?;
        Ok(BenchClient::new(channel)
            .max_decoding_message_size(MESSAGE_MAX)
            .max_encoding_message_size(MESSAGE_MAX))
    }
}

impl Echo for BenchClient<Channel> {
    async fn echo(&self, payload: Bytes) -> Result<usize, String> {
        let answer = BenchClient::echo(&mut self.clone(), Payload { data: payload }).await;
        answer
            .map(|response| response.into_inner().data.len())
            .map_err(|status| status.to_string())
    }
}

const MESSAGE_MAX: usize = 64 * 1024 * 1024;
