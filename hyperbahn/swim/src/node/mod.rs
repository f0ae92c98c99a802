//! One member: what arrives goes in through `handle_*`, what is to be done comes out of `poll_*`.
//!
//! `requests` answers peers, `outcomes` reads what they answered us, `clock` does what is due, `hearsay`
//! takes in what is said about members, `entry` joins, heals and leaves, `bodies` writes what goes out.

mod bodies;
mod clock;
mod entry;
mod hearsay;
mod meter;
mod outcomes;
mod requests;
mod views;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use self::bodies::Quiet;
use self::meter::Meter;
use crate::calls::{Calls, Purpose};
use crate::config::Config;
use crate::dissemination::{Dissemination, Version};
use crate::event::{AnswerId, Event, Request, Response};
use crate::heal::Heal;
use crate::health::Health;
use crate::join::Join;
use crate::labels::Labels;
use crate::members::Members;
use crate::probe::{Pace, Probe};
use crate::reach::Reaches;
use crate::rng::Rng;
use crate::status::{Standing, Status};
use crate::suspicion::Departures;

/// A member of the ring. It does nothing by itself: call `handle_*` when something happens, then `poll_*`
/// until each says there is no more, and [`handle_timeout`](Self::handle_timeout) at the time that
/// [`poll_timeout`](Self::poll_timeout) names.
///
/// `now` never goes back from one call to the next.
pub struct Node {
    config: Config,
    me: Arc<str>,
    /// What the list says of this node, at hand.
    mine: Standing,
    labels: Option<Arc<Labels>>,
    created: Instant,
    wall_ms: u64,
    rng: Rng,
    phase: Phase,
    /// Whether the node enters only when told to, though it has looked.
    stays_aside: bool,
    is_to_enter: bool,

    members: Members,
    dissemination: Dissemination,
    departures: Departures,
    health: Health,
    reaches: Reaches,
    calls: Calls,
    probe: Option<Probe>,
    pace: Pace,
    next_period: Option<Instant>,
    heal: Heal,
    helps: BTreeMap<AnswerId, Help>,

    requests: VecDeque<Request>,
    responses: VecDeque<(AnswerId, Response)>,
    events: VecDeque<Event>,
    next_answer: u64,
    quiet: Option<Quiet>,
    sent: Meter,
    received: Meter,
}

enum Phase {
    /// [`Node::join`] has not been called.
    Outside,
    Joining(Box<Join>),
    /// It has looked, with so many answers, and is to enter.
    Aside(usize),
    Ready,
    /// As many farewells have no outcome yet.
    Leaving,
    Gone,
}

/// A ping on behalf of a peer.
struct Help {
    caller: Arc<str>,
    incarnation: u64,
    checksum: Option<u32>,
}

impl Node {
    /// A node outside any ring. `wall_ms` is the wall clock at `now`, milliseconds since 1970, from which
    /// incarnations come; it may be wrong. `seed` decides every random choice.
    pub fn new(config: Config, now: Instant, wall_ms: u64, seed: u64) -> Self {
        let me = (config.intern)(&config.address);
        let labels = (!config.labels.is_empty()).then(|| Arc::new(config.labels.clone()));
        let mut node = Self {
            labels,
            mine: Standing::LEAST,
            created: now,
            wall_ms,
            rng: Rng::new(seed),
            phase: Phase::Outside,
            stays_aside: false,
            is_to_enter: false,
            members: Members::new(config.checksum),
            dissemination: Dissemination::default(),
            departures: Departures::new(&config),
            health: Health::new(now, config.max_local_health, config.ping_timeout),
            reaches: Reaches::default(),
            calls: Calls::default(),
            probe: None,
            pace: Pace::new(),
            next_period: None,
            heal: Heal::default(),
            helps: BTreeMap::new(),
            requests: VecDeque::new(),
            responses: VecDeque::new(),
            events: VecDeque::new(),
            next_answer: 0,
            quiet: None,
            sent: Meter::new(now),
            received: Meter::new(now),
            me,
            config,
        };
        node.become_status(now, Status::Alive);
        node
    }

    /// Enters the ring of those hosts, `host:port` each; this node may be among them. Ends with
    /// [`Event::Ready`]. Does nothing if it was called before.
    pub fn join<S: AsRef<str>>(&mut self, now: Instant, hosts: impl IntoIterator<Item = S>) {
        if matches!(self.phase, Phase::Outside) {
            self.start_joining(now, hosts);
        }
    }

    /// Learns who is in the ring of those hosts, as [`join`](Self::join) does, but does not enter: it gossips
    /// nothing, refuses pings, and is in nobody's list. Ends with [`Event::Looked`]. May be repeated until
    /// [`enter`](Self::enter), and does nothing after that.
    ///
    /// Source: spec/ringpop/membership.md, "looking first".
    pub fn look<S: AsRef<str>>(&mut self, now: Instant, hosts: impl IntoIterator<Item = S>) {
        if matches!(self.phase, Phase::Outside | Phase::Aside(_)) {
            self.stays_aside = true;
            self.start_joining(now, hosts);
        }
    }

    /// Enters the ring that was looked at, or a ring of its own if it did not look. Ends with
    /// [`Event::Ready`], once looking is over. Does nothing if it is in, or was.
    ///
    /// Source: spec/ringpop/membership.md, "looking first".
    pub fn enter(&mut self, now: Instant) {
        self.is_to_enter = true;
        match self.phase {
            Phase::Outside => self.join(now, [""; 0]),
            Phase::Aside(joined) => {
                self.stays_aside = false;
                self.become_ready(now, joined);
                self.look_for_the_lost_if_alone();
            }
            Phase::Joining(_) | Phase::Ready | Phase::Leaving | Phase::Gone => {}
        }
    }

