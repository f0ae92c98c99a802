//! Calls this end makes: ids, answers, deadlines, and the memory of calls given up.
//!
//! ```text
//! call -> open --last frame of the answer, error frame--> gone
//!           \--deadline, cancel--> tombstone --late answer, time--> gone
//! ```
//!
//! Source: spec/protocol/call.md, "message ids".

use std::time::Instant;

use bytes::BufMut;
use slab::Slab;

use super::timers::TimerKey;
use super::{CallIsOver, Connection, Event, Failure, Response, State};
use crate::checksum::ChecksumType;
use crate::cursor::{DecodeError, Reader, put_text1, text1_size};
use crate::error::ProtocolError;
use crate::fragment::{Body, FragmentReader, FragmentWriter, Head, Progress, Received, read_whole};
use crate::frame::{Frame, FrameType, MessageId, close_frame, open_frame};
use crate::limits::{
    ARG1_MAX, IN_FLIGHT_MAX, TOMBSTONES_MAX, TRANSPORT_HEADER_KEY_SENT_MAX, TRANSPORT_HEADERS_MAX,
};
use crate::message::flags::MORE_FRAGMENTS;
use crate::message::{CallRes, Continuation};
use crate::outbox::Outbox;
use crate::peek;
use crate::span::Tracing;
use crate::transport_headers::SendHeaders;
use crate::ttl::Ttl;

/// The first call id. High, since a Python peer takes whatever frame has the id of one of its own calls for
/// the answer. Source: spec/protocol/call.md, "message ids".
const FIRST_ID: u32 = 0x4000_0001;
const SLOT_BITS: u32 = IN_FLIGHT_MAX.trailing_zeros();
const GENERATION_MASK: u32 = (1 << (30 - SLOT_BITS)) - 1;

/// A call this end has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OutboundKey {
    id: MessageId,
}

impl OutboundKey {
    /// The id on the wire.
    pub fn id(self) -> MessageId {
        self.id
    }

    /// A small number that no other open call of this connection has: an index for the owner's own table.
    pub fn slot(self) -> usize {
        slot_of(self.id)
    }
}

/// What a call req says besides arg2 and arg3.
#[derive(Clone, Copy, Debug)]
pub struct CallHead<'a> {
    /// Who should answer; at most 255 bytes.
    pub service: &'a str,
    /// The method; at most 16,384 bytes.
    pub arg1: &'a [u8],
    /// What this end will wait.
    pub ttl: Ttl,
    /// The trace it belongs to.
    pub tracing: Tracing,
    /// Transport headers.
    pub headers: SendHeaders<'a>,
    /// Checksum type. The default is CRC-32C.
    pub checksum_type: ChecksumType,
    /// The answer is a stream: only its first frame must come within the ttl.
    ///
    /// Source: spec/protocol/deadlines.md, "streaming".
    pub streaming: bool,
}

/// Why a call was not sent. Nobody has seen a byte of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallRefused {
    /// The handshake is not done, or the connection is closed.
    #[error("the connection is not open")]
    NotOpen,
    /// One of the ends takes no new calls.
    #[error("the connection is draining")]
    Draining,
    /// The limit on calls in flight is reached.
    #[error("{limit} calls are in flight on this connection, which is its limit")]
    TooManyInFlight {
        /// The limit.
        limit: usize,
    },
    /// The method is too long.
    #[error("arg1 of {length} bytes is over the limit of {ARG1_MAX}")]
    Arg1TooLong {
        /// Its length, in bytes.
        length: usize,
    },
    /// A name or header does not fit its field.
    #[error("{field} of {length} bytes is over the limit of {limit}")]
    FieldTooLong {
        /// Which field.
        field: &'static str,
        /// Its length, in bytes.
        length: usize,
        /// The limit, in bytes.
        limit: usize,
    },
}

#[derive(Debug)]
struct Exchange {
    id: MessageId,
    /// Where the stream of outgoing bytes stood when the call was queued.
    start: u64,
    streaming: bool,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    Local {
        writer: FragmentWriter,
        reader: Option<FragmentReader>,
    },
    Relayed,
    Tombstone,
}

