//! Two connections, the bytes between them, and a clock that moves when told.
//!
//! Holds each connection to its promises: every call that was begun ends exactly once, args arrive as they
//! were sent, nothing happens after the end, and no wake-up is asked for in the past.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use tchannel_proto::{
    Body, Connection, ConnectionConfig, Decoder, Event, Failure, Frame, Identity, InboundCall,
    InboundKey, OutboundKey, Outbox, ProtocolError, Response,
};

use super::router::Router;
use super::transfer::{Lengths, Receiver, Sender, Tag};

/// One of the two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Dialling = 0,
    Accepting = 1,
}

impl Side {
    pub(crate) const BOTH: [Self; 2] = [Self::Dialling, Self::Accepting];

    pub(crate) fn other(self) -> Self {
        match self {
            Self::Dialling => Self::Accepting,
            Self::Accepting => Self::Dialling,
        }
    }
}

/// What connects the two ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Through {
    Wire,
    Router,
}

/// Both ends and all that is between them.
pub(crate) struct World {
    pub(crate) now: Instant,
    ends: [End; 2],
    router: Option<Router>,
    calls: u32,
    /// Messages sent completely.
    complete: BTreeMap<Tag, Lengths>,
    /// Requests that have been seen by the other end.
    seen: Vec<Tag>,
    /// Somebody else has written to the wire, so its content is nobody's promise.
    is_tampered: bool,
}

/// One connection and its owner.
pub(crate) struct End {
    pub(crate) connection: Connection,
    decoder: Decoder,
    /// A chunk that is read apart from its frame, as far as it has come.
    apart: Option<(Frame, usize, BytesMut)>,
    /// One whose frame has just been told of.
    landed: BytesMut,
    /// Sent, and not yet arrived at the other end.
    wire: BytesMut,
    /// Bytes that have left the wire.
    delivered: u64,
    pub(crate) outbound: Vec<Outbound>,
    pub(crate) inbound: Vec<Inbound>,
    pub(crate) over_outbound: Vec<OutboundKey>,
    pub(crate) over_inbound: Vec<InboundKey>,
    is_ready: bool,
    is_drained: bool,
    is_closed: bool,
}

/// A call this end has made and still waits for.
pub(crate) struct Outbound {
    pub(crate) key: OutboundKey,
    pub(crate) tag: Tag,
    pub(crate) request: Sender,
    answer: Option<Receiver>,
}

/// A call this end has been asked and has not answered.
pub(crate) struct Inbound {
    pub(crate) key: InboundKey,
    request: Receiver,
    pub(crate) answer: Option<Sender>,
}

impl Inbound {
    /// The tag of the answer to be sent.
    pub(crate) fn answer_tag(&self) -> Tag {
        self.request.tag().unwrap_or(Tag(0)).answer()
    }
}

impl World {
    /// Two ends that are connected to each other, or each to a router between them.
    pub(crate) fn new(through: Through) -> Self {
        #[allow(clippy::disallowed_methods, reason = "only differences to it matter")]
        let now = Instant::now();
        let end = |connection| End {
            connection,
            decoder: Decoder::new(),
            apart: None,
            landed: BytesMut::new(),
            wire: BytesMut::new(),
            delivered: 0,
            outbound: Vec::new(),
            inbound: Vec::new(),
            over_outbound: Vec::new(),
            over_inbound: Vec::new(),
            is_ready: false,
            is_drained: false,
            is_closed: false,
        };
        let mut world = Self {
            now,
            ends: [
                end(Connection::connect(now, config("dialling"))),
                end(Connection::accept(now, config("accepting"))),
            ],
            router: (through == Through::Router).then(|| Router::new(now)),
            calls: 0,
            complete: BTreeMap::new(),
            seen: Vec::new(),
            is_tampered: false,
        };
        world.settle(Side::Dialling);
        world
    }

    pub(crate) fn end(&mut self, side: Side) -> &mut End {
        &mut self.ends[side as usize]
    }

