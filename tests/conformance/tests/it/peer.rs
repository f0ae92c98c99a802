//! One end of a connection, driven by hand on a clock of its own, with `service` behind it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use tchannel_proto::message::Message;
use tchannel_proto::{
    Body, CallHead, CallIsOver, CallRefused, ChecksumType, Closed, Connection, ConnectionConfig,
    Decoder, Event, Failure, Identity, InboundCall, InboundKey, MessageId, OutboundKey, Outbox,
    Progress, ProtocolError, Response, ResponseCode, ResponseHead, SendHeaders, Tracing, Ttl,
};

use crate::service::{self, Answer, Call};
use crate::value;

/// Where our end says it listens.
pub(crate) const HOST_PORT: &str = "127.0.0.1:4040";

/// One end.
pub(crate) struct Peer {
    pub(crate) connection: Connection,
    pub(crate) now: Instant,
    decoder: Decoder,
    sent: Vec<Vec<u8>>,
    calls: HashMap<InboundKey, Call>,
    answers: Vec<(Instant, InboundKey, Answer)>,
    /// How the call this end made has ended.
    pub(crate) outcome: Option<String>,
    /// The args of a response, as far as they have come.
    pub(crate) response: (Vec<u8>, Vec<u8>),
    response_code: Option<ResponseCode>,
    /// Calls whose handler was told to stop.
    pub(crate) stopped: Vec<Failure>,
    closed: bool,
    why_closed: Option<Closed>,
}

impl Peer {
    /// The end that accepted.
    pub(crate) fn accepting() -> Self {
        let now = Instant::now();
        Self::new(now, Connection::accept(now, config()))
    }

    /// The end that connected; its init req is among what it sent.
    pub(crate) fn connecting() -> Self {
        let now = Instant::now();
        Self::new(now, Connection::connect(now, config()))
    }

    fn new(now: Instant, connection: Connection) -> Self {
        let mut peer = Self {
            connection,
            now,
            decoder: Decoder::new(),
            sent: Vec::new(),
            calls: HashMap::new(),
            answers: Vec::new(),
            outcome: None,
            response: Default::default(),
            response_code: None,
            stopped: Vec::new(),
            closed: false,
            why_closed: None,
        };
        peer.settle();
        peer
    }

    /// Takes bytes from the socket, whole frames or not.
    pub(crate) fn receive(&mut self, bytes: &[u8]) {
        if self.is_closed() {
            return;
        }
        self.decoder.buffer_mut().extend_from_slice(bytes);
        loop {
            match self.decoder.next_frame() {
                Ok(Some(frame)) => {
                    // What it means for the peer is in the frames that were sent and in the events.
                    let _ = self.connection.handle_frame(self.now, frame);
                }
                Ok(None) => return,
                Err(error) => {
                    self.connection.handle_broken_stream(error);
                }
            }
            self.settle();
            if self.is_closed() {
                return;
            }
        }
    }

    /// Lets time pass, stopping wherever something is due.
    pub(crate) fn wait(&mut self, duration: Duration) {
        self.settle();
        let end = self.now + duration;
        while let Some(due) = self.next_due().filter(|due| *due <= end) {
            self.now = due.max(self.now);
            let _ = self.connection.handle_timeout(self.now);
            self.settle();
        }
        self.now = end;
    }

    fn next_due(&self) -> Option<Instant> {
        let answers = self.answers.iter().map(|(due, ..)| *due);
        answers.chain(self.connection.poll_timeout()).min()
    }

    /// Starts to shut down.
    pub(crate) fn drain(&mut self) {
        let limit = Duration::from_secs(30);
        self.connection.drain(self.now, "restart", limit);
        self.settle();
    }

    /// The socket is gone, and everything had been written.
    pub(crate) fn disconnect(&mut self) {
        let written = self.connection.enqueued();
        self.connection.handle_disconnect(written);
        self.settle();
    }

    /// Calls `svc` as the recorded clients did.
    pub(crate) fn call(&mut self) -> Result<OutboundKey, CallRefused> {
        self.call_with(Body::whole("h", "body"), false)
    }

