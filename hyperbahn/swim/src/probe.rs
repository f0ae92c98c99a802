//! One period: is this member alive? Ping it; if it is silent, ask others; if they cannot reach it, suspect.
//!
//! ```text
//!  0          2/3 of the ping's time      all of it
//!  |-- ping it, up to three times --|--------|
//!                             |---- three others ping it ----|
//!  answered by it or for it: no more to do           one of them says no, or all are gone: suspect
//!                                                    none of them says anything: it may be us
//! ```
//!
//! Source: spec/ringpop/membership.md, "failed pings".

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::event::AnswerId;
use crate::reach::ReachId;
use crate::status::Standing;

/// The probe that is under way.
pub(crate) struct Probe {
    pub(crate) target: Arc<str>,
    /// What was known of it when it was picked: what it is accused at. If it has refuted since, the
    /// accusation is stale.
    pub(crate) standing: Standing,
    pub(crate) reach: ReachId,
    pub(crate) started: Instant,
    /// Whether another period follows.
    pub(crate) repeats: bool,
    /// Requests of operators that wait for the end.
    pub(crate) watchers: Vec<AnswerId>,
    ask_at: Option<Instant>,
    direct: Direct,
    helpers: Helpers,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direct {
    Trying,
    Silent,
    Refused,
}

#[derive(Default)]
struct Helpers {
    asked: u32,
    open: u32,
    /// Those who could not reach it.
    nacks: Vec<Arc<str>>,
}

/// How a probe ends.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It did not answer us, nor those who say so.
    Suspect { witnesses: Vec<Arc<str>> },
    /// It did not answer us, but nobody else answered either.
    Inconclusive,
}

impl Probe {
    pub(crate) fn new(
        target: Arc<str>,
        standing: Standing,
        reach: ReachId,
        now: Instant,
        timeout: Duration,
        repeats: bool,
    ) -> Self {
        Self {
            repeats,
            target,
            standing,
            reach,
            started: now,
            watchers: Vec::new(),
            ask_at: Some(now + timeout * 2 / 3),
            direct: Direct::Trying,
            helpers: Helpers::default(),
        }
    }

    /// The target did not answer our pings.
    pub(crate) fn fail(&mut self, refused: bool) {
        self.direct = if refused {
            Direct::Refused
        } else {
            Direct::Silent
        };
    }

    /// Whether it is time to ask others, which is told once.
    pub(crate) fn must_ask(&mut self, now: Instant) -> bool {
        let is_due = |at: Instant| at <= now || self.direct != Direct::Trying;
        let must = self.ask_at.is_some_and(is_due);
        if must {
            self.ask_at = None;
        }
        must
    }

    pub(crate) fn asked(&mut self, count: u32) {
        self.helpers.asked = count;
        self.helpers.open = count;
    }

    /// A helper could not reach the target.
    pub(crate) fn nack(&mut self, helper: Arc<str>) {
        self.helpers.open -= 1;
        self.helpers.nacks.push(helper);
    }

    /// A helper did not answer. One that is `gone` could not have helped whosever trouble it is.
    pub(crate) fn lose_helper(&mut self, gone: bool) {
        self.helpers.open -= 1;
        self.helpers.asked -= u32::from(gone);
    }

    /// The end of the probe, once nothing more can come.
    pub(crate) fn verdict(&mut self) -> Option<Verdict> {
        if self.direct == Direct::Trying || self.ask_at.is_some() || self.helpers.open > 0 {
            return None;
        }
        let witnesses = std::mem::take(&mut self.helpers.nacks);
        match witnesses.is_empty() && self.helpers.asked > 0 {
            true => Some(Verdict::Inconclusive),
            false => Some(Verdict::Suspect { witnesses }),
        }
    }

    /// How many signs there are that the trouble is ours: helpers that said nothing, or our ping lost when
    /// there was nobody to ask.
    pub(crate) fn doubts(&self) -> u32 {
        let silent = self.helpers.asked - self.helpers.nacks.len() as u32;
        match (self.helpers.asked, self.direct) {
            (0, Direct::Silent) => 1,
            _ => silent,
        }
    }

    /// Whether nobody listens at the target.
    pub(crate) fn was_refused(&self) -> bool {
        self.direct == Direct::Refused
    }

    pub(crate) fn wake(&self) -> Option<Instant> {
        self.ask_at
    }
}

/// How long the latest periods took, which sets the pace of the next.
///
/// Source: spec/ringpop/membership.md, "the gossip loop".
pub(crate) struct Pace {
    latest: [Duration; SAMPLES],
    count: usize,
}

impl Pace {
    pub(crate) fn new() -> Self {
        Self {
            latest: [Duration::ZERO; SAMPLES],
            count: 0,
        }
    }

