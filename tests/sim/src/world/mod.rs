//! A ring of members, the wires between them, and one queue of all that will happen.

mod address;
mod delivery;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use hyperbahn_swim::{
    AnswerId, Change, Config, Node, Outcome, Request, RequestId, Response, Status,
};

use self::address::{address, intern, seat_of};
use crate::Nanos;
use crate::network::Network;
use crate::observer::Observer;
use crate::queue::Queue;

/// Members on virtual time.
pub struct World {
    /// The wires.
    pub network: Network,
    /// What members were wrong about, and how long they took to be right.
    pub observer: Observer,
    /// How many events have happened.
    pub events: u64,
    /// A number that two runs share only if they were the same, event by event.
    pub trace: u64,
    /// If there is a list, what members tell their owners goes there, by seat.
    pub told: Option<Vec<(usize, Vec<Change>)>>,
    origin: Instant,
    now: Nanos,
    rng: Rng,
    queue: Queue<Happening>,
    seats: Vec<Seat>,
    hosts: Vec<Arc<str>>,
    configure: Box<dyn Fn(&mut Config)>,
}

/// A place for a member: an address at which one runs, or does not.
struct Seat {
    node: Option<Node>,
    /// Counts restarts: what was meant for an earlier life is dropped.
    life: u32,
    /// When the node is to be woken next, as scheduled.
    wake_at: Nanos,
    /// Whether its host says that nobody listens while nothing runs.
    refuses: bool,
    /// Those of the current life.
    incarnations: Vec<u64>,
    /// Whether the node is taking itself out.
    is_leaving: bool,
    frozen_until: Nanos,
    later: BTreeMap<AnswerId, (usize, u32, RequestId)>,
    messages: u64,
    bytes: u64,
}

enum Happening {
    Wake(usize),
    Request {
        from: usize,
        life: u32,
        to: usize,
        request: Request,
    },
    /// Nobody listens, if there is no response.
    Response {
        to: usize,
        life: u32,
        id: RequestId,
        response: Option<Response>,
    },
}

impl World {
    /// Members that start at the same time and know each other's addresses.
    pub fn starting(size: usize, seed: u64, configure: impl Fn(&mut Config) + 'static) -> Self {
        let mut world = Self::empty(size, seed, configure);
        for member in 0..size {
            world.start(member, 0);
        }
        world
    }

    /// Members that have just joined a ring in which everybody knows everybody.
    pub fn formed(size: usize, seed: u64, configure: impl Fn(&mut Config) + 'static) -> Self {
        let mut world = Self::empty(size, seed, configure);
        let list = world.list_of_all();
        let now = world.instant();
        for member in 0..size {
            let mut node = world.new_node(member, 0);
            // One seed is enough: all would say the same.
            node.join(now, [&world.hosts[(member + 1) % size]]);
            while let Some(request) = node.poll_request() {
                node.handle_response(now, request.id, Outcome::Answered(&list));
            }
            // Nobody is wrong about a ring that begins.
            while node.poll_event().is_some() {}
            let incarnation = node.member(node.address()).map(|me| me.incarnation);
            world.seats[member].incarnations.extend(incarnation);
            world.seats[member].node = Some(node);
            world.settle(member);
        }
        world
    }

    /// Lets time pass.
    pub fn run(&mut self, time: Duration) {
        let until = self.now + time.as_nanos() as Nanos;
        while let Some((at, happening)) = self.queue.pop(until) {
            self.now = at;
            self.happen(happening);
        }
        self.now = until;
    }

    /// Lets time pass until this holds, looking every `step`; at most `limit`. Returns how long it took.
    pub fn run_until(
        &mut self,
        step: Duration,
        limit: Duration,
        mut holds: impl FnMut(&mut Self) -> bool,
    ) -> Option<Duration> {
        let mut passed = Duration::ZERO;
        while !holds(self) {
            if passed >= limit {
                return None;
            }
            self.run(step);
            passed += step;
        }
        Some(passed)
    }

    /// Kills a member. If its host `refuses` connections, callers learn at once that nobody listens.
    pub fn crash(&mut self, member: usize, refuses: bool) {
        let seat = &mut self.seats[member];
        seat.refuses = refuses;
        self.stop(member);
        self.observer.crashed(member, self.now);
    }

    /// Starts a member at a free seat, with a wall clock that is off by `skew_ms`.
    pub fn start(&mut self, member: usize, skew_ms: i64) {
        let now = self.instant();
        let mut node = self.new_node(member, skew_ms);
        node.join(now, &self.hosts);
        self.seats[member].node = Some(node);
        self.observer.restarted(member);
        self.settle(member);
    }

    /// Asks a member to take itself out of the ring.
    pub fn evict(&mut self, member: usize) {
        let now = self.instant();
        self.observer.crashed(member, self.now);
        self.seats[member].is_leaving = true;
        self.node(member).evict(now);
        self.settle(member);
    }

    /// Stops a member for a while, timers and all.
    pub fn freeze(&mut self, member: usize, time: Duration) {
        let until = self.now + time.as_nanos() as Nanos;
        self.seats[member].frozen_until = until;
        self.network.block(member, until);
    }

    /// Says that what members think of this one, and this one of them, is no mistake of theirs.
    pub fn afflict(&mut self, member: usize) {
        self.observer.afflicted.insert(member);
    }

