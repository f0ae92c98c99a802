//! Where a call goes: the ring, the exits of a service, the decision.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyperbahn::host_port::HostPort;
use hyperbahn::registry::{Offer, Registry, RegistryConfig};
use hyperbahn::routing::{Call, ExitConfig, Mesh, Origin, Route, View, decide as decide_route};
use hyperbahn_ring::{Ring, Server};
use tchannel_rt::proto::peek::CallReqPeek;
use tchannel_rt::{Channel, PeerInfo, PeerList, RouteTo};

use super::repeat;
use crate::options::SERVICE;
use crate::relay::relay_by;

pub(super) fn look_up(times: u64) -> Duration {
    let ring = ring();
    let names = names(NAMES);
    let mut names = names.iter().cycle();
    repeat(times, || {
        black_box(ring.lookup(black_box(names.next().expect("a cycle"))));
    })
}

/// One of a thousand routers more or less.
pub(super) fn change(times: u64) -> Duration {
    let mut ring = ring();
    let mut is_there = true;
    let server = address(0);
    repeat(times, || {
        ring = match is_there {
            true => ring.remove(&server),
            false => ring.add(Server::new(server.as_str())),
        };
        is_there = !is_there;
    })
}

/// The ten of a thousand routers.
pub(super) fn exits(times: u64) -> Duration {
    let mesh = mesh().with_ring(Instant::now(), ring(), BTreeSet::new());
    let mesh = mesh.at_rest();
    let names = names(NAMES);
    let mut names = names.iter().cycle();
    repeat(times, || {
        black_box(mesh.trusted_exits(black_box(names.next().expect("a cycle"))));
    })
}

pub(super) fn decide(times: u64) -> Duration {
    let view = view(NAMES);
    let names = names(NAMES);
    let mut names = names.iter().cycle();
    repeat(times, || {
        let call = Call {
            service: names.next().expect("a cycle"),
            caller: "caller",
            ..Call::default()
        };
        let instances = |name: &str| view.services.instances(name);
        let caller = || Origin::Caller;
        black_box(decide_route(black_box(&call), &view, instances, caller));
    })
}

/// A channel that relays calls as a router does which knows so many services, all of them at `addr`.
pub(super) fn route_among(services: usize, addr: &str) -> Channel {
    let view = view(services);
    relay_by(addr, |peers| ByView { view, peers })
}

struct ByView {
    view: View,
    peers: PeerList,
}

impl tchannel_rt::Route for ByView {
    fn route(&self, call: &CallReqPeek<'_>, _: &PeerInfo) -> RouteTo {
        let text = |name| std::str::from_utf8(name).expect("we have named it");
        let call = Call {
            service: text(call.service),
            caller: text(call.caller_name),
            delegate: text(call.routing_delegate),
            shard_key: text(call.shard_key),
        };
        let instances = |name: &str| self.view.services.instances(name);
        match decide_route(&call, &self.view, instances, || Origin::Caller) {
            Route::Instances(_) => RouteTo::Peers(self.peers.clone()),
            other => panic!("the service is registered, and it goes to {other:?}"),
        }
    }

    fn hop(&self) -> &str {
        "router"
    }
}

/// What a router by itself knows of so many services, of which [`SERVICE`] is one.
fn view(services: usize) -> View {
    let limits = RegistryConfig {
        max_services: services,
        ..RegistryConfig::default()
    };
    let mut registry = Registry::new(limits);
    let offers = names(services).into_iter().enumerate();
    let offers = offers.map(|(number, name)| Offer {
        name,
        instance: host_port(number % SERVERS),
    });
    let offers: Vec<Offer> = offers.collect();
    for offers in offers.chunks(100) {
        registry
            .advertise(Instant::now(), offers)
            .expect("within the limits");
    }
    View {
        services: registry.services(),
        mesh: Arc::new(mesh()),
    }
}

fn mesh() -> Mesh {
    Mesh::alone(host_port(0), ExitConfig::default())
}

fn ring() -> Ring {
    Ring::from_servers((0..SERVERS).map(|number| Server::new(address(number))))
}

fn names(count: usize) -> Vec<String> {
    let others = (1..count).map(|number| format!("service-{number}"));
    std::iter::once(SERVICE.to_owned()).chain(others).collect()
}

fn host_port(number: usize) -> HostPort {
    HostPort::parse(&address(number)).expect("it is one")
}

fn address(number: usize) -> String {
    format!("10.0.{}.{}:7000", number / 250, number % 250)
}

const SERVERS: usize = 1_000;
const NAMES: usize = 1_000;
