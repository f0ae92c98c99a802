//! Reaching one member: three pings, a third of the time apart, until one is answered or time is up.
//!
//! ```text
//!  ping      ping      ping      up
//!   |---------|---------|---------|      the first answer ends it, and so does a refused connection
//! ```
//!
//! One lost message is then no sign of anything, and the whole takes no longer than one ping of a peer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::event::AnswerId;

/// Those members that are being pinged.
#[derive(Default)]
pub(crate) struct Reaches {
    list: Vec<Reach>,
    next_id: u64,
}

pub(crate) struct Reach {
    pub(crate) id: ReachId,
    pub(crate) target: Arc<str>,
    pub(crate) why: Why,
    ends: Instant,
    gap: Duration,
    next_try: Option<Instant>,
    open: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReachId(u64);

/// On whose behalf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It is the member's turn.
    Probe,
    /// Somebody asked us to.
    Help(AnswerId),
    /// A suspect is to hear of it and may refute.
    Look,
}

/// What is due.
pub(crate) enum Step {
    /// Ping the target; the answer may take until the reach ends.
    Ping {
        id: ReachId,
        target: Arc<str>,
        timeout: Duration,
    },
    /// Time is up.
    GaveUp(Reach),
}

impl Reaches {
    pub(crate) fn start(
        &mut self,
        target: Arc<str>,
        why: Why,
        now: Instant,
        timeout: Duration,
    ) -> ReachId {
        let id = ReachId(self.next_id);
        self.next_id += 1;
        self.list.push(Reach {
            id,
            target,
            why,
            ends: now + timeout,
            gap: timeout / TRIES,
            next_try: Some(now),
            open: 0,
        });
        id
    }

    pub(crate) fn next(&mut self, now: Instant) -> Option<Step> {
        let due = |reach: &Reach| reach.wake() <= now;
        let at = self.list.iter().position(due)?;
        let reach = &mut self.list[at];
        match reach.next_try {
            Some(_) if now < reach.ends => {
                let later = now + reach.gap;
                // The last gap belongs to the last ping.
                reach.next_try = (later + reach.gap / 2 < reach.ends).then_some(later);
                reach.open += 1;
                Some(Step::Ping {
                    id: reach.id,
                    target: reach.target.clone(),
                    timeout: reach.ends - now,
                })
            }
            _ => Some(Step::GaveUp(self.list.remove(at))),
        }
    }

    /// The target answered a ping. Returns the reach, unless it is over already.
    pub(crate) fn answered(&mut self, id: ReachId) -> Option<Reach> {
        self.remove(id)
    }

    /// Nobody listens at the target: no other ping will do better. Returns the reach, unless it is over.
    pub(crate) fn refused(&mut self, id: ReachId) -> Option<Reach> {
        self.remove(id)
    }

    /// A ping failed in another way. Returns the reach if it was the last one.
    pub(crate) fn failed(&mut self, id: ReachId) -> Option<Reach> {
        let reach = self.list.iter_mut().find(|reach| reach.id == id)?;
        reach.open -= 1;
        let is_last = reach.open == 0 && reach.next_try.is_none();
        is_last.then(|| self.remove(id)).flatten()
    }

    /// Ends a reach without a result.
    pub(crate) fn cancel(&mut self, id: ReachId) {
        self.remove(id);
    }

    pub(crate) fn is_looking_at(&self, target: &str) -> bool {
        let looks = |reach: &Reach| reach.why == Why::Look && *reach.target == *target;
        self.list.iter().any(looks)
    }

    pub(crate) fn count_helps(&self) -> usize {
        let helps = |reach: &&Reach| matches!(reach.why, Why::Help(_));
        self.list.iter().filter(helps).count()
    }

    pub(crate) fn wake(&self) -> Option<Instant> {
        self.list.iter().map(Reach::wake).min()
    }

    fn remove(&mut self, id: ReachId) -> Option<Reach> {
        let at = self.list.iter().position(|reach| reach.id == id)?;
        Some(self.list.remove(at))
    }
}

impl Reach {
    fn wake(&self) -> Instant {
        self.next_try.unwrap_or(self.ends)
    }
}

const TRIES: u32 = 3;

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::{ReachId, Reaches, Step, Why};

    const SECOND: Duration = Duration::from_secs(1);

    fn start() -> (Reaches, ReachId, Instant) {
        let mut reaches = Reaches::default();
        #[expect(
            clippy::disallowed_methods,
            reason = "any instant serves as the origin"
        )]
        let now = Instant::now();
        let id = reaches.start(Arc::from("a:1"), Why::Probe, now, 3 * SECOND);
        (reaches, id, now)
    }

    #[test]
    fn a_silent_member_gets_three_pings() {
        let (mut reaches, _, start) = start();
        let mut pings = Vec::new();
        loop {
            let now = reaches.wake().expect("more to do");
            match reaches.next(now).expect("due") {
                Step::Ping { timeout, .. } => pings.push((now - start, timeout)),
                Step::GaveUp(reach) => {
                    assert_eq!(now - start, 3 * SECOND);
                    assert_eq!(*reach.target, *"a:1");
                    break;
                }
            }
        }
        let at = |second| (second * SECOND, (3 - second) * SECOND);
        assert_eq!(pings, [at(0), at(1), at(2)]);
        assert!(reaches.wake().is_none());
    }

    #[test]
    fn an_answer_to_any_ping_ends_it() {
        let (mut reaches, id, now) = start();
        assert!(reaches.next(now).is_some());
        assert!(reaches.next(now).is_none());
        assert!(reaches.answered(id).is_some());
        assert!(reaches.answered(id).is_none());
    }

    #[test]
    fn it_fails_early_when_every_ping_has_failed() {
        let (mut reaches, id, start) = start();
        for second in 0..3 {
            assert!(reaches.next(start + second * SECOND).is_some());
            assert_eq!(reaches.failed(id).is_some(), second == 2);
        }
    }

    #[test]
    fn pings_that_come_too_late_are_not_sent() {
        let (mut reaches, _, start) = start();
        let step = reaches.next(start + 10 * SECOND);
        assert!(matches!(step, Some(Step::GaveUp(_))));
    }
}
