//! What became of our requests.

use std::sync::Arc;
use std::time::Instant;

use super::hearsay::Spread;
use super::{Node, Phase};
use crate::calls::{Call, Purpose};
use crate::checksum::{self, Line};
use crate::error::Refusal;
use crate::event::{Event, Outcome, RequestId};
use crate::labels::Labels;
use crate::reach::{Reach, ReachId, Why};
use crate::wire::{Exchange, JoinResponse, read};

impl Node {
    /// Takes in how a request ended. One that is over, by its timeout or otherwise, still brings its news.
    pub fn handle_response(&mut self, now: Instant, id: RequestId, outcome: Outcome<'_>) {
        if outcome != Outcome::Lost {
            self.hear(now);
        }
        match self.calls.take(id) {
            Some(call) => self.conclude(now, call, outcome),
            None => self.take_in_late(now, outcome),
        }
        self.handle_timeout(now);
    }

    pub(super) fn conclude(&mut self, now: Instant, call: Call, outcome: Outcome<'_>) {
        match call.purpose {
            Purpose::Reach(reach) => self.conclude_ping(now, &call, reach, outcome),
            Purpose::PingReq(reach) => self.conclude_ping_req(now, call, reach, outcome),
            Purpose::Join => self.conclude_join(now, call, outcome),
            Purpose::FullSync => {
                if let Outcome::Answered(body) = outcome
                    && let Ok(list) = self.read_list(body)
                {
                    self.take_in(now, list.membership.0, Spread::Gossip);
                }
            }
            Purpose::HealJoin => self.conclude_heal_join(now, call, outcome),
            Purpose::HealPing => {
                self.take_in_exchange(now, &call, outcome);
                self.go_on_healing(now);
            }
            Purpose::Farewell => {
                self.take_in_exchange(now, &call, outcome);
            }
        }
    }

    fn conclude_ping(&mut self, now: Instant, call: &Call, id: ReachId, outcome: Outcome<'_>) {
        let answered = self.take_in_exchange(now, call, outcome).is_some();
        let reach = match outcome {
            _ if answered => self.reaches.answered(id),
            Outcome::Refused => self.reaches.refused(id),
            _ => self.reaches.failed(id),
        };
        if let Some(reach) = reach {
            self.end_reach(now, reach, answered, outcome == Outcome::Refused);
        }
    }

    /// A member was reached, or was not.
    pub(super) fn end_reach(&mut self, now: Instant, reach: Reach, answered: bool, refused: bool) {
        match reach.why {
            Why::Look => {}
            Why::Probe => match answered {
                true => self.probe_succeeded(now, reach.id),
                false => self.probe_failed(reach.id, refused),
            },
            Why::Help(id) => {
                let Some(help) = self.helps.remove(&id) else {
                    return;
                };
                let response = match answered || !self.health.is_deaf(now) {
                    true => self.help_answer(&help, &reach.target, answered),
                    false => Refusal::Deaf {
                        target: reach.target.to_string(),
                    }
                    .into(),
                };
                self.respond(id, response);
            }
        }
    }

    fn conclude_ping_req(&mut self, now: Instant, call: Call, id: ReachId, outcome: Outcome<'_>) {
        let reached = self.take_in_exchange(now, &call, outcome);
        let Some(probe) = self.probe.as_mut().filter(|probe| probe.reach == id) else {
            return;
        };
        match reached {
            Some(true) => {
                self.reaches.cancel(id);
                self.end_period(now);
            }
            Some(false) => probe.nack(call.to),
            None => probe.lose_helper(outcome == Outcome::Refused),
        }
    }

    fn conclude_join(&mut self, now: Instant, call: Call, outcome: Outcome<'_>) {
        let list = match outcome {
            Outcome::Answered(body) => self.read_list(body).ok(),
            _ => None,
        };
        let list = list.filter(|list| self.adopt_flavour(&call.to, list));
        let answered = list.is_some();
        if let Some(list) = list {
            self.take_in(now, list.membership.0, Spread::Keep);
        }
        if let Phase::Joining(join) = &mut self.phase {
            match answered {
                true => join.let_in(call.to),
                false => join.fail(outcome == Outcome::Refused),
            }
        }
    }

    /// Writes checksums from now on as this member does. Fails if it does in a way that we cannot.
    fn adopt_flavour(&mut self, member: &Arc<str>, list: &JoinResponse<'_>) -> bool {
        let theirs = list.membership_checksum.0.unwrap_or_default() as u32;
        // A lone Go node says 0, and so does one that does not say.
        if theirs == 0 || !matches!(self.phase, Phase::Joining(_)) {
            return true;
        }
        let lines = list.membership.0.iter().map(|claim| Line {
            address: &claim.address,
            standing: claim.standing,
            label_checksum: claim.labels.as_ref().map_or(0, Labels::checksum),
        });
        let flavour = checksum::detect(&mut lines.collect::<Vec<_>>(), theirs);
        match flavour {
            Some(flavour) => self.members.set_flavour(flavour),
            None => self.events.push_back(Event::ForeignChecksum {
                member: member.clone(),
                checksum: theirs,
            }),
        }
        flavour.is_some()
    }

    /// Takes in the changes of an answer. Returns `pingStatus`, or `None` if there was no answer.
    fn take_in_exchange(
        &mut self,
        now: Instant,
        call: &Call,
        outcome: Outcome<'_>,
    ) -> Option<bool> {
        let Outcome::Answered(body) = outcome else {
            return None;
        };
        let exchange: Exchange<'_> = read(body, self.config.limits.body_bytes).ok()?;
        if let Some(version) = call.carries {
            let limit = self.piggyback_limit();
            self.dissemination.arrived(version, limit);
        }
        self.take_in(now, exchange.changes.0, Spread::Gossip);
        Some(exchange.ping_status.0)
    }

    /// An answer after its time: its verdict is stale, its changes are not.
    fn take_in_late(&mut self, now: Instant, outcome: Outcome<'_>) {
        if let Outcome::Answered(body) = outcome
            && let Ok(exchange) = read::<Exchange<'_>>(body, self.config.limits.body_bytes)
        {
            self.take_in(now, exchange.changes.0, Spread::Gossip);
        }
    }

    /// Somebody's membership, if it is of our ring.
    pub(super) fn read_list<'a>(&self, body: &'a [u8]) -> Result<JoinResponse<'a>, Refusal> {
        let list: JoinResponse<'a> = read(body, self.config.limits.body_bytes)?;
        let theirs = &*list.app.0;
        if !theirs.is_empty() && *theirs != *self.config.app {
            return Err(Refusal::OtherApp {
                theirs: theirs.to_owned(),
                ours: self.config.app.clone(),
            });
        }
        Ok(list)
    }
}
