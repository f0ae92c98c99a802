//! Which deadline is next: a wheel of 512 slots, four milliseconds each, for calls, and beside it the few timers
//! that a connection has anyway.
//!
//! Setting and clearing a timer takes the same short time however many there are, and neither allocates
//! once the table has grown. A deadline beyond one turn of the wheel waits in its slot for its turn. Those beside it
//! are mostly far off, and nobody has to look whether their turn has come: a connection at rest sleeps until then.

use std::time::{Duration, Instant};

const TICK_MS: u64 = 4;
const TICK_NS: u32 = TICK_MS as u32 * 1_000_000;
const TICKS_IN_S: u64 = 1_000 / TICK_MS;
const SLOTS: usize = 512;
const NOWHERE: u32 = u32::MAX;
/// A tick that never comes.
const NEVER: u64 = u64::MAX;

/// What a timer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimerKey {
    Handshake,
    Keepalive,
    Drain,
    Inbound(u32),
    Outbound(u32),
}

/// Where a timer is.
enum Place {
    Beside(usize),
    Wheel(usize),
}

const BESIDE: [TimerKey; 3] = [TimerKey::Handshake, TimerKey::Keepalive, TimerKey::Drain];

impl TimerKey {
    fn place(self) -> Place {
        match self {
            Self::Handshake => Place::Beside(0),
            Self::Keepalive => Place::Beside(1),
            Self::Drain => Place::Beside(2),
            Self::Inbound(slot) => Place::Wheel(2 * slot as usize),
            Self::Outbound(slot) => Place::Wheel(2 * slot as usize + 1),
        }
    }

