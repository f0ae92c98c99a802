//! What is said about members, by others and by us, and what follows from it.
//!
//! Source: spec/ringpop/membership.md, "who overrides whom"; spec/ringpop/membership.md, "about oneself".

use std::sync::Arc;
use std::time::Instant;

use super::Node;
use crate::event::{Change, Event, Member};
use crate::labels::Labels;
use crate::members::Place;
use crate::status::{Standing, Status};
use crate::wire::{Claim, Said};

/// Whether news is passed on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Spread {
    Gossip,
    /// Learned by joining: the ring knows it already.
    Keep,
}

/// Who says something, in which life; nobody if the address is empty.
#[derive(Clone)]
struct Source {
    address: Arc<str>,
    incarnation: u64,
}

impl Node {
    /// Takes in a batch of claims and tells the owner of all that came of it in one event.
    pub(super) fn take_in(&mut self, now: Instant, claims: Vec<Claim<'_>>, spread: Spread) {
        if claims.is_empty() {
            return;
        }
        let unknown = claims.len().saturating_sub(self.members.len());
        self.members
            .reserve(unknown.min(self.config.limits.members));
        let mut changes = Vec::new();
        let mut near = 0;
        for claim in claims {
            if *claim.address == *self.me {
                self.hear_of_myself(now, &claim, &mut changes);
            } else if self.is_acceptable(&claim) {
                near = self.hear_of_another(now, claim, near, spread, &mut changes) + 1;
            }
        }
        self.tell(changes);
    }

    /// Says something about another member in our own name.
    pub(super) fn declare(&mut self, now: Instant, address: &Arc<str>, standing: Standing) {
        let labels = self.members.labels(address).cloned();
        let mut changes = Vec::new();
        let source = self.myself();
        let about = (self.members.find(address, 0), address);
        self.believe(now, about, standing, labels, &source, &mut changes);
        self.pass_on(address, &source);
        self.tell(changes);
    }

    /// Says something that looks like nobody's.
    pub(super) fn declare_unsigned(
        &mut self,
        now: Instant,
        address: &Arc<str>,
        standing: Standing,
    ) {
        let claim = Claim {
            address: (**address).into(),
            standing,
            source: "".into(),
            source_incarnation: 0,
            labels: self
                .members
                .labels(address)
                .map(|labels| Labels::clone(labels)),
        };
        self.take_in(now, vec![claim], Spread::Gossip);
    }

    /// Takes on a status, in a new life, and tells the ring.
    pub(super) fn become_status(&mut self, now: Instant, status: Status) {
        let mut changes = Vec::new();
        self.reincarnate(now, self.mine.incarnation() + 1, status, &mut changes);
        self.tell(changes);
    }

    /// Accuses a member whose probe failed, with those who could not reach it either.
    pub(super) fn accuse(
        &mut self,
        now: Instant,
        target: &Arc<str>,
        picked: Standing,
        witnesses: &[Arc<str>],
    ) {
        let suspect = picked.with(Status::Suspect);
        let known = self.members.standing(target);
        if known.is_some_and(|known| suspect > known) {
            self.declare(now, target, suspect);
        } else {
            self.confirm(target, suspect, &self.myself());
        }
        for witness in witnesses {
            self.departures.confirm(target, suspect, witness);
        }
    }

    /// Returns where the member is, or would be, in the list.
    fn hear_of_another(
        &mut self,
        now: Instant,
        claim: Claim<'_>,
        near: usize,
        spread: Spread,
        changes: &mut Vec<Change>,
    ) -> usize {
        let place = self.members.find(&claim.address, near);
        let known = self.members.at(place);
        let labels = claim.labels.as_ref();
        let is_news = self.members.is_overridden(known, claim.standing, labels);
        let is_suspicion = claim.standing.status() == Status::Suspect;
        if is_news {
            let address = known.map(|entry| entry.address.clone());
            let address = address.unwrap_or_else(|| (self.config.intern)(&claim.address));
            let source = self.source_of(&claim, changes);
            let about = (place, &address);
            let labels = claim.labels.map(Arc::new);
            self.believe(now, about, claim.standing, labels, &source, changes);
            if spread == Spread::Gossip {
                self.pass_on(&address, &source);
            }
        } else if is_suspicion && spread == Spread::Gossip {
            let source = self.source_of(&claim, changes);
            self.confirm(&claim.address, claim.standing, &source);
        }
        place.unwrap_or_else(|at| at)
    }