    /// The tag of a new call.
    pub(crate) fn new_call(&mut self) -> Tag {
        self.calls += 2;
        Tag(self.calls)
    }

    /// The wire of one end, for somebody else to write to. From now on nobody vouches for what arrives.
    pub(crate) fn tamper(&mut self, side: Side) -> &mut BytesMut {
        self.is_tampered = true;
        for end in &mut self.ends {
            let answers = end
                .outbound
                .iter_mut()
                .filter_map(|call| call.answer.as_mut());
            let requests = end.inbound.iter_mut().map(|call| &mut call.request);
            answers.chain(requests).for_each(Receiver::distrust);
        }
        &mut self.end(side).wire
    }

    /// Takes note that all of a message has been sent.
    pub(crate) fn sent(&mut self, tag: Tag, lengths: Lengths) {
        self.complete.insert(tag, lengths);
    }

    /// Lets the owner of one end look at its events, and its socket take what is to be written.
    pub(crate) fn settle(&mut self, side: Side) {
        while let Some(event) = self.end(side).connection.poll_event() {
            self.handle_event(side, event);
        }
        let end = self.end(side);
        let mut outbox = Outbox::new();
        while end.connection.poll_transmit(&mut outbox) {
            while outbox.has_remaining() {
                let chunk = outbox.chunk().len();
                end.wire.extend_from_slice(outbox.chunk());
                outbox.advance(chunk);
            }
        }
        assert_eq!(end.connection.buffered(), 0);
        assert_eq!(end.connection.outbound_in_flight(), end.outbound.len());
        assert!(end.connection.inbound_in_flight() >= end.inbound.len());
        assert!(end.connection.inbound_in_flight() <= IN_FLIGHT_MAX);
        assert_eq!(end.connection.is_closed(), end.is_closed);
    }

    /// Lets at most `count` bytes of what `from` has sent arrive, a router taking in all it gets.
    pub(crate) fn deliver(&mut self, from: Side, count: usize) {
        let now = self.now;
        let sender = self.end(from);
        let bytes = sender.wire.split_to(count.min(sender.wire.len()));
        sender.delivered += bytes.len() as u64;
        match &mut self.router {
            None => self.arrive(from.other(), &bytes),
            Some(router) => {
                let outcome = router.hear(now, from, &bytes);
                let bytes = router.say(from.other(), count);
                self.check_error(&outcome);
                self.arrive(from.other(), &bytes);
            }
        }
    }

    fn arrive(&mut self, to: Side, bytes: &[u8]) {
        if self.end(to).is_closed {
            return;
        }
        let bytes = self.land(to, bytes);
        self.end(to).decoder.buffer_mut().extend_from_slice(bytes);
        while !self.end(to).is_closed {
            let now = self.now;
            let end = self.end(to);
            let outcome = match end.decoder.next_frame() {
                Ok(None) => return end.read_apart(),
                Ok(Some(frame)) => end.connection.handle_frame(now, frame),
                Err(error) => Err(end.connection.handle_broken_stream(error)),
            };
            self.settle(to);
            self.check_outcome(to, &outcome);
        }
    }