    /// Calls `svc` with these args.
    pub(crate) fn call_with(
        &mut self,
        mut body: Body,
        streaming: bool,
    ) -> Result<OutboundKey, CallRefused> {
        let head = CallHead {
            service: "svc",
            arg1: b"echo",
            ttl: Ttl::from_millis(1000).expect("not zero"),
            tracing: Tracing::default(),
            headers: SendHeaders {
                arg_scheme: "raw",
                caller_name: Some("caller"),
                retry_flags: Some("n"),
                ..SendHeaders::default()
            },
            checksum_type: ChecksumType::default(),
            streaming,
        };
        let (key, mut progress) = self.connection.call(self.now, &head, &mut body)?;
        while progress == Progress::Full {
            progress = self.connection.send(key, &mut body).expect("an open call");
        }
        self.settle();
        Ok(key)
    }

    /// The frames this end has sent so far.
    pub(crate) fn sent(&self) -> &[Vec<u8>] {
        &self.sent
    }

    /// The same in the short form of the vectors.
    pub(crate) fn sent_short(&self) -> Vec<String> {
        self.sent.iter().map(|frame| short(frame)).collect()
    }

    /// The messages of the same.
    pub(crate) fn sent_messages(&self) -> Vec<Message> {
        self.sent
            .iter()
            .map(|frame| value::message(frame))
            .collect()
    }

    /// Whether the socket would be closed by now.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    /// `open` or `closed`, as the vectors say it.
    pub(crate) fn state(&self) -> &'static str {
        if self.closed { "closed" } else { "open" }
    }

    /// How this end would put what became of its call, or of the connection if it got no further.
    pub(crate) fn ended_as(&self) -> String {
        let outcome = self.outcome.clone();
        match (outcome, &self.why_closed) {
            (Some(outcome), _) if outcome != CONNECTION_LOST => outcome,
            (_, Some(Closed::Disconnected)) => "network error".to_owned(),
            (_, Some(Closed::Broken(error))) => broken(error),
            (outcome, None) => outcome.unwrap_or_else(|| "pending".to_owned()),
        }
    }

    /// Does all that is due now: events, answers, frames on their way out.
    fn settle(&mut self) {
        loop {
            while let Some(event) = self.connection.poll_event() {
                self.handle(event);
            }
            self.transmit();
            let due = self.answers.iter().position(|(due, ..)| *due <= self.now);
            let Some(due) = due else { break };
            let (_, key, answer) = self.answers.remove(due);
            // The call may have ended in the meantime: then nobody hears the answer.
            let _ = self.answer(key, answer);
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Call(call) => self.open(call),
            Event::CallBody { key, body } => self.extend(key, &body),
            Event::CallEnded { key, why } => {
                self.calls.remove(&key);
                self.answers.retain(|(_, other, _)| *other != key);
                self.stopped.push(why);
            }
            Event::Response(response) => {
                let Response { code, body, .. } = response;
                self.response_code = Some(code);
                self.extend_response(&body);
            }
            Event::ResponseBody { body, .. } => self.extend_response(&body),
            Event::Failed { why, .. } => self.outcome = Some(failed(&why)),
            Event::Drained => self.closed = true,
            Event::Closed(why) => {
                self.closed = true;
                self.why_closed = Some(why);
            }
            _ => {}
        }
    }

    fn open(&mut self, call: InboundCall) {
        let opened = Call {
            service: call.head.service().to_owned(),
            scheme: call.head.headers().get("as").map(str::to_owned),
            arg1: Bytes::copy_from_slice(call.head.arg1()),
            ..Call::default()
        };
        self.calls.insert(call.key, opened);
        self.extend(call.key, &call.body);
    }

    fn extend(&mut self, key: InboundKey, body: &Body) {
        let call = self.calls.get_mut(&key).expect("a call that is open");
        call.arg2.extend_from_slice(&body.arg2);
        call.arg3.extend_from_slice(&body.arg3);
        if body.end {
            let answer = service::serve(call);
            self.answers.push((self.now, key, answer));
        }
    }

    fn extend_response(&mut self, body: &Body) {
        self.response.0.extend_from_slice(&body.arg2);
        self.response.1.extend_from_slice(&body.arg3);
        if body.end {
            let is_ok = self.response_code.is_some_and(ResponseCode::is_ok);
            let outcome = if is_ok { "ok" } else { "application error" };
            self.outcome = Some(outcome.to_owned());
        }
    }

    fn answer(&mut self, key: InboundKey, answer: Answer) -> Result<(), CallIsOver> {
        match answer {
            Answer::Ok(arg2, arg3) => self.respond(key, ResponseCode::OK, arg2, arg3),
            Answer::ApplicationError(arg2, arg3) => {
                self.respond(key, ResponseCode::APPLICATION_ERROR, arg2, arg3)
            }
            Answer::Error(code, text) => self.connection.respond_error(key, code, &text),
            Answer::After(delay, answer) => {
                self.answers.push((self.now + delay, key, *answer));
                Ok(())
            }
            Answer::Never => Ok(()),
        }
    }

    fn respond(
        &mut self,
        key: InboundKey,
        code: ResponseCode,
        arg2: Bytes,
        arg3: Bytes,
    ) -> Result<(), CallIsOver> {
        let scheme = self.calls.remove(&key).and_then(|call| call.scheme);
        let head = ResponseHead {
            code,
            arg_scheme: scheme.as_deref().unwrap_or("raw"),
            streaming: false,
        };
        let mut body = Body::whole(arg2, arg3);
        let mut progress = self.connection.respond(key, &head, &mut body)?;
        while progress == Progress::Full {
            progress = self.connection.send_response(key, &mut body)?;
        }
        Ok(())
    }

    fn transmit(&mut self) {
        let mut outbox = Outbox::new();
        let mut written = Decoder::new();
        while self.connection.poll_transmit(&mut outbox) {
            let bytes = outbox.copy_to_bytes(outbox.remaining());
            written.buffer_mut().extend_from_slice(&bytes);
        }
        while let Some(frame) = written.next_frame().expect("frames of our own") {
            self.sent.push(frame.as_bytes().to_vec());
        }
        assert!(written.is_empty(), "only whole frames are sent");
    }
}

