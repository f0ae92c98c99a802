//! Keeping calls away from a peer that fails, and letting it back.
//!
//! ```text
//!            7 failures in a row, or less than 80 % of >= 5 good in 10 s
//!  healthy ----------------------------------------------------------> ejected <-----+
//!     ^                                                                   |          |
//!     |                                     1 s, then 2 s, 4 s .. 60 s    |          |
//!     |                                                                   v          |
//!     +------------------------- answered ------------------------ one call is let   |
//!                                                                  through: probe ---+
//!                                                                              failed
//! ```

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::backoff::Backoff;

/// Peers of which at most half are ejected at any time. One per list of peers.
///
/// Counts in atomics, so that peers may end calls side by side.
#[derive(Debug, Default)]
pub struct Group {
    members: AtomicUsize,
    ejected: AtomicUsize,
}

impl Group {
    /// A group without members.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            members: AtomicUsize::new(0),
            ejected: AtomicUsize::new(0),
        }
    }

    /// Counts a new member. Peers must be let in before their calls end.
    pub fn join(&self) {
        self.members.fetch_add(1, Ordering::Relaxed);
    }

    /// How many members there are.
    #[must_use]
    pub fn members(&self) -> usize {
        self.members.load(Ordering::Relaxed)
    }

    /// How many of them are ejected.
    #[must_use]
    pub fn ejected(&self) -> usize {
        self.ejected.load(Ordering::Relaxed)
    }

    pub(super) fn leave(&self, was_ejected: bool) {
        self.members.fetch_sub(1, Ordering::Relaxed);
        if was_ejected {
            self.restore();
        }
    }

    fn try_eject(&self) -> bool {
        let one_more = |ejected| ((ejected + 1) * 2 <= self.members()).then_some(ejected + 1);
        self.ejected
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more)
            .is_ok()
    }

    fn restore(&self) {
        self.ejected.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether a peer may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// As often as its cost suggests.
    Healthy,
    /// Once, to see whether it has recovered.
    ProbeDue,
    /// Not now.
    Ejected,
}

/// What the end of a call changed, for logs and counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The peer gets no calls for this long.
    Ejected(Duration),
    /// The peer is healthy again.
    Restored,
}

/// One peer's successes and failures, and what follows from them.
#[derive(Clone, Debug)]
pub(super) struct Health {
    state: State,
    failures_in_a_row: u32,
    recent: Recent,
    /// Ejections without a long enough good time between them.
    ejections: u32,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Healthy {
        since: Instant,
    },
    Ejected {
        until: Instant,
        probe_since: Option<Instant>,
    },
}

impl Health {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            state: State::Healthy { since: now },
            failures_in_a_row: 0,
            recent: Recent::new(now),
            ejections: 0,
        }
    }

    pub(super) fn is_ejected(&self) -> bool {
        matches!(self.state, State::Ejected { .. })
    }

    pub(super) fn standing(&self, now: Instant) -> Standing {
        match self.state {
            State::Healthy { .. } => Standing::Healthy,
            State::Ejected { until, probe_since } => {
                let on_its_way = probe_since.is_some_and(|since| now < since + PROBE_LOST);
                if now < until || on_its_way {
                    Standing::Ejected
                } else {
                    Standing::ProbeDue
                }
            }
        }
    }

    /// Whether the call that begins is the probe.
    pub(super) fn on_start(&mut self, now: Instant) -> bool {
        let due = self.standing(now) == Standing::ProbeDue;
        if let State::Ejected { probe_since, .. } = &mut self.state
            && due
        {
            *probe_since = Some(now);
        }
        due
    }

    pub(super) fn on_success(
        &mut self,
        now: Instant,
        probe: bool,
        group: &Group,
    ) -> Option<Change> {
        self.failures_in_a_row = 0;
        self.recent.add(now, true);
        if !(self.is_ejected() && probe) {
            return None;
        }
        self.state = State::Healthy { since: now };
        self.recent = Recent::new(now);
        group.restore();
        Some(Change::Restored)
    }

    pub(super) fn on_failure(
        &mut self,
        now: Instant,
        probe: bool,
        group: &Group,
    ) -> Option<Change> {
        self.failures_in_a_row = self.failures_in_a_row.saturating_add(1);
        self.recent.add(now, false);
        match self.state {
            State::Ejected { .. } if probe => Some(self.eject(now)),
            State::Ejected { .. } => None,
            State::Healthy { since } => {
                let bad = self.failures_in_a_row >= FAILURES_IN_A_ROW || self.recent.is_bad(now);
                (bad && group.try_eject()).then(|| {
                    self.forgive(now.saturating_duration_since(since));
                    self.eject(now)
                })
            }
        }
    }

    /// A call that says nothing about the peer's health ended; another may be the probe.
    pub(super) fn on_nothing(&mut self, probe: bool) {
        if let State::Ejected { probe_since, .. } = &mut self.state
            && probe
        {
            *probe_since = None;
        }
    }

    /// Ends an ejection that no longer counts in any group.
    pub(super) fn pardon(&mut self) {
        if let State::Ejected { until, .. } = self.state {
            self.state = State::Healthy { since: until };
        }
    }

    fn eject(&mut self, now: Instant) -> Change {
        let length = LENGTH.ceiling(self.ejections);
        self.ejections = self.ejections.saturating_add(1);
        self.state = State::Ejected {
            until: now + length,
            probe_since: None,
        };
        Change::Ejected(length)
    }

    /// A peer that stayed well for as long as it was away last starts over.
    fn forgive(&mut self, well_for: Duration) {
        if self.ejections > 0 && well_for >= LENGTH.ceiling(self.ejections - 1) {
            self.ejections = 0;
        }
    }
}