    /// Takes what belongs to a chunk that is read apart, and gives what comes after it.
    fn land<'a>(&mut self, to: Side, bytes: &'a [u8]) -> &'a [u8] {
        let now = self.now;
        let end = self.end(to);
        let Some((_, size, chunk)) = &mut end.apart else {
            return bytes;
        };
        let (more, rest) = bytes.split_at(bytes.len().min(*size - chunk.len()));
        chunk.extend_from_slice(more);
        if chunk.len() == *size
            && let Some((frame, _, chunk)) = end.apart.take()
        {
            let outcome = end.connection.handle_frame_apart(now, frame, &chunk);
            end.landed = chunk;
            self.settle(to);
            self.end(to).landed.clear();
            self.check_outcome(to, &outcome);
        }
        rest
    }

    /// Lets everything arrive that is on its way, and what follows from that.
    pub(crate) fn deliver_all(&mut self) {
        while !self.is_silent() {
            self.deliver(Side::Dialling, usize::MAX);
            self.deliver(Side::Accepting, usize::MAX);
        }
    }

    fn is_silent(&self) -> bool {
        self.ends.iter().all(|end| end.wire.is_empty())
            && self.router.as_ref().is_none_or(Router::is_silent)
    }

    /// Lets `time` pass, with every wake-up that is asked for on the way.
    pub(crate) fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            let ends = self.ends.iter().map(|end| end.connection.poll_timeout());
            let router = self.router.as_ref().map(Router::poll_timeout);
            let wake_ups = ends.chain(router).flatten();
            let Some(due) = wake_ups.min().filter(|due| *due <= until) else {
                break;
            };
            self.now = self.now.max(due);
            for side in Side::BOTH {
                self.wake_up(side);
            }
            let now = self.now;
            if let Some(outcome) = self
                .router
                .as_mut()
                .map(|router| router.handle_timeout(now))
            {
                self.check_error(&outcome);
            }
        }
        self.now = until;
    }

    fn wake_up(&mut self, side: Side) {
        let now = self.now;
        let outcome = self.end(side).connection.handle_timeout(now);
        self.settle(side);
        self.check_outcome(side, &outcome);
        let next = self.end(side).connection.poll_timeout();
        assert!(
            next.is_none_or(|next| next > now),
            "asked to wake up in the past"
        );
    }

    /// The socket of one end breaks; what is on its way from it may still arrive.
    pub(crate) fn disconnect(&mut self, side: Side) {
        let end = self.end(side);
        let written = end.delivered + end.wire.len() as u64;
        end.connection.handle_disconnect(written);
        self.settle(side);
        assert!(self.end(side).is_closed);
    }

    /// The router finds out that the socket to one end is broken.
    pub(crate) fn disconnect_router(&mut self, side: Side) {
        let now = self.now;
        if let Some(router) = &mut self.router {
            router.disconnect(now, side);
        }
    }

    /// Ends whatever is still open, waits until the last memory of it is gone, and looks at what is left.
    pub(crate) fn finish(mut self) {
        self.deliver_all();
        for side in Side::BOTH {
            self.give_up(side);
        }
        self.deliver_all();
        for _ in 0..8 {
            self.wait(Duration::from_secs(5));
            self.deliver_all();
        }
        for side in Side::BOTH {
            let is_tampered = self.is_tampered;
            let connection = &self.end(side).connection;
            assert_eq!(connection.outbound_in_flight(), 0);
            assert_eq!(connection.tombstones(), 0, "calls are remembered for ever");
            // A forged call may have a deadline far away.
            let left = connection.inbound_in_flight();
            assert!(
                left == 0 || is_tampered,
                "{left} calls stay in memory for ever"
            );
        }
        if let Some(router) = self.router.as_ref().filter(|_| !self.is_tampered) {
            router.check_empty();
        }
        for side in Side::BOTH {
            self.disconnect_router(side);
            self.disconnect(side);
            let end = self.end(side);
            assert_eq!(end.connection.inbound_in_flight(), 0);
            assert_eq!(end.connection.poll_timeout(), None);
            assert!(end.outbound.is_empty() && end.inbound.is_empty());
        }
    }

    fn give_up(&mut self, side: Side) {
        let now = self.now;
        let end = self.end(side);
        for call in std::mem::take(&mut end.outbound) {
            end.connection.cancel(now, call.key, "the test is over");
        }
        for call in std::mem::take(&mut end.inbound) {
            let code = tchannel_proto::ErrorCode::UnexpectedError;
            end.connection
                .respond_error(call.key, code, "the test is over")
                .expect("nobody has answered it");
        }
        self.settle(side);
    }

    fn check_outcome(&mut self, side: Side, outcome: &Result<(), ProtocolError>) {
        assert!(
            outcome.is_ok() || self.end(side).is_closed,
            "{outcome:?} and still open"
        );
        self.check_error(outcome);
    }

    /// Without somebody on the wire, silence is the only way to break the protocol.
    fn check_error(&self, outcome: &Result<(), ProtocolError>) {
        let is_allowed = matches!(
            outcome,
            Ok(())
                | Err(ProtocolError::InitTimeout { .. }
                    | ProtocolError::PingsMissed { .. }
                    | ProtocolError::Stale { .. }
                    | ProtocolError::PeerFatal { .. }
                    | ProtocolError::InitRefused { .. })
        );
        assert!(
            is_allowed || self.is_tampered,
            "honest peers do not cause {outcome:?}"
        );
    }

    fn handle_event(&mut self, side: Side, event: Event) {
        let end = self.end(side);
        assert!(!end.is_closed, "{event:?} after the end");
        match event {
            Event::Ready => {
                assert!(!std::mem::replace(&mut end.is_ready, true), "ready twice");
                assert!(end.connection.peer().is_some());
            }
            Event::Call(mut call) => {
                self.end(side).complete(&mut call.body);
                self.begin_inbound(side, call);
            }
            Event::CallBody { key, mut body } => {
                end.complete(&mut body);
                let call = end.inbound.iter_mut().find(|call| call.key == key);
                let call = call.expect("args of a call that is not open");
                let (tag, lengths) = (call.request.tag(), call.request.take(&body));
                self.check_complete(tag, lengths);
            }
            Event::CallEnded { key, .. } => end.end_inbound(key),
            Event::Response(mut response) => {
                self.end(side).complete(&mut response.body);
                self.begin_answer(side, response);
            }
            Event::ResponseBody { key, mut body } => {
                end.complete(&mut body);
                let call = end.outbound.iter_mut().find(|call| call.key == key);
                let call = call.expect("an answer to a call that is not open");
                let answer = call
                    .answer
                    .as_mut()
                    .expect("an answer begins with its head");
                let (tag, lengths) = (answer.tag(), answer.take(&body));
                self.check_complete(tag, lengths);
                if body.end {
                    self.end(side).end_outbound(key);
                }
            }
            Event::Failed { key, why } => {
                let tag = end.end_outbound(key);
                let is_untouched = why == Failure::ConnectionLost { sent: false };
                assert!(!is_untouched || !self.seen.contains(&tag), "it had left");
            }
            Event::PeerDraining { .. } => assert!(end.connection.is_draining()),
            Event::UnknownFrame { .. } => assert!(self.is_tampered),
            Event::Pong { .. } => {}
            Event::Drained => {
                assert!(end.connection.is_draining());
                assert!(
                    !std::mem::replace(&mut end.is_drained, true),
                    "drained twice"
                );
            }
            Event::Closed(_) => {
                assert!(end.outbound.is_empty(), "calls without an end");
                assert!(end.inbound.is_empty(), "calls without an end");
                end.is_closed = true;
            }
            other => panic!("nobody asked for {other:?}"),
        }
    }

    fn begin_inbound(&mut self, side: Side, call: InboundCall) {
        let tag = if self.is_tampered {
            None
        } else {
            Some(tag_of(call.head.arg1()))
        };
        if let Some(tag) = tag {
            assert_eq!(call.head.service(), SERVICE);
            assert_eq!(call.head.headers().get("cn"), Some(CALLER));
            assert!(!self.seen.contains(&tag), "called twice");
        }
        assert!(call.deadline <= self.now + call.ttl.as_duration());
        self.seen.extend(tag);
        let mut request = Receiver::new(tag);
        let lengths = request.take(&call.body);
        self.check_complete(tag, lengths);
        let end = self.end(side);
        let is_known = |known: &&InboundKey| **known == call.key;
        assert!(
            end.over_inbound.iter().find(is_known).is_none(),
            "an old key"
        );
        assert!(
            end.inbound
                .iter()
                .all(|open| open.key.slot() != call.key.slot())
        );
        end.inbound.push(Inbound {
            key: call.key,
            request,
            answer: None,
        });
    }

    fn begin_answer(&mut self, side: Side, response: Response) {
        let is_tampered = self.is_tampered;
        let call = self
            .end(side)
            .outbound
            .iter_mut()
            .find(|call| call.key == response.key)
            .expect("an answer to a call that is not open");
        assert!(call.answer.is_none(), "answered twice");
        let tag = (!is_tampered).then_some(call.tag.answer());
        let answer = call.answer.insert(Receiver::new(tag));
        let lengths = answer.take(&response.body);
        self.check_complete(tag, lengths);
        if response.body.end {
            self.end(side).end_outbound(response.key);
        }
    }

    fn check_complete(&self, tag: Option<Tag>, received: Option<Lengths>) {
        if let (Some(tag), Some(received)) = (tag, received)
            && !self.is_tampered
        {
            assert_eq!(self.complete.get(&tag), Some(&received), "args were lost");
        }
    }
}

