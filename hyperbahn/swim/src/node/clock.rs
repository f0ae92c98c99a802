//! What is due: periods, pings, verdicts, deadlines.

use std::sync::Arc;
use std::time::Instant;

use super::Node;
use crate::admin;
use crate::calls::Purpose;
use crate::event::{AnswerId, Event, Outcome};
use crate::probe::{Probe, Verdict};
use crate::reach::{ReachId, Step, Why};
use crate::status::Status;
use crate::suspicion::{Departure, Due};
use crate::wire::path;

impl Node {
    /// Does all that is due. Calling it early does no harm.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(call) = self.calls.take_expired(now) {
            self.conclude(now, call, Outcome::Lost);
        }
        self.go_on_joining(now);
        self.end_departures(now);
        if self.next_period.is_some_and(|at| at <= now) {
            self.start_period(now);
        }
        self.go_on_reaching(now);
        self.go_on_probing(now);
        // A verdict may want a look.
        self.go_on_reaching(now);
        self.look_for_the_lost(now);
        self.go_on_healing(now);
        self.go_on_leaving();
    }

    /// One period: the next member in the round. Skipped while another is running.
    pub(super) fn start_period(&mut self, now: Instant) {
        if self.probe.is_some() {
            return;
        }
        let repeats = self.next_period.take().is_some();
        let Some(target) = self.members.next_in_round(&mut self.rng, &self.me) else {
            self.next_period = repeats.then(|| now + self.config.period);
            return;
        };
        let (target, standing) = (target.address.clone(), target.standing);
        let timeout = self.health.stretch(self.config.ping_timeout);
        let reach = self.reaches.start(target.clone(), Why::Probe, now, timeout);
        self.probe = Some(Probe::new(target, standing, reach, now, timeout, repeats));
        self.go_on_reaching(now);
    }

    pub(super) fn end_period(&mut self, now: Instant) {
        let Some(probe) = self.probe.take() else {
            return;
        };
        let took = now.saturating_duration_since(probe.started);
        // A silent member says nothing about the speed of the others.
        self.pace.record(took.min(self.config.ping_timeout));
        if probe.repeats {
            let shortest = self.health.stretch(self.config.period);
            self.next_period = Some(now + self.pace.wait(shortest));
        }
        self.answer_watchers(probe.watchers);
    }

    pub(super) fn probe_succeeded(&mut self, now: Instant, id: ReachId) {
        if self.probe.as_ref().is_some_and(|probe| probe.reach == id) {
            self.health.improve();
            self.end_period(now);
        }
    }

    pub(super) fn probe_failed(&mut self, id: ReachId, refused: bool) {
        if let Some(probe) = self.probe.as_mut().filter(|probe| probe.reach == id) {
            probe.fail(refused);
        }
    }

    pub(super) fn watch_probe(&mut self, watcher: AnswerId) {
        if let Some(probe) = &mut self.probe {
            probe.watchers.push(watcher);
        }
    }

    pub(super) fn answer_watchers(&mut self, watchers: Vec<AnswerId>) {
        for id in watchers {
            let checksum = self.members.checksum();
            self.respond(id, admin::checksum(checksum));
        }
    }

    fn go_on_reaching(&mut self, now: Instant) {
        while let Some(step) = self.reaches.next(now) {
            match step {
                Step::GaveUp(reach) => self.end_reach(now, reach, false, false),
                Step::Ping {
                    id,
                    target,
                    timeout,
                } => {
                    let (body, version) = self.ping_body(&target);
                    let body = (path::PING, body);
                    let purpose = Purpose::Reach(id);
                    self.send(now, target, purpose, body, Some(version), timeout);
                }
            }
        }
    }

    fn go_on_probing(&mut self, now: Instant) {
        let Some(probe) = &mut self.probe else {
            return;
        };
        if probe.must_ask(now) {
            let (target, reach) = (probe.target.clone(), probe.reach);
            let count = self.ask_helpers(now, &target, reach);
            if let Some(probe) = &mut self.probe {
                probe.asked(count);
            }
        }
        let Some(probe) = &mut self.probe else {
            return;
        };
        let Some(verdict) = probe.verdict() else {
            return;
        };
        let (target, standing) = (probe.target.clone(), probe.standing);
        let is_gone = probe.was_refused();
        self.health.worsen(probe.doubts());
        self.end_period(now);
        let witnesses = match verdict {
            Verdict::Suspect { witnesses } => witnesses,
            Verdict::Inconclusive if self.is_cut_off(now) => Vec::new(),
            Verdict::Inconclusive => return,
        };
        self.accuse(now, &target, standing, &witnesses);
        if !is_gone {
            self.look_at(now, target);
        }
    }

    /// Whether the silence has lasted so long that it does not matter any more whose fault it is: a ring of
    /// those who cannot be reached serves nobody.
    fn is_cut_off(&self, now: Instant) -> bool {
        self.health.silence(now) >= self.health.longest(self.config.suspect_period)
    }

    fn ask_helpers(&mut self, now: Instant, target: &Arc<str>, reach: ReachId) -> u32 {
        let count = self.config.ping_req_size;
        let helpers = self.members.pick(count, &mut self.rng, &[&self.me, target]);
        let timeout = self.config.ping_req_timeout;
        for helper in &helpers {
            let (body, version) = self.ping_req_body(target);
            let body = (path::PING_REQ, body);
            let purpose = Purpose::PingReq(reach);
            self.send(now, helper.clone(), purpose, body, Some(version), timeout);
        }
        helpers.len() as u32
    }

    fn end_departures(&mut self, now: Instant) {
        while let Some(due) = self.departures.next(now) {
            match due {
                Due::Look(address) => self.look_at(now, address),
                Due::Over(address, departure) => self.end_departure(now, address, departure),
            }
        }
    }

    fn end_departure(&mut self, now: Instant, address: Arc<str>, departure: Departure) {
        let standing = departure.standing;
        match standing.status() {
            Status::Suspect if self.must_defer(now) => {
                self.departures.defer(address, departure, now);
            }
            Status::Suspect => self.declare(now, &address, standing.with(Status::Faulty)),
            Status::Faulty | Status::Leave => {
                self.declare(now, &address, standing.with(Status::Tombstone));
            }
            Status::Alive | Status::Tombstone => self.forget(&address),
        }
    }

    /// Whether the silence of a suspect may be ours: nobody is heard at all, though others should be.
    fn must_defer(&self, now: Instant) -> bool {
        let me = usize::from(self.mine.status() == Status::Alive);
        let others = self.members.count(Status::Alive) - me;
        self.health.is_deaf(now) && others > 0 && !self.is_cut_off(now)
    }

    fn look_at(&mut self, now: Instant, suspect: Arc<str>) {
        if self.is_ready() && !self.reaches.is_looking_at(&suspect) {
            let timeout = self.health.stretch(self.config.ping_timeout);
            self.reaches.start(suspect, Why::Look, now, timeout);
        }
    }

    fn forget(&mut self, address: &Arc<str>) {
        let before = self
            .members
            .get(address)
            .map(|entry| self.members.member(entry));
        self.members.remove(address);
        self.events.push_back(Event::Changed(vec![crate::Change {
            before,
            after: None,
            source: self.me.clone(),
        }]));
    }

    fn look_for_the_lost(&mut self, now: Instant) {
        let in_ring = self.members.count_in_ring();
        let config = &self.config.heal;
        if self.heal.is_due(now, config, in_ring, &mut self.rng) {
            self.events.push_back(Event::HostsWanted);
        }
    }
}
