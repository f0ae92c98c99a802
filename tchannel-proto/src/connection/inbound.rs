//! Calls the peer makes: reading their args, answering them, and ending them at their deadline.
//!
//! ```text
//! call req -> open --answered, error, deadline, cancel--> gone
//! ```
//!
//! Source: spec/protocol/errors.md, "situations".

use std::collections::HashMap;
use std::time::Instant;

use bytes::BufMut;
use rustc_hash::FxBuildHasher;
use slab::Slab;

use super::outbound::read_continuation;
use super::timers::TimerKey;
use super::{CallIsOver, Connection, Event, Failure, InboundCall};
use crate::checksum::ChecksumType;
use crate::cursor::{DecodeError, Reader};
use crate::error::ProtocolError;
use crate::fragment::{
    Body, FragmentError, FragmentReader, FragmentWriter, Head, Progress, Received, read_whole,
};
use crate::frame::{Frame, FrameType, MessageId};
use crate::message::flags::MORE_FRAGMENTS;
use crate::message::{ErrorCode, InboundReq, Message, ResponseCode};
use crate::peek;
use crate::span::Tracing;
use crate::transport_headers::SendHeaders;
use crate::ttl::Ttl;

/// A call the peer has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InboundKey {
    slot: u32,
    serial: u32,
}

impl InboundKey {
    /// A small number that no other open call of this connection has: an index for the owner's own table.
    pub fn slot(self) -> usize {
        self.slot as usize
    }
}

/// What a call res says besides arg2 and arg3.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHead<'a> {
    /// Ok or application error.
    pub code: ResponseCode,
    /// The arg scheme of the request.
    pub arg_scheme: &'a str,
    /// The answer is a stream: the deadline ends with its first frame.
    ///
    /// Source: spec/protocol/deadlines.md, "streaming".
    pub streaming: bool,
}

/// The same as it stands in the frame.
struct SentHead<'a> {
    code: ResponseCode,
    tracing: Tracing,
    headers: SendHeaders<'a>,
}

impl Head for SentHead<'_> {
    fn size(&self) -> usize {
        1 + Tracing::SIZE + self.headers.size()
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_u8(self.code.0);
        self.tracing.encode(out);
        self.headers.encode(out);
    }
}

#[derive(Debug)]
struct Exchange {
    id: MessageId,
    serial: u32,
    tracing: Tracing,
    checksum_type: ChecksumType,
    ttl_ms: u32,
    request: Request,
    response: Answer,
}

#[derive(Debug)]
enum Request {
    /// Arg1 is not whole yet: the call waits for it.
    Opening {
        reader: Box<FragmentReader>,
        call: Box<InboundCall>,
    },
    Reading(Box<FragmentReader>),
    Relaying,
    Done,
}

#[derive(Debug)]
enum Answer {
    Due,
    Writing(FragmentWriter),
    Relayed,
}

#[derive(Debug, Default)]
pub(super) struct InboundTable {
    exchanges: Slab<Exchange>,
    slots: HashMap<u32, u32, FxBuildHasher>,
    serial: u32,
}

impl InboundTable {
    pub(super) fn in_flight(&self) -> usize {
        self.exchanges.len()
    }

    pub(super) fn shrink(&mut self) {
        if self.exchanges.is_empty() && self.exchanges.capacity() > 64 {
            self.exchanges = Slab::new();
            self.slots = HashMap::default();
        }
    }

    fn next_key(&mut self) -> InboundKey {
        self.serial = self.serial.wrapping_add(1);
        InboundKey {
            slot: self.exchanges.vacant_key() as u32,
            serial: self.serial,
        }
    }

    fn insert(&mut self, exchange: Exchange) {
        let id = exchange.id.0;
        let slot = self.exchanges.insert(exchange);
        self.slots.insert(id, slot as u32);
    }

    fn get(&mut self, key: InboundKey) -> Result<&mut Exchange, CallIsOver> {
        self.exchanges
            .get_mut(key.slot())
            .filter(|exchange| exchange.serial == key.serial)
            .ok_or(CallIsOver)
    }

    fn find(&self, id: MessageId) -> Option<InboundKey> {
        let slot = *self.slots.get(&id.0)?;
        Some(InboundKey {
            slot,
            serial: self.exchanges[slot as usize].serial,
        })
    }