    fn on_wheel(index: usize) -> Self {
        match index.is_multiple_of(2) {
            true => Self::Inbound((index / 2) as u32),
            false => Self::Outbound((index / 2) as u32),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Node {
    /// Tick at which it is due; meaningless while `slot` is nowhere.
    due: u64,
    slot: u32,
    previous: u32,
    next: u32,
}

const IDLE: Node = Node {
    due: 0,
    slot: NOWHERE,
    previous: NOWHERE,
    next: NOWHERE,
};

#[derive(Debug)]
pub(super) struct Timers {
    origin: Instant,
    /// Ticks at which the timers beside the wheel are due.
    beside: [u64; BESIDE.len()],
    /// Every tick before this one has been handled.
    cursor: u64,
    heads: Box<[u32; SLOTS]>,
    /// One bit a slot: whether it holds a timer.
    occupied: [u64; SLOTS / 64],
    nodes: Vec<Node>,
    /// No timer is due before this. It may have been that of one that was cleared since: most are, and to look for
    /// the next one each time would cost more than to look once in vain.
    soonest: Option<Instant>,
}

impl Timers {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            origin: now,
            beside: [NEVER; BESIDE.len()],
            cursor: 0,
            heads: Box::new([NOWHERE; SLOTS]),
            occupied: [0; SLOTS / 64],
            nodes: Vec::new(),
            soonest: None,
        }
    }

    /// Sets the timer of `key` to `due`, in place of what it was set to.
    pub(super) fn schedule(&mut self, key: TimerKey, due: Instant) {
        let tick = self.tick_after(due).max(self.cursor);
        match key.place() {
            Place::Beside(index) => self.beside[index] = tick,
            Place::Wheel(index) => {
                if self.nodes.len() <= index {
                    self.nodes.resize(index + 1, IDLE);
                }
                self.unlink(index);
                self.link(index, tick);
            }
        }
        if self.soonest.is_none_or(|soonest| due < soonest) {
            self.soonest = Some(self.time_of(tick));
        }
    }

    pub(super) fn cancel(&mut self, key: TimerKey) {
        match key.place() {
            Place::Beside(index) => self.beside[index] = NEVER,
            Place::Wheel(index) if index < self.nodes.len() => self.unlink(index),
            Place::Wheel(_) => {}
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self {
            cursor: self.cursor,
            ..Self::new(self.origin)
        };
    }

    /// When to look next; never later than the next timer, at times earlier.
    pub(super) fn next(&self) -> Option<Instant> {
        self.soonest
    }

    /// One timer that is due, which is thereby cleared.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<TimerKey> {
        if self.soonest.is_none_or(|soonest| now < soonest) {
            return None;
        }
        let due = self.take_due(self.tick_before(now));
        let beside = self.first_beside().map(|(_, tick)| tick);
        let next = self.next_occupied(self.cursor).into_iter().chain(beside);
        self.soonest = next.min().map(|tick| self.time_of(tick));
        due
    }

    /// The earliest of those that are due by `present`.
    fn take_due(&mut self, present: u64) -> Option<TimerKey> {
        let beside = self.first_beside().filter(|(_, tick)| *tick <= present);
        let until = beside.map_or(present, |(_, tick)| tick);
        if let Some(index) = self.take_from_wheel(until) {
            return Some(TimerKey::on_wheel(index));
        }
        let (index, _) = beside?;
        self.beside[index] = NEVER;
        Some(BESIDE[index])
    }

    fn first_beside(&self) -> Option<(usize, u64)> {
        let set = self.beside.into_iter().enumerate();
        set.filter(|(_, tick)| *tick != NEVER)
            .min_by_key(|(_, tick)| *tick)
    }

    fn take_from_wheel(&mut self, present: u64) -> Option<usize> {
        while self.cursor <= present {
            if let Some(index) = self.due_in_slot(self.cursor) {
                self.unlink(index);
                return Some(index);
            }
            // Whole turns without a timer are skipped.
            self.cursor = self
                .next_occupied(self.cursor + 1)
                .unwrap_or(NEVER)
                .min(present + 1);
        }
        None
    }

    fn due_in_slot(&self, tick: u64) -> Option<usize> {
        let mut at = self.heads[slot_of(tick)];
        while at != NOWHERE {
            let node = &self.nodes[at as usize];
            if node.due <= tick {
                return Some(at as usize);
            }
            at = node.next;
        }
        None
    }

    /// The first tick from `from` on whose slot holds a timer, due or not.
    fn next_occupied(&self, from: u64) -> Option<u64> {
        let start = slot_of(from);
        for step in 0..=self.occupied.len() {
            let word_index = (start / 64 + step) % self.occupied.len();
            let mut word = self.occupied[word_index];
            if step == 0 {
                word &= u64::MAX << (start % 64);
            }
            if word != 0 {
                let slot = word_index * 64 + word.trailing_zeros() as usize;
                return Some(from + ((slot + SLOTS - start) % SLOTS) as u64);
            }
        }
        None
    }

    fn link(&mut self, index: usize, due: u64) {
        let slot = slot_of(due);
        let head = self.heads[slot];
        self.nodes[index] = Node {
            due,
            slot: slot as u32,
            previous: NOWHERE,
            next: head,
        };
        if head != NOWHERE {
            self.nodes[head as usize].previous = index as u32;
        }
        self.heads[slot] = index as u32;
        self.occupied[slot / 64] |= 1 << (slot % 64);
    }

    fn unlink(&mut self, index: usize) {
        let node = std::mem::replace(&mut self.nodes[index], IDLE);
        if node.slot == NOWHERE {
            return;
        }
        let slot = node.slot as usize;
        match node.previous {
            NOWHERE => self.heads[slot] = node.next,
            previous => self.nodes[previous as usize].next = node.next,
        }
        if node.next != NOWHERE {
            self.nodes[node.next as usize].previous = node.previous;
        }
        if self.heads[slot] == NOWHERE {
            self.occupied[slot / 64] &= !(1 << (slot % 64));
        }
    }

    fn time_of(&self, tick: u64) -> Instant {
        self.origin + Duration::from_millis(tick * TICK_MS)
    }

    /// Rounded up: a timer never fires early.
    fn tick_after(&self, instant: Instant) -> u64 {
        let since = instant.saturating_duration_since(self.origin);
        since.as_secs() * TICKS_IN_S + u64::from(since.subsec_nanos().div_ceil(TICK_NS))
    }

    fn tick_before(&self, instant: Instant) -> u64 {
        let since = instant.saturating_duration_since(self.origin);
        since.as_secs() * TICKS_IN_S + u64::from(since.subsec_nanos() / TICK_NS)
    }
}

fn slot_of(tick: u64) -> usize {
    (tick % SLOTS as u64) as usize
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test needs some first moment")]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[track_caller]
    fn check(set: &[(u32, u64)], now_ms: u64, due: &[u32]) {
        let origin = Instant::now();
        let mut timers = Timers::new(origin);
        for (slot, at) in set {
            timers.schedule(TimerKey::Inbound(*slot), origin + ms(*at));
        }
        let mut fired: Vec<u32> = std::iter::from_fn(|| timers.pop_due(origin + ms(now_ms)))
            .map(|key| {
                if let TimerKey::Inbound(slot) = key {
                    slot
                } else {
                    panic!("never set")
                }
            })
            .collect();
        fired.sort_unstable();
        assert_eq!(fired, due);
    }

    #[test]
    fn a_timer_fires_once_its_time_has_come_and_not_before() {
        check(&[(1, 100)], 99, &[]);
        check(&[(1, 100)], 100, &[1]);
        check(&[(1, 101)], 101, &[]);
        check(&[(1, 101)], 104, &[1]);
    }

    #[test]
    fn a_timer_beyond_one_turn_waits_for_its_turn() {
        check(&[(1, 10_000), (2, 1_000)], 9_999, &[2]);
        check(&[(1, 10_000), (2, 1_000)], 10_000, &[1, 2]);
    }

    #[test]
    fn the_next_wake_up_is_never_later_than_the_next_timer() {
        let origin = Instant::now();
        let mut timers = Timers::new(origin);
        assert_eq!(timers.next(), None);
        timers.schedule(TimerKey::Outbound(0), origin + ms(50_000));
        let mut now = origin;
        let mut looks = 0;
        while timers.pop_due(now).is_none() {
            now = timers.next().expect("one timer is set").max(now + ms(1));
            assert!(now <= origin + ms(50_000));
            looks += 1;
        }
        assert!(looks < 50, "{looks} spurious wake-ups in 50 s");
        assert_eq!(timers.next(), None);
    }

    #[test]
    fn a_timer_that_is_set_again_fires_at_its_new_time_only() {
        let origin = Instant::now();
        let mut timers = Timers::new(origin);
        timers.schedule(TimerKey::Drain, origin + ms(8));
        timers.schedule(TimerKey::Drain, origin + ms(80));
        assert_eq!(timers.pop_due(origin + ms(40)), None);
        assert_eq!(timers.pop_due(origin + ms(80)), Some(TimerKey::Drain));
        assert_eq!(timers.pop_due(origin + ms(8_000)), None);
    }

    #[test]
    fn a_cleared_timer_never_fires() {
        let origin = Instant::now();
        let mut timers = Timers::new(origin);
        for slot in 0..100 {
            timers.schedule(TimerKey::Inbound(slot), origin + ms(8));
        }
        for slot in 0..100 {
            timers.cancel(TimerKey::Inbound(slot));
        }
        assert_eq!(timers.pop_due(origin + ms(1_000)), None);
        assert_eq!(timers.next(), None);
    }
}
