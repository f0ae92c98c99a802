//! A mesh of routers on virtual time: a [`World`] of members, and on each seat what a router makes of it.
//!
//! ```text
//!  World ── what members tell ──▶ Router: ring, exits, hand-over, registry
//!                                   │ ad, hand-over, taken
//!  instances ── ads ──▶ any Router ─┴─▶ Routers that are exits
//! ```
//!
//! Instances advertise to a router of their choice each minute, as our clients do, and it tells the exits. A message
//! takes as long as those of members do. Bodies are counted as routers write them; nothing else of a call is there.

mod calls;
mod router;

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use hyperbahn::control::{self, Answer};
use hyperbahn::host_port::HostPort;
use hyperbahn::registry::Offer;
use hyperbahn_ring::Server;

use self::router::{Letters, Message, Router, host_port};
use crate::queue::Queue;
use crate::{MILLISECOND, Nanos, World};

pub use calls::{Cost, Found};

/// Routers, and instances that advertise to them.
pub struct Routers {
    /// The membership of the routers.
    pub world: World,
    /// What they have told each other about registrations so far.
    pub told: Told,
    seats: Vec<Option<Router>>,
    offers: Vec<Offer>,
    services: Vec<Arc<str>>,
    rng: Rng,
    queue: Queue<Happening>,
}

/// Messages between routers about registrations, answers included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// How many there were.
    pub messages: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
    /// Registrations that were handed over by routers, not by instances.
    pub handed_over: u64,
}

enum Happening {
    /// The instance of that number says that it is there.
    Advertise(usize),
    Arrive {
        from: usize,
        to: usize,
        message: Message,
    },
}

impl Routers {
    /// A mesh in which everybody knows everybody and nobody has advertised yet. There are ten instances of a
    /// service.
    pub fn formed(size: usize, registrations: usize, seed: u64) -> Self {
        let mut world = World::formed(size, seed, |_| {});
        world.told = Some(Vec::new());
        let now = world.instant();
        let seats = (0..size).map(|seat| {
            let node = world.member(seat).expect("all have been started");
            Some(Router::new(now, node))
        });
        let seats = seats.collect();
        let mut routers = Self {
            seats,
            told: Told::default(),
            offers: (0..registrations).map(offer).collect(),
            services: (0..registrations.div_ceil(INSTANCES))
                .map(|number| service(number).into())
                .collect(),
            rng: Rng::with_seed(seed),
            queue: Queue::new(),
            world,
        };
        for number in 0..registrations {
            let phase = routers.rng.u64(..RENEWAL);
            routers.queue.push(phase, Happening::Advertise(number));
        }
        routers
    }

    /// Lets time pass.
    pub fn run(&mut self, time: Duration) {
        let until = self.world.now() + time.as_nanos() as Nanos;
        while self.world.now() < until {
            let step = STEP.min(until - self.world.now());
            self.world.run(Duration::from_nanos(step));
            self.hear_of_members();
            while let Some((_, happening)) = self.queue.pop(self.world.now()) {
                self.happen(happening);
            }
            self.wake();
        }
    }

    /// Kills a router, and says which. If its host `refuses`, others learn at once that nobody listens.
    pub fn kill_one(&mut self, refuses: bool) -> usize {
        let victim = self.any_seat();
        self.seats[victim] = None;
        self.world.crash(victim, refuses);
        victim
    }

    /// Whether every router knows who is there, and every exit of every service knows all of its instances.
    pub fn is_whole(&mut self) -> bool {
        let running = self.running();
        let first = self.router(running[0]).mesh().clone();
        let servers = first.ring().servers().iter();
        let here = running.iter().map(|seat| self.world.address(*seat));
        if !servers.map(Server::address).eq(sorted(here)) {
            return false;
        }
        let mut rings = running.iter().map(|seat| self.router(*seat).mesh().ring());
        if !rings.all(|ring| ring == first.ring()) {
            return false;
        }
        let services = self.services.clone();
        services.iter().enumerate().all(|(number, service)| {
            let exits = first.exits(service);
            let expected = self.instances_of(number);
            exits.iter().all(|exit| {
                let router = self.seats[World::seat_of(exit.as_str())].as_mut();
                router.is_some_and(|router| router.count(service) == expected)
            })
        })
    }

    fn instances_of(&self, service: usize) -> usize {
        INSTANCES.min(self.offers.len() - service * INSTANCES)
    }

    fn running(&self) -> Vec<usize> {
        let seats = self.seats.iter().enumerate();
        let running = seats.filter(|(_, router)| router.is_some());
        running.map(|(seat, _)| seat).collect()
    }