    /// The call under `id` and the reader of its request, while that arrives.
    pub(super) fn reading(&self, id: MessageId) -> Option<(&FragmentReader, InboundKey)> {
        let key = self.find(id)?;
        match &self.exchanges[key.slot()].request {
            Request::Reading(reader) => Some((reader, key)),
            _ => None,
        }
    }
}

impl Connection {
    pub(super) fn handle_call_req(
        &mut self,
        now: Instant,
        frame: Frame,
        apart: &[u8],
    ) -> Result<(), ProtocolError> {
        let id = frame.id();
        if !self.admit(&frame)? {
            return Ok(());
        }
        let mut reader = Reader::new(frame.into_payload());
        match InboundReq::decode(&mut reader) {
            Ok(request) => self.open_inbound(now, id, request, apart),
            Err(DecodeError::ChecksumType { value }) => {
                return Err(ProtocolError::ChecksumType { value, id });
            }
            Err(error) => self.write_error(
                id,
                ErrorCode::BadRequest,
                peek::tracing_of_call_req(reader.payload()),
                &format!("bad call request: {error}"),
            ),
        }
        Ok(())
    }

    /// Whether a new call may come in. If not, it has been answered.
    ///
    /// Its continuation frames, should there be any, then find no call and are ignored.
    pub(super) fn admit(&mut self, frame: &Frame) -> Result<bool, ProtocolError> {
        let id = frame.id();
        if self.inbound.find(id).is_some() {
            return Err(ProtocolError::IdInUse { id });
        }
        let limit = self.config.inbound_in_flight_max;
        let refusal = if let Some(drain) = &self.draining {
            (
                ErrorCode::Declined,
                format!("connection draining: {}; try another peer", drain.reason()),
            )
        } else if self.inbound.in_flight() >= limit {
            (
                ErrorCode::Busy,
                format!("{limit} calls are in flight on this connection, which is its limit"),
            )
        } else {
            return Ok(true);
        };
        self.write_error(id, refusal.0, peek::call_req_tracing(frame), &refusal.1);
        Ok(false)
    }

    fn open_inbound(&mut self, now: Instant, id: MessageId, request: InboundReq, apart: &[u8]) {
        let InboundReq {
            flags,
            ttl,
            tracing,
            checksum,
            head,
            has_args,
            chunks,
        } = request;
        let Some(ttl) = ttl else {
            let text = "ttl is 0, expected the milliseconds the caller will wait";
            return self.write_error(id, ErrorCode::BadRequest, tracing, text);
        };
        let more = flags & MORE_FRAGMENTS != 0;
        let arg1_is_whole = !chunks.is_empty();
        let mut reader = None;
        let whole = match more || !apart.is_empty() {
            true => Err(chunks),
            false => chunks.into_array(),
        };
        let received = match whole {
            Ok([arg2, arg3]) => read_whole(checksum, head.arg1(), arg2, arg3),
            Err(chunks) if has_args => reader
                .insert(Box::new(FragmentReader::new(checksum)))
                .read_behind_arg1(more, checksum, head.arg1(), chunks, apart),
            Err(_) => Err(FragmentError::NoArgs),
        };
        let body = match received {
            Ok(body) => body,
            Err(error) => {
                return self.write_error(id, ErrorCode::BadRequest, tracing, &error.to_string());
            }
        };
        let key = self.inbound.next_key();
        let deadline = now + ttl.as_duration();
        let end = body.end;
        // Each time it is moved, it is copied.
        let call = || InboundCall {
            key,
            ttl,
            deadline,
            tracing,
            head,
            body,
        };
        let request = match reader {
            Some(reader) if !arg1_is_whole => Request::Opening {
                reader,
                call: Box::new(call()),
            },
            reader => {
                self.events.push_back(Event::Call(call()));
                reader
                    .filter(|_| !end)
                    .map_or(Request::Done, Request::Reading)
            }
        };
        let checksum_type = checksum.checksum_type;
        let exchange = Exchange {
            id,
            serial: key.serial,
            tracing,
            checksum_type,
            ttl_ms: ttl.as_millis(),
            request,
            response: Answer::Due,
        };
        self.inbound.insert(exchange);
        self.end_rest(now);
        self.timers.schedule(TimerKey::Inbound(key.slot), deadline);
    }