    pub(crate) fn record(&mut self, took: Duration) {
        self.latest[self.count % SAMPLES] = took;
        self.count += 1;
    }

    /// The wait before the next period: twice the median of what they took, but at least `shortest`.
    pub(crate) fn wait(&self, shortest: Duration) -> Duration {
        let (latest, _) = self.latest();
        let is_slow = |took: &&Duration| 2 * **took > shortest;
        // Nearly always all are quick, which is seen without sorting them.
        if latest.iter().filter(is_slow).count() < latest.len().div_ceil(2).max(1) {
            return shortest;
        }
        let mut sorted = self.latest;
        let sorted = &mut sorted[..latest.len()];
        sorted.sort_unstable();
        shortest.max(2 * sorted[sorted.len() / 2])
    }

    /// How long the latest periods took, in no order, and how many there have been in all.
    pub(crate) fn latest(&self) -> (&[Duration], usize) {
        (&self.latest[..self.count.min(SAMPLES)], self.count)
    }
}

const SAMPLES: usize = 10;

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::{Pace, Probe, Verdict};
    use crate::reach::{Reaches, Why};
    use crate::status::{Standing, Status};

    const TIMEOUT: Duration = Duration::from_millis(1500);

    fn probe() -> (Probe, Instant) {
        #[expect(
            clippy::disallowed_methods,
            reason = "any instant serves as the origin"
        )]
        let now = Instant::now();
        let target: Arc<str> = Arc::from("a:1");
        let reach = Reaches::default().start(target.clone(), Why::Probe, now, TIMEOUT);
        let standing = Standing::new(1, Status::Alive).expect("a small incarnation");
        (Probe::new(target, standing, reach, now, TIMEOUT, true), now)
    }

    #[test]
    fn others_are_asked_after_two_thirds_of_the_time() {
        let (mut probe, now) = probe();
        assert!(!probe.must_ask(now + Duration::from_millis(999)));
        assert!(probe.must_ask(now + Duration::from_millis(1000)));
        assert!(!probe.must_ask(now + Duration::from_millis(1000)));
    }

    #[test]
    fn others_are_asked_at_once_when_the_connection_is_refused() {
        let (mut probe, now) = probe();
        probe.fail(true);
        assert!(probe.must_ask(now));
    }

    #[test]
    fn with_nobody_to_ask_silence_is_enough() {
        let (mut probe, now) = probe();
        probe.fail(false);
        assert_eq!(probe.verdict(), None);
        assert!(probe.must_ask(now));
        probe.asked(0);
        let witnesses = vec![];
        assert_eq!(probe.verdict(), Some(Verdict::Suspect { witnesses }));
        assert_eq!(probe.doubts(), 1);
    }

    #[test]
    fn one_clear_no_outweighs_lost_answers() {
        let (mut probe, now) = probe();
        assert!(probe.must_ask(now + TIMEOUT));
        probe.asked(3);
        probe.lose_helper(false);
        probe.nack(Arc::from("b:1"));
        probe.lose_helper(false);
        assert_eq!(probe.verdict(), None);
        probe.fail(false);
        assert_eq!(probe.doubts(), 2);
        let witnesses = vec![Arc::from("b:1")];
        assert_eq!(probe.verdict(), Some(Verdict::Suspect { witnesses }));
    }

    #[test]
    fn lost_answers_alone_prove_nothing() {
        let (mut probe, now) = probe();
        assert!(probe.must_ask(now + TIMEOUT));
        probe.asked(1);
        probe.lose_helper(false);
        probe.fail(false);
        assert_eq!(probe.verdict(), Some(Verdict::Inconclusive));
    }

    #[test]
    fn helpers_that_are_gone_were_not_there_to_ask() {
        let (mut probe, _) = probe();
        probe.fail(true);
        assert!(probe.must_ask(probe.started));
        probe.asked(2);
        probe.lose_helper(true);
        assert_eq!(probe.verdict(), None);
        probe.lose_helper(true);
        let witnesses = vec![];
        assert_eq!(probe.verdict(), Some(Verdict::Suspect { witnesses }));
        assert_eq!(probe.doubts(), 0);
    }

    #[test]
    fn the_pace_follows_the_median_of_ten() {
        let mut pace = Pace::new();
        let ms = Duration::from_millis;
        assert_eq!(pace.wait(ms(200)), ms(200));
        for _ in 0..10 {
            pace.record(ms(500));
        }
        assert_eq!(pace.wait(ms(200)), ms(1000));
        for _ in 0..6 {
            pace.record(ms(1));
        }
        assert_eq!(pace.wait(ms(200)), ms(200));
    }
}
