//! Carrying messages and waking members.

use std::time::Duration;

use hyperbahn_swim::{
    Answer, Change, Endpoint, Event, Member, Node, Outcome, Request, RequestId, Response, Status,
};

use super::address::{address, seat_of};
use super::{Happening, World};
use crate::Nanos;

impl World {
    pub(super) fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Wake(member) => self.wake(member),
            Happening::Request {
                from,
                life,
                to,
                request,
            } => self.deliver_request(from, life, to, request),
            Happening::Response {
                to,
                life,
                id,
                response,
            } => self.deliver_response(to, life, id, response),
        }
    }

    fn wake(&mut self, member: usize) {
        let seat = &mut self.seats[member];
        if seat.wake_at != self.now || seat.node.is_none() {
            return;
        }
        if seat.frozen_until > self.now {
            seat.wake_at = seat.frozen_until;
            let wake = Happening::Wake(member);
            return self.queue.push(self.seats[member].wake_at, wake);
        }
        seat.wake_at = Nanos::MAX;
        self.record(1, member, 0, 0);
        let now = self.instant();
        self.node(member).handle_timeout(now);
        self.settle(member);
    }

    fn deliver_request(&mut self, from: usize, life: u32, to: usize, request: Request) {
        if let Some(until) = self.network.held(self.now, to) {
            let held = Happening::Request {
                from,
                life,
                to,
                request,
            };
            return self.queue.push(until, held);
        }
        self.record(2, from, to, request.body.len());
        let now = self.instant();
        let seat = &mut self.seats[to];
        let Some(node) = seat.node.as_mut() else {
            if seat.refuses {
                self.respond(to, from, life, request.id, None);
            }
            return;
        };
        let endpoint = Endpoint::from_path(request.path).expect("an endpoint of members");
        match node.handle_request(now, endpoint, &request.body) {
            Answer::Now(response) => self.respond(to, from, life, request.id, Some(response)),
            Answer::Later(id) => {
                seat.later.insert(id, (from, life, request.id));
            }
        }
        self.settle(to);
    }

    fn deliver_response(
        &mut self,
        to: usize,
        life: u32,
        id: RequestId,
        response: Option<Response>,
    ) {
        if let Some(until) = self.network.held(self.now, to) {
            let held = Happening::Response {
                to,
                life,
                id,
                response,
            };
            return self.queue.push(until, held);
        }
        let size = response.as_ref().map_or(0, |response| response.body.len());
        self.record(3, to, 0, size);
        let now = self.instant();
        let Some(node) = self.live(to, life) else {
            return;
        };
        let outcome = match &response {
            Some(response) if response.ok => Outcome::Answered(&response.body),
            Some(_) => Outcome::Rejected,
            None => Outcome::Refused,
        };
        node.handle_response(now, id, outcome);
        self.settle(to);
    }

    /// Has this member hear something about another from nobody in particular.
    pub fn rumour(&mut self, ear: usize, about: usize, status: Status, incarnation: u64) {
        let about = address(about);
        let body = format!(
            r#"{{"changes":[{{"address":"{about}","status":"{status}","incarnationNumber":{incarnation}}}]}}"#
        );
        let now = self.instant();
        let heard = self
            .node(ear)
            .handle_request(now, Endpoint::Ping, body.as_bytes());
        assert!(matches!(heard, Answer::Now(response) if response.ok));
        self.settle(ear);
    }

    /// Carries out what a member wants, until it wants no more, and schedules its next wake.
    pub(super) fn settle(&mut self, member: usize) {
        let life = self.seats[member].life;
        while let Some(request) = self.node(member).poll_request() {
            let to = seat_of(&request.to);
            self.count(member, request.body.len());
            if let Some(at) = self.network.carry(&mut self.rng, self.now, member, to) {
                let sent = Happening::Request {
                    from: member,
                    life,
                    to,
                    request,
                };
                self.queue.push(at, sent);
            }
        }
        while let Some((id, response)) = self.node(member).poll_response() {
            if let Some((to, life, id)) = self.seats[member].later.remove(&id) {
                self.respond(member, to, life, id, Some(response));
            }
        }
        match self.node(member).poll_event() {
            None => self.schedule(member),
            Some(event) => {
                self.tell(member, event);
                if self.seats[member].node.is_some() {
                    self.settle(member);
                }
            }
        }
    }

    fn tell(&mut self, member: usize, event: Event) {
        match event {
            Event::HostsWanted => {
                let now = self.instant();
                let node = self.seats[member].node.as_mut();
                let node = node.expect("a member runs at this seat");
                node.handle_hosts(now, &self.hosts);
            }
            Event::Changed(changes) => {
                for change in &changes {
                    assert!(goes_forward(change), "seat {member}: {change:?}");
                    if let Some(after) = &change.after {
                        self.compare(member, after);
                    }
                }
                if let Some(told) = &mut self.told {
                    told.push((member, changes));
                }
            }
            Event::Evicted => self.stop(member),
            _ => {}
        }
    }

    /// Holds what a member believes against the truth.
    fn compare(&mut self, observer: usize, after: &Member) {
        let about = seat_of(&after.address);
        let seat = &mut self.seats[about];
        if about == observer {
            seat.incarnations.push(after.incarnation);
            return;
        }
        // What is said of an earlier life is no mistake about this one.
        let is_this_life = seat.incarnations.contains(&after.incarnation);
        let is_running = seat.node.is_some() && !seat.is_leaving && is_this_life;
        let now = self.now;
        self.observer.see(now, observer, about, after, is_running);
    }

    fn schedule(&mut self, member: usize) {
        let Some(node) = &self.seats[member].node else {
            return;
        };
        let Some(wake) = node.poll_timeout() else {
            return;
        };
        let at = wake.saturating_duration_since(self.origin).as_nanos() as Nanos;
        let at = at.max(self.now);
        let seat = &mut self.seats[member];
        if seat.wake_at != at {
            seat.wake_at = at;
            self.queue.push(at, Happening::Wake(member));
        }
    }

    fn respond(
        &mut self,
        from: usize,
        to: usize,
        life: u32,
        id: RequestId,
        response: Option<Response>,
    ) {
        if let Some(response) = &response {
            self.count(from, response.body.len());
        }
        if let Some(at) = self.network.carry(&mut self.rng, self.now, from, to) {
            let sent = Happening::Response {
                to,
                life,
                id,
                response,
            };
            self.queue.push(at, sent);
        }
    }

    fn live(&mut self, member: usize, life: u32) -> Option<&mut Node> {
        let seat = &mut self.seats[member];
        seat.node.as_mut().filter(|_| seat.life == life)
    }

    fn count(&mut self, member: usize, bytes: usize) {
        let seat = &mut self.seats[member];
        seat.messages += 1;
        seat.bytes += bytes as u64;
    }

    /// Folds an event into the trace.
    fn record(&mut self, kind: u64, from: usize, to: usize, size: usize) {
        self.events += 1;
        let words = [self.now, kind, from as u64, to as u64, size as u64];
        for word in words {
            self.trace = (self.trace.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
        }
    }

    /// Time since the beginning, as the members see it.
    pub(crate) fn instant(&self) -> std::time::Instant {
        self.origin + Duration::from_nanos(self.now)
    }
}

/// Whether what is believed of a member outranks what was: nothing ever goes back in time.
fn goes_forward(change: &Change) -> bool {
    let standing = |member: &Member| (member.incarnation, member.status);
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => {
            let same_life = standing(before) == standing(after);
            standing(before) < standing(after) || same_life && before.labels != after.labels
        }
        (before, after) => before.is_some() || after.is_some(),
    }
}