    pub(super) fn handle_call_req_continue(
        &mut self,
        frame: Frame,
        apart: &[u8],
    ) -> Result<(), ProtocolError> {
        let id = frame.id();
        // One that belongs to nothing is late or was refused; its call has been answered.
        let Some(key) = self.inbound.find(id) else {
            return Ok(());
        };
        let exchange = &mut self.inbound.exchanges[key.slot()];
        let received = match &mut exchange.request {
            Request::Done => return Ok(()),
            Request::Relaying => {
                self.relay_continuation(key, frame);
                return Ok(());
            }
            Request::Reading(reader) => read_continuation(reader, frame, apart),
            Request::Opening { .. } => {
                self.continue_opening(key, frame);
                return Ok(());
            }
        };
        match received {
            Ok(received) => self.receive_body(key, received.body),
            Err(failure) => self.refuse_args(key, failure),
        }
        Ok(())
    }

    fn continue_opening(&mut self, key: InboundKey, frame: Frame) {
        let request = &mut self.inbound.exchanges[key.slot()].request;
        let Request::Opening { reader, .. } = request else {
            unreachable!("only calls that wait for arg1 come here");
        };
        let (arg1, body) = match read_continuation(reader, frame, &[]) {
            Ok(Received { arg1: None, .. }) => return,
            Ok(Received {
                arg1: Some(arg1),
                body,
            }) => (arg1, body),
            // Still opening, so the application has not heard of the call and hears nothing of its end.
            Err(failure) => return self.refuse_args(key, failure),
        };
        let opened = std::mem::replace(request, Request::Done);
        if let Request::Opening { reader, mut call } = opened {
            if !body.end {
                *request = Request::Reading(reader);
            }
            call.head.set_arg1(&arg1);
            call.body = body;
            self.events.push_back(Event::Call(*call));
        }
    }

    pub(super) fn receive_body(&mut self, key: InboundKey, body: Body) {
        if body.end {
            self.inbound.exchanges[key.slot()].request = Request::Done;
        }
        self.events.push_back(Event::CallBody { key, body });
    }

    pub(super) fn refuse_args(&mut self, key: InboundKey, why: Failure) {
        let text = match &why {
            Failure::Args(error) => error.to_string(),
            Failure::Malformed(error) => format!("bad continuation frame: {error}"),
            _ => "bad args".to_owned(),
        };
        self.end_inbound_with(key, ErrorCode::BadRequest, &text, why);
    }

    /// Answers a call: queues the first frame and takes from `body` what that holds.
    ///
    /// The checksum type is the request's, the tracing field too.
    /// [`Progress::Full`] asks for [`send_response`](Self::send_response) with the rest,
    /// [`Progress::Starved`] with more. Source: spec/protocol/call.md, "call res".
    ///
    /// # Errors
    ///
    /// [`CallIsOver`] when the deadline has passed, the caller has cancelled, or it was answered before.
    pub fn respond(
        &mut self,
        key: InboundKey,
        head: &ResponseHead<'_>,
        body: &mut Body,
    ) -> Result<Progress, CallIsOver> {
        let before = self.outbox.len();
        let exchange = self.inbound.get(key)?;
        if !matches!(exchange.response, Answer::Due) {
            return Err(CallIsOver);
        }
        let mut writer =
            FragmentWriter::new(FrameType::CallRes, exchange.id, exchange.checksum_type);
        let headers = SendHeaders {
            arg_scheme: head.arg_scheme,
            ..SendHeaders::default()
        };
        let sent = SentHead {
            code: head.code,
            tracing: exchange.tracing,
            headers,
        };
        let progress = writer.write_first(FrameType::CallRes, &sent, &[], body, &mut self.outbox);
        self.enqueued += (self.outbox.len() - before) as u64;
        if progress == Progress::Done {
            self.end_inbound(key);
            return Ok(progress);
        }
        exchange.response = Answer::Writing(writer);
        if head.streaming {
            self.timers.cancel(TimerKey::Inbound(key.slot));
        }
        Ok(progress)
    }

    /// Queues one more frame of an answer.
    ///
    /// # Errors
    ///
    /// [`CallIsOver`] when the deadline has passed or the caller has cancelled.
    pub fn send_response(
        &mut self,
        key: InboundKey,
        body: &mut Body,
    ) -> Result<Progress, CallIsOver> {
        let before = self.outbox.len();
        let exchange = self.inbound.get(key)?;
        let Answer::Writing(writer) = &mut exchange.response else {
            return Err(CallIsOver);
        };
        let progress = writer.write_next(body, &mut self.outbox);
        self.enqueued += (self.outbox.len() - before) as u64;
        if progress == Progress::Done {
            self.end_inbound(key);
        }
        Ok(progress)
    }

