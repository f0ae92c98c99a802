//! The other end of a connection, played by hand: it says what it is told to and shows what it hears.

use bytes::{Bytes, BytesMut};
use tchannel_rt::proto::checksum::Checksum;
use tchannel_rt::proto::message::{
    CallReq, CallRes, Cancel, Chunks, Continuation, ErrorFrame, Init, InitHeaders, Message, flags,
    init_header,
};
use tchannel_rt::proto::{
    ChecksumType, Decoder, Frame, MessageId, ResponseCode, Tracing, TransportHeaders, Ttl,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::soon;

/// One end of a connection.
pub(crate) struct Wire {
    pub(crate) socket: TcpStream,
    decoder: Decoder,
}

/// Somewhere for a channel to dial, and its address.
pub(crate) async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = listener.local_addr().expect("it is bound").to_string();
    (listener, addr)
}

impl Wire {
    /// Takes the next connection and says nothing.
    pub(crate) async fn accept_mutely(listener: &TcpListener) -> Self {
        let (socket, _) = soon(listener.accept()).await.expect("a socket");
        Self::new(socket)
    }

    /// Takes the next connection and shakes hands.
    pub(crate) async fn accept(listener: &TcpListener) -> Self {
        let mut wire = Self::accept_mutely(listener).await;
        let addr = listener.local_addr().expect("it is bound").to_string();
        wire.shake_hands_as(&addr).await;
        wire
    }

    /// Answers the init req, as somebody who listens at `host_port`.
    pub(crate) async fn shake_hands_as(&mut self, host_port: &str) {
        let (id, req) = self.hear().await;
        assert!(
            matches!(req, Message::InitReq(_)),
            "not a handshake: {req:?}"
        );
        self.say(id, Message::InitRes(init(host_port))).await;
    }

    /// Connects to `addr` and shakes hands, as somebody who listens at `host_port`.
    pub(crate) async fn connect(addr: &str, host_port: &str) -> Self {
        let mut wire = Self::connect_mutely(addr).await;
        wire.say(MessageId(1), Message::InitReq(init(host_port)))
            .await;
        let (_, res) = wire.hear().await;
        assert!(
            matches!(res, Message::InitRes(_)),
            "not a handshake: {res:?}"
        );
        wire
    }

    /// Connects to `addr` and says nothing.
    pub(crate) async fn connect_mutely(addr: &str) -> Self {
        Self::new(TcpStream::connect(addr).await.expect("somebody listens"))
    }

    fn new(socket: TcpStream) -> Self {
        Self {
            socket,
            decoder: Decoder::new(),
        }
    }

    /// The next frame; `None` once the other end has closed.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        soon(async {
            loop {
                if let Some(frame) = self.decoder.next_frame().expect("frames of ours") {
                    return Some(frame);
                }
                match self.socket.read_buf(self.decoder.buffer_mut()).await {
                    Ok(0) | Err(_) => return None,
                    Ok(_) => {}
                }
            }
        })
        .await
    }

    /// The next message.
    pub(crate) async fn hear(&mut self) -> (MessageId, Message) {
        let frame = self.next().await.expect("a frame, not the end");
        let id = frame.id();
        (id, Message::decode(frame).expect("frames of ours"))
    }

    /// The next message, which is a call.
    pub(crate) async fn hear_call(&mut self) -> (MessageId, CallReq) {
        match self.hear().await {
            (id, Message::CallReq(call)) => (id, call),
            other => panic!("not a call: {other:?}"),
        }
    }

    /// The next message, which is an error frame.
    pub(crate) async fn hear_error(&mut self) -> (MessageId, ErrorFrame) {
        match self.hear().await {
            (id, Message::Error(error)) => (id, error),
            other => panic!("not an error: {other:?}"),
        }
    }

    /// The next message, which is a ping, and its answer.
    pub(crate) async fn hear_ping_and_answer(&mut self) {
        let (id, question) = self.hear().await;
        assert_eq!(question, Message::PingReq);
        self.say(id, Message::PingRes).await;
    }

    /// Everything until the other end closes.
    pub(crate) async fn hear_out(&mut self) -> Vec<Message> {
        let mut heard = Vec::new();
        while let Some(frame) = self.next().await {
            heard.push(Message::decode(frame).expect("frames of ours"));
        }
        heard
    }

    /// Sends one message.
    pub(crate) async fn say(&mut self, id: MessageId, message: Message) {
        self.say_all([(id, message)]).await;
    }

    /// Sends messages in one write.
    pub(crate) async fn say_all(&mut self, all: impl IntoIterator<Item = (MessageId, Message)>) {
        let mut bytes = BytesMut::new();
        for (id, message) in all {
            message.encode(id, &mut bytes).expect("small messages");
        }
        self.socket.write_all(&bytes).await.expect("an open socket");
    }

    /// Answers a call with `arg3`.
    pub(crate) async fn answer(&mut self, id: MessageId, arg3: &str) {
        self.say(id, call_res(arg3)).await;
    }

    /// Answers a call with an error frame.
    pub(crate) async fn answer_error(&mut self, id: MessageId, code: u8, text: &str) {
        let error = ErrorFrame {
            code,
            tracing: Tracing::default(),
            message: text.into(),
        };
        self.say(id, Message::Error(error)).await;
    }
}

