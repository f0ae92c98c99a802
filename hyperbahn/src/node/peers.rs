//! What the runtime needs to call instances and routers: lists of peers that follow the view.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock, Weak};

use hyperbahn_ring::{Ring, Server};
use quick_cache::sync::Cache;
use tchannel_rt::{Channel, PeerList, RouteTo};

use crate::host_port::HostPort;
use crate::routing::{self, AffinityConfig, Mesh, View};

/// Services whose exits are remembered; of more, those that were called longest ago are worked out anew.
const REMEMBERED: usize = 4096;

/// The lists of one moment; never changes.
#[derive(Clone)]
pub(super) struct Lists {
    services: Arc<HashMap<Arc<str>, Arc<Instances>>>,
    pub(super) exits: Arc<Exits>,
}

impl Lists {
    /// Those of a router that knows no instances yet.
    pub(super) fn none(channel: &Channel, mesh: &Arc<Mesh>) -> Self {
        Self {
            services: Arc::default(),
            exits: Arc::new(next_exits(None, channel, mesh)),
        }
    }

    pub(super) fn instances(&self, service: &str) -> Option<&Arc<Instances>> {
        self.services.get(service)
    }
}

/// The instances of one service.
pub(super) struct Instances {
    known: Arc<[HostPort]>,
    /// This router's place among the exits, and how many there are.
    place: Option<(usize, usize)>,
    /// All of them; those that this router keeps no connection to are dialled when a shard key wants them.
    pub(super) all: PeerList,
    /// Those that this router keeps connected.
    pub(super) near: PeerList,
    ring: OnceLock<Ring>,
}

impl Instances {
    /// Those that this router keeps connected, when `all` has changed since.
    fn near_addresses(&self) -> HashSet<&str> {
        let known = self.known.iter().map(HostPort::as_str);
        match self.place {
            None => known.collect(),
            Some(_) => known
                .filter(|address| self.near.contains(address))
                .collect(),
        }
    }

    /// The ring that shard keys are looked up on.
    pub(super) fn ring(&self) -> &Ring {
        self.ring.get_or_init(|| routing::ring_of(&self.known))
    }
}

/// The other routers, and which of them are the exits of the services that are called.
pub(super) struct Exits {
    mesh: Arc<Mesh>,
    routers: PeerList,
    by_service: Cache<Box<str>, Arc<OtherExits>>,
}

impl Exits {
    /// The exits of `service` to pass calls to, without this router.
    pub(super) fn of(&self, service: &str) -> Arc<OtherExits> {
        if let Some(known) = self.by_service.get(service) {
            return known;
        }
        let list = |exits: &[HostPort]| {
            let others = exits.iter().filter(|exit| *exit != self.mesh.me());
            let others = others.map(HostPort::as_str);
            self.routers.subset_for(service, others)
        };
        let (all, trusted) = (self.mesh.exits(service), self.mesh.trusted_exits(service));
        let exits = Arc::new(OtherExits {
            all: list(&all),
            trusted: list(&trusted),
            preferred: (trusted.len() < all.len()).then_some(trusted),
        });
        self.by_service.insert(service.into(), exits.clone());
        exits
    }
}

/// The exits of one service besides this router.
pub(super) struct OtherExits {
    /// All of them.
    pub(super) all: PeerList,
    /// Those that are likely to be there and to know the service.
    pub(super) trusted: PeerList,
    /// The trusted ones, while they are fewer.
    preferred: Option<Vec<HostPort>>,
}

impl OtherExits {
    /// To a trusted one, or to any when none of those can be reached.
    pub(super) fn route(&self) -> RouteTo {
        match &self.preferred {
            None => RouteTo::Peers(self.all.clone()),
            Some(preferred) => {
                let first = fastrand::usize(..preferred.len());
                let order = preferred[first..].iter().chain(&preferred[..first]);
                RouteTo::InOrder {
                    peers: self.all.clone(),
                    order: order.map(|exit| exit.as_str().into()).collect(),
                    bound: None,
                }
            }
        }
    }
}

/// Makes the lists of each moment from those of the one before, so that peers that stay keep what is known
/// of them.
pub(super) struct PeerLists {
    affinity: AffinityConfig,
    channel: Weak<Channel>,
    view: Option<View>,
    services: Arc<HashMap<Arc<str>, Arc<Instances>>>,
    exits: Option<Arc<Exits>>,
}

impl PeerLists {
    pub(super) fn new(affinity: AffinityConfig, channel: Weak<Channel>) -> Self {
        Self {
            affinity,
            channel,
            view: None,
            services: Arc::default(),
            exits: None,
        }
    }

