//! How much a list of peers has to do: calls in flight, counted as they start and end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Group;

/// How many calls in flight one of several peers may have, for which calls are meant that do not have to go
/// there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoadBound {
    /// So many times the average of the peers, the new call included, rounded up; less than 1 counts as 1.
    pub times_average: f64,
    /// But no fewer than this, so that few calls at a time are no reason to go elsewhere.
    pub at_least: u32,
}

/// The load of one list. That of a subset is also part of the whole list's.
pub(super) struct Load {
    whole: Arc<Whole>,
    /// Calls chosen from this list, if it is a subset.
    own: Option<AtomicUsize>,
}

/// What a list has in common with its subsets.
#[derive(Default)]
struct Whole {
    group: Group,
    in_flight: AtomicUsize,
}

impl Load {
    pub(super) fn of_whole() -> Self {
        Self {
            whole: Arc::default(),
            own: None,
        }
    }

    pub(super) fn of_subset(&self) -> Self {
        Self {
            whole: self.whole.clone(),
            own: Some(AtomicUsize::new(0)),
        }
    }

    pub(super) fn is_subset(&self) -> bool {
        self.own.is_some()
    }

    /// The peers of which at most half are ejected: those of the whole list.
    pub(super) fn group(&self) -> &Group {
        &self.whole.group
    }

    pub(super) fn start(&self) {
        self.whole.in_flight.fetch_add(1, Ordering::Relaxed);
        if let Some(own) = &self.own {
            own.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn end(&self) {
        self.whole.in_flight.fetch_sub(1, Ordering::Relaxed);
        if let Some(own) = &self.own {
            own.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// The most calls in flight that one of `peers` may have with one more, at `bound` times their average.
    ///
    /// What a subset's peers do for others is taken to be their share of what the whole list does.
    pub(super) fn most(&self, bound: f64, peers: usize) -> u32 {
        let all = self.whole.in_flight.load(Ordering::Relaxed);
        let own = self
            .own
            .as_ref()
            .map_or(all, |own| own.load(Ordering::Relaxed));
        let average = |calls: usize, peers: usize| calls as f64 / peers.max(1) as f64;
        let others = average(all.saturating_sub(own), self.group().members());
        // A bound below 1 could leave no peer at all. Out of range, `as` stops at the ends of u32.
        (bound.max(1.0) * (average(own + 1, peers) + others)).ceil() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(load: &Load, bound: f64, peers: usize, most: u32) {
        assert_eq!(load.most(bound, peers), most);
    }

    #[test]
    fn the_bound_grows_with_the_calls_in_flight_the_next_one_included() {
        let load = Load::of_whole();
        check(&load, 1.25, 4, 1);
        (0..15).for_each(|_| load.start());
        check(&load, 1.25, 4, 5);
        load.start();
        check(&load, 1.25, 4, 6);
        (0..16).for_each(|_| load.end());
        check(&load, 1.25, 4, 1);
    }

    #[test]
    fn a_bound_that_is_none_leaves_room_for_the_average() {
        let load = Load::of_whole();
        (0..7).for_each(|_| load.start());
        for bound in [0.0, -1.0, f64::NAN] {
            check(&load, bound, 4, 2);
        }
        check(&load, f64::INFINITY, 4, u32::MAX);
    }

    #[test]
    fn a_subset_counts_its_calls_and_its_share_of_the_others() {
        let whole = Load::of_whole();
        (0..10).for_each(|_| whole.group().join());
        let subset = whole.of_subset();
        (0..3).for_each(|_| subset.start());
        check(&subset, 1.0, 2, 2);
        check(&whole, 1.0, 10, 1);
        (0..10).for_each(|_| whole.start());
        check(&subset, 1.0, 2, 3);
    }
}
