//! The handshake, from both sides.
//!
//! ```text
//! connector --- init req ---> acceptor
//!           <-- init res ----
//! ```
//!
//! Source: spec/protocol/init.md, "acceptor policy".

use std::sync::Arc;

use bytestring::ByteString;

use super::timers::TimerKey;
use super::{Connection, Event, PeerInfo, State};
use crate::error::ProtocolError;
use crate::frame::{Frame, FrameType, MessageId};
use crate::limits::VERSION;
use crate::message::{Init, InitHeaders, Message, init_header};

/// The id of the init req of whoever connects.
const INIT_ID: MessageId = MessageId(1);

#[derive(Debug)]
pub(super) enum Handshake {
    AwaitingReq,
    AwaitingRes,
    Done(PeerInfo),
}

impl Handshake {
    pub(super) fn awaiting_req() -> Self {
        Self::AwaitingReq
    }

    pub(super) fn awaiting_res() -> Self {
        Self::AwaitingRes
    }

    pub(super) fn peer(&self) -> Option<&PeerInfo> {
        if let Self::Done(peer) = self {
            Some(peer)
        } else {
            None
        }
    }
}

impl Connection {
    pub(super) fn send_init_req(&mut self) {
        let init = Message::InitReq(self.init());
        self.write_init(&init, INIT_ID);
    }

    fn init(&self) -> Init {
        Init {
            version: VERSION,
            headers: self.config.identity.headers(),
        }
    }

    fn write_init(&mut self, init: &Message, id: MessageId) {
        self.write(|out| {
            init.encode(id, out)
                .expect("host:port and process name are short")
        });
    }

    pub(super) fn handle_handshake(&mut self, frame: Frame) -> Result<(), ProtocolError> {
        match self.handshake {
            Handshake::AwaitingReq => self.handle_init_req(frame),
            _ => self.handle_init_res(frame),
        }
    }

    fn handle_init_req(&mut self, frame: Frame) -> Result<(), ProtocolError> {
        let id = frame.id();
        let init = read_init(frame, FrameType::InitReq)?;
        if init.version < VERSION {
            return Err(ProtocolError::Version {
                version: init.version,
                id,
            });
        }
        let peer =
            read_peer(&init.headers).map_err(|reason| ProtocolError::BadInit { reason, id })?;
        let answer = Message::InitRes(self.init());
        self.write_init(&answer, id);
        self.open(peer);
        Ok(())
    }

    fn handle_init_res(&mut self, frame: Frame) -> Result<(), ProtocolError> {
        let id = frame.id();
        if frame.frame_type() == Ok(FrameType::Error) {
            return Err(read_refusal(frame));
        }
        let init = read_init(frame, FrameType::InitRes)?;
        if init.version != VERSION {
            return Err(ProtocolError::Version {
                version: init.version,
                id,
            });
        }
        let peer =
            read_peer(&init.headers).map_err(|reason| ProtocolError::BadInit { reason, id })?;
        self.open(peer);
        Ok(())
    }

    fn open(&mut self, peer: PeerInfo) {
        self.timers.cancel(TimerKey::Handshake);
        self.state = State::Open;
        let is_accepted = matches!(self.handshake, Handshake::AwaitingReq);
        self.begin_pings(&peer, is_accepted);
        self.handshake = Handshake::Done(peer);
        self.events.push_back(Event::Ready);
        if self.draining.is_some() {
            self.announce_drain();
        }
    }

    pub(super) fn handle_handshake_timeout(&mut self) -> Result<(), ProtocolError> {
        let limit_ms = u64::try_from(self.config.init_timeout.as_millis()).unwrap_or(u64::MAX);
        Err(ProtocolError::InitTimeout { limit_ms })
    }
}

fn read_init(frame: Frame, expected: FrameType) -> Result<Init, ProtocolError> {
    let id = frame.id();
    if frame.frame_type() != Ok(expected) {
        let expected = if expected == FrameType::InitReq {
            "init req"
        } else {
            "init res"
        };
        return Err(ProtocolError::NotInit {
            expected,
            got: frame.as_bytes()[2],
            id,
        });
    }
    match Message::decode(frame) {
        Ok(Message::InitReq(init) | Message::InitRes(init)) => Ok(init),
        Ok(_) => unreachable!("the type was looked at above"),
        Err(error) => Err(ProtocolError::BadInit {
            reason: error.to_string(),
            id,
        }),
    }
}

fn read_refusal(frame: Frame) -> ProtocolError {
    match Message::decode(frame) {
        Ok(Message::Error(error)) => ProtocolError::InitRefused {
            code: error.known_code(),
            message: error.message.to_string(),
        },
        Ok(_) => unreachable!("only error frames come here"),
        Err(source) => ProtocolError::BadErrorFrame { source },
    }
}

fn read_peer(headers: &InitHeaders) -> Result<PeerInfo, String> {
    if let Some(irregular) = headers.irregular_key() {
        return Err(irregular.to_string());
    }
    let required = |key: &str| {
        headers
            .get(key)
            .cloned()
            .ok_or_else(|| format!("header {key} is required"))
    };
    let optional = |key: &str| headers.get(key).cloned().unwrap_or_else(ByteString::new);
    Ok(PeerInfo {
        host_port: own(required(init_header::HOST_PORT)?),
        process_name: own(required(init_header::PROCESS_NAME)?),
        language: own(optional(init_header::LANGUAGE)),
        language_version: own(optional(init_header::LANGUAGE_VERSION)),
        version: own(optional(init_header::VERSION)),
        further: Arc::new(headers.further()),
    })
}

/// A copy that does not keep the whole read buffer alive for as long as the connection lasts.
fn own(text: ByteString) -> ByteString {
    ByteString::from(&*text)
}
