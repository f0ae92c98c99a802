//! Two halves finding each other again.
//!
//! Each believes the other faulty, and faulty at the same incarnation outranks alive: merging the lists would
//! kill everybody. So the members in question are first declared suspect on the side where they live, at the
//! incarnation of the faulty claim; they refute, and their new incarnation outranks it. Only when no such
//! member is left are the lists exchanged.
//!
//! Source: spec/ringpop/membership.md, "partition healing".

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::config::HealConfig;
use crate::event::AnswerId;
use crate::members::Members;
use crate::rng::Rng;
use crate::status::{Standing, Status};
use crate::wire::Claim;

#[derive(Default)]
pub(crate) struct Heal {
    next_at: Option<Instant>,
    /// Whether the list of hosts is awaited, to look for the lost among them.
    wants_hosts: bool,
    hosts: usize,
    /// Whether the next chance is taken in any case, after so many that were.
    is_certain: bool,
    follow_ups: u32,
    watchers: Vec<AnswerId>,
    run: Option<Run>,
}

/// One look at all that seem lost.
struct Run {
    targets: Vec<Arc<str>>,
    reached: Vec<Arc<str>>,
    failures: u32,
}

/// Members that must refute before two lists can be merged.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reincarnations {
    /// On our side.
    pub(crate) ours: Vec<(Arc<str>, Standing)>,
    /// On theirs.
    pub(crate) theirs: Vec<(Arc<str>, Standing)>,
}

impl Heal {
    /// Members that started together have their chances one after the other.
    pub(crate) fn start(&mut self, now: Instant, config: &HealConfig, rng: &mut Rng) {
        self.next_at = Some(now + config.period.mul_f64(1.0 + rng.fraction()));
    }

    /// Members were found that must refute first: looks again once they had time to. An operator who demanded
    /// the look demands the next one, too.
    pub(crate) fn follow_up(&mut self, now: Instant) {
        let soon = now + FOLLOW_UP_AFTER;
        if self.watchers.is_empty() && self.follow_ups < MOST_FOLLOW_UPS {
            self.is_certain = true;
            self.next_at = self.next_at.map(|at| at.min(soon));
        }
    }

    pub(crate) fn stop(&mut self) {
        self.next_at = None;
        self.run = None;
    }

    /// Whether the owner is to say who should be there: at every period, so that the list stays fresh, though
    /// only now and then somebody looks.
    pub(crate) fn is_due(
        &mut self,
        now: Instant,
        config: &HealConfig,
        in_ring: usize,
        rng: &mut Rng,
    ) -> bool {
        let is_due = self.next_at.is_some_and(|at| at <= now);
        if is_due {
            self.next_at = Some(now + config.period);
            let candidates = in_ring.max(self.hosts).max(1);
            let is_chosen = rng.fraction() < config.attempts / candidates as f64;
            self.follow_ups = if self.is_certain {
                self.follow_ups + 1
            } else {
                0
            };
            self.wants_hosts |= is_chosen || std::mem::take(&mut self.is_certain);
        }
        is_due
    }

    /// An operator wants it now, and to be told how it went.
    pub(crate) fn demand(&mut self, watcher: AnswerId) {
        self.wants_hosts = true;
        self.watchers.push(watcher);
    }

    /// The next list of hosts is to be looked at for the lost, for nobody in particular.
    pub(crate) fn want_hosts(&mut self) {
        self.wants_hosts = true;
    }

    /// How many operators wait to be told.
    pub(crate) fn watchers(&self) -> usize {
        self.watchers.len()
    }

    /// Whether the next list of hosts is to be looked at for the lost.
    pub(crate) fn wants_hosts(&self) -> bool {
        self.wants_hosts
    }

    /// So many should be there.
    pub(crate) fn count_hosts(&mut self, count: usize) {
        self.hosts = count;
    }

