//! What peers and operators ask of us.

use std::time::Instant;

use super::hearsay::Spread;
use super::{Help, Node, Phase};
use crate::admin::{self, Endpoint};
use crate::calls::Purpose;
use crate::error::Refusal;
use crate::event::{Answer, Event, Response};
use crate::reach::Why;
use crate::wire::{Exchange, JoinRequest, path, read};

impl Node {
    /// Takes in a request: its endpoint and its arg3.
    pub fn handle_request(&mut self, now: Instant, endpoint: Endpoint, body: &[u8]) -> Answer {
        self.received.mark(now);
        let answer = match endpoint {
            Endpoint::Join => self.answer_join(body).map(Answer::Now),
            Endpoint::Ping => self.answer_ping(now, body).map(Answer::Now),
            Endpoint::PingReq => self.answer_ping_req(now, body),
            _ => Ok(self.answer_operator(now, endpoint)),
        };
        self.handle_timeout(now);
        answer.unwrap_or_else(|refusal| Answer::Now(refusal.into()))
    }

    /// Our membership, to whoever may ask. It does not add the caller, who will tell of itself.
    fn answer_join(&mut self, body: &[u8]) -> Result<Response, Refusal> {
        let request: JoinRequest<'_> = read(body, self.config.limits.body_bytes)?;
        let source = &*request.source.0;
        if *source == *self.me {
            let address = source.to_owned();
            return Err(Refusal::SelfJoin { address });
        }
        if !is_host_port(source) {
            let source_address = source.to_owned();
            return Err(Refusal::BadSource { source_address });
        }
        self.check_app(&request.app.0)?;
        Ok(Response::new(self.join_answer()))
    }

    fn answer_ping(&mut self, now: Instant, body: &[u8]) -> Result<Response, Refusal> {
        if !self.answers_pings() {
            return Err(Refusal::NotReady);
        }
        let ping: Exchange<'_> = read(body, self.config.limits.body_bytes)?;
        if !ping.app.0.is_empty() {
            self.check_app(&ping.app.0)?;
        }
        self.hear(now);
        self.take_in(now, ping.changes.0, Spread::Gossip);
        let incarnation = ping.source_incarnation_number.0.unwrap_or_default();
        let limit = self.piggyback_limit();
        let changes = self
            .dissemination
            .issue_answer(&ping.source.0, incarnation, limit);
        let theirs = ping.checksum.0;
        if !changes.is_empty() || theirs.is_none_or(|sum| sum == u64::from(self.members.checksum()))
        {
            return Ok(Response::new(self.ping_answer(&changes)));
        }
        let membership = self.whole_membership();
        self.start_reverse_full_sync(now, &ping.source.0);
        Ok(Response::new(self.ping_answer(&membership)))
    }

    fn answer_ping_req(&mut self, now: Instant, body: &[u8]) -> Result<Answer, Refusal> {
        if !self.answers_pings() {
            return Err(Refusal::NotReady);
        }
        let request: Exchange<'_> = read(body, self.config.limits.body_bytes)?;
        self.hear(now);
        self.take_in(now, request.changes.0, Spread::Gossip);
        for address in [&request.source.0, &request.target.0] {
            self.check_length(address)?;
        }
        let help = Help {
            caller: self.shared(&request.source.0),
            incarnation: request.source_incarnation_number.0.unwrap_or_default(),
            checksum: request.checksum.0.map(|sum| sum as u32),
        };
        let target = self.shared(&request.target.0);
        if target == self.me {
            return Ok(Answer::Now(self.help_answer(&help, &target, true)));
        }
        let limit = self.config.limits.helps;
        if self.reaches.count_helps() >= limit {
            return Err(Refusal::TooManyHelps { limit });
        }
        let id = self.later();
        self.helps.insert(id, help);
        let timeout = self.config.ping_timeout;
        self.reaches.start(target, Why::Help(id), now, timeout);
        Ok(Answer::Later(id))
    }

