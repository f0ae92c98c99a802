//! Coming in, finding lost halves, going away.

use std::sync::Arc;
use std::time::Instant;

use super::hearsay::Spread;
use super::{Node, Phase};
use crate::admin;
use crate::calls::{Call, Purpose};
use crate::event::{Event, Outcome};
use crate::heal::{self, Next};
use crate::join::Step;
use crate::status::{Standing, Status};
use crate::wire::{self, Said, path};

impl Node {
    pub(super) fn go_on_joining(&mut self, now: Instant) {
        while let Phase::Joining(join) = &mut self.phase {
            let was_waiting = join.wake().is_some();
            match join.step(now, &mut self.rng) {
                Step::Ask(hosts) => {
                    let timeout = self.config.join.timeout;
                    for host in hosts {
                        let body = (path::JOIN, self.join_body());
                        self.send(now, host, Purpose::Join, body, None, timeout);
                    }
                }
                Step::Wait => {
                    // A round has failed: perhaps the list is old.
                    if !was_waiting && join.wake().is_some() {
                        self.events.push_back(Event::HostsWanted);
                    }
                    return;
                }
                Step::Done(joined) if self.stays_aside => {
                    self.phase = Phase::Aside(joined);
                    self.events.push_back(Event::Looked { joined });
                    if self.is_to_enter {
                        self.enter(now);
                    }
                }
                Step::Done(joined) => self.become_ready(now, joined),
            }
        }
    }

    pub(super) fn become_ready(&mut self, now: Instant, joined: usize) {
        self.phase = Phase::Ready;
        let first = self.config.period.mul_f64(self.rng.fraction());
        self.next_period = Some(now + first);
        self.heal.start(now, &self.config.heal, &mut self.rng);
        self.events.push_back(Event::Ready { joined });
    }

    /// Others may have looked at the same time, when there was nothing to see. Whoever enters last finds those
    /// who entered before.
    pub(super) fn look_for_the_lost_if_alone(&mut self) {
        let me = usize::from(self.mine.status().is_in_ring());
        if self.members.count_in_ring() == me {
            self.heal.want_hosts();
            self.events.push_back(Event::HostsWanted);
        }
    }

    pub(super) fn go_on_healing(&mut self, now: Instant) {
        let in_flight = self.calls.count(Purpose::HealJoin) + self.calls.count(Purpose::HealPing);
        if in_flight > 0 {
            return;
        }
        match self.heal.next(&self.config.heal) {
            None => {}
            Some(Next::Ask(target)) => {
                let body = (path::JOIN, self.join_body());
                let timeout = self.config.heal.timeout;
                self.send(now, target, Purpose::HealJoin, body, None, timeout);
            }
            Some(Next::Done { reached, watchers }) => {
                for id in watchers {
                    self.respond(id, admin::healed(&reached));
                }
            }
        }
    }

    /// The list of somebody who may be on the other side.
    pub(super) fn conclude_heal_join(&mut self, now: Instant, call: Call, outcome: Outcome<'_>) {
        let list = match outcome {
            Outcome::Answered(body) => self.read_list(body).ok(),
            _ => None,
        };
        let Some(list) = list else {
            self.heal.fail();
            return self.go_on_healing(now);
        };
        let list = list.membership.0;
        self.heal.reach(call.to.clone(), &list);
        let needed = heal::compare(&self.members, &list);
        if needed == heal::Reincarnations::default() {
            self.take_in(now, list, Spread::Gossip);
            let all = self.whole_membership();
            self.send_heal_ping(now, call.to, &all);
        } else {
            for (address, suspect) in &needed.ours {
                self.declare_unsigned(now, address, *suspect);
            }
            if !needed.theirs.is_empty() {
                let theirs = self.unsigned(&needed.theirs);
                self.send_heal_ping(now, call.to, &theirs);
            }
            self.heal.follow_up(now);
        }
        self.go_on_healing(now);
    }

    pub(super) fn say_farewell(&mut self, now: Instant) {
        if !matches!(self.phase, Phase::Ready) {
            return;
        }
        self.stop_gossip();
        self.heal.stop();
        let others = self.members.count_in_ring();
        let me = usize::from(self.mine.status().is_in_ring());
        let share = ((others - me) as f64 * self.config.evict_share).ceil() as usize;
        let count = share.min(self.piggyback_limit() as usize);
        self.become_status(now, Status::Faulty);
        self.phase = Phase::Leaving;
        for to in self.members.pick(count, &mut self.rng, &[&self.me]) {
            let (body, version) = self.ping_body(&to);
            let timeout = self.config.ping_timeout;
            let body = (path::PING, body);
            self.send(now, to, Purpose::Farewell, body, Some(version), timeout);
        }
    }

    pub(super) fn go_on_leaving(&mut self) {
        if matches!(self.phase, Phase::Leaving) && self.calls.count(Purpose::Farewell) == 0 {
            self.phase = Phase::Gone;
            self.events.push_back(Event::Evicted);
        }
    }

    fn send_heal_ping(&mut self, now: Instant, to: Arc<str>, changes: &[u8]) {
        let body = (path::PING, self.ping_with(changes));
        let timeout = self.config.heal.timeout;
        self.send(now, to, Purpose::HealPing, body, None, timeout);
    }

    /// Claims without a source: with ours, the other side would leave them out of its answer, have nothing to
    /// say, and exchange whole lists before that is safe.
    fn unsigned(&self, claims: &[(Arc<str>, Standing)]) -> Vec<u8> {
        wire::list(claims.iter().map(|(address, standing)| Said {
            address,
            standing: *standing,
            labels: self.members.labels(address).map(|labels| &**labels),
            source: None,
        }))
    }
}
