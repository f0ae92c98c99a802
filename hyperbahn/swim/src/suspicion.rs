//! From suspect to gone, and back.
//!
//! ```text
//!  alive ──▶ suspect ── 5 s, 2 s if confirmed ──▶ faulty ── 24 h ──▶ tombstone ── 60 s ──▶ forgotten
//!    ▲          │                                   │
//!    └─ a higher incarnation, at any time before ───┘
//! ```
//!
//! Halfway through its time a suspect gets a look: a ping that carries the accusation, so that one who lives
//! can refute whatever the rumour's way to it was. Every news about a member starts its time anew.
//!
//! Source: spec/ringpop/membership.md, "state timers".

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::status::{Standing, Status};

/// Members on their way out.
pub(crate) struct Departures {
    by_address: BTreeMap<Arc<str>, Departure>,
    wakes: BTreeSet<(Instant, Arc<str>)>,
    periods: Periods,
}

/// One member on its way out.
#[derive(Clone)]
pub(crate) struct Departure {
    pub(crate) standing: Standing,
    pub(crate) since: Instant,
    due: Instant,
    look_at: Option<Instant>,
    witnesses: Vec<Arc<str>>,
}

/// What is due.
pub(crate) enum Due {
    /// Let this suspect know.
    Look(Arc<str>),
    /// The time of this member in this standing is over.
    Over(Arc<str>, Departure),
}

struct Periods {
    suspect: Duration,
    suspect_min: Duration,
    confirmations: usize,
    faulty: Duration,
    leave: Option<Duration>,
    tombstone: Duration,
}

impl Departures {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            by_address: BTreeMap::new(),
            wakes: BTreeSet::new(),
            periods: Periods {
                suspect: config.suspect_period,
                suspect_min: config.suspect_period_min.min(config.suspect_period),
                confirmations: config.confirmations,
                faulty: config.faulty_period,
                leave: config.leave_period,
                tombstone: config.tombstone_period,
            },
        }
    }

    /// A member has this standing from now on: its time starts anew, or ends if there is none.
    pub(crate) fn set(&mut self, address: &Arc<str>, standing: Standing, now: Instant) {
        self.remove(address);
        let periods = &self.periods;
        let (period, look_at) = match standing.status() {
            Status::Alive => return,
            Status::Suspect => (periods.suspect, Some(now + periods.suspect / 2)),
            Status::Faulty => (periods.faulty, None),
            Status::Leave => match periods.leave {
                Some(period) => (period, None),
                None => return,
            },
            Status::Tombstone => (periods.tombstone, None),
        };
        let departure = Departure {
            standing,
            since: now,
            due: now + period,
            look_at,
            witnesses: Vec::new(),
        };
        self.insert(address.clone(), departure);
    }

    pub(crate) fn remove(&mut self, address: &str) {
        if let Some((address, departure)) = self.by_address.remove_entry(address) {
            self.wakes.remove(&(departure.wake(), address));
        }
    }

    /// Somebody else could not reach this suspect either. Returns whether that was news: the first accuser
    /// and as many more as shorten its time.
    pub(crate) fn confirm(
        &mut self,
        address: &str,
        standing: Standing,
        witness: &Arc<str>,
    ) -> bool {
        let periods = &self.periods;
        let Some((address, mut departure)) = self.by_address.remove_entry(address) else {
            return false;
        };
        self.wakes.remove(&(departure.wake(), address.clone()));
        let is_news = departure.standing == standing
            && standing.status() == Status::Suspect
            && departure.witnesses.len() <= periods.confirmations
            && !departure.witnesses.contains(witness);
        if is_news {
            departure.witnesses.push(witness.clone());
            let period = periods.suspicion(departure.witnesses.len() - 1);
            departure.due = departure.due.min(departure.since + period);
            let half = departure.since + period / 2;
            departure.look_at = departure.look_at.map(|look_at| look_at.min(half));
        }
        self.insert(address, departure);
        is_news
    }

    /// After a silence of our own: every suspect gets a look now, and time to answer it.
    pub(crate) fn grant(&mut self, now: Instant) {
        let due = now + self.periods.suspect_min;
        let suspects = self.by_address.iter_mut();
        let suspects = suspects.filter(|(_, departure)| departure.is_suspect());
        for (address, departure) in suspects {
            self.wakes.remove(&(departure.wake(), address.clone()));
            departure.due = departure.due.max(due);
            departure.look_at = Some(now);
            self.wakes.insert((departure.wake(), address.clone()));
        }
    }

    /// Gives a suspect whose time was over some more.
    pub(crate) fn defer(&mut self, address: Arc<str>, mut departure: Departure, now: Instant) {
        departure.due = now + self.periods.suspect_min;
        departure.look_at = Some(now);
        self.insert(address, departure);
    }

    /// What is due. Each is told once.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Due> {
        let (wake, address) = self.wakes.first()?;
        if *wake > now {
            return None;
        }
        let address = address.clone();
        let mut departure = self.by_address.remove(&address)?;
        self.wakes.pop_first();
        if departure.due <= now {
            return Some(Due::Over(address, departure));
        }
        departure.look_at = None;
        self.insert(address.clone(), departure);
        Some(Due::Look(address))
    }

    pub(crate) fn wake(&self) -> Option<Instant> {
        self.wakes.first().map(|(wake, _)| *wake)
    }

    fn insert(&mut self, address: Arc<str>, departure: Departure) {
        self.wakes.insert((departure.wake(), address.clone()));
        self.by_address.insert(address, departure);
    }
}