impl End {
    pub(crate) fn is_open(&self) -> bool {
        self.connection.is_open()
    }

    /// Every other frame that may be read apart from its chunk is.
    fn read_apart(&mut self) {
        let arriving = self.decoder.arriving();
        let call = arriving.filter(|head| self.connection.apart(head).is_some());
        if let Some(head) = call
            && self.decoder.missing() % 2 == 1
        {
            let (frame, chunk) = self.decoder.take_arriving(&head);
            self.apart = Some((frame, head.chunk_size, chunk));
        }
    }

    /// Puts a chunk where its frame would have had it.
    fn complete(&mut self, body: &mut Body) {
        if !self.landed.is_empty() {
            assert!(body.arg3.is_empty(), "the chunk was read elsewhere");
            body.arg3 = self.landed.split().freeze();
        }
    }

    pub(crate) fn begin_outbound(&mut self, key: OutboundKey, tag: Tag, request: Sender) {
        assert!(
            self.outbound
                .iter()
                .all(|open| open.key.slot() != key.slot())
        );
        self.outbound.push(Outbound {
            key,
            tag,
            request,
            answer: None,
        });
    }

    /// Strikes a call off the list of those that must still end.
    pub(crate) fn end_outbound(&mut self, key: OutboundKey) -> Tag {
        let index = self.outbound.iter().position(|call| call.key == key);
        let call = self
            .outbound
            .remove(index.expect("an end for a call that is not open"));
        self.over_outbound.push(key);
        call.tag
    }

