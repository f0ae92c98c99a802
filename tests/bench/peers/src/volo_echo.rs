//! volo's Thrift, many calls on one connection: `binary echo(1: binary payload)` with the code its generator
//! would write for the args alone.

use std::error::Error;

use bytes::Bytes;
use pilota::thrift::{
    TAsyncInputProtocol, TInputProtocol, TLengthProtocol, TMessageIdentifier, TOutputProtocol,
    TStructIdentifier, TType, ThriftException,
};
use test_bench::load::Echo;
use tokio::net::TcpListener;
use volo::client::MkClient;
use volo::service::{BoxCloneService, Service};
use volo_thrift::client::ClientBuilder;
use volo_thrift::context::{ClientContext, ServerContext};
use volo_thrift::{ClientError, EntryMessage, ServerError};

use crate::{Outcome, Peer};

/// A struct with one binary field: the args, and near enough the result.
#[derive(Clone)]
pub struct Payload(Bytes);

const FIELD: i16 = 1;
const STRUCT: TStructIdentifier = TStructIdentifier { name: "Payload" };

impl EntryMessage for Payload {
    fn encode<T: TOutputProtocol>(&self, protocol: &mut T) -> Result<(), ThriftException> {
        protocol.write_struct_begin(&STRUCT)?;
        protocol.write_field_begin(TType::Binary, FIELD)?;
        protocol.write_bytes(self.0.clone())?;
        protocol.write_field_end()?;
        protocol.write_field_stop()?;
        protocol.write_struct_end()
    }

    fn decode<T: TInputProtocol>(
        protocol: &mut T,
        _: &TMessageIdentifier,
    ) -> Result<Self, ThriftException> {
        let mut payload = Bytes::new();
        protocol.read_struct_begin()?;
        loop {
            let field = protocol.read_field_begin()?;
            match (field.field_type, field.id) {
                (TType::Stop, _) => break,
                (TType::Binary, Some(FIELD)) => payload = protocol.read_bytes()?,
                (other, _) => {
                    protocol.skip(other)?;
                }
            }
            protocol.read_field_end()?;
        }
        protocol.read_struct_end()?;
        Ok(Self(payload))
    }

    async fn decode_async<T: TAsyncInputProtocol>(
        protocol: &mut T,
        _: &TMessageIdentifier,
    ) -> Result<Self, ThriftException> {
        let mut payload = Bytes::new();
        protocol.read_struct_begin().await?;
        loop {
            let field = protocol.read_field_begin().await?;
            match (field.field_type, field.id) {
                (TType::Stop, _) => break,
                (TType::Binary, Some(FIELD)) => payload = protocol.read_bytes().await?,
                (other, _) => protocol.skip(other).await?,
            }
            protocol.read_field_end().await?;
        }
        protocol.read_struct_end().await?;
        Ok(Self(payload))
    }

    fn size<T: TLengthProtocol>(&self, protocol: &mut T) -> usize {
        protocol.struct_begin_len(&STRUCT)
            + protocol.field_begin_len(TType::Binary, Some(FIELD))
            + protocol.bytes_len(&self.0)
            + protocol.field_end_len()
            + protocol.field_stop_len()
            + protocol.struct_end_len()
    }
}

struct EchoServer;

impl Service<ServerContext, Payload> for EchoServer {
    type Response = Payload;
    type Error = ServerError;

    async fn call(&self, _: &mut ServerContext, payload: Payload) -> Result<Payload, ServerError> {
        Ok(payload)
    }
}

type Transport = BoxCloneService<ClientContext, Payload, Option<Payload>, ClientError>;

/// Gives a client as it is.
struct Plain;

impl MkClient<volo_thrift::Client<Transport>> for Plain {
    type Target = Connection;

    fn mk_client(&self, service: volo_thrift::Client<Transport>) -> Connection {
        Connection(service)
    }
}

/// A client with one connection.
#[derive(Clone)]
pub struct Connection(volo_thrift::Client<Transport>);

impl Echo for Connection {
    async fn echo(&self, payload: Bytes) -> Result<usize, String> {
        let mut context = self.0.make_cx("echo", false);
        match self.0.call(&mut context, Payload(payload)).await {
            Ok(Some(answer)) => Ok(answer.0.len()),
            Ok(None) => Err("no answer".to_owned()),
            Err(error) => Err(format!("{error:?}")),
        }
    }
}

/// volo.
pub struct Volo;

impl Peer for Volo {
    type Connection = Connection;

    async fn serve(listener: TcpListener) -> Outcome {
        let incoming = volo::net::incoming::DefaultIncoming::from(listener);
        volo_thrift::server::Server::new(EchoServer)
            .multiplex(true)
            .run(incoming)
            .await
    }

    async fn connect(addr: String) -> Result<Connection, Box<dyn Error + Send + Sync>> {
        let addr: std::net::SocketAddr = addr.parse()?;
        Ok(
            ClientBuilder::<_, _, _, Payload, Payload, _, _, _>::new("bench", Plain)
                .address(volo::net::Address::from(addr))
                .multiplex(true)
                .build(),
        )
    }
}