impl Departure {
    fn is_suspect(&self) -> bool {
        self.standing.status() == Status::Suspect
    }

    fn wake(&self) -> Instant {
        self.look_at
            .map_or(self.due, |look_at| look_at.min(self.due))
    }
}

impl Periods {
    /// Time to refute after so many confirmations: it falls with their logarithm, quickly at first.
    fn suspicion(&self, confirmations: usize) -> Duration {
        if confirmations >= self.confirmations {
            return match self.confirmations {
                0 => self.suspect,
                _ => self.suspect_min,
            };
        }
        let share = (confirmations as f64 + 1.0).ln() / (self.confirmations as f64 + 1.0).ln();
        self.suspect - (self.suspect - self.suspect_min).mul_f64(share)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::{Departures, Due};
    use crate::config::Config;
    use crate::status::{Standing, Status};

    const SECOND: Duration = Duration::from_secs(1);

    #[expect(
        clippy::disallowed_methods,
        reason = "any instant serves as the origin"
    )]
    fn start() -> (Departures, Instant) {
        (Departures::new(&Config::new("me:1")), Instant::now())
    }

    fn suspect(incarnation: u64) -> Standing {
        Standing::new(incarnation, Status::Suspect).expect("a small incarnation")
    }

    /// Seconds from `start` to each thing that is due, until the first time that is over.
    #[track_caller]
    fn course(departures: &mut Departures, start: Instant) -> Vec<(&'static str, f64)> {
        let mut course = Vec::new();
        while let Some(now) = departures.wake() {
            let at = (now - start).as_secs_f64();
            match departures.next(now).expect("due") {
                Due::Look(_) => course.push(("look", at)),
                Due::Over(..) => {
                    course.push(("over", at));
                    break;
                }
            }
        }
        course
    }

    #[test]
    fn an_unconfirmed_suspect_has_five_seconds_and_a_look() {
        let (mut departures, start) = start();
        departures.set(&Arc::from("a:1"), suspect(1), start);
        assert_eq!(
            course(&mut departures, start),
            [("look", 2.5), ("over", 5.0)]
        );
    }

    #[test]
    fn a_suspect_whose_incarnation_rises_is_still_declared_faulty() {
        let (mut departures, start) = start();
        departures.set(&Arc::from("a:1"), suspect(10), start);
        departures.set(&Arc::from("a:1"), suspect(20), start + SECOND);
        assert_eq!(
            course(&mut departures, start),
            [("look", 3.5), ("over", 6.0)]
        );
        assert!(departures.wake().is_none());
    }

    #[test]
    fn three_others_bring_it_down_to_two_seconds() {
        let (mut departures, start) = start();
        departures.set(&Arc::from("a:1"), suspect(1), start);
        let mut witness = |name: &str| departures.confirm("a:1", suspect(1), &Arc::from(name));
        assert!(witness("accuser") && witness("b") && witness("c"));
        assert!(!witness("b"), "a witness counts once");
        assert!(witness("d"));
        assert!(!witness("e"), "three are enough");
        assert_eq!(
            course(&mut departures, start),
            [("look", 1.0), ("over", 2.0)]
        );
    }

    #[test]
    fn a_witness_of_another_life_does_not_count() {
        let (mut departures, start) = start();
        departures.set(&Arc::from("a:1"), suspect(2), start);
        assert!(!departures.confirm("a:1", suspect(1), &Arc::from("b")));
        assert!(!departures.confirm("z:1", suspect(1), &Arc::from("b")));
    }

    #[test]
    fn who_comes_back_is_left_alone() {
        let (mut departures, start) = start();
        departures.set(&Arc::from("a:1"), suspect(1), start);
        departures.set(&Arc::from("a:1"), suspect(2).with(Status::Alive), start);
        assert!(departures.wake().is_none());
    }

    #[test]
    fn a_silence_of_our_own_gives_every_suspect_time_again() {
        let (mut departures, start) = start();
        departures.set(&Arc::from("a:1"), suspect(1), start);
        departures.grant(start + 4 * SECOND);
        assert_eq!(
            course(&mut departures, start),
            [("look", 4.0), ("over", 6.0)]
        );
    }
}
