//! Calls through the mesh: what it takes to route one, and whether it finds somebody.

use std::hint::black_box;
use std::sync::Arc;

use hyperbahn::host_port::HostPort;
use hyperbahn::routing::{Call, Origin, Route, View, beginning_at, decide};

use super::Routers;
use crate::World;
use crate::report::cpu_seconds;

/// CPU time for deciding where a call goes, in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// At the router that the caller is connected to: the decision, and the exits by a walk on the ring. A router
    /// remembers the exits of the services that are called, so this is what the first call of each costs.
    pub entry_us: f64,
    /// At the exit that it is passed on to.
    pub exit_us: f64,
}

/// What became of calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Calls in all.
    pub calls: u64,
    /// Those that turned to another exit, because the first one is dead or knows no instance.
    pub turned: u64,
    /// Those for which there was no exit to turn to.
    pub lost: u64,
}

impl Routers {
    /// Routes so many calls at each of some routers, for services in turn.
    pub fn cost(&mut self, routers: usize, calls: usize) -> Cost {
        let services = self.services.clone();
        let (mut entry, mut exit, mut exit_calls) = (0.0, 0.0, 0);
        for _ in 0..routers {
            let seat = self.any_seat();
            let view = self.seats[seat].as_mut().map(|router| router.view());
            let view = view.expect("a router runs there");
            let began = cpu_seconds();
            for number in 0..calls {
                black_box(first_exit(
                    &view,
                    &services[number % services.len()],
                    number,
                ));
            }
            let entered = cpu_seconds();
            let here: Vec<&str> = view.services.iter().map(|(name, _)| name).collect();
            for service in here.iter().cycle().take(calls) {
                black_box(to(service, &view, Origin::Router));
                exit_calls += 1;
            }
            entry += entered - began;
            exit += cpu_seconds() - entered;
        }
        Cost {
            entry_us: entry * 1e6 / (routers * calls) as f64,
            exit_us: exit * 1e6 / f64::from(exit_calls),
        }
    }

    /// Makes so many calls, each for any service at any router, and adds what becomes of them.
    pub fn find(&mut self, calls: u64, found: &mut Found) {
        for _ in 0..calls {
            let (seat, service) = (self.any_seat(), self.rng.usize(..self.services.len()));
            let service = self.services[service].clone();
            let view = self.seats[seat].as_mut().map(|router| router.view());
            let view = view.expect("a router runs there");
            found.calls += 1;
            match to(&service, &view, Origin::Caller) {
                Route::Instances(_) => {}
                Route::Exits => {
                    let exits = view.mesh.trusted_exits(&service);
                    let first = self.rng.usize(..exits.len());
                    let mut order = beginning_at(first, &exits);
                    match order.position(|exit| self.knows(exit, &service)) {
                        Some(0) => {}
                        Some(_) => found.turned += 1,
                        None => found.lost += 1,
                    }
                }
                _ => found.lost += 1,
            }
        }
    }

    fn knows(&mut self, exit: &HostPort, service: &str) -> bool {
        let router = self.seats[World::seat_of(exit.as_str())].as_mut();
        router.is_some_and(|router| router.count(service) > 0)
    }
}

/// The exit that a call goes to; `None` where it is no other router.
fn first_exit(view: &View, service: &str, turn: usize) -> Option<HostPort> {
    match to(service, view, Origin::Caller) {
        Route::Exits => {
            let exits = view.mesh.trusted_exits(service);
            exits.get(turn % exits.len()).cloned()
        }
        _ => None,
    }
}

/// Where a call goes that came from there.
fn to<'v>(service: &str, view: &'v View, origin: Origin) -> Route<&'v Arc<[HostPort]>> {
    let call = Call {
        service,
        caller: "caller",
        ..Call::default()
    };
    let instances = |name: &str| view.services.instances(name);
    decide(&call, view, instances, || origin)
}