    /// Somebody says of us what would be believed of another: contradict, in a life after the one it is
    /// about, however far that is ahead of the clock.
    fn hear_of_myself(&mut self, now: Instant, claim: &Claim<'_>, changes: &mut Vec<Change>) {
        let labels = claim.labels.as_ref();
        let known = self.members.get(&self.me);
        if !self.members.is_overridden(known, claim.standing, labels) {
            return;
        }
        let claimed = claim.standing.status();
        if matches!(claimed, Status::Suspect | Status::Faulty) {
            self.health.worsen(1);
        }
        let status = self.mine.status();
        let after = claim.standing.incarnation() + 1;
        if self.reincarnate(now, after, status, changes) {
            self.events.push_back(Event::Refuted {
                claimed,
                source: self.shared(&claim.source),
                incarnation: self.mine.incarnation(),
            });
        }
    }

    /// Begins a new life, `at_least` as late as this. Fails only at the end of all numbers.
    fn reincarnate(
        &mut self,
        now: Instant,
        at_least: u64,
        status: Status,
        changes: &mut Vec<Change>,
    ) -> bool {
        let passed = now.saturating_duration_since(self.created).as_millis();
        let wall_ms = self.wall_ms.saturating_add(passed as u64);
        let Some(standing) = Standing::new(wall_ms.max(at_least), status) else {
            return false;
        };
        self.mine = standing;
        let me = self.me.clone();
        let source = Source {
            address: me.clone(),
            incarnation: standing.incarnation(),
        };
        let labels = self.labels.clone();
        let about = (self.members.find(&me, 0), &me);
        self.believe(now, about, standing, labels, &source, changes);
        self.pass_on(&me, &source);
        true
    }

    /// Writes down what is believed from now on, and starts or stops the member's time.
    fn believe(
        &mut self,
        now: Instant,
        (place, address): (Place, &Arc<str>),
        standing: Standing,
        labels: Option<Arc<Labels>>,
        source: &Source,
        changes: &mut Vec<Change>,
    ) {
        let before = self.members.set(place, address, standing, labels.clone());
        let after = Member {
            address: address.clone(),
            status: standing.status(),
            incarnation: standing.incarnation(),
            labels,
        };
        let is_other = before.as_ref().is_none_or(|before| {
            (before.status, before.incarnation) != (after.status, after.incarnation)
        });
        if is_other && *address != self.me {
            self.departures.set(address, standing, now);
            self.confirm_first(address, standing, source);
        }
        changes.push(Change {
            before,
            after: Some(after),
            source: source.address.clone(),
        });
    }

    fn confirm_first(&mut self, address: &str, standing: Standing, source: &Source) {
        if standing.status() == Status::Suspect && !source.address.is_empty() {
            self.departures.confirm(address, standing, &source.address);
        }
    }

    /// Another accuser of a suspect. If that shortens its time here, it should elsewhere.
    fn confirm(&mut self, address: &str, standing: Standing, source: &Source) {
        if source.address.is_empty() {
            return;
        }
        if self.departures.confirm(address, standing, &source.address) {
            let address = self.shared(address);
            self.pass_on(&address, source);
        }
    }

    fn pass_on(&mut self, address: &Arc<str>, source: &Source) {
        let Some(entry) = self.members.get(address) else {
            return;
        };
        let said = Said {
            address,
            standing: entry.standing,
            labels: self.members.labels(address).map(|labels| &**labels),
            source: Some((&source.address, source.incarnation)),
        };
        self.dissemination.record(address, &source.address, said);
    }

    fn is_acceptable(&self, claim: &Claim<'_>) -> bool {
        let limits = &self.config.limits;
        let is_short = claim.address.len() <= limits.address_bytes
            && claim.source.len() <= limits.address_bytes;
        let is_modest = |labels: &Labels| {
            labels.iter().count() <= limits.labels
                && labels.iter().all(|(key, value)| {
                    key.len() <= limits.label_key_bytes && value.len() <= limits.label_value_bytes
                })
        };
        let has_room =
            self.members.len() < limits.members || self.members.get(&claim.address).is_some();
        is_short && has_room && claim.labels.as_ref().is_none_or(is_modest)
    }

    /// Who made a claim: mostly the one who made that before.
    fn source_of(&self, claim: &Claim<'_>, changes: &[Change]) -> Source {
        let last = changes.last().map(|change| &change.source);
        let last = last.filter(|last| ***last == *claim.source);
        Source {
            address: last.map_or_else(|| self.shared(&claim.source), Arc::clone),
            incarnation: claim.source_incarnation,
        }
    }

    fn myself(&self) -> Source {
        Source {
            address: self.me.clone(),
            incarnation: self.mine.incarnation(),
        }
    }

    fn tell(&mut self, changes: Vec<Change>) {
        if !changes.is_empty() {
            self.events.push_back(Event::Changed(changes));
        }
    }
}
