//! The other routers as peers, and which of them are the exits of the services that are called.

use std::sync::Arc;

use hyperbahn_ring::Server;
use quick_cache::sync::Cache;
use tchannel_rt::{Channel, PeerList, RouteTo};

use super::peers::follow;
use crate::host_port::HostPort;
use crate::routing::{self, Mesh};

/// Services whose exits are remembered; of more, those that were called longest ago are worked out anew.
const REMEMBERED: usize = 4096;

/// The exits of every service, as one mesh has them.
pub(super) struct Exits {
    mesh: Arc<Mesh>,
    routers: PeerList,
    by_service: Cache<Box<str>, Arc<ServiceExits>>,
}

/// The exits of one service.
struct ServiceExits {
    /// All of them but this router.
    others: PeerList,
    /// Those that are likely to be there and to know the service, in the order of the ring; this router
    /// may be among them.
    trusted: Vec<HostPort>,
    is_each_trusted: bool,
}

impl Exits {
    /// Those of `mesh`. Routers that were there `earlier` keep what is known of them.
    pub(super) fn next(earlier: Option<&Self>, channel: &Channel, mesh: &Arc<Mesh>) -> Self {
        let routers = earlier.map_or_else(
            || channel.new_peer_list("hyperbahn"),
            |earlier| earlier.routers.clone(),
        );
        let before = earlier.map_or_else(Vec::new, |earlier| others(&earlier.mesh));
        follow(&routers, &before, &others(mesh));
        Self {
            mesh: Arc::clone(mesh),
            routers,
            by_service: Cache::new(REMEMBERED),
        }
    }

    /// To a trusted exit of `service`, or to any when none of those can be reached; never to this router.
    pub(super) fn route(&self, service: &str) -> RouteTo {
        let exits = self.of(service);
        match exits.is_each_trusted {
            true => RouteTo::Peers(exits.others.clone()),
            false => {
                let first = fastrand::usize(..exits.trusted.len());
                exits.in_order(routing::beginning_at(first, &exits.trusted))
            }
        }
    }

    /// Whether a shard key names this router among the exits of `service`.
    pub(super) fn is_shard_mine(&self, service: &str, key: &str) -> bool {
        let exits = self.of(service);
        routing::turn_to(key, &exits.trusted).next() == Some(self.mesh.me())
    }

    /// To the exit of `service` that a shard key names, or to one behind it; never to this router.
    pub(super) fn route_shard(&self, service: &str, key: &str) -> RouteTo {
        let exits = self.of(service);
        exits.in_order(routing::turn_to(key, &exits.trusted))
    }

    /// The exits of `service` to ask something, this router not among them.
    pub(super) fn to_ask(&self, service: &str) -> PeerList {
        let trusted = &self.of(service).trusted;
        self.routers
            .subset_for(service, trusted.iter().map(HostPort::as_str))
    }

    fn of(&self, service: &str) -> Arc<ServiceExits> {
        if let Some(known) = self.by_service.get(service) {
            return known;
        }
        let (all, trusted) = (self.mesh.exits(service), self.mesh.trusted_exits(service));
        // The list of routers does not hold this one.
        let others = all.iter().map(HostPort::as_str);
        let exits = Arc::new(ServiceExits {
            others: self.routers.subset_for(service, others),
            is_each_trusted: trusted.len() == all.len(),
            trusted,
        });
        self.by_service.insert(service.into(), exits.clone());
        exits
    }
}

impl ServiceExits {
    fn in_order<'e>(&self, order: impl Iterator<Item = &'e HostPort>) -> RouteTo {
        RouteTo::InOrder {
            peers: self.others.clone(),
            order: order.map(|exit| exit.as_str().into()).collect(),
            bound: None,
        }
    }
}

/// The addresses of the other routers on the ring, sorted.
fn others(mesh: &Mesh) -> Vec<&str> {
    let servers = mesh.ring().servers().iter().map(Server::address);
    servers
        .filter(|address| *address != mesh.me().as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Instant;

    use hyperbahn_ring::Ring;

    use super::*;
    use crate::routing::ExitConfig;

    fn at(n: usize) -> HostPort {
        HostPort::parse(&format!("10.0.0.{n}:21300")).unwrap()
    }

    fn ring(routers: usize) -> Ring {
        Ring::from_servers((1..=routers).map(|n| Server::new(at(n).as_str())))
    }

    /// Those of router 1 of three, of which the third has just come.
    fn exits() -> Exits {
        let k = ExitConfig {
            default_k: 3,
            ..ExitConfig::default()
        };
        let start = Instant::now();
        let mesh = Mesh::alone(at(1), k).with_ring(start, ring(2), BTreeSet::new());
        let mesh = mesh.at_rest().with_ring(start, ring(3), BTreeSet::new());
        Exits::next(None, &Channel::new("test"), &Arc::new(mesh))
    }

    #[test]
    fn a_call_can_turn_to_an_exit_that_is_new_when_those_from_before_are_gone() {
        let exits = exits();
        assert_eq!(exits.to_ask("a").len(), 1);
        let RouteTo::InOrder { peers, order, .. } = exits.route("a") else {
            panic!("the exit from before comes first");
        };
        assert_eq!(peers.len(), 2);
        let mut order: Vec<_> = order.iter().map(|exit| &**exit).collect();
        order.sort_unstable();
        assert_eq!(order, [at(1).as_str(), at(2).as_str()]);
    }

    #[test]
    fn shard_keys_are_divided_among_trusted_exits_this_router_included() {
        let exits = exits();
        let keys = (0..100).map(|n| format!("user-{n}"));
        let mut mine = 0;
        for key in keys {
            let RouteTo::InOrder { order, .. } = exits.route_shard("a", &key) else {
                panic!("in an order of its own");
            };
            let first = match exits.is_shard_mine("a", &key) {
                true => at(1),
                false => at(2),
            };
            mine += usize::from(first == at(1));
            assert_eq!(order[0], *first.as_str());
        }
        assert!((20..80).contains(&mine), "{mine}");
    }

    #[test]
    fn names_that_nobody_serves_are_forgotten_again() {
        let exits = exits();
        for n in 0..3 * REMEMBERED {
            exits.route(&format!("nobody-{n}"));
        }
        let kept = exits.by_service.len();
        assert!(kept <= REMEMBERED + REMEMBERED / 8, "{kept}");
    }
}
