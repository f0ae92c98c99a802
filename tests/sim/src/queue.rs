//! What will happen, in order of time; what was scheduled first comes first among equals.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Events by time, in nanoseconds since the beginning.
pub(crate) struct Queue<T> {
    heap: BinaryHeap<Reverse<Key>>,
    /// Events apart from their keys, so that ordering moves little memory.
    slots: Vec<Option<T>>,
    free: Vec<u32>,
    scheduled: u64,
}

/// Time, order and slot in one number, so that comparing is one step.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key(u128);

impl Key {
    fn new(at: u64, order: u64, slot: u32) -> Self {
        let order = u128::from(order) << SLOT_BITS;
        Self(u128::from(at) << u64::BITS | order | u128::from(slot))
    }

    fn at(self) -> u64 {
        (self.0 >> u64::BITS) as u64
    }

    fn slot(self) -> usize {
        (self.0 & ((1 << SLOT_BITS) - 1)) as usize
    }
}

/// Enough for 16 million events that wait, and for 10^12 in all.
const SLOT_BITS: u32 = 24;

impl<T> Queue<T> {
    pub(crate) fn new() -> Self {
        Self {
            heap: BinaryHeap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            scheduled: 0,
        }
    }

    pub(crate) fn push(&mut self, at: u64, event: T) {
        let slot = self.free.pop().unwrap_or(self.slots.len() as u32);
        assert!(slot < 1 << SLOT_BITS, "too many events wait");
        if slot as usize == self.slots.len() {
            self.slots.push(None);
        }
        self.slots[slot as usize] = Some(event);
        self.heap.push(Reverse(Key::new(at, self.scheduled, slot)));
        self.scheduled += 1;
    }

    /// The next event, unless it is later than `until`.
    pub(crate) fn pop(&mut self, until: u64) -> Option<(u64, T)> {
        let Reverse(key) = *self.heap.peek()?;
        if key.at() > until {
            return None;
        }
        self.heap.pop();
        self.free.push(key.slot() as u32);
        let event = self.slots[key.slot()].take();
        Some((key.at(), event.expect("a key has its event")))
    }
}

#[cfg(test)]
mod tests {
    use super::Queue;

    #[test]
    fn events_come_by_time_then_in_order() {
        let mut queue = Queue::new();
        for (at, event) in [(5, 'c'), (1, 'a'), (5, 'd'), (2, 'b'), (9, 'e')] {
            queue.push(at, event);
        }
        let popped: String = std::iter::from_fn(|| queue.pop(5))
            .map(|(_, event)| event)
            .collect();
        assert_eq!(popped, "abcd");
        queue.push(7, 'f');
        assert_eq!(queue.pop(8), Some((7, 'f')));
        assert_eq!(queue.pop(8), None);
    }
}