#[derive(Debug, Default)]
pub(super) struct OutboundTable {
    exchanges: Slab<Exchange>,
    generation: u32,
    tombstones: usize,
}

impl OutboundTable {
    pub(super) fn in_flight(&self) -> usize {
        self.exchanges.len() - self.tombstones
    }

    pub(super) fn tombstones(&self) -> usize {
        self.tombstones
    }

    pub(super) fn shrink(&mut self) {
        if self.exchanges.is_empty() && self.exchanges.capacity() > 64 {
            self.exchanges = Slab::new();
        }
    }

    /// The key of the call under `id`, tombstones included.
    pub(super) fn find(&self, id: MessageId) -> Option<OutboundKey> {
        let exchange = self.exchanges.get(slot_of(id))?;
        (exchange.id == id).then_some(OutboundKey { id })
    }

    pub(super) fn find_relayed(&self, id: MessageId) -> Option<OutboundKey> {
        let key = self.find(id)?;
        matches!(self.exchanges[key.slot()].phase, Phase::Relayed).then_some(key)
    }

    fn next_id(&mut self) -> MessageId {
        let slot = self.exchanges.vacant_key() as u32;
        let generation = self.generation;
        self.generation = (generation + 1) & GENERATION_MASK;
        MessageId(FIRST_ID + (generation << SLOT_BITS | slot))
    }

    /// The call under `id` and the reader of its answer, once that has begun.
    pub(super) fn reading(&self, id: MessageId) -> Option<(&FragmentReader, OutboundKey)> {
        let key = self.find(id)?;
        match &self.exchanges[key.slot()].phase {
            Phase::Local { reader, .. } => Some((reader.as_ref()?, key)),
            _ => None,
        }
    }

    /// The call under `id`, while its answer has not begun.
    pub(super) fn awaiting(&self, id: MessageId) -> Option<OutboundKey> {
        let key = self.find(id)?;
        let phase = &self.exchanges[key.slot()].phase;
        matches!(phase, Phase::Local { reader: None, .. }).then_some(key)
    }

    fn get(&mut self, key: OutboundKey) -> Result<&mut Exchange, CallIsOver> {
        match self.exchanges.get_mut(key.slot()) {
            Some(exchange)
                if exchange.id == key.id && !matches!(exchange.phase, Phase::Tombstone) =>
            {
                Ok(exchange)
            }
            _ => Err(CallIsOver),
        }
    }
}

fn slot_of(id: MessageId) -> usize {
    (id.0.wrapping_sub(FIRST_ID) & (IN_FLIGHT_MAX as u32 - 1)) as usize
}

impl Connection {
    /// Makes a call: queues its first frame and takes from `body` what that holds.
    ///
    /// [`Progress::Full`] asks for [`send`](Self::send) with the rest, [`Progress::Starved`] with more.
    ///
    /// # Errors
    ///
    /// [`CallRefused`]; nothing was queued and `body` is untouched.
    pub fn call(
        &mut self,
        now: Instant,
        head: &CallHead<'_>,
        body: &mut Body,
    ) -> Result<(OutboundKey, Progress), CallRefused> {
        self.open_call(now, head, |writer, out| {
            writer.write_first(FrameType::CallReq, head, head.arg1, body, out)
        })
    }

    /// The same with a whole body that the caller keeps, to try again with. Gives what the first frame does not hold.
    ///
    /// # Errors
    ///
    /// [`CallRefused`]; nothing was queued.
    pub fn call_whole(
        &mut self,
        now: Instant,
        head: &CallHead<'_>,
        body: &Body,
    ) -> Result<(OutboundKey, Option<Body>), CallRefused> {
        self.open_call(now, head, |writer, out| {
            let taken = writer.write_first_of(FrameType::CallReq, head, head.arg1, body, out);
            (!writer.is_done()).then(|| {
                let mut rest = body.clone();
                taken.from(&mut rest);
                rest
            })
        })
    }

