//! Which routers there are, as one of them sees it, and which of them are the exit nodes of a service.
//!
//! The exits of a service are the first k distinct routers on the hash ring from the service's name on, or
//! all of them if there are fewer. They hold its registrations and call its instances; every other router
//! is an entry that passes calls to one of them. Source: spec/hyperbahn/routing.md, "exit nodes".

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use hyperbahn_ring::{Ring, Server};

use crate::host_port::HostPort;

/// How many exit nodes services have.
///
/// All routers of a mesh must be told the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExitConfig {
    /// Of a service that is not named here. Default 10.
    pub default_k: usize,
    /// By service name.
    pub k: HashMap<String, usize>,
}

impl Default for ExitConfig {
    fn default() -> Self {
        Self {
            default_k: 10,
            k: HashMap::new(),
        }
    }
}

impl ExitConfig {
    /// How many exit nodes `service` has, given as many routers.
    pub fn k_of(&self, service: &str) -> usize {
        self.k.get(service).copied().unwrap_or(self.default_k)
    }
}

/// How long a router passes no calls to an exit that has just become one, if there are others. By then the
/// exits from before have handed their registrations over.
pub const SETTLING: Duration = Duration::from_secs(2);

/// Rings remembered while they settle; more changes than that in [`SETTLING`] count as one.
const RINGS: usize = 32;

/// The routers, and those that were there until recently.
#[derive(Clone, Debug)]
pub struct Mesh {
    me: HostPort,
    exits: ExitConfig,
    ring: Ring,
    /// Rings that were in force, each with the moment at which it no longer was, oldest first.
    before: VecDeque<(Instant, Ring)>,
    suspects: BTreeSet<String>,
}

impl Mesh {
    /// A router by itself: it is the exit of everything.
    pub fn alone(me: HostPort, exits: ExitConfig) -> Self {
        let ring = Ring::from_servers([Server::new(me.as_str())]);
        Self {
            me,
            exits,
            ring,
            before: VecDeque::new(),
            suspects: BTreeSet::new(),
        }
    }

    /// The mesh once `ring` is the ring, with `suspects` on it that may be gone.
    #[must_use]
    pub fn with_ring(&self, now: Instant, ring: Ring, suspects: BTreeSet<String>) -> Self {
        let mut next = self.settled(now);
        next.suspects = suspects;
        if next.ring != ring {
            let before = std::mem::replace(&mut next.ring, ring);
            if next.before.len() < RINGS {
                next.before.push_back((now, before));
            }
        }
        next
    }

    /// The same ring with the same exits as always: nothing is settling.
    #[must_use]
    pub fn at_rest(&self) -> Self {
        let mut next = self.clone();
        next.before.clear();
        next
    }

    /// The mesh before the changes that are settling; `None` when nothing is.
    pub fn before_settling(&self) -> Option<Self> {
        let (_, ring) = self.before.front()?;
        let mut before = self.at_rest();
        before.ring = ring.clone();
        Some(before)
    }

    /// The mesh at `now`, without the rings that have had their time.
    #[must_use]
    pub fn settled(&self, now: Instant) -> Self {
        let mut next = self.clone();
        next.before.retain(|(until, _)| *until + SETTLING > now);
        next
    }