    /// Where the member at a seat is reached.
    pub fn address(&self, member: usize) -> String {
        address(member)
    }

    /// The seat at an address.
    pub(crate) fn seat_of(address: &str) -> usize {
        seat_of(address)
    }

    /// When a message that is none of the membership's arrives, or `None` if it never does.
    pub(crate) fn carry(&self, rng: &mut Rng, from: usize, to: usize) -> Option<Nanos> {
        self.network.carry(rng, self.now, from, to)
    }

    /// How many seats there are.
    pub fn size(&self) -> usize {
        self.seats.len()
    }

    /// Time since the beginning.
    pub fn now(&self) -> Nanos {
        self.now
    }

    /// The member at a seat.
    pub fn member(&mut self, member: usize) -> Option<&mut Node> {
        self.seats[member].node.as_mut()
    }

    /// Seats at which a member runs.
    pub fn running(&self) -> Vec<usize> {
        let seats = self.seats.iter().enumerate();
        let running = seats.filter(|(_, seat)| seat.node.is_some());
        running.map(|(at, _)| at).collect()
    }

    /// Whether all running members have the same list, with all of them alive and nobody else in the ring.
    pub fn has_converged(&mut self) -> bool {
        let running = self.running();
        let Some(first) = running.first() else {
            return true;
        };
        let checksum = self.node(*first).checksum();
        let agree = running.iter().all(|member| {
            let node = self.node(*member);
            node.is_member()
                && node.count(Status::Alive) == running.len()
                && node.count(Status::Suspect) == 0
                && node.checksum() == checksum
        });
        agree
            && self.node(*first).members().all(|member| {
                let runs = running.binary_search(&seat_of(&member.address)).is_ok();
                runs == (member.status == Status::Alive)
            })
    }

    /// How many different lists the running members have.
    pub fn views(&mut self) -> usize {
        let running = self.running();
        let sums = running.iter().map(|member| {
            let node = self.seats[*member].node.as_mut().expect("it runs");
            node.checksum()
        });
        sums.collect::<HashSet<_>>().len()
    }

    /// Running members that some running member believes faulty, by how many.
    pub fn wronged(&self) -> BTreeMap<usize, usize> {
        let running = self.running();
        let mut wronged = BTreeMap::new();
        for observer in &running {
            let node = self.seats[*observer].node.as_ref().expect("it runs");
            for member in node.members().filter(|member| !member.status.is_in_ring()) {
                let seat = seat_of(&member.address);
                if self.seats[seat].node.is_some() {
                    *wronged.entry(seat).or_insert(0) += 1;
                }
            }
        }
        wronged
    }

    /// Messages and bytes of bodies that all members have sent.
    pub fn traffic(&self) -> (u64, u64) {
        let seats = self.seats.iter();
        seats.fold((0, 0), |(messages, bytes), seat| {
            (messages + seat.messages, bytes + seat.bytes)
        })
    }

    fn empty(size: usize, seed: u64, configure: impl Fn(&mut Config) + 'static) -> Self {
        let seat = || Seat {
            node: None,
            life: 0,
            wake_at: Nanos::MAX,
            refuses: true,
            incarnations: Vec::new(),
            is_leaving: false,
            frozen_until: 0,
            later: BTreeMap::new(),
            messages: 0,
            bytes: 0,
        };
        Self {
            network: Network::new(size),
            observer: Observer::default(),
            events: 0,
            trace: seed,
            told: None,
            origin: Instant::now(),
            now: 0,
            rng: Rng::with_seed(seed),
            queue: Queue::new(),
            seats: std::iter::repeat_with(seat).take(size).collect(),
            hosts: (0..size).map(|seat| intern(&address(seat))).collect(),
            configure: Box::new(configure),
        }
    }

    fn stop(&mut self, member: usize) {
        let seat = &mut self.seats[member];
        seat.node = None;
        seat.is_leaving = false;
        seat.incarnations.clear();
        seat.life += 1;
        seat.wake_at = Nanos::MAX;
        seat.later.clear();
    }

    fn new_node(&mut self, member: usize, skew_ms: i64) -> Node {
        let mut config = Config::new(&address(member));
        config.intern = intern;
        (self.configure)(&mut config);
        let wall_ms = (WALL_MS + self.now / 1_000_000).saturating_add_signed(skew_ms);
        Node::new(config, self.instant(), wall_ms, self.rng.u64(..))
    }

    /// Everybody, alive, as one answers a join.
    fn list_of_all(&self) -> Vec<u8> {
        let claim = |host: &Arc<str>| {
            format!(r#"{{"address":"{host}","status":"alive","incarnationNumber":{WALL_MS}}}"#)
        };
        let mut hosts = self.hosts.clone();
        hosts.sort_unstable();
        let members: Vec<String> = hosts.iter().map(claim).collect();
        format!(r#"{{"membership":[{}]}}"#, members.join(",")).into_bytes()
    }

    fn node(&mut self, member: usize) -> &mut Node {
        let node = self.seats[member].node.as_mut();
        node.expect("a member runs at this seat")
    }
}

/// The wall clock when everything begins.
const WALL_MS: u64 = 1_700_000_000_000;