/// Successes and failures in this second and the nine before it.
#[derive(Clone, Debug)]
struct Recent {
    start: Instant,
    slots: [Slot; WINDOW_SECONDS as usize],
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    second: u64,
    good: u32,
    bad: u32,
}

impl Recent {
    fn new(now: Instant) -> Self {
        Self {
            start: now,
            slots: Default::default(),
        }
    }

    fn add(&mut self, now: Instant, good: bool) {
        let second = self.second(now);
        let slot = &mut self.slots[(second % WINDOW_SECONDS) as usize];
        if slot.second != second {
            *slot = Slot {
                second,
                ..Slot::default()
            };
        }
        let count = if good { &mut slot.good } else { &mut slot.bad };
        *count = count.saturating_add(1);
    }

    fn is_bad(&self, now: Instant) -> bool {
        let second = self.second(now);
        let recent = self
            .slots
            .iter()
            .filter(|slot| second.saturating_sub(slot.second) < WINDOW_SECONDS);
        let (good, bad) = recent.fold((0u64, 0u64), |(good, bad), slot| {
            (good + u64::from(slot.good), bad + u64::from(slot.bad))
        });
        let all = good + bad;
        all >= ENOUGH_CALLS && good * 100 < all * LEAST_GOOD_PERCENT
    }

    fn second(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.start).as_secs()
    }
}

const FAILURES_IN_A_ROW: u32 = 7;
const WINDOW_SECONDS: u64 = 10;
const ENOUGH_CALLS: u64 = 5;
const LEAST_GOOD_PERCENT: u64 = 80;
const LENGTH: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));

