//! Where a call goes: the ring, and the decision.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use hyperbahn::host_port::HostPort;
use hyperbahn::registry::{Offer, Registry, RegistryConfig};
use hyperbahn::routing::{Call, ExitConfig, Mesh, Origin, View, decide as decide_route};
use hyperbahn_ring::{Ring, Server};

pub(super) fn look_up(times: u64) {
    let ring = Ring::from_servers((0..SERVERS).map(|number| Server::new(address(number))));
    let keys: Vec<String> = (0..KEYS).map(service).collect();
    for key in keys.iter().cycle().take(times as usize) {
        black_box(ring.lookup(black_box(key)));
    }
}

pub(super) fn decide(times: u64) {
    let view = view();
    let services: Vec<String> = (0..KEYS).map(service).collect();
    for service in services.iter().cycle().take(times as usize) {
        let call = Call {
            service,
            caller: "caller",
            ..Call::default()
        };
        let instances = |name: &str| view.services.instances(name);
        let caller = || Origin::Caller;
        black_box(decide_route(black_box(&call), &view, instances, caller));
    }
}

fn view() -> View {
    let mut registry = Registry::new(RegistryConfig::default());
    let offers: Vec<Offer> = (0..KEYS)
        .map(|number| Offer {
            name: service(number),
            instance: HostPort::parse(&address(number)).expect("it is one"),
        })
        .collect();
    for offers in offers.chunks(100) {
        registry
            .advertise(Instant::now(), offers)
            .expect("within the limits");
    }
    let me = HostPort::parse("10.1.0.1:21300").expect("it is one");
    View {
        services: registry.services(),
        mesh: Arc::new(Mesh::alone(me, ExitConfig::default())),
    }
}

fn service(number: usize) -> String {
    format!("service-{number}")
}

fn address(number: usize) -> String {
    format!("10.0.{}.{}:7000", number / 250, number % 250)
}

const SERVERS: usize = 1_000;
const KEYS: usize = 1_000;
