//! Entering: ask a few members for their lists, others if they do not answer, and begin.
//!
//! A node is in once three members have answered, or one has after everybody had a chance: a dead seed costs
//! one timeout. If nobody answers for long, or nobody listens anywhere, it begins alone and leaves the rest
//! to healing.
//!
//! Source: spec/ringpop/membership.md, "joining".

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::config::JoinConfig;
use crate::rng::Rng;

pub(crate) struct Join {
    config: JoinConfig,
    me: Arc<str>,
    hosts: Vec<Arc<str>>,
    /// Those who have not had their chance in this round.
    pool: VecDeque<Arc<str>>,
    joined: BTreeSet<Arc<str>>,
    open: usize,
    started: Instant,
    asked: bool,
    resume_at: Option<Instant>,
    back_off: (Duration, Duration),
    /// Whether all who failed in this round refused the connection.
    only_refused: bool,
    refused_rounds: u32,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Ask these, all at once.
    Ask(Vec<Arc<str>>),
    /// Nothing until an answer or the wake-up.
    Wait,
    /// We are in, with the help of so many.
    Done(usize),
}

impl Join {
    pub(crate) fn new(
        config: &JoinConfig,
        me: &Arc<str>,
        hosts: Vec<Arc<str>>,
        now: Instant,
    ) -> Self {
        let shortest = config.back_off.0;
        let mut join = Self {
            config: config.clone(),
            me: me.clone(),
            hosts: Vec::new(),
            pool: VecDeque::new(),
            joined: BTreeSet::new(),
            open: 0,
            started: now,
            asked: false,
            resume_at: None,
            back_off: (Duration::ZERO, shortest),
            only_refused: true,
            refused_rounds: 0,
        };
        join.set_hosts(hosts);
        join
    }

    /// Those who should be in the ring, as is known now. Takes effect with the next round.
    pub(crate) fn set_hosts(&mut self, hosts: Vec<Arc<str>>) {
        let others: BTreeSet<Arc<str>> =
            hosts.into_iter().filter(|host| *host != self.me).collect();
        self.hosts = others.into_iter().collect();
    }

    pub(crate) fn let_in(&mut self, by: Arc<str>) {
        self.open -= 1;
        self.joined.insert(by);
    }

    pub(crate) fn fail(&mut self, refused: bool) {
        self.open -= 1;
        self.only_refused &= refused;
    }

    pub(crate) fn step(&mut self, now: Instant, rng: &mut Rng) -> Step {
        let size = self.config.size.min(self.hosts.len());
        if self.joined.len() >= size {
            return Step::Done(self.joined.len());
        }
        if self.open > 0 || self.resume_at.is_some_and(|at| now < at) {
            return Step::Wait;
        }
        if self.resume_at.take().is_none() && self.asked {
            return self.after_group(now, rng);
        }
        self.asked = true;
        Step::Ask(self.next_group(size - self.joined.len(), rng))
    }

    pub(crate) fn wake(&self) -> Option<Instant> {
        self.resume_at
    }

    /// Everybody in the group has answered or failed, and that was not enough.
    fn after_group(&mut self, now: Instant, rng: &mut Rng) -> Step {
        if self.pool.is_empty() {
            self.refused_rounds += u32::from(self.only_refused);
            self.only_refused = true;
            let nobody_listens = self.refused_rounds >= self.config.refused_rounds;
            if !self.joined.is_empty() || nobody_listens {
                return Step::Done(self.joined.len());
            }
        }
        if now.saturating_duration_since(self.started) >= self.config.give_up_after {
            return Step::Done(self.joined.len());
        }
        let (low, high) = self.back_off;
        self.resume_at = Some(now + low + (high - low).mul_f64(rng.fraction()));
        self.back_off = (high, (2 * high).min(self.config.back_off.1).max(high));
        Step::Wait
    }

    fn next_group(&mut self, missing: usize, rng: &mut Rng) -> Vec<Arc<str>> {
        if self.pool.is_empty() {
            self.refill(rng);
        }
        let count = (missing * self.config.parallelism)
            .max(1)
            .min(self.pool.len());
        self.open = count;
        self.pool.drain(..count).collect()
    }

    /// Members on other hosts first: they are the least likely to share our fate.
    fn refill(&mut self, rng: &mut Rng) {
        let is_new = |host: &&Arc<str>| !self.joined.contains(*host);
        let mut pool: Vec<Arc<str>> = self.hosts.iter().filter(is_new).cloned().collect();
        rng.shuffle(&mut pool);
        let home = machine(&self.me);
        pool.sort_by_key(|host| machine(host) == home);
        self.pool = pool.into();
    }
}