fn init(host_port: &str) -> Init {
    let mut headers = InitHeaders::default();
    headers.push(init_header::HOST_PORT, host_port.to_owned());
    headers.push(init_header::PROCESS_NAME, "wire");
    headers.push(init_header::LANGUAGE, "by hand");
    Init {
        version: 2,
        headers,
    }
}

/// A raw call of `service::method`, whole in one frame, in which `ttl_ms` may be 0.
pub(crate) fn call_req(target: &str, ttl_ms: u32, arg3: &str) -> Message {
    call_req_with(target, ttl_ms, [("as", "raw"), ("cn", "wire")], arg3)
}

/// The same with transport headers of your own.
pub(crate) fn call_req_with<'a>(
    target: &str,
    ttl_ms: u32,
    headers: impl IntoIterator<Item = (&'a str, &'a str)>,
    arg3: &str,
) -> Message {
    let (service, method) = target.split_once("::").expect("service::method");
    Message::CallReq(CallReq {
        flags: 0,
        ttl: Ttl::from_millis(ttl_ms),
        tracing: Tracing::default(),
        service: service.into(),
        headers: TransportHeaders::from_pairs(headers).expect("good headers"),
        checksum: NO_CHECKSUM,
        chunks: Chunks::from_slices([method.as_bytes(), b"", arg3.as_bytes()]),
    })
}

/// The same call or answer, of which more frames are to come.
pub(crate) fn more_to_come(call: Message) -> Message {
    match call {
        Message::CallRes(answer) => Message::CallRes(CallRes {
            flags: flags::MORE_FRAGMENTS,
            ..answer
        }),
        Message::CallReq(call) => Message::CallReq(CallReq {
            flags: flags::MORE_FRAGMENTS,
            ..call
        }),
        other => panic!("not a call: {other:?}"),
    }
}

/// More of arg3.
pub(crate) fn call_req_continue(arg3: &str, is_last: bool) -> Message {
    Message::CallReqContinue(Continuation {
        flags: if is_last { 0 } else { flags::MORE_FRAGMENTS },
        checksum: NO_CHECKSUM,
        chunks: Chunks::from_slices([arg3.as_bytes()]),
    })
}

/// A whole answer.
pub(crate) fn call_res(arg3: &str) -> Message {
    Message::CallRes(CallRes {
        flags: 0,
        code: ResponseCode::OK,
        tracing: Tracing::default(),
        headers: TransportHeaders::from_pairs([("as", "raw")]).expect("good headers"),
        checksum: NO_CHECKSUM,
        chunks: Chunks::from_slices([&b""[..], b"", arg3.as_bytes()]),
    })
}

/// More of an answer's arg3.
pub(crate) fn call_res_continue(arg3: &str, is_last: bool) -> Message {
    match call_req_continue(arg3, is_last) {
        Message::CallReqContinue(more) => Message::CallResContinue(more),
        other => panic!("not a continuation: {other:?}"),
    }
}

pub(crate) fn cancel(why: &str) -> Message {
    Message::Cancel(Cancel {
        why: why.into(),
        ..Cancel::default()
    })
}

/// What the chunks of a whole call hold, as arg1, arg2 and arg3.
pub(crate) fn args(chunks: &Chunks) -> Vec<Bytes> {
    chunks.iter().collect()
}

const NO_CHECKSUM: Checksum = Checksum {
    checksum_type: ChecksumType::None,
    value: 0,
};