    /// Who should be there. Begins to ask those that are lost, unless that is under way.
    pub(crate) fn look(&mut self, hosts: &[Arc<str>], members: &Members, me: &str, rng: &mut Rng) {
        self.hosts = hosts.len();
        self.wants_hosts = false;
        if self.run.is_some() {
            return;
        }
        let is_lost = |host: &&Arc<str>| {
            let standing = members.standing(host);
            ***host != *me && standing.is_none_or(|known| !known.status().is_in_ring())
        };
        let mut targets: Vec<Arc<str>> = hosts.iter().filter(is_lost).cloned().collect();
        rng.shuffle(&mut targets);
        self.run = Some(Run {
            targets,
            reached: Vec::new(),
            failures: 0,
        });
    }

    /// The next member to ask for its list; or, at the end, whom we reached and who wants to know.
    pub(crate) fn next(&mut self, config: &HealConfig) -> Option<Next> {
        let run = self.run.as_mut()?;
        let target = run.targets.pop();
        match target.filter(|_| run.failures < config.max_failures) {
            Some(target) => Some(Next::Ask(target)),
            None => {
                let reached = self.run.take().map(|run| run.reached);
                Some(Next::Done {
                    reached: reached.unwrap_or_default(),
                    watchers: std::mem::take(&mut self.watchers),
                })
            }
        }
    }

    pub(crate) fn fail(&mut self) {
        if let Some(run) = &mut self.run {
            run.failures += 1;
        }
    }