    /// The lists for `view`; `None` when nothing has changed, or the channel is gone.
    pub(super) fn update(&mut self, view: &View) -> Option<Lists> {
        let channel = self.channel.upgrade()?;
        let before = self.view.replace(view.clone());
        let same_mesh = before
            .as_ref()
            .is_some_and(|before| Arc::ptr_eq(&before.mesh, &view.mesh));
        let same_services = before
            .as_ref()
            .is_some_and(|before| Arc::ptr_eq(&before.services, &view.services));
        if same_mesh && same_services {
            return None;
        }
        let exits = match &self.exits {
            Some(exits) if same_mesh => Arc::clone(exits),
            earlier => Arc::new(next_exits(earlier.as_deref(), &channel, &view.mesh)),
        };
        let services = view.services.iter_shared().map(|(name, instances)| {
            let earlier = self.services.get(name);
            let next = match earlier {
                Some(earlier) if same_mesh && Arc::ptr_eq(&earlier.known, instances) => {
                    Arc::clone(earlier)
                }
                _ => self.next_instances(&channel, earlier, name, instances, &view.mesh),
            };
            (Arc::clone(name), next)
        });
        self.services = Arc::new(services.collect());
        self.exits = Some(Arc::clone(&exits));
        Some(Lists {
            services: Arc::clone(&self.services),
            exits,
        })
    }

    fn next_instances(
        &self,
        channel: &Channel,
        earlier: Option<&Arc<Instances>>,
        name: &str,
        known: &Arc<[HostPort]>,
        mesh: &Mesh,
    ) -> Arc<Instances> {
        let place = match self.affinity.applies_to(known.len()) {
            true => place(mesh, name),
            false => None,
        };
        if let Some(earlier) = earlier
            && Arc::ptr_eq(&earlier.known, known)
            && earlier.place == place
        {
            return Arc::clone(earlier);
        }
        let all = earlier.map_or_else(
            || channel.new_peer_list(name),
            |earlier| earlier.all.clone(),
        );
        let was_near = earlier.map_or_else(HashSet::new, |earlier| earlier.near_addresses());
        let before = earlier.map_or(&[][..], |earlier| &earlier.known);
        follow(&all, &addresses(before), &addresses(known));
        let near = match place {
            None => all.clone(),
            Some((index, exits)) => {
                let slice = self.affinity.slice(index, exits, known.len());
                let positions = slice.positions(known.len());
                all.subset(positions.map(|position| known[position].as_str()))
            }
        };
        for instance in known.iter().map(HostPort::as_str) {
            if near.contains(instance) && !was_near.contains(instance) {
                near.connect(instance);
            }
        }
        Arc::new(Instances {
            known: Arc::clone(known),
            place,
            all,
            near,
            ring: OnceLock::new(),
        })
    }
}

fn next_exits(earlier: Option<&Exits>, channel: &Channel, mesh: &Arc<Mesh>) -> Exits {
    let routers = earlier.map_or_else(
        || channel.new_peer_list("hyperbahn"),
        |earlier| earlier.routers.clone(),
    );
    let before = earlier.map_or_else(Vec::new, |earlier| others(&earlier.mesh));
    follow(&routers, &before, &others(mesh));
    Exits {
        mesh: Arc::clone(mesh),
        routers,
        by_service: Cache::new(REMEMBERED),
    }
}

/// The addresses of the other routers on the ring, sorted.
fn others(mesh: &Mesh) -> Vec<&str> {
    let servers = mesh.ring().servers().iter().map(Server::address);
    servers
        .filter(|address| *address != mesh.me().as_str())
        .collect()
}

fn addresses(instances: &[HostPort]) -> Vec<&str> {
    instances.iter().map(HostPort::as_str).collect()
}

/// Brings a list from those it has to those it should have, both sorted. Peers that stay keep what is known
/// of them.
fn follow(list: &PeerList, before: &[&str], after: &[&str]) {
    let added = after
        .iter()
        .filter(|peer| before.binary_search(peer).is_err());
    let removed = before
        .iter()
        .filter(|peer| after.binary_search(peer).is_err());
    list.update(added.copied(), removed.copied());
}

/// This router's place among the exits of a service, sorted, and how many there are.
fn place(mesh: &Mesh, service: &str) -> Option<(usize, usize)> {
    let mut exits = mesh.exits(service);
    exits.sort_unstable();
    let index = exits.iter().position(|exit| exit == mesh.me())?;
    Some((index, exits.len()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Instant;

    use super::*;
    use crate::routing::ExitConfig;

    fn at(n: usize) -> HostPort {
        HostPort::parse(&format!("10.0.0.{n}:21300")).unwrap()
    }

    fn ring(routers: usize) -> Ring {
        Ring::from_servers((1..=routers).map(|n| Server::new(at(n).as_str())))
    }

    #[test]
    fn a_call_can_turn_to_an_exit_that_is_new_when_those_from_before_are_gone() {
        let k = ExitConfig {
            default_k: 3,
            ..ExitConfig::default()
        };
        let start = Instant::now();
        let mesh = Mesh::alone(at(1), k).with_ring(start, ring(2), BTreeSet::new());
        let mesh = mesh.at_rest().with_ring(start, ring(3), BTreeSet::new());
        let exits = next_exits(None, &Channel::new("test"), &Arc::new(mesh));
        let exits = exits.of("a");
        assert_eq!((exits.all.len(), exits.trusted.len()), (2, 1));
        let RouteTo::InOrder { peers, order, .. } = exits.route() else {
            panic!("the exit from before comes first");
        };
        assert_eq!(peers.len(), 2);
        let mut order: Vec<_> = order.iter().map(|exit| &**exit).collect();
        order.sort_unstable();
        assert_eq!(order, [at(1).as_str(), at(2).as_str()]);
    }
}
