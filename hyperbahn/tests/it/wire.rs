//! A peer that sends just the frames it is told to, legal or not.

use bytes::BytesMut;
use tchannel_proto::checksum::{Checksum, ChecksumType};
use tchannel_proto::message::{
    CallReq, CallRes, Chunks, ErrorFrame, Init, InitHeaders, Message, init_header,
};
use tchannel_proto::{Decoder, Frame, MessageId, ResponseCode, Tracing, TransportHeaders, Ttl};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One connection, its handshake done.
pub(crate) struct Wire {
    stream: TcpStream,
    decoder: Decoder,
}

/// The trace of every call made here.
pub(crate) const TRACING: Tracing = Tracing {
    span_id: 1,
    parent_id: 2,
    trace_id: 3,
    flags: 1,
};

impl Wire {
    /// Connects to `router` and introduces itself as `announced`.
    pub(crate) async fn connect(router: &str, announced: &str) -> Self {
        let mut wire = Self::over(TcpStream::connect(router).await.unwrap());
        let init = init(announced);
        wire.send(1, &Message::InitReq(init)).await;
        let (_, answer) = wire.receive().await;
        assert!(matches!(answer, Message::InitRes(_)), "{answer:?}");
        wire
    }

    /// Waits for somebody to connect to `listener`, and introduces itself by that address.
    pub(crate) async fn accept(listener: &TcpListener) -> Self {
        let mut wire = Self::over(listener.accept().await.unwrap().0);
        let (id, request) = wire.receive().await;
        assert!(matches!(request, Message::InitReq(_)), "{request:?}");
        let init = init(&listener.local_addr().unwrap().to_string());
        wire.send(id, &Message::InitRes(init)).await;
        wire
    }

    fn over(stream: TcpStream) -> Self {
        Self {
            stream,
            decoder: Decoder::new(),
        }
    }

    /// Sends one message.
    pub(crate) async fn send(&mut self, id: u32, message: &Message) {
        self.send_bytes(&encoded(id, message)).await;
    }

    /// Sends bytes as they are.
    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The next frame.
    pub(crate) async fn frame(&mut self) -> Frame {
        loop {
            if let Some(frame) = self.decoder.next_frame().unwrap() {
                return frame;
            }
            let read = self.stream.read_buf(self.decoder.buffer_mut()).await;
            assert_ne!(read.unwrap(), 0, "the router closed the connection");
        }
    }

    /// The next message.
    pub(crate) async fn receive(&mut self) -> (u32, Message) {
        let frame = self.frame().await;
        (frame.id().0, Message::decode(frame).unwrap())
    }

    /// Sends a call and waits for the error frame that answers it.
    pub(crate) async fn refusal(&mut self, id: u32, call: CallReq) -> ErrorFrame {
        self.send(id, &Message::CallReq(call)).await;
        match self.receive().await {
            (answered, Message::Error(error)) if answered == id => error,
            other => panic!("expected an error frame for {id}, got {other:?}"),
        }
    }

    /// Sends a ping and waits for its answer, with nothing else in between.
    pub(crate) async fn ping(&mut self, id: u32) {
        self.send(id, &Message::PingReq).await;
        assert_eq!(self.receive().await, (id, Message::PingRes));
    }
}

/// A whole frame.
pub(crate) fn encoded(id: u32, message: &Message) -> BytesMut {
    let mut frame = BytesMut::new();
    message.encode(MessageId(id), &mut frame).unwrap();
    frame
}

/// A call of `service::echo` without a checksum.
pub(crate) fn call(service: &str, ttl_ms: u32, headers: &[(&str, &str)]) -> CallReq {
    CallReq {
        flags: 0,
        ttl: Ttl::from_millis(ttl_ms),
        tracing: TRACING,
        service: service.into(),
        headers: TransportHeaders::from_pairs(headers.iter().copied()).unwrap(),
        checksum: no_checksum(),
        chunks: Chunks::from_slices([&b"echo"[..], b"arg2", b"arg3"]),
    }
}

/// An answer without a checksum.
pub(crate) fn response() -> CallRes {
    CallRes {
        flags: 0,
        code: ResponseCode::OK,
        tracing: TRACING,
        headers: TransportHeaders::from_pairs([("as", "raw")]).unwrap(),
        checksum: no_checksum(),
        chunks: Chunks::from_slices([&b""[..], b"arg2", b"arg3"]),
    }
}

fn init(announced: &str) -> Init {
    let mut headers = InitHeaders::default();
    headers.push(init_header::HOST_PORT, announced);
    headers.push(init_header::PROCESS_NAME, "wire");
    Init {
        version: 2,
        headers,
    }
}

fn no_checksum() -> Checksum {
    Checksum {
        checksum_type: ChecksumType::None,
        value: 0,
    }
}