    fn open_call<P>(
        &mut self,
        now: Instant,
        head: &CallHead<'_>,
        write: impl FnOnce(&mut FragmentWriter, &mut Outbox) -> P,
    ) -> Result<(OutboundKey, P), CallRefused> {
        self.check_open_for_calls()?;
        check_head(head)?;
        let id = self.outbound.next_id();
        let key = OutboundKey { id };
        let mut writer = FragmentWriter::new(FrameType::CallReq, id, head.checksum_type);
        let before = self.outbox.len();
        let start = self.enqueued;
        let progress = write(&mut writer, &mut self.outbox);
        self.enqueued += (self.outbox.len() - before) as u64;
        let phase = Phase::Local {
            writer,
            reader: None,
        };
        self.outbound.exchanges.insert(Exchange {
            id,
            start,
            streaming: head.streaming,
            phase,
        });
        self.expect_to_hear(now);
        self.timers.schedule(
            TimerKey::Outbound(key.slot() as u32),
            now + head.ttl.as_duration(),
        );
        Ok((key, progress))
    }

    /// Queues one more frame of a call's args.
    ///
    /// # Errors
    ///
    /// [`CallIsOver`] when it was answered, failed or given up in the meantime.
    pub fn send(&mut self, key: OutboundKey, body: &mut Body) -> Result<Progress, CallIsOver> {
        let before = self.outbox.len();
        let Phase::Local { writer, .. } = &mut self.outbound.get(key)?.phase else {
            return Err(CallIsOver);
        };
        if writer.is_done() {
            return Ok(Progress::Done);
        }
        let progress = writer.write_next(body, &mut self.outbox);
        self.enqueued += (self.outbox.len() - before) as u64;
        Ok(progress)
    }

    /// Gives a call up and tells the peer. No event follows for it; a late answer is ignored.
    ///
    /// Source: spec/protocol/control.md, "cancel".
    pub fn cancel(&mut self, now: Instant, key: OutboundKey, why: &str) {
        if self.outbound.get(key).is_ok() {
            self.write_cancel(key.id, why);
            self.bury(now, key);
        }
    }

    pub(super) fn write_cancel(&mut self, id: MessageId, why: &str) {
        let why = &why.as_bytes()[..why.floor_char_boundary(1024)];
        self.write(|out| {
            let start = open_frame(out, FrameType::Cancel, id);
            out.put_u32(0);
            Tracing::default().encode(out);
            crate::cursor::put_text2(out, why);
            close_frame(out, start, 0);
        });
    }

    pub(super) fn check_open_for_calls(&self) -> Result<(), CallRefused> {
        let limit = self
            .config
            .outbound_in_flight_max
            .min(IN_FLIGHT_MAX - TOMBSTONES_MAX);
        match self.state {
            State::Open if self.is_draining() => Err(CallRefused::Draining),
            State::Open if self.outbound.in_flight() >= limit => {
                Err(CallRefused::TooManyInFlight { limit })
            }
            State::Open => Ok(()),
            _ => Err(CallRefused::NotOpen),
        }
    }

    /// Registers a call whose first frame, to be sent under the id of the key, is already encoded.
    pub(super) fn open_relayed(&mut self, now: Instant, ttl: Ttl) -> OutboundKey {
        let id = self.outbound.next_id();
        let key = OutboundKey { id };
        let exchange = Exchange {
            id,
            start: self.enqueued,
            streaming: false,
            phase: Phase::Relayed,
        };
        self.outbound.exchanges.insert(exchange);
        self.expect_to_hear(now);
        self.timers.schedule(
            TimerKey::Outbound(key.slot() as u32),
            now + ttl.as_duration(),
        );
        key
    }

    pub(super) fn outbound_is_open(&mut self, key: OutboundKey) -> bool {
        self.outbound.get(key).is_ok()
    }

    pub(super) fn handle_call_res(
        &mut self,
        now: Instant,
        frame: Frame,
        apart: &[u8],
    ) -> Result<(), ProtocolError> {
        let Some(key) = self.outbound.find(frame.id()) else {
            return Ok(());
        };
        match &self.outbound.exchanges[key.slot()].phase {
            Phase::Tombstone => self.handle_late(key, &frame),
            Phase::Relayed => self.relay_answer(now, key, frame),
            Phase::Local { .. } => return self.handle_local_res(key, frame, apart),
        }
        Ok(())
    }