    /// The answer to [`Event::HostsWanted`]: those who should be in the ring, as far as anybody knows.
    pub fn handle_hosts<S: AsRef<str>>(
        &mut self,
        now: Instant,
        hosts: impl IntoIterator<Item = S>,
    ) {
        let is_joining = matches!(self.phase, Phase::Joining(_));
        if !is_joining && !self.heal.wants_hosts() {
            self.heal.count_hosts(hosts.into_iter().count());
            return;
        }
        let hosts = self.known_hosts(hosts);
        match &mut self.phase {
            Phase::Joining(join) => join.set_hosts(hosts),
            _ => self
                .heal
                .look(&hosts, &self.members, &self.me, &mut self.rng),
        }
        self.handle_timeout(now);
    }

    /// Owns no keys any more and says so, but goes on as a member.
    pub fn leave(&mut self, now: Instant) {
        self.become_status(now, Status::Leave);
    }

    /// Owns keys again.
    pub fn rejoin(&mut self, now: Instant) {
        self.become_status(now, Status::Alive);
        self.start_gossip(now);
    }

    /// Leaves for good: tells a share of the ring directly, so that nobody needs to find out. Ends with
    /// [`Event::Evicted`]. Requests are answered all the while.
    ///
    /// Source: spec/ringpop/membership.md, "self-eviction".
    pub fn evict(&mut self, now: Instant) {
        self.say_farewell(now);
        self.handle_timeout(now);
    }

    /// Adds, replaces or (`None`) removes a label of this node and tells the ring.
    pub fn set_label(&mut self, now: Instant, key: &str, value: Option<&str>) {
        let mut labels = self.labels.as_deref().cloned().unwrap_or_default();
        match value {
            Some(value) => labels.insert(key, value),
            None => {
                labels.remove(key);
            }
        }
        self.labels = (!labels.is_empty()).then(|| Arc::new(labels));
        self.become_status(now, self.mine.status());
    }

    /// Makes tombstones of all that are faulty. Returns how many there were.
    pub fn reap(&mut self, now: Instant) -> usize {
        let faulty = self.members.iter();
        let faulty = faulty.filter(|entry| entry.standing.status() == Status::Faulty);
        let faulty: Vec<_> = faulty
            .filter(|entry| entry.address != self.me)
            .map(|entry| {
                (
                    entry.address.clone(),
                    entry.standing.with(Status::Tombstone),
                )
            })
            .collect();
        for (address, standing) in &faulty {
            self.declare(now, address, *standing);
        }
        faulty.len()
    }

    /// The next request to make of another member.
    pub fn poll_request(&mut self) -> Option<Request> {
        self.requests.pop_front()
    }

    /// The next response to a request that was answered with [`Answer::Later`](crate::Answer::Later).
    pub fn poll_response(&mut self) -> Option<(AnswerId, Response)> {
        self.responses.pop_front()
    }

    /// The next thing to know.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), unless something else happens before. `None`
    /// for a node outside.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let join = match &self.phase {
            Phase::Joining(join) => join.wake(),
            _ => None,
        };
        [
            self.next_period,
            self.calls.wake(),
            self.reaches.wake(),
            self.probe.as_ref().and_then(Probe::wake),
            self.departures.wake(),
            self.heal.wake(),
            join,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn known_hosts<S: AsRef<str>>(&self, hosts: impl IntoIterator<Item = S>) -> Vec<Arc<str>> {
        let hosts = hosts.into_iter().take(self.config.limits.members);
        hosts.map(|host| self.shared(host.as_ref())).collect()
    }

    /// The address as a value that all who speak of it share.
    fn shared(&self, address: &str) -> Arc<str> {
        let known = self.members.get(address);
        known.map_or_else(
            || (self.config.intern)(address),
            |entry| entry.address.clone(),
        )
    }

    fn start_joining<S: AsRef<str>>(&mut self, now: Instant, hosts: impl IntoIterator<Item = S>) {
        let hosts = self.known_hosts(hosts);
        let join = Join::new(&self.config.join, &self.me, hosts, now);
        self.phase = Phase::Joining(Box::new(join));
        self.handle_timeout(now);
    }

    /// Whether nobody is to know of this node yet.
    fn is_aside(&self) -> bool {
        self.stays_aside || matches!(self.phase, Phase::Outside)
    }

    /// Pings are also answered after leaving, as long as the process runs: whoever was not told yet is told so,
    /// and need not suspect.
    fn answers_pings(&self) -> bool {
        self.is_ready() || matches!(self.phase, Phase::Gone)
    }

    fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Ready | Phase::Leaving)
    }

    fn piggyback_limit(&self) -> u32 {
        let me = usize::from(self.mine.status().is_in_ring());
        let others = self.members.count_in_ring() - me;
        crate::dissemination::limit(self.config.piggyback_factor, others.max(1))
    }

    fn send(
        &mut self,
        now: Instant,
        to: Arc<str>,
        purpose: Purpose,
        (path, body): (&'static str, Bytes),
        carries: Option<Version>,
        timeout: Duration,
    ) {
        self.sent.mark(now);
        let id = self.calls.add(to.clone(), purpose, carries, now + timeout);
        self.requests.push_back(Request {
            id,
            to,
            path,
            body,
            timeout,
        });
    }

    fn later(&mut self) -> AnswerId {
        self.next_answer += 1;
        AnswerId(self.next_answer)
    }

    fn respond(&mut self, id: AnswerId, response: Response) {
        self.responses.push_back((id, response));
    }
}
