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

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    at: u64,
    order: u64,
    slot: u32,
}

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
        if slot as usize == self.slots.len() {
            self.slots.push(None);
        }
        self.slots[slot as usize] = Some(event);
        let order = self.scheduled;
        self.scheduled += 1;
        self.heap.push(Reverse(Key { at, order, slot }));
    }

    /// The next event, unless it is later than `until`.
    pub(crate) fn pop(&mut self, until: u64) -> Option<(u64, T)> {
        let Reverse(key) = self.heap.peek()?;
        if key.at > until {
            return None;
        }
        let Reverse(key) = self.heap.pop()?;
        self.free.push(key.slot);
        let event = self.slots[key.slot as usize].take();
        Some((key.at, event.expect("a key has its event")))
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
