//! What is known of one peer: how slow, how busy, how healthy.

use std::time::{Duration, Instant};

use super::ejection::{Change, Group, Health, Standing};
use super::latency::PeakEwma;
use super::strategy::{Candidate, Tried};

/// One peer's record. A plain value of fixed size, to be kept under a small lock per peer.
#[derive(Clone, Debug)]
pub struct Score {
    latency: PeakEwma,
    in_flight: u32,
    health: Health,
    has_left: bool,
}

impl Score {
    /// A peer nobody has called: healthy, and taken to answer in 30 ms.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self {
            latency: PeakEwma::new(now),
            in_flight: 0,
            health: Health::new(now),
            has_left: false,
        }
    }

    /// Takes note of a call that is about to be sent. Its [`Turn`] must come back through
    /// [`on_end`](Self::on_end).
    pub fn on_start(&mut self, now: Instant) -> Turn {
        self.in_flight = self.in_flight.saturating_add(1);
        Turn {
            probe: self.health.on_start(now),
        }
    }

    /// As [`on_start`](Self::on_start), if the peer may be called and has at most `most` calls in flight with
    /// this one.
    #[must_use]
    pub fn start_within(&mut self, now: Instant, most: u32) -> Option<Turn> {
        let may = self.in_flight < most && self.standing(now) != Standing::Ejected;
        may.then(|| self.on_start(now))
    }

    /// Takes note of a call's end, and tells if that changed whether the peer may be called.
    pub fn on_end(
        &mut self,
        now: Instant,
        turn: Turn,
        outcome: Outcome,
        group: &Group,
    ) -> Option<Change> {
        self.in_flight = self.in_flight.saturating_sub(1);
        let group = if self.has_left { &NOBODY } else { group };
        if let Some(sample) = outcome.latency() {
            self.latency.observe(now, sample);
        }
        match outcome {
            Outcome::Answered { .. } | Outcome::Busy { .. } => {
                self.health.on_success(now, turn.probe, group)
            }
            Outcome::Failed { .. } => self.health.on_failure(now, turn.probe, group),
            Outcome::Neither => {
                self.health.on_nothing(turn.probe);
                None
            }
        }
    }

    /// Takes the peer out of its group. Calls to it may still end, but it is ejected no more.
    pub fn leave(&mut self, group: &Group) {
        if !std::mem::replace(&mut self.has_left, true) {
            group.leave(self.health.is_ejected());
            self.health.pardon();
        }
    }

    /// What one more call is expected to cost, in seconds: latency times the calls that would then
    /// be in flight.
    #[must_use]
    pub fn cost(&self, now: Instant) -> f64 {
        self.latency.seconds(now) * (f64::from(self.in_flight) + 1.0)
    }

    /// Whether the peer may be called.
    #[must_use]
    pub fn standing(&self, now: Instant) -> Standing {
        self.health.standing(now)
    }

    /// Calls that have started and not ended.
    #[must_use]
    pub fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// All that [`choose`](super::choose) wants to know.
    #[must_use]
    pub fn candidate(&self, now: Instant, tried: Tried, paused: bool) -> Candidate {
        Candidate {
            standing: self.standing(now),
            tried,
            paused,
            cost: self.cost(now),
        }
    }
}

/// A call's part in its peer's score, from start to end.
#[derive(Debug)]
#[must_use = "a turn that does not end counts as in flight for ever"]
pub struct Turn {
    probe: bool,
}

/// What a call's end says about its peer, which need not be what it says to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The peer answered, be it with an application error or a refusal that is the caller's fault.
    Answered {
        /// From sending the call to the first frame of the answer.
        latency: Duration,
    },
    /// The peer has too much to do: well, but to be spared.
    Busy {
        /// The time the call was given. The peer is charged this much latency, at most 5 s.
        ttl: Duration,
    },
    /// The peer did not do its part: no connection, no answer in time, an unexpected error.
    Failed {
        /// The time the call was given. The peer is charged this much latency, at most 5 s.
        ttl: Duration,
    },
    /// Nothing can be learned: the call was cancelled, paused, or a router gave up on another's
    /// behalf.
    Neither,
}

impl Outcome {
    fn latency(self) -> Option<Duration> {
        match self {
            Self::Answered { latency } => Some(latency),
            Self::Busy { ttl } | Self::Failed { ttl } => Some(ttl.min(LARGEST_PENALTY)),
            Self::Neither => None,
        }
    }
}

/// The group of those that have left theirs: it ejects nobody.
static NOBODY: Group = Group::new();

/// A peer that fails fast must not look fast.
const LARGEST_PENALTY: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn group_of(members: usize) -> Group {
        let group = Group::new();
        (0..members).for_each(|_| group.join());
        group
    }

    /// The cost after one call with this outcome, in milliseconds.
    fn cost_after(outcome: Outcome) -> u64 {
        let now = Instant::now();
        let mut score = Score::new(now);
        let turn = score.on_start(now);
        score.on_end(now, turn, outcome, &group_of(2));
        (score.cost(now) * 1000.0).round() as u64
    }

    #[test]
    fn cost_is_latency_times_calls_in_flight() {
        let now = Instant::now();
        let mut score = Score::new(now);
        assert_eq!(score.cost(now), 0.03);
        let turns = [score.on_start(now), score.on_start(now)];
        assert_eq!((score.in_flight(), score.cost(now)), (2, 0.09));
        for turn in turns {
            score.on_end(now, turn, Outcome::Neither, &group_of(2));
        }
        assert_eq!((score.in_flight(), score.cost(now)), (0, 0.03));
    }

    #[test]
    fn failures_and_busy_cost_as_much_as_the_call_was_given() {
        assert_eq!(
            cost_after(Outcome::Answered {
                latency: SECOND / 2
            }),
            500
        );
        assert_eq!(cost_after(Outcome::Failed { ttl: SECOND }), 1000);
        assert_eq!(cost_after(Outcome::Busy { ttl: SECOND }), 1000);
        assert_eq!(cost_after(Outcome::Failed { ttl: 60 * SECOND }), 5000);
        assert_eq!(cost_after(Outcome::Neither), 30);
    }

    #[test]
    fn a_busy_peer_is_spared_but_never_ejected() {
        let (now, group) = (Instant::now(), group_of(2));
        let mut score = Score::new(now);
        for _ in 0..100 {
            let turn = score.on_start(now);
            assert_eq!(
                score.on_end(now, turn, Outcome::Busy { ttl: SECOND }, &group),
                None
            );
        }
        assert_eq!(score.standing(now), Standing::Healthy);
    }

    #[test]
    fn a_failing_peer_is_ejected_and_gives_its_place_back_when_it_leaves() {
        let (now, group) = (Instant::now(), group_of(2));
        let mut score = Score::new(now);
        let changes: Vec<_> = (0..7)
            .filter_map(|_| {
                let turn = score.on_start(now);
                score.on_end(now, turn, Outcome::Failed { ttl: SECOND }, &group)
            })
            .collect();
        assert_eq!(changes, [Change::Ejected(SECOND)]);
        assert_eq!(score.standing(now), Standing::Ejected);
        score.leave(&group);
        assert_eq!((group.members(), group.ejected()), (1, 0));
    }
}