    /// The target answered with its list: those it can reach need not be asked.
    pub(crate) fn reach(&mut self, target: Arc<str>, list: &[Claim<'_>]) {
        if let Some(run) = &mut self.run {
            let in_ring = |claim: &&Claim<'_>| claim.standing.status().is_in_ring();
            let reachable = list.iter().filter(in_ring);
            let reachable: BTreeSet<&str> = reachable.map(|claim| &*claim.address).collect();
            run.targets.retain(|host| !reachable.contains(&**host));
            run.reached.push(target);
        }
    }

    pub(crate) fn wake(&self) -> Option<Instant> {
        self.next_at
    }
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Ask(Arc<str>),
    Done {
        reached: Vec<Arc<str>>,
        watchers: Vec<AnswerId>,
    },
}

/// Who would be lost by merging the two lists as they are.
pub(crate) fn compare(ours: &Members, theirs: &[Claim<'_>]) -> Reincarnations {
    let mut needed = Reincarnations::default();
    for claim in theirs {
        let Some(entry) = ours.get(&claim.address) else {
            continue;
        };
        let (a, b) = (entry.standing, claim.standing);
        let kills = |winner: Standing, loser: Standing| {
            winner > loser && loser.status().is_in_ring() && !winner.status().is_in_ring()
        };
        let suspicion = |winner: Standing| (entry.address.clone(), winner.with(Status::Suspect));
        if kills(b, a) {
            needed.ours.push(suspicion(b));
        }
        if kills(a, b) {
            needed.theirs.push(suspicion(a));
        }
    }
    needed
}

/// A refutation has gone round by then.
const FOLLOW_UP_AFTER: Duration = Duration::from_secs(2);

/// Whoever has not refuted by then may not be there any more.
const MOST_FOLLOW_UPS: u32 = 3;

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::sync::Arc;
    use std::time::Instant;

    use super::{Heal, Next, compare};
    use crate::checksum::Flavour;
    use crate::config::HealConfig;
    use crate::event::AnswerId;
    use crate::members::Members;
    use crate::rng::Rng;
    use crate::status::{Standing, Status};
    use crate::wire::Claim;

    fn standing(incarnation: u64, status: Status) -> Standing {
        Standing::new(incarnation, status).expect("a small incarnation")
    }

    fn members(list: &[(&str, u64, Status)]) -> Members {
        let mut members = Members::new(Flavour::Go);
        for (address, incarnation, status) in list {
            let place = members.find(address, 0);
            let standing = standing(*incarnation, *status);
            members.set(place, &Arc::from(*address), standing, None);
        }
        members
    }

    fn claims<'a>(list: &[(&'a str, u64, Status)]) -> Vec<Claim<'a>> {
        let claim = |(address, incarnation, status): &(&'a str, u64, Status)| Claim {
            address: Cow::Borrowed(address),
            standing: standing(*incarnation, *status),
            source: Cow::Borrowed(""),
            source_incarnation: 0,
            labels: None,
        };
        list.iter().map(claim).collect()
    }

    #[test]
    fn each_half_must_refute_what_the_other_believes() {
        let ours = members(&[("a:1", 5, Status::Alive), ("b:1", 5, Status::Faulty)]);
        let theirs = claims(&[("a:1", 5, Status::Faulty), ("b:1", 5, Status::Suspect)]);
        let needed = compare(&ours, &theirs);
        assert_eq!(
            needed.ours,
            [(Arc::from("a:1"), standing(5, Status::Suspect))]
        );
        assert_eq!(
            needed.theirs,
            [(Arc::from("b:1"), standing(5, Status::Suspect))]
        );
    }

    #[test]
    fn once_all_have_refuted_the_lists_can_be_merged() {
        let ours = members(&[("a:1", 6, Status::Alive), ("b:1", 5, Status::Faulty)]);
        let theirs = claims(&[
            ("a:1", 5, Status::Faulty),
            ("b:1", 6, Status::Alive),
            ("c:1", 1, Status::Alive),
        ]);
        assert_eq!(compare(&ours, &theirs), super::Reincarnations::default());
    }

    #[test]
    fn those_whom_one_target_reaches_are_not_asked() {
        let (mut heal, mut rng) = (Heal::default(), Rng::new(1));
        let known = members(&[("me:1", 5, Status::Alive), ("b:1", 5, Status::Faulty)]);
        let hosts = ["me:1", "b:1", "c:1"].map(Arc::from);
        heal.demand(AnswerId(7));
        heal.look(&hosts, &known, "me:1", &mut rng);
        let config = HealConfig::default();
        let Some(Next::Ask(first)) = heal.next(&config) else {
            panic!("b and c are lost")
        };
        let list = claims(&[("b:1", 5, Status::Alive), ("c:1", 1, Status::Alive)]);
        heal.reach(first.clone(), &list);
        let done = Next::Done {
            reached: vec![first],
            watchers: vec![AnswerId(7)],
        };
        assert_eq!(heal.next(&config), Some(done));
        assert_eq!(heal.next(&config), None);
    }

    #[test]
    fn whom_refuting_would_save_is_looked_for_again_soon_but_not_for_ever() {
        let (mut heal, mut rng) = (Heal::default(), Rng::new(1));
        #[expect(
            clippy::disallowed_methods,
            reason = "any instant serves as the origin"
        )]
        let mut now = Instant::now();
        let config = HealConfig {
            attempts: 0.0,
            ..HealConfig::default()
        };
        heal.start(now, &config, &mut rng);
        let mut looks = 0;
        for _ in 0..20 {
            heal.follow_up(now);
            now = heal.wake().expect("it goes on");
            assert!(heal.is_due(now, &config, 9, &mut rng));
            looks += usize::from(heal.wants_hosts());
            heal.look(&[], &members(&[]), "me:1", &mut rng);
            heal.next(&config);
        }
        assert_eq!(looks, 15, "three follow-ups, then one chance as it comes");
    }

    #[test]
    fn what_an_operator_demands_is_not_followed_up() {
        let (mut heal, mut rng) = (Heal::default(), Rng::new(1));
        #[expect(
            clippy::disallowed_methods,
            reason = "any instant serves as the origin"
        )]
        let now = Instant::now();
        heal.start(now, &HealConfig::default(), &mut rng);
        let before = heal.wake();
        heal.demand(AnswerId(7));
        heal.follow_up(now);
        assert_eq!(heal.wake(), before);
    }

    #[test]
    fn ten_failures_are_enough() {
        let (mut heal, mut rng) = (Heal::default(), Rng::new(1));
        let hosts: Vec<Arc<str>> = (0..20).map(|port| Arc::from(format!("b:{port}"))).collect();
        heal.demand(AnswerId(7));
        heal.look(&hosts, &members(&[]), "me:1", &mut rng);
        let mut asked = 0;
        while let Some(Next::Ask(_)) = heal.next(&HealConfig::default()) {
            heal.fail();
            asked += 1;
        }
        assert_eq!(asked, 10);
    }
}
