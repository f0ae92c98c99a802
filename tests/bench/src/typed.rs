//! The echo that is measured, as a service: raw, as Thrift has it, as MessagePack does, and as a Rust trait.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tchannel_rt::schemars::JsonSchema;
use tchannel_rt::{Channel, Client, Incoming, MethodError, Reply};

use crate::load::Echo;
use crate::options::Scheme;

/// What `tchannel-codegen` makes of `idl/bench.thrift`.
#[allow(missing_docs)]
mod thrift {
    tchannel_rt::include_thrift!("bench");
}

use thrift::bench::{Bench, BenchClient};

#[derive(Serialize, Deserialize)]
struct Payload {
    payload: Bytes,
}

struct Service;

impl Bench for Service {
    async fn echo(&self, payload: Bytes) -> Result<Bytes, MethodError> {
        Ok(payload)
    }
}

/// Bytes, as MessagePack has them.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(crate = "tchannel_rt::schemars")]
pub struct Blob(#[schemars(with = "Vec<u8>")] Bytes);

/// The echo as a trait.
#[tchannel_rt::service]
pub trait Repeat {
    /// Gives back what it gets.
    async fn repeat(&self, payload: Blob) -> Blob;
}

impl Repeat for Service {
    async fn repeat(&self, payload: Blob) -> Blob {
        payload
    }
}

/// Serves the echo under the name `service`, in every scheme.
pub fn serve_echo(channel: &Channel, service: &str) {
    let service = channel.service(service);
    service.raw("raw", |request| async move {
        Ok(Reply::ok(request.arg2, request.arg3))
    });
    service.msgpack("msgpack", |request: Incoming<Payload>| async move {
        Ok(request.body)
    });
    service.stream("sink", |request| async move {
        let mut args = request.args;
        let mut bytes = 0;
        while let Some(chunk) = args.next_chunk().await? {
            bytes += chunk.len();
        }
        let answer = request.respond.ok()?;
        Ok(answer.finish_with(bytes.to_string()).await?)
    });
    service.serve(Bench::into_service(Service));
    service.serve(Repeat::into_service(Service));
}

/// Reads a stream to its end and says how many bytes it had; at the service that has no other name.
pub const SINK: &str = "bench::sink";

/// A caller of the echo over one connection, which its first call dials.
#[derive(Clone)]
pub enum Caller {
    /// Bytes as they are.
    Raw(Untyped),
    /// A generated client.
    Thrift(BenchClient),
    /// A body with one named field.
    Msgpack(Untyped),
    /// The client of a trait.
    Trait(RepeatClient),
}

/// Where calls go that no generated client makes.
#[derive(Clone)]
pub struct Untyped {
    channel: Channel,
    target: String,
    peer: Option<String>,
}

impl Caller {
    /// Calls `service` at `peer`, or else where the routers of `channel` find it.
    pub fn new(channel: Channel, service: &str, peer: Option<&str>, scheme: Scheme) -> Self {
        let untyped = |method| Untyped {
            target: format!("{service}::{method}"),
            channel: channel.clone(),
            peer: peer.map(str::to_owned),
        };
        let typed = || {
            let client = Client::new(&channel, service).ttl(TTL);
            match peer {
                Some(peer) => client.peer(peer),
                None => client,
            }
        };
        match scheme {
            Scheme::Raw => Self::Raw(untyped("raw")),
            Scheme::Msgpack => Self::Msgpack(untyped("msgpack")),
            Scheme::Thrift => Self::Thrift(BenchClient::with(typed())),
            Scheme::Trait => Self::Trait(RepeatClient::with(typed())),
        }
    }
}

impl Untyped {
    fn call(&self) -> tchannel_rt::Call<'_> {
        let call = self.channel.call(&self.target).ttl(TTL);
        match &self.peer {
            Some(peer) => call.peer(peer),
            None => call,
        }
    }
}

impl Echo for Caller {
    async fn echo(&self, payload: Bytes) -> Result<usize, String> {
        match self {
            Self::Raw(to) => {
                let answer = to.call().send(Bytes::new(), payload).await;
                Ok(answer.map_err(in_words)?.arg3.len())
            }
            Self::Thrift(client) => Ok(client.echo(payload).await.map_err(in_words)?.len()),
            Self::Trait(client) => {
                let echoed = client.repeat(Blob(payload)).await;
                Ok(echoed.map_err(in_words)?.0.len())
            }
            Self::Msgpack(to) => {
                let answer = to.call().msgpack(&Payload { payload }).await;
                let body: Payload = answer.map_err(in_words)?.decode().map_err(in_words)?;
                Ok(body.payload.len())
            }
        }
    }
}

fn in_words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Longer than any call waits on a busy machine.
const TTL: std::time::Duration = std::time::Duration::from_secs(30);