    /// Strikes a call off the list of those that must still be answered.
    pub(crate) fn end_inbound(&mut self, key: InboundKey) {
        let index = self.inbound.iter().position(|call| call.key == key);
        self.inbound
            .remove(index.expect("an end for a call that is not open"));
        self.over_inbound.push(key);
    }
}

/// Limits low enough to be met.
pub(crate) const IN_FLIGHT_MAX: usize = 6;

pub(crate) const SERVICE: &str = "greeter";
pub(crate) const CALLER: &str = "test";

pub(crate) fn config(name: &'static str) -> ConnectionConfig {
    let mut config = ConnectionConfig::new(Identity::ephemeral(name));
    config.inbound_in_flight_max = IN_FLIGHT_MAX;
    config.outbound_in_flight_max = IN_FLIGHT_MAX + 2;
    config.relayed_stream_silence = Duration::from_secs(15);
    config
}

/// Arg1 of the call with this tag.
pub(crate) fn arg1_of(tag: Tag) -> String {
    format!("call {}", tag.0)
}

fn tag_of(arg1: &[u8]) -> Tag {
    let number = std::str::from_utf8(arg1)
        .ok()
        .and_then(|text| text.strip_prefix("call "));
    Tag(number
        .and_then(|number| number.parse().ok())
        .expect("arg1 was changed"))
}
