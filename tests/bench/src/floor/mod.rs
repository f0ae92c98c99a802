//! What the kernel allows: length-prefixed bytes, echoed. No RPC system, and none can be faster by much.
//!
//! A fixed number of messages is under way on one connection; all that one read has found are answered by one
//! write. [`blocking`] does it with a thread, [`polled`] with tokio. [`copy`] is the least a relay can do.

pub mod blocking;
pub mod copy;
pub mod polled;

use std::collections::VecDeque;
use std::time::Instant;

use crate::load::Window;
use crate::report::Tally;

/// Bytes of a message's length.
const PREFIX: usize = 4;
/// The least that is read at once, in bytes.
const CHUNK: usize = 256 * 1024;

/// The server's side: bytes in, the whole messages among them out.
#[derive(Debug)]
struct Echoer {
    input: Vec<u8>,
    filled: usize,
    output: Vec<u8>,
}

impl Echoer {
    fn new() -> Self {
        Self {
            input: vec![0; CHUNK],
            filled: 0,
            output: Vec::with_capacity(CHUNK),
        }
    }

    /// Where to read to; never empty.
    fn room(&mut self) -> &mut [u8] {
        if self.filled >= PREFIX {
            let whole = PREFIX + length(&self.input);
            if self.input.len() < whole {
                self.input.resize(whole, 0);
            }
        }
        &mut self.input[self.filled..]
    }

    /// Takes in what was read and gives the answers that it makes due.
    fn answer(&mut self, read: usize) -> &[u8] {
        self.filled += read;
        self.output.clear();
        let mut at = 0;
        while let Some(message) = whole(&self.input[at..self.filled]) {
            self.output.extend_from_slice(message);
            at += message.len();
        }
        self.input.copy_within(at..self.filled, 0);
        self.filled -= at;
        &self.output
    }
}

/// The client's side: keeps so many messages under way and counts what comes back.
struct Caller {
    message: Vec<u8>,
    window: Window,
    tally: Tally,
    /// When the messages under way were sent, and how many at a time.
    sent: VecDeque<(Instant, u64)>,
    /// Bytes that have come back of a message that is not whole.
    partial: usize,
}

impl Caller {
    fn new(payload: usize, inflight: usize, window: Window) -> Self {
        let mut one = (payload as u32).to_be_bytes().to_vec();
        one.resize(PREFIX + payload, 7);
        Self {
            message: one.repeat(inflight),
            window,
            tally: Tally::default(),
            sent: VecDeque::new(),
            partial: 0,
        }
    }

    /// All messages that may be under way.
    fn first(&mut self, payload: usize) -> &[u8] {
        let count = self.message.len() / (PREFIX + payload);
        self.sent.push_back((Instant::now(), count as u64));
        &self.message
    }

    /// Counts what came back and gives the messages to be sent in its place.
    fn next(&mut self, payload: usize, read: usize) -> &[u8] {
        let size = PREFIX + payload;
        let bytes = self.partial + read;
        self.partial = bytes % size;
        let count = (bytes / size) as u64;
        let now = Instant::now();
        self.count(now, count);
        if count > 0 {
            self.sent.push_back((now, count));
        }
        &self.message[..size * count as usize]
    }

    fn count(&mut self, now: Instant, mut count: u64) {
        while count > 0 {
            let Some((at, left)) = self.sent.front_mut() else {
                return;
            };
            let part = count.min(*left);
            if self.window.holds(now) {
                self.tally.answered(now - *at, part);
            }
            *left -= part;
            count -= part;
            if *left == 0 {
                self.sent.pop_front();
            }
        }
    }
}

fn length(bytes: &[u8]) -> usize {
    bytes
        .first_chunk()
        .map_or(0, |prefix| u32::from_be_bytes(*prefix) as usize)
}

fn whole(bytes: &[u8]) -> Option<&[u8]> {
    let size = PREFIX + length(bytes);
    (bytes.len() >= PREFIX && bytes.len() >= size).then(|| &bytes[..size])
}

#[cfg(test)]
mod tests {
    use super::{Caller, Echoer};
    use crate::load::Window;
    use crate::options::Load;

    #[test]
    fn messages_that_arrive_in_pieces_are_echoed_whole() {
        let message = [&[0, 0, 0, 3][..], b"abc", &[0, 0, 0, 1], b"d"].concat();
        let mut echoer = Echoer::new();
        let mut echoed = Vec::new();
        for byte in &message {
            echoer.room()[0] = *byte;
            echoed.extend_from_slice(echoer.answer(1));
        }
        assert_eq!(echoed, message);
    }

    #[test]
    fn a_message_goes_out_for_each_that_came_back() {
        let window = Window::of(&Load::default());
        let mut caller = Caller::new(6, 3, window);
        assert_eq!(caller.first(6).len(), 30);
        assert_eq!(caller.next(6, 15).len(), 10);
        assert_eq!(caller.next(6, 15).len(), 20);
        assert_eq!(caller.sent.iter().map(|(_, count)| count).sum::<u64>(), 3);
    }
}