    fn any_seat(&mut self) -> usize {
        loop {
            let seat = self.rng.usize(..self.seats.len());
            if self.seats[seat].is_some() {
                return seat;
            }
        }
    }

    fn router(&self, seat: usize) -> &Router {
        self.seats[seat].as_ref().expect("a router runs there")
    }

    fn hear_of_members(&mut self) {
        let told = self.world.told.replace(Vec::new());
        let now = self.world.instant();
        for (seat, changes) in told.into_iter().flatten() {
            if let Some(router) = &mut self.seats[seat] {
                let letters = router.handle_members(now, &changes);
                self.send(seat, letters);
            }
        }
    }

    fn wake(&mut self) {
        let now = self.world.instant();
        for seat in 0..self.seats.len() {
            if let Some(router) = &mut self.seats[seat]
                && router.poll_timeout().is_some_and(|due| due <= now)
            {
                let letters = router.handle_timeout(now);
                self.send(seat, letters);
            }
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Advertise(number) => {
                let entry = self.any_seat();
                let offer = self.offers[number].clone();
                let exits = self.router(entry).mesh().exits(&offer.name);
                let ads = exits
                    .into_iter()
                    .map(|exit| (exit, Message::Ad(offer.clone())));
                self.send(entry, ads.collect());
                self.queue
                    .push(self.world.now() + RENEWAL, Happening::Advertise(number));
            }
            Happening::Arrive { from, to, message } => self.arrive(from, to, message),
        }
    }

    fn arrive(&mut self, from: usize, to: usize, message: Message) {
        let now = self.world.instant();
        let Some(router) = &mut self.seats[to] else {
            return;
        };
        let letters = match message {
            Message::Ad(offer) => {
                if from != to {
                    self.told.count(&control::relayed());
                }
                router.handle_ad(now, offer)
            }
            Message::HandOver(handed) => {
                router.handle_hand_over(now, &handed);
                let mut names: Vec<_> = handed.into_iter().map(|one| one.offer.name).collect();
                names.dedup();
                vec![(self.host_port(from), Message::Taken(names))]
            }
            Message::Taken(names) => {
                router.handle_taken(now, &names);
                Letters::new()
            }
        };
        self.send(to, letters);
    }

    fn host_port(&self, seat: usize) -> HostPort {
        host_port(&self.world.address(seat))
    }

    fn send(&mut self, from: usize, letters: Letters) {
        for (to, message) in letters {
            let to = World::seat_of(to.as_str());
            if to != from {
                self.told.count_message(&message);
            }
            // What a router tells itself needs no wire.
            let at = match to == from {
                true => Some(self.world.now()),
                false => self.world.carry(&mut self.rng, from, to),
            };
            if let Some(at) = at {
                self.queue.push(at, Happening::Arrive { from, to, message });
            }
        }
    }
}

impl Told {
    fn count_message(&mut self, message: &Message) {
        match message {
            Message::Ad(offer) => {
                let body = control::relay_body(std::slice::from_ref(offer));
                self.add(serde_json::to_vec(&body).map_or(0, |body| body.len()));
            }
            Message::HandOver(handed) => {
                self.handed_over += handed.len() as u64;
                for some in handed.chunks(HANDED_AT_ONCE) {
                    let body = control::hand_over_body(some);
                    self.add(serde_json::to_vec(&body).map_or(0, |body| body.len()));
                }
            }
            Message::Taken(_) => self.count(&control::relayed()),
        }
    }

    fn count(&mut self, answer: &Answer) {
        let size = match answer {
            Answer::Ok(body) | Answer::NotOk(body) => body.arg3.len(),
            Answer::Refused(refusal) => refusal.message.len(),
        };
        self.add(size);
    }

    fn add(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes as u64;
    }
}

fn sorted(addresses: impl Iterator<Item = String>) -> Vec<String> {
    let mut sorted: Vec<_> = addresses.collect();
    sorted.sort_unstable();
    sorted
}

fn offer(number: usize) -> Offer {
    let [a, b, c] = [number >> 16, number >> 8 & 0xff, number & 0xff];
    Offer {
        name: service(number / INSTANCES),
        instance: host_port(&format!("10.{}.{b}.{c}:4040", 128 + a)),
    }
}

fn service(number: usize) -> String {
    format!("service-{number}")
}

/// Instances of a service.
const INSTANCES: usize = 10;

/// How often an instance advertises.
const RENEWAL: Nanos = 60_000 * MILLISECOND;

/// How often routers hear of what has happened meanwhile.
const STEP: Nanos = 10 * MILLISECOND;

/// Registrations in one message, as routers have it.
const HANDED_AT_ONCE: usize = 500;