    /// When [`settled`](Self::settled) will differ; `None` when nothing is settling.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.before.front().map(|(until, _)| *until + SETTLING)
    }

    /// This router.
    pub fn me(&self) -> &HostPort {
        &self.me
    }

    /// The ring of routers.
    pub fn ring(&self) -> &Ring {
        &self.ring
    }

    /// All routers on the ring that can be dialled, by address.
    pub fn routers(&self) -> Vec<HostPort> {
        let servers = self.ring.servers().iter();
        let dialled = servers.filter_map(|server| HostPort::parse(server.address()).ok());
        dialled.collect()
    }

    /// How many exits services have.
    pub fn exit_config(&self) -> &ExitConfig {
        &self.exits
    }

    /// The mesh as it would be without `router`.
    #[must_use]
    pub fn without(&self, router: &HostPort) -> Self {
        let mut next = self.at_rest();
        next.ring = self.ring.remove(router.as_str());
        next
    }

    /// The mesh as it would be with `router`.
    #[must_use]
    pub fn with(&self, router: &HostPort) -> Self {
        let mut next = self.at_rest();
        next.ring = self.ring.add(Server::new(router.as_str()));
        next
    }

    /// The exits of `service`, in the order of the ring.
    pub fn exits(&self, service: &str) -> Vec<HostPort> {
        exits_on(&self.ring, service, self.exits.k_of(service))
    }

    /// The exits of `service`, and those that were until recently: whoever may hold a registration of it.
    pub fn exits_and_former(&self, service: &str) -> Vec<HostPort> {
        let mut all = self.exits(service);
        for (_, ring) in &self.before {
            for former in exits_on(ring, service, self.exits.k_of(service)) {
                if !all.contains(&former) {
                    all.push(former);
                }
            }
        }
        all
    }

    /// Whether this router is an exit of `service`.
    pub fn is_exit(&self, service: &str) -> bool {
        self.exits(service).contains(&self.me)
    }

    /// Whether any other router is an exit of `service`.
    pub fn has_other_exits(&self, service: &str) -> bool {
        self.ring.servers().len() > 1 && (self.exits.k_of(service) > 1 || !self.is_exit(service))
    }

    /// The exits of `service` that calls should go to, in the order of the ring: those that have been
    /// exits for long enough and are not suspect, as far as there are such; otherwise all.
    pub fn trusted_exits(&self, service: &str) -> Vec<HostPort> {
        let exits = self.exits(service);
        let exits = narrow(exits, |exit| !self.suspects.contains(exit.as_str()));
        match self.before.front() {
            None => exits,
            Some((_, ring)) => {
                let before = exits_on(ring, service, self.exits.k_of(service));
                narrow(exits, |exit| before.contains(exit))
            }
        }
    }

    /// Whether somebody in the ring doubts that `router` is there.
    pub fn is_suspect(&self, router: &HostPort) -> bool {
        self.suspects.contains(router.as_str())
    }

    /// Whether `host_port` is a router, or was until recently.
    pub fn is_router(&self, host_port: &str) -> bool {
        let mut before = self.before.iter();
        self.ring.get(host_port).is_some() || before.any(|(_, ring)| ring.get(host_port).is_some())
    }
}

/// Those that pass, or all if none does.
fn narrow(exits: Vec<HostPort>, passes: impl Fn(&HostPort) -> bool) -> Vec<HostPort> {
    let passing: Vec<_> = exits.iter().filter(|exit| passes(exit)).cloned().collect();
    match passing.is_empty() {
        true => exits,
        false => passing,
    }
}