    fn handle_local_res(
        &mut self,
        key: OutboundKey,
        frame: Frame,
        apart: &[u8],
    ) -> Result<(), ProtocolError> {
        let exchange = &mut self.outbound.exchanges[key.slot()];
        let streaming = exchange.streaming;
        let Phase::Local {
            reader: reader @ None,
            ..
        } = &mut exchange.phase
        else {
            return Ok(());
        };
        let response = match CallRes::decode(&mut Reader::new(frame.into_payload())) {
            Ok(response) => response,
            Err(DecodeError::ChecksumType { value }) => {
                return Err(ProtocolError::ChecksumType { value, id: key.id });
            }
            Err(error) => {
                self.fail_outbound_call(key.id, Failure::Malformed(error));
                return Ok(());
            }
        };
        let CallRes {
            flags,
            code,
            tracing,
            headers,
            checksum,
            chunks,
        } = response;
        let more = flags & MORE_FRAGMENTS != 0;
        let whole = match more || !apart.is_empty() {
            true => Err(chunks),
            false => chunks.into_array(),
        };
        let received = match whole {
            Ok([arg1, arg2, arg3]) => read_whole(checksum, &arg1, arg2, arg3),
            Err(chunks) => reader
                .insert(FragmentReader::new(checksum))
                .read_apart(more, checksum, chunks, apart)
                .map(|received| received.body),
        };
        match received {
            Ok(body) => {
                let end = body.end;
                self.events.push_back(Event::Response(Response {
                    key,
                    code,
                    tracing,
                    headers,
                    body,
                }));
                if end {
                    self.end_outbound(key);
                } else if streaming {
                    self.timers.cancel(TimerKey::Outbound(key.slot() as u32));
                }
            }
            Err(error) => self.fail_outbound_call(key.id, Failure::Args(error)),
        }
        Ok(())
    }

    pub(super) fn handle_call_res_continue(&mut self, now: Instant, frame: Frame, apart: &[u8]) {
        let Some(key) = self.outbound.find(frame.id()) else {
            return;
        };
        let received = match &mut self.outbound.exchanges[key.slot()].phase {
            Phase::Tombstone => return self.handle_late(key, &frame),
            Phase::Relayed => return self.relay_answer(now, key, frame),
            Phase::Local { reader: None, .. } => return,
            Phase::Local {
                reader: Some(reader),
                ..
            } => read_continuation(reader, frame, apart),
        };
        match received {
            Ok(Received { body, .. }) => self.receive_answer_body(key, body),
            Err(failure) => self.fail_outbound_call(key.id, failure),
        }
    }

    pub(super) fn receive_answer_body(&mut self, key: OutboundKey, body: Body) {
        let end = body.end;
        self.events.push_back(Event::ResponseBody { key, body });
        if end {
            self.end_outbound(key);
        }
    }

    fn handle_late(&mut self, key: OutboundKey, frame: &Frame) {
        if !peek::more_fragments(frame) {
            self.forget(key);
        }
    }

    /// Ends the call under `id` with a failure; a tombstone just goes.
    pub(super) fn fail_outbound_call(&mut self, id: MessageId, why: Failure) {
        let Some(key) = self.outbound.find(id) else {
            return;
        };
        if matches!(self.outbound.exchanges[key.slot()].phase, Phase::Tombstone) {
            self.forget(key);
        } else {
            self.events.push_back(Event::Failed { key, why });
            self.end_outbound(key);
        }
    }