    /// Ends a call with an error frame, also one whose answer has begun.
    ///
    /// # Errors
    ///
    /// [`CallIsOver`] when there is nobody to tell any more.
    pub fn respond_error(
        &mut self,
        key: InboundKey,
        code: ErrorCode,
        text: &str,
    ) -> Result<(), CallIsOver> {
        let exchange = self.inbound.get(key)?;
        let (id, tracing) = (exchange.id, exchange.tracing);
        self.write_error(id, code, tracing, text);
        self.end_inbound(key);
        Ok(())
    }

    pub(super) fn handle_inbound_timeout(&mut self, slot: u32) {
        let Some(exchange) = self.inbound.exchanges.get(slot as usize) else {
            return;
        };
        let key = InboundKey {
            slot,
            serial: exchange.serial,
        };
        let text = format!("request timed out after {} ms", exchange.ttl_ms);
        self.end_inbound_with(key, ErrorCode::Timeout, &text, Failure::TimedOut);
    }

    pub(super) fn handle_cancel(&mut self, frame: Frame) {
        let Some(key) = self.inbound.find(frame.id()) else {
            return;
        };
        let Ok(Message::Cancel(cancel)) = Message::decode(frame) else {
            return;
        };
        let exchange = &self.inbound.exchanges[key.slot()];
        if matches!(exchange.response, Answer::Relayed) {
            self.events.push_back(Event::RelayCancel {
                key,
                why: cancel.why,
            });
            return;
        }
        let text = format!("cancelled by the caller: {}", cancel.why);
        self.end_inbound_with(
            key,
            ErrorCode::Cancelled,
            &text,
            Failure::Cancelled { why: cancel.why },
        );
    }

    /// Ends a call from this side: an error frame for the peer, an event for the application if it knows of it.
    fn end_inbound_with(&mut self, key: InboundKey, code: ErrorCode, text: &str, why: Failure) {
        let exchange = &self.inbound.exchanges[key.slot()];
        let (id, tracing) = (exchange.id, exchange.tracing);
        let is_known = !matches!(exchange.request, Request::Opening { .. });
        self.write_error(id, code, tracing, text);
        if is_known {
            self.events.push_back(Event::CallEnded { key, why });
        }
        self.end_inbound(key);
    }

    pub(super) fn end_inbound(&mut self, key: InboundKey) {
        let exchange = self.inbound.exchanges.remove(key.slot());
        // A call that passes through has its deadline on its way out.
        if !matches!(exchange.response, Answer::Relayed) {
            self.timers.cancel(TimerKey::Inbound(key.slot));
        }
        self.inbound.slots.remove(&exchange.id.0);
        self.check_drained();
    }

    pub(super) fn drop_inbound(&mut self) {
        self.inbound.slots.clear();
        for (slot, exchange) in std::mem::take(&mut self.inbound.exchanges) {
            let is_known = !matches!(exchange.request, Request::Opening { .. });
            if is_known {
                let key = InboundKey {
                    slot: slot as u32,
                    serial: exchange.serial,
                };
                self.events.push_back(Event::CallEnded {
                    key,
                    why: Failure::ConnectionLost { sent: true },
                });
            }
        }
    }

    /// Registers a call that only passes through; its answer will be relayed too.
    pub(super) fn open_relayed_inbound(&mut self, frame: &Frame, ttl: Ttl) -> InboundKey {
        let key = self.inbound.next_key();
        let request = if peek::more_fragments(frame) {
            Request::Relaying
        } else {
            Request::Done
        };
        self.inbound.insert(Exchange {
            id: frame.id(),
            serial: key.serial,
            tracing: peek::call_req_tracing(frame),
            checksum_type: ChecksumType::None,
            ttl_ms: ttl.as_millis(),
            request,
            response: Answer::Relayed,
        });
        key
    }

    fn relay_continuation(&mut self, key: InboundKey, frame: Frame) {
        if !peek::more_fragments(&frame) {
            self.inbound.exchanges[key.slot()].request = Request::Done;
        }
        self.events.push_back(Event::RelayRequest { key, frame });
    }

    /// The id under which the peer knows a call that only passes through.
    pub(super) fn relayed_id(&mut self, key: InboundKey) -> Result<MessageId, CallIsOver> {
        self.inbound.get(key).map(|exchange| exchange.id)
    }
}