fn exits_on(ring: &Ring, service: &str, k: usize) -> Vec<HostPort> {
    ring.walk(service)
        // A member that announced an address nobody can dial is no use as an exit.
        .filter_map(|server| HostPort::parse(server.address()).ok())
        .take(k)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: usize) -> HostPort {
        HostPort::parse(&format!("10.0.0.{}:21300", port)).unwrap()
    }

    fn ring(ports: impl IntoIterator<Item = usize>) -> Ring {
        Ring::from_servers(ports.into_iter().map(|port| Server::new(at(port).as_str())))
    }

    /// Router 1 in a mesh of as many, at rest.
    fn mesh(routers: usize, k: usize) -> Mesh {
        let exits = ExitConfig {
            default_k: k,
            ..ExitConfig::default()
        };
        Mesh::alone(at(1), exits)
            .with_ring(Instant::now(), ring(1..=routers), BTreeSet::new())
            .at_rest()
    }

    fn names() -> impl Iterator<Item = String> {
        (0..200).map(|n| format!("service-{n}"))
    }

    #[test]
    fn a_service_has_k_distinct_exits_or_as_many_as_there_are_routers() {
        for (routers, k, expected) in [(1, 10, 1), (5, 10, 5), (30, 10, 10), (30, 2, 2)] {
            for name in names() {
                let exits = mesh(routers, k).exits(&name);
                let distinct: BTreeSet<_> = exits.iter().collect();
                assert_eq!(
                    (exits.len(), distinct.len()),
                    (expected, expected),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn k_can_be_set_for_one_service() {
        let exits = ExitConfig {
            default_k: 2,
            k: HashMap::from([("wide".to_owned(), 4)]),
        };
        let mesh =
            Mesh::alone(at(1), exits).with_ring(Instant::now(), ring(1..=9), BTreeSet::new());
        assert_eq!(mesh.exits("wide").len(), 4);
        assert_eq!(mesh.exits("other").len(), 2);
    }

    #[test]
    fn a_router_that_leaves_is_replaced_by_one_and_the_others_stay() {
        let before = mesh(9, 3);
        let after = before.without(&at(5));
        for name in names() {
            let (was, is) = (before.exits(&name), after.exits(&name));
            let stayed = was.iter().filter(|exit| is.contains(exit)).count();
            let expected = 3 - usize::from(was.contains(&at(5)));
            assert_eq!(stayed, expected, "{name}: {was:?} {is:?}");
        }
    }

    #[test]
    fn calls_go_to_exits_from_before_until_the_ring_has_settled() {
        let start = Instant::now();
        let before = mesh(9, 3);
        let after = before.with_ring(start, ring((1..=9).filter(|n| *n != 5)), BTreeSet::new());
        let moved = names()
            .find(|name| before.exits(name).contains(&at(5)))
            .unwrap();
        let newcomer = |mesh: &Mesh| {
            let was = before.exits(&moved);
            mesh.trusted_exits(&moved)
                .into_iter()
                .any(|exit| !was.contains(&exit))
        };
        assert_eq!(after.exits(&moved).len(), 3);
        assert_eq!(after.trusted_exits(&moved).len(), 2);
        assert!(!newcomer(&after));
        assert_eq!(after.poll_timeout(), Some(start + SETTLING));
        let settled = after.settled(start + SETTLING);
        assert!(newcomer(&settled));
        assert_eq!(settled.poll_timeout(), None);
    }

    #[test]
    fn a_suspect_exit_is_passed_over_while_there_are_others() {
        let mesh = mesh(9, 3);
        let exits = mesh.exits("a");
        let suspect = |those: &[HostPort]| {
            let suspects = those.iter().map(ToString::to_string).collect();
            mesh.with_ring(Instant::now(), mesh.ring.clone(), suspects)
        };
        assert_eq!(suspect(&exits[..1]).trusted_exits("a"), exits[1..]);
        assert_eq!(suspect(&exits).trusted_exits("a"), exits);
    }

    #[test]
    fn a_former_exit_is_remembered_while_the_ring_settles() {
        let start = Instant::now();
        let before = mesh(9, 3);
        let gone = before.exits("a")[0].clone();
        let after = before.with_ring(start, before.ring.remove(gone.as_str()), BTreeSet::new());
        assert!(after.exits_and_former("a").contains(&gone));
        assert!(after.is_router(gone.as_str()));
        let settled = after.settled(start + SETTLING);
        assert!(!settled.exits_and_former("a").contains(&gone));
        assert!(!settled.is_router(gone.as_str()));
    }

    #[test]
    fn a_ring_that_never_rests_is_remembered_within_bounds() {
        let start = Instant::now();
        let mut mesh = mesh(9, 3);
        for round in 0..1000 {
            mesh = mesh.with_ring(start, ring(1..=8 + round % 2), BTreeSet::new());
        }
        assert_eq!(mesh.before.len(), RINGS);
    }
}