fn machine(address: &str) -> &str {
    address
        .rsplit_once(':')
        .map_or(address, |(machine, _)| machine)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::{Join, Step};
    use crate::config::JoinConfig;
    use crate::rng::Rng;

    fn join(hosts: &[&str]) -> (Join, Rng, Instant) {
        #[expect(
            clippy::disallowed_methods,
            reason = "any instant serves as the origin"
        )]
        let now = Instant::now();
        let hosts = hosts.iter().map(|host| Arc::from(*host)).collect();
        let join = Join::new(&JoinConfig::default(), &Arc::from("me:1"), hosts, now);
        (join, Rng::new(1), now)
    }

    #[track_caller]
    fn group(step: Step) -> Vec<Arc<str>> {
        match step {
            Step::Ask(group) => group,
            other => panic!("{other:?} asks nobody"),
        }
    }

    #[test]
    fn alone_in_the_list_is_in_at_once() {
        let (mut join, mut rng, now) = join(&["me:1"]);
        assert_eq!(join.step(now, &mut rng), Step::Done(0));
    }

    #[test]
    fn six_are_asked_and_three_suffice() {
        let (mut join, mut rng, now) = join(&["a:1", "a:2", "a:3", "a:4", "a:5", "a:6", "a:7"]);
        let group = group(join.step(now, &mut rng));
        assert_eq!(group.len(), 6);
        join.let_in(group[0].clone());
        join.let_in(group[1].clone());
        assert_eq!(join.step(now, &mut rng), Step::Wait);
        join.let_in(group[2].clone());
        assert_eq!(join.step(now, &mut rng), Step::Done(3));
    }

    #[test]
    fn one_dead_seed_blocks_nobody() {
        let (mut join, mut rng, now) = join(&["a:1", "a:2", "a:3"]);
        let group = group(join.step(now, &mut rng));
        join.let_in(group[0].clone());
        join.let_in(group[1].clone());
        join.fail(false);
        assert_eq!(join.step(now, &mut rng), Step::Done(2));
    }

    #[test]
    fn everybody_gets_a_chance_before_less_is_enough() {
        let hosts: Vec<String> = (0..9).map(|port| format!("a:{port}")).collect();
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let (mut join, mut rng, now) = join(&hosts);
        let first = group(join.step(now, &mut rng));
        join.let_in(first[0].clone());
        first[1..].iter().for_each(|_| join.fail(false));
        assert_eq!(join.step(now, &mut rng), Step::Wait);
        let second = group(join.step(join.wake().expect("a back-off"), &mut rng));
        assert_eq!(second.len(), 3);
        assert!(second.iter().all(|host| !first.contains(host)));
        second.iter().for_each(|_| join.fail(false));
        assert_eq!(join.step(now, &mut rng), Step::Done(1));
    }

    #[test]
    fn where_nobody_listens_a_ring_begins() {
        let (mut join, mut rng, mut now) = join(&["a:1", "a:2"]);
        for round in 1..=3 {
            assert_eq!(group(join.step(now, &mut rng)).len(), 2);
            join.fail(true);
            join.fail(true);
            let step = join.step(now, &mut rng);
            assert_eq!(step == Step::Done(0), round == 3, "{step:?}");
            now = join.wake().unwrap_or(now);
        }
    }

    #[test]
    fn where_somebody_might_listen_we_wait_two_minutes() {
        let (mut join, mut rng, start) = join(&["a:1", "a:2"]);
        let mut now = start;
        while let Step::Ask(_) = join.step(now, &mut rng) {
            join.fail(true);
            join.fail(false);
            match join.step(now, &mut rng) {
                Step::Wait => now = join.wake().expect("a back-off"),
                step => assert_eq!(step, Step::Done(0)),
            }
        }
        assert!(now - start > Duration::from_secs(50), "{:?}", now - start);
    }

    #[test]
    fn members_on_other_machines_come_first() {
        let (mut join, mut rng, now) = join(&[
            "me:2", "a:1", "me:3", "b:1", "me:4", "c:1", "me:5", "d:1", "e:1", "f:1",
        ]);
        let group = group(join.step(now, &mut rng));
        assert!(
            group.iter().all(|host| !host.starts_with("me")),
            "{group:?}"
        );
    }
}