    fn answer_operator(&mut self, now: Instant, endpoint: Endpoint) -> Answer {
        Answer::Now(match endpoint {
            Endpoint::GossipTick => return self.answer_tick(now),
            Endpoint::Heal if self.heal.watchers() >= self.config.limits.helps => {
                admin::not_healed("too many wait for the end of this already: ask again later")
            }
            Endpoint::Heal => {
                let id = self.later();
                self.heal.demand(id);
                self.events.push_back(Event::HostsWanted);
                return Answer::Later(id);
            }
            Endpoint::GossipStart => {
                self.start_gossip(now);
                admin::empty()
            }
            Endpoint::GossipStop => {
                self.stop_gossip();
                admin::empty()
            }
            Endpoint::GossipToggle => {
                match self.gossips() {
                    true => self.stop_gossip(),
                    false => self.start_gossip(now),
                }
                admin::empty()
            }
            Endpoint::GossipStatus => {
                admin::done(if self.gossips() { "started" } else { "stopped" })
            }
            Endpoint::Leave => {
                self.leave(now);
                admin::done("ok")
            }
            Endpoint::Rejoin => {
                self.rejoin(now);
                admin::done("rejoined")
            }
            Endpoint::Reap => admin::reaped(self.reap(now)),
            Endpoint::DampReq => admin::no_damp_scores(),
            Endpoint::Health
            | Endpoint::Debug
            | Endpoint::Join
            | Endpoint::Ping
            | Endpoint::PingReq => admin::health(),
        })
    }

    /// One period now, answered at its end; at once while another is running.
    fn answer_tick(&mut self, now: Instant) -> Answer {
        if self.probe.is_none() && self.is_ready() {
            self.start_period(now);
            if self.probe.is_some() {
                let id = self.later();
                self.watch_probe(id);
                return Answer::Later(id);
            }
        }
        Answer::Now(admin::checksum(self.members.checksum()))
    }

    /// What a caller of ping-req hears.
    pub(super) fn help_answer(&mut self, help: &Help, target: &str, answered: bool) -> Response {
        let limit = self.piggyback_limit();
        let changes = self
            .dissemination
            .issue_answer(&help.caller, help.incarnation, limit);
        let differs = help
            .checksum
            .is_some_and(|sum| sum != self.members.checksum());
        let changes = match changes.is_empty() && differs {
            true => self.whole_membership(),
            false => changes,
        };
        Response::new(crate::wire::ping_req_response(&changes, target, answered))
    }

    /// Asks for the caller's list too: it may know what we do not.
    ///
    /// Source: spec/ringpop/membership.md, "full sync".
    fn start_reverse_full_sync(&mut self, now: Instant, caller: &str) {
        let running = self.calls.count(Purpose::FullSync);
        let is_possible =
            is_host_port(caller) && self.check_length(caller).is_ok() && *caller != *self.me;
        if is_possible && running < self.config.max_reverse_full_syncs {
            let body = (path::JOIN, self.join_body());
            let timeout = self.config.full_sync_timeout;
            self.send(
                now,
                self.shared(caller),
                Purpose::FullSync,
                body,
                None,
                timeout,
            );
        }
    }

    /// An address is held while a request about it is under way, so it may not be just any length.
    fn check_length(&self, address: &str) -> Result<(), Refusal> {
        let (length, limit) = (address.len(), self.config.limits.address_bytes);
        if length <= limit {
            return Ok(());
        }
        let why = format!("an address of {length} bytes is over the limit of {limit}");
        Err(Refusal::BadBody { why })
    }

    fn check_app(&self, theirs: &str) -> Result<(), Refusal> {
        if theirs == self.config.app {
            return Ok(());
        }
        Err(Refusal::OtherApp {
            theirs: theirs.to_owned(),
            ours: self.config.app.clone(),
        })
    }

    /// Somebody was heard. After a silence the suspects of that time get another chance.
    pub(super) fn hear(&mut self, now: Instant) {
        if self.health.hear(now) {
            self.departures.grant(now);
        }
    }

    pub(super) fn start_gossip(&mut self, now: Instant) {
        if !matches!(self.phase, Phase::Ready) || self.gossips() {
            return;
        }
        match &mut self.probe {
            Some(probe) => probe.repeats = true,
            None => self.next_period = Some(now),
        }
    }

    fn gossips(&self) -> bool {
        self.next_period.is_some() || self.probe.as_ref().is_some_and(|probe| probe.repeats)
    }

    pub(super) fn stop_gossip(&mut self) {
        self.next_period = None;
        if let Some(probe) = self.probe.take() {
            self.reaches.cancel(probe.reach);
            self.answer_watchers(probe.watchers);
        }
    }
}

fn is_host_port(address: &str) -> bool {
    let is_number = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    address
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && is_number(port))
}