    pub(super) fn handle_outbound_timeout(
        &mut self,
        now: Instant,
        slot: u32,
    ) -> Result<(), ProtocolError> {
        let Some(exchange) = self.outbound.exchanges.get(slot as usize) else {
            return Ok(());
        };
        let key = OutboundKey { id: exchange.id };
        if matches!(exchange.phase, Phase::Tombstone) {
            self.forget(key);
            return Ok(());
        }
        // An instance behind a relay sees a ttl, but not that its caller has been answered.
        if matches!(exchange.phase, Phase::Relayed) {
            self.write_cancel(key.id, "the ttl has passed");
        }
        self.events.push_back(Event::Failed {
            key,
            why: Failure::TimedOut,
        });
        self.bury(now, key);
        self.handle_call_timed_out(now)
    }

    /// Keeps the id a while: the answer may already be on its way.
    fn bury(&mut self, now: Instant, key: OutboundKey) {
        if self.outbound.tombstones >= TOMBSTONES_MAX {
            return self.end_outbound(key);
        }
        self.outbound.exchanges[key.slot()].phase = Phase::Tombstone;
        self.outbound.tombstones += 1;
        self.timers.schedule(
            TimerKey::Outbound(key.slot() as u32),
            now + self.config.tombstone,
        );
        self.check_drained();
    }

    fn forget(&mut self, key: OutboundKey) {
        self.outbound.tombstones -= 1;
        self.end_outbound(key);
    }

    pub(super) fn end_outbound(&mut self, key: OutboundKey) {
        self.timers.cancel(TimerKey::Outbound(key.slot() as u32));
        self.outbound.exchanges.remove(key.slot());
        self.check_drained();
    }

    pub(super) fn fail_outbound(&mut self, written: u64) {
        for exchange in self.outbound.exchanges.drain() {
            if !matches!(exchange.phase, Phase::Tombstone) {
                let why = Failure::ConnectionLost {
                    sent: exchange.start < written,
                };
                self.events.push_back(Event::Failed {
                    key: OutboundKey { id: exchange.id },
                    why,
                });
            }
        }
        self.outbound.tombstones = 0;
    }
}

/// Reads a continuation frame as the next part of `reader`'s message.
pub(super) fn read_continuation(
    reader: &mut FragmentReader,
    frame: Frame,
    apart: &[u8],
) -> Result<Received, Failure> {
    let Continuation {
        flags,
        checksum,
        chunks,
    } = Continuation::decode(&mut Reader::new(frame.into_payload())).map_err(Failure::Malformed)?;
    reader
        .read_apart(flags & MORE_FRAGMENTS != 0, checksum, chunks, apart)
        .map_err(Failure::Args)
}

impl Head for CallHead<'_> {
    fn size(&self) -> usize {
        4 + Tracing::SIZE + text1_size(self.service.as_bytes()) + self.headers.size()
    }

    fn encode(&self, out: &mut impl BufMut) {
        out.put_u32(self.ttl.as_millis());
        self.tracing.encode(out);
        put_text1(out, self.service.as_bytes());
        self.headers.encode(out);
    }
}

fn check_head(head: &CallHead<'_>) -> Result<(), CallRefused> {
    if head.arg1.len() > ARG1_MAX {
        return Err(CallRefused::Arg1TooLong {
            length: head.arg1.len(),
        });
    }
    fits("service name", head.service, 255)?;
    let headers = &head.headers;
    for value in [
        headers.caller_name,
        headers.shard_key,
        headers.routing_delegate,
        headers.failure_domain,
    ]
    .into_iter()
    .flatten()
    {
        fits("transport header value", value, 255)?;
    }
    if headers.other.len() > TRANSPORT_HEADERS_MAX - 9 {
        let length = headers.other.len();
        return Err(CallRefused::FieldTooLong {
            field: "list of transport headers",
            length,
            limit: TRANSPORT_HEADERS_MAX - 9,
        });
    }
    for (key, value) in headers.other {
        fits("transport header key", key, TRANSPORT_HEADER_KEY_SENT_MAX)?;
        fits("transport header value", value, 255)?;
    }
    Ok(())
}

fn fits(field: &'static str, text: &str, limit: usize) -> Result<(), CallRefused> {
    let length = text.len();
    if length > limit {
        Err(CallRefused::FieldTooLong {
            field,
            length,
            limit,
        })
    } else {
        Ok(())
    }
}