/// A probe that has not ended by then, such as a long stream, no longer keeps others from being one.
const PROBE_LOST: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    /// A peer that may be ejected, because it has nine healthy neighbours.
    struct Patient {
        health: Health,
        group: Group,
        now: Instant,
    }

    impl Patient {
        fn new() -> Self {
            let now = Instant::now();
            let group = Group::new();
            (0..10).for_each(|_| group.join());
            Self {
                health: Health::new(now),
                group,
                now,
            }
        }

        fn pass(&mut self, millis: u64) {
            self.now += Duration::from_millis(millis);
        }

        /// Runs calls: `g` is good, `b` is bad, `.` says nothing.
        fn run(&mut self, calls: &str) -> Vec<Change> {
            calls
                .chars()
                .filter_map(|call| self.run_one(call))
                .collect()
        }

        fn run_one(&mut self, call: char) -> Option<Change> {
            let probe = self.health.on_start(self.now);
            match call {
                'g' => self.health.on_success(self.now, probe, &self.group),
                'b' => self.health.on_failure(self.now, probe, &self.group),
                _ => {
                    self.health.on_nothing(probe);
                    None
                }
            }
        }

        fn standing(&self) -> Standing {
            self.health.standing(self.now)
        }
    }

    fn ejected(seconds: u64) -> Vec<Change> {
        vec![Change::Ejected(Duration::from_secs(seconds))]
    }

    #[test]
    fn seven_failures_in_a_row_eject_even_among_many_successes() {
        let mut patient = Patient::new();
        assert_eq!(patient.run(&"g".repeat(100)), []);
        assert_eq!(patient.run("bbbbbbgbbbbbb"), []);
        assert_eq!(patient.run("b"), ejected(1));
        assert_eq!(patient.group.ejected(), 1);
    }

    #[test]
    fn less_than_four_good_of_five_eject() {
        let mut patient = Patient::new();
        assert_eq!(patient.run("bbbb"), []);
        assert_eq!(patient.run("b"), ejected(1));
        let mut patient = Patient::new();
        assert_eq!(patient.run("ggggbggggb"), []);
        assert_eq!(patient.run("b"), ejected(1));
    }

    #[test]
    fn failures_older_than_ten_seconds_do_not_count_towards_the_rate() {
        let mut patient = Patient::new();
        assert_eq!(patient.run("bbgb"), []);
        patient.pass(10_000);
        assert_eq!(patient.run("bgbg"), []);
        assert_eq!(patient.run("b"), ejected(1));
    }

    #[test]
    fn calls_that_say_nothing_do_not_count() {
        let mut patient = Patient::new();
        assert_eq!(patient.run("bbbb......"), []);
    }

    #[test]
    fn when_the_ejection_ends_one_call_is_let_through() {
        let mut patient = Patient::new();
        patient.run("bbbbb");
        patient.pass(999);
        assert_eq!(patient.standing(), Standing::Ejected);
        patient.pass(1);
        assert_eq!(patient.standing(), Standing::ProbeDue);
        assert!(patient.health.on_start(patient.now));
        assert_eq!(patient.standing(), Standing::Ejected);
        assert!(!patient.health.on_start(patient.now));
    }

    #[test]
    fn an_answered_probe_restores_and_an_unanswered_one_doubles_the_wait() {
        let mut patient = Patient::new();
        patient.run("bbbbb");
        for seconds in [2, 4, 8, 16, 32, 60, 60] {
            patient.pass(60_000);
            assert_eq!(patient.run("b"), ejected(seconds));
        }
        patient.pass(60_000);
        assert_eq!(patient.run("g"), [Change::Restored]);
        assert_eq!(patient.standing(), Standing::Healthy);
        assert_eq!(patient.group.ejected(), 0);
    }

    #[test]
    fn a_call_from_before_the_ejection_neither_restores_nor_prolongs_it() {
        let mut patient = Patient::new();
        patient.run("bbbbb");
        assert_eq!(patient.run("gb"), []);
        assert_eq!(patient.standing(), Standing::Ejected);
    }

    #[test]
    fn a_probe_that_says_nothing_leaves_room_for_another() {
        let mut patient = Patient::new();
        patient.run("bbbbb");
        patient.pass(1000);
        patient.run(".");
        assert_eq!(patient.standing(), Standing::ProbeDue);
    }

    #[test]
    fn a_probe_that_never_ends_does_not_keep_the_peer_away_for_ever() {
        let mut patient = Patient::new();
        patient.run("bbbbb");
        patient.pass(1000);
        patient.health.on_start(patient.now);
        patient.pass(59_999);
        assert_eq!(patient.standing(), Standing::Ejected);
        patient.pass(1);
        assert_eq!(patient.standing(), Standing::ProbeDue);
    }

    #[test]
    fn a_restored_peer_is_judged_by_what_follows() {
        let mut patient = Patient::new();
        patient.run("bbbbb");
        patient.pass(1000);
        patient.run("g");
        assert_eq!(patient.run("bbbb"), []);
        assert_eq!(patient.run("b"), ejected(2));
    }

    #[test]
    fn a_peer_that_stays_well_for_as_long_as_it_was_away_starts_over() {
        let mut patient = Patient::new();
        patient.run("bbbbb");
        patient.pass(1000);
        patient.run("b");
        patient.pass(2000);
        patient.run("g");
        patient.pass(2000);
        assert_eq!(patient.run("bbbbb"), ejected(1));
    }

    #[test]
    fn no_more_than_half_of_a_group_is_ejected() {
        let mut patient = Patient::new();
        patient.group = Group::new();
        patient.group.join();
        assert_eq!(patient.run(&"b".repeat(50)), []);
        patient.group.join();
        assert_eq!(patient.run("b"), ejected(1));
        assert!(!patient.group.try_eject());
    }

    #[test]
    fn a_member_that_leaves_ejected_makes_room() {
        let mut patient = Patient::new();
        patient.run("bbbbb");
        patient.group.leave(patient.health.is_ejected());
        assert_eq!((patient.group.members(), patient.group.ejected()), (9, 0));
    }
}