fn config() -> ConnectionConfig {
    let mut config = ConnectionConfig::new(Identity::listening(HOST_PORT, "conformance[1]"));
    // Whoever lets time pass here does not want to read pings.
    config.ping_after = None;
    config
}

const CONNECTION_LOST: &str = "connection lost";

fn failed(why: &Failure) -> String {
    match why {
        Failure::Refused { code, .. } => spaced(code.name()),
        Failure::TimedOut => "timeout".to_owned(),
        Failure::Args(_) | Failure::Malformed(_) => "bad response".to_owned(),
        _ => CONNECTION_LOST.to_owned(),
    }
}

fn broken(error: &ProtocolError) -> String {
    match error {
        ProtocolError::InitTimeout { .. } => "timeout".to_owned(),
        ProtocolError::InitRefused { code, .. } => spaced(code.name()),
        _ => "protocol error".to_owned(),
    }
}

fn spaced(name: &str) -> String {
    name.replace('-', " ")
}

/// A frame in the short form of the vectors.
pub(crate) fn short(frame: &[u8]) -> String {
    let id = match value::frame(frame).id() {
        MessageId::NONE => "ffffffff".to_owned(),
        id => id.to_string(),
    };
    let message = value::message(frame);
    let name = value::type_name(message.frame_type());
    match message {
        Message::Error(error) => format!("error {:#04x} id {id}", error.code),
        Message::CallRes(call) => {
            let code = match call.code {
                ResponseCode::OK => "ok".to_owned(),
                ResponseCode(code) => format!("code {code}"),
            };
            let checksum = value::checksum_name(call.checksum.checksum_type);
            format!("call res id {id} {code} {checksum}")
        }
        _ => format!("{name} id {id}"),
    }
}
