//! What members think of each other, held against the truth.

use std::collections::{BTreeMap, BTreeSet};

use hyperbahn_swim::{Member, Status};

use crate::Nanos;

/// What happened in a run.
#[derive(Default)]
pub struct Observer {
    /// Lives of members that were running and reachable when somebody believed them faulty.
    pub false_verdicts: BTreeSet<(usize, u64)>,
    /// How often an observer believed so.
    pub false_events: u64,
    /// The same, where neither the accused nor the accuser had a fault put upon it.
    pub false_events_among_healthy: u64,
    /// How often an observer believed a running member faulty that had a fault put upon it.
    pub events_about_afflicted: u64,
    /// How often an observer suspected a member that was running.
    pub suspicions: u64,
    /// When each crashed member was first, and last, believed faulty by an observer.
    verdicts: BTreeMap<usize, Verdict>,
    /// Members on which a test has put a fault: what is said of them is no mistake.
    pub(crate) afflicted: BTreeSet<usize>,
}

/// What became of a crash.
#[derive(Clone, Copy, Debug)]
pub struct Verdict {
    /// When the member crashed.
    pub crashed: Nanos,
    /// When somebody first believed it faulty.
    pub first: Option<Nanos>,
    /// When somebody last came to believe so.
    pub last: Nanos,
    /// How many believe so.
    pub observers: usize,
}

impl Observer {
    pub(crate) fn crashed(&mut self, member: usize, now: Nanos) {
        let verdict = Verdict {
            crashed: now,
            first: None,
            last: now,
            observers: 0,
        };
        self.verdicts.insert(member, verdict);
    }

    pub(crate) fn restarted(&mut self, member: usize) {
        self.verdicts.remove(&member);
    }

    /// What `observer` believes of a member from now on. `is_running` is the truth.
    pub(crate) fn see(
        &mut self,
        now: Nanos,
        observer: usize,
        member: usize,
        after: &Member,
        is_running: bool,
    ) {
        match (after.status, is_running) {
            (Status::Suspect, true) => self.suspicions += 1,
            (Status::Faulty, true) => {
                let healthy = [observer, member].map(|one| !self.afflicted.contains(&one));
                self.events_about_afflicted += u64::from(!healthy[1]);
                if healthy[1] {
                    self.false_verdicts.insert((member, after.incarnation));
                    self.false_events += 1;
                    self.false_events_among_healthy += u64::from(healthy[0]);
                }
            }
            (Status::Faulty, false) => {
                if let Some(verdict) = self.verdicts.get_mut(&member) {
                    verdict.first.get_or_insert(now);
                    verdict.last = now;
                    verdict.observers += 1;
                }
            }
            _ => {}
        }
    }

    /// What became of this crash.
    pub fn verdict(&self, member: usize) -> Option<Verdict> {
        self.verdicts.get(&member).copied()
    }
}
