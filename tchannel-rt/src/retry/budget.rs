//! How many retries all calls together may afford: a share of recent calls, and a few in any case.
//!
//! Without it, five attempts turn an overload into five overloads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Retries allowed within the last ten seconds, shared by the calls of a channel.
///
/// Counts in atomics: no lock is held, nothing is allocated, and threads that race are refused
/// rather than let through.
#[derive(Debug)]
pub struct Budget {
    percent: u32,
    per_second: u32,
    start: Instant,
    calls: Window,
    retries: Window,
}

impl Budget {
    /// Retries per hundred calls unless configured otherwise.
    pub const DEFAULT_PERCENT: u32 = 20;

    /// Retries a second unless configured otherwise, besides those per hundred calls.
    pub const DEFAULT_PER_SECOND: u32 = 10;

    /// Allows `percent` retries per hundred calls, and `per_second` retries a second besides. Zero
    /// for both allows none.
    #[must_use]
    pub fn new(percent: u32, per_second: u32, now: Instant) -> Self {
        Self {
            percent,
            per_second,
            start: now,
            calls: Window::default(),
            retries: Window::default(),
        }
    }

    /// Takes note of a call's first attempt.
    pub fn on_call(&self, now: Instant) {
        self.calls.add(self.second(now));
    }

    /// Takes one retry, unless they are spent.
    #[must_use]
    pub fn try_spend(&self, now: Instant) -> bool {
        let second = self.second(now);
        // Count first, ask afterwards: of two threads that race for the last one none can miss the
        // other.
        self.retries.add(second);
        let affordable = self.retries.sum(second) <= self.allowance(second);
        if !affordable {
            self.retries.take_back(second);
        }
        affordable
    }

    fn allowance(&self, second: u32) -> u64 {
        let share = self.calls.sum(second) * u64::from(self.percent) / 100;
        share + u64::from(self.per_second) * WINDOW_SECONDS as u64
    }

    fn second(&self, now: Instant) -> u32 {
        now.saturating_duration_since(self.start).as_secs() as u32
    }
}

/// A count of what happened in this second and the nine before it.
#[derive(Debug, Default)]
struct Window {
    /// Second in the upper half, count in the lower, so that both change at once.
    slots: [AtomicU64; WINDOW_SECONDS],
}

impl Window {
    fn add(&self, second: u32) {
        self.change(second, |count| count.saturating_add(1));
    }

    fn take_back(&self, second: u32) {
        self.change(second, |count| count.saturating_sub(1));
    }

    fn sum(&self, second: u32) -> u64 {
        let recent =
            |&(then, _): &(u32, u32)| then <= second && second - then < WINDOW_SECONDS as u32;
        let slots = self
            .slots
            .iter()
            .map(|slot| unpack(slot.load(Ordering::Relaxed)));
        slots
            .filter(recent)
            .map(|(_, count)| u64::from(count))
            .sum()
    }

    fn change(&self, second: u32, change: impl Fn(u32) -> u32) {
        let slot = &self.slots[second as usize % WINDOW_SECONDS];
        // A thread that comes ten seconds late finds its slot in use by a later second.
        let _ = slot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |packed| {
            let (then, count) = unpack(packed);
            let count = if then == second { count } else { 0 };
            (then <= second).then(|| pack(second, change(count)))
        });
    }
}

fn pack(second: u32, count: u32) -> u64 {
    u64::from(second) << 32 | u64::from(count)
}

fn unpack(packed: u64) -> (u32, u32) {
    ((packed >> 32) as u32, packed as u32)
}

const WINDOW_SECONDS: usize = 10;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use proptest::prelude::*;

    fn spend(budget: &Budget, now: Instant, wanted: usize) -> usize {
        (0..wanted).filter(|_| budget.try_spend(now)).count()
    }

    #[test]
    fn without_calls_there_are_ten_retries_for_each_second_of_the_window() {
        let now = Instant::now();
        let budget = Budget::new(Budget::DEFAULT_PERCENT, Budget::DEFAULT_PER_SECOND, now);
        assert_eq!(spend(&budget, now, 1000), 100);
    }

    #[test]
    fn every_five_calls_allow_one_more() {
        let now = Instant::now();
        let budget = Budget::new(20, 0, now);
        (0..14).for_each(|_| budget.on_call(now));
        assert_eq!(spend(&budget, now, 1000), 2);
        budget.on_call(now);
        assert_eq!(spend(&budget, now, 1000), 1);
    }

    #[test]
    fn what_is_ten_seconds_old_is_forgotten() {
        let start = Instant::now();
        let budget = Budget::new(20, 0, start);
        (0..5).for_each(|_| budget.on_call(start));
        let last_second = start + Duration::from_secs(9);
        assert_eq!(spend(&budget, last_second, 10), 1);
        (0..5).for_each(|_| budget.on_call(last_second));
        assert_eq!(spend(&budget, start + Duration::from_secs(10), 10), 0);
        (0..5).for_each(|_| budget.on_call(start + Duration::from_secs(18)));
        assert_eq!(spend(&budget, start + Duration::from_secs(19), 10), 1);
    }

    #[test]
    fn a_budget_of_nothing_allows_nothing() {
        let now = Instant::now();
        let budget = Budget::new(0, 0, now);
        (0..1000).for_each(|_| budget.on_call(now));
        assert!(!budget.try_spend(now));
    }

    #[test]
    fn threads_that_race_never_spend_more_than_there_is() {
        let now = Instant::now();
        let budget = Budget::new(0, 10, now);
        let spent: usize = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| spend(&budget, now, 1000)))
                .collect();
            racers
                .into_iter()
                .map(|racer| racer.join().expect("a racer does not panic"))
                .sum()
        });
        assert!(spent <= 100, "{spent}");
    }

    #[derive(Clone, Copy, Debug)]
    enum Event {
        Call,
        Retry,
        Pass(u64),
    }

    fn events() -> impl Strategy<Value = Vec<Event>> {
        let event = prop_oneof![
            4 => Just(Event::Call),
            4 => Just(Event::Retry),
            1 => (0..4000u64).prop_map(Event::Pass),
            1 => (0..40_000u64).prop_map(Event::Pass),
        ];
        prop::collection::vec(event, 0..300)
    }

    proptest! {
        #[test]
        fn a_retry_is_granted_exactly_when_a_plain_list_would_grant_it(
            events in events(), percent in 0..100u32, per_second in 0..3u32,
        ) {
            let start = Instant::now();
            let budget = Budget::new(percent, per_second, start);
            let (mut millis, mut calls, mut retries) = (0, Vec::new(), Vec::new());
            for event in events {
                let now = start + Duration::from_millis(millis);
                let second = millis / 1000;
                let recent = |seconds: &[u64]| seconds.iter().filter(|then| second - **then < 10).count() as u64;
                match event {
                    Event::Pass(pass) => millis += pass,
                    Event::Call => {
                        budget.on_call(now);
                        calls.push(second);
                    }
                    Event::Retry => {
                        let allowed = recent(&calls) * u64::from(percent) / 100 + u64::from(per_second) * 10;
                        let granted = budget.try_spend(now);
                        prop_assert_eq!(granted, recent(&retries) < allowed);
                        if granted {
                            retries.push(second);
                        }
                    }
                }
            }
        }
    }
}
