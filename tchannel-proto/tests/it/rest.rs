//! What a connection costs on which nobody calls, and what it still notices.

use std::time::{Duration, Instant};

use bytes::Buf;
use tchannel_proto::{
    Body, Connection, ConnectionConfig, Decoder, FrameType, Identity, Outbox, ProtocolError,
};

const SECOND: Duration = Duration::from_secs(1);

/// One end, what it has to do, and what it has sent.
struct End {
    connection: Connection,
    /// How often it had to look what there is to do: a timer, or frames that have come.
    wakes: usize,
    pings: usize,
    sent: Decoder,
}

impl End {
    fn new(connection: Connection) -> Self {
        Self {
            connection,
            wakes: 0,
            pings: 0,
            sent: Decoder::new(),
        }
    }

    fn transmit(&mut self) {
        while self.connection.poll_event().is_some() {}
        let mut outbox = Outbox::new();
        while self.connection.poll_transmit(&mut outbox) {
            let bytes = outbox.copy_to_bytes(outbox.remaining());
            self.sent.buffer_mut().extend_from_slice(&bytes);
        }
    }
}

/// Both ends of a connection after their handshake, and the time.
struct Ends {
    connected: End,
    accepted: End,
    now: Instant,
    /// Whether what the connected end sends arrives no longer, nor anything at it.
    is_cut: bool,
}

impl Ends {
    fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "only differences to it matter")]
        let now = Instant::now();
        let config = || ConnectionConfig::new(Identity::ephemeral("rest"));
        let mut ends = Self {
            connected: End::new(Connection::connect(now, config())),
            accepted: End::new(Connection::accept(now, config())),
            now,
            is_cut: false,
        };
        ends.exchange();
        for end in [&mut ends.connected, &mut ends.accepted] {
            assert!(end.connection.is_open());
            end.wakes = 0;
        }
        ends
    }

    /// Passes on what has been sent until there is no more.
    fn exchange(&mut self) {
        loop {
            self.connected.transmit();
            self.accepted.transmit();
            let there = Self::pass_on(
                self.now,
                self.is_cut,
                &mut self.connected,
                &mut self.accepted,
            );
            let back = Self::pass_on(
                self.now,
                self.is_cut,
                &mut self.accepted,
                &mut self.connected,
            );
            if !there && !back {
                return;
            }
        }
    }

    fn pass_on(now: Instant, is_cut: bool, from: &mut End, to: &mut End) -> bool {
        let mut has_come = false;
        while let Some(frame) = from.sent.next_frame().expect("frames of our own") {
            from.pings += usize::from(frame.frame_type() == Ok(FrameType::PingReq));
            if !is_cut {
                to.connection
                    .handle_frame(now, frame)
                    .expect("keeps to the protocol");
                has_come = true;
            }
        }
        to.wakes += usize::from(has_come);
        has_come
    }

    /// Lets time pass, timer by timer, until the connected end gives up if it does.
    fn pass(&mut self, time: Duration) -> Result<(), ProtocolError> {
        let until = self.now + time;
        while let Some(due) = self.next().filter(|due| *due <= until) {
            self.now = due.max(self.now);
            for end in [&mut self.connected, &mut self.accepted] {
                if end
                    .connection
                    .poll_timeout()
                    .is_some_and(|due| due <= self.now)
                {
                    end.wakes += 1;
                    end.connection.handle_timeout(self.now)?;
                }
            }
            self.exchange();
        }
        self.now = until;
        Ok(())
    }

    fn next(&self) -> Option<Instant> {
        let timeouts = [&self.connected, &self.accepted].map(|end| end.connection.poll_timeout());
        timeouts.into_iter().flatten().min()
    }

    /// Makes a call that nobody answers, over whose deadline the connected end has to watch.
    fn call(&mut self, ttl: Duration) {
        let head = crate::silence::head(ttl);
        let called = self
            .connected
            .connection
            .call(self.now, &head, &mut Body::whole("", ""));
        called.expect("the connection is open");
        self.exchange();
    }

    /// How long the connected end takes to notice that nothing arrives any more.
    fn notices_within(mut self, limit: Duration) -> Option<Duration> {
        self.is_cut = true;
        let cut = self.now;
        while self.now < cut + limit {
            if self.pass(SECOND / 10).is_err() {
                return Some(self.now - cut);
            }
        }
        None
    }
}

#[test]
fn a_connection_at_rest_has_one_ping_in_half_a_minute_and_nothing_else_to_do() {
    let mut ends = Ends::new();
    let minutes = 10;
    ends.pass(60 * minutes * SECOND).expect("both are there");
    // One pings, hears the answer, and looks whether it has come; the other answers, and sees that it need not ping.
    let pings = 2 * minutes as usize;
    assert_eq!((ends.connected.pings, ends.accepted.pings), (pings, 0));
    assert_eq!(
        (ends.connected.wakes, ends.accepted.wakes),
        (3 * pings, 2 * pings)
    );
}

#[test]
fn a_call_ends_the_rest_of_a_connection_for_as_long_as_it_is_in_flight() {
    let mut ends = Ends::new();
    ends.pass(7 * SECOND).expect("both are there");
    ends.call(20 * SECOND);
    ends.pass(20 * SECOND).expect("both are there");
    assert_eq!(ends.connected.pings, 4);
    ends.pass(31 * SECOND).expect("both are there");
    assert_eq!(ends.connected.pings, 5);
}

#[test]
fn a_peer_that_vanishes_is_noticed_20_s_after_it_should_have_been_heard_of() {
    let at_rest = Ends::new();
    assert_eq!(at_rest.notices_within(60 * SECOND), Some(45 * SECOND));

    let mut called_before = Ends::new();
    called_before.call(30 * SECOND);
    assert_eq!(called_before.notices_within(60 * SECOND), Some(20 * SECOND));

    // Its rest had been due to end soon.
    let mut called_later = Ends::new();
    called_later.pass(29 * SECOND).expect("both are there");
    called_later.is_cut = true;
    called_later.call(SECOND);
    assert_eq!(called_later.notices_within(60 * SECOND), Some(20 * SECOND));
}

#[test]
fn a_call_that_is_over_before_anything_is_heard_still_makes_the_connection_look() {
    let mut ends = Ends::new();
    ends.is_cut = true;
    ends.call(SECOND);
    ends.pass(2 * SECOND).expect("silence alone says nothing");
    ends.is_cut = false;
    ends.pass(4 * SECOND).expect("both are there");
    assert_eq!(ends.connected.pings, 1);
}
