//! Which registrations go to which router when the ring changes, and when they may be let go.
//!
//! ```text
//!   a router joins    it asks everybody, before it is seen: for_newcomer
//!   a router leaves   it tells its successors, before it goes: for_leaving
//!   the ring changes  former exits tell new ones: handle_mesh, and for_settling of what comes in meanwhile
//! ```
//!
//! A new exit gets each registration from two of those that held it, so that one of them may fail. An exit
//! that is one no more keeps serving whoever still comes, until a new exit has the registrations and the
//! others have had time to learn of it. Nothing here does I/O.
//! Source: spec/hyperbahn/routing.md, "hand-over".

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use crate::host_port::HostPort;
use crate::registry::Offer;
use crate::routing::Mesh;

/// How many former exits tell a new one.
const TELLERS: usize = 2;

/// How long registrations that others hold by now are kept for calls that still come here.
pub const GRACE: Duration = Duration::from_secs(10);

/// Wait before a hand-over that nobody took is tried again, and before one whose advertisement came to a
/// router that is no exit in its own eyes.
pub const AGAIN: Duration = Duration::from_secs(2);

/// Services whose registrations go to one router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Who is to have them.
    pub to: HostPort,
    /// Their names, in order.
    pub names: Vec<String>,
}

/// Services that this router holds although it is not, or no longer, an exit for them.
#[derive(Debug, Default)]
pub struct HandOver {
    displaced: HashMap<String, Displaced>,
}

#[derive(Clone, Copy, Debug)]
enum Displaced {
    /// Nobody has taken it over so far; the next attempt.
    Held { again: Instant },
    /// A new exit has it.
    Taken { release: Instant },
}

impl HandOver {
    /// The mesh has changed from `before` to `after`; `held` are the services with registrations here.
    /// Says what is to be sent.
    pub fn handle_mesh<'a>(
        &mut self,
        now: Instant,
        before: &Mesh,
        after: &Mesh,
        held: impl Iterator<Item = &'a str>,
    ) -> Vec<Parcel> {
        let mut parcels = Parcels::default();
        for name in held {
            let exits = after.exits(name);
            if exits.contains(after.me()) {
                self.displaced.remove(name);
                parcels.add_all(name, newcomers(name, before, after));
            } else {
                self.displace(now, name);
                parcels.add_all(name, exits);
            }
        }
        parcels.finish()
    }

    /// Registrations of `name` were taken in. If this router is no exit for it, they go on to the exits
    /// soon: whoever sent them sees another ring.
    pub fn handle_taken(&mut self, now: Instant, mesh: &Mesh, name: &str) {
        if !mesh.is_exit(name) {
            self.displace(now, name);
        }
    }

    /// A router has taken over `names`.
    pub fn handle_delivered(&mut self, now: Instant, names: &[String]) {
        for name in names {
            if let Some(displaced @ Displaced::Held { .. }) = self.displaced.get_mut(name) {
                let release = now + GRACE;
                *displaced = Displaced::Taken { release };
            }
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.displaced.values().map(Displaced::due).min()
    }

    /// What is to be sent again, and which services to release.
    pub fn handle_timeout(&mut self, now: Instant, mesh: &Mesh) -> (Vec<Parcel>, Vec<String>) {
        let mut parcels = Parcels::default();
        let mut released = Vec::new();
        for (name, displaced) in &mut self.displaced {
            match displaced {
                Displaced::Held { again } if *again <= now => {
                    *again = now + AGAIN;
                    parcels.add_all(name, mesh.exits(name));
                }
                Displaced::Taken { release } if *release <= now => released.push(name.clone()),
                _ => {}
            }
        }
        for name in &released {
            self.displaced.remove(name);
        }
        (parcels.finish(), released)
    }

    /// `name` has no registration here any more.
    pub fn forget(&mut self, name: &str) {
        self.displaced.remove(name);
    }

    fn displace(&mut self, now: Instant, name: &str) {
        let again = now + AGAIN;
        self.displaced
            .entry(name.to_owned())
            .and_modify(|displaced| *displaced = Displaced::Held { again })
            .or_insert(Displaced::Held { again });
    }
}

impl Displaced {
    fn due(&self) -> Instant {
        match self {
            Self::Held { again } => *again,
            Self::Taken { release } => *release,
        }
    }
}

/// Which of the services `held` here a router takes over that is about to join, from this one.
pub fn for_newcomer<'a>(
    mesh: &Mesh,
    newcomer: &HostPort,
    held: impl Iterator<Item = &'a str>,
) -> Vec<String> {
    let (before, after) = (mesh.without(newcomer), mesh.with(newcomer));
    let taken = held.filter(|name| newcomers(name, &before, &after).contains(newcomer));
    taken.map(str::to_owned).collect()
}

/// What the others take over from this router when it leaves.
pub fn for_leaving<'a>(mesh: &Mesh, held: impl Iterator<Item = &'a str>) -> Vec<Parcel> {
    let after = mesh.without(mesh.me());
    let mut parcels = Parcels::default();
    for name in held {
        let before = mesh.exits(name);
        let exits = after.exits(name).into_iter();
        parcels.add_all(name, exits.filter(|exit| !before.contains(exit)));
    }
    parcels.finish()
}

/// What has just come in about `offers`, for exits that whoever sent it may not know of yet.
///
/// The sender told the exits of the ring that it saw. While that ring may be one from before, those exits tell
/// the new ones, which got what was held earlier and nothing since.
pub fn for_settling(mesh: &Mesh, offers: &[Offer]) -> BTreeMap<HostPort, Vec<Offer>> {
    let mut told: BTreeMap<HostPort, Vec<Offer>> = BTreeMap::new();
    let Some(before) = mesh.before_settling() else {
        return told;
    };
    for offer in offers {
        for newcomer in newcomers(&offer.name, &before, mesh) {
            told.entry(newcomer).or_default().push(offer.clone());
        }
    }
    told
}

/// The exits of `name` that were none before, if it is this router that tells them.
fn newcomers(name: &str, before: &Mesh, after: &Mesh) -> Vec<HostPort> {
    let (was, is) = (before.exits(name), after.exits(name));
    let mut tellers = was
        .iter()
        .filter(|exit| after.ring().get(exit.as_str()).is_some())
        .take(TELLERS);
    if !tellers.any(|teller| teller == after.me()) {
        return Vec::new();
    }
    let new = is.into_iter().filter(|exit| !was.contains(exit));
    new.collect()
}

#[derive(Default)]
struct Parcels(BTreeMap<HostPort, Vec<String>>);

impl Parcels {
    fn add_all(&mut self, name: &str, to: impl IntoIterator<Item = HostPort>) {
        for to in to {
            self.0.entry(to).or_default().push(name.to_owned());
        }
    }

    fn finish(self) -> Vec<Parcel> {
        let parcels = self.0.into_iter().map(|(to, mut names)| {
            names.sort_unstable();
            Parcel { to, names }
        });
        parcels.collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use hyperbahn_ring::{Ring, Server};

    use super::*;
    use crate::routing::ExitConfig;

    fn at(router: usize) -> HostPort {
        HostPort::parse(&format!("10.0.0.{router}:21300")).unwrap()
    }

    /// The mesh of `routers` as router `me` sees it.
    fn mesh(me: usize, routers: &[usize], k: usize) -> Mesh {
        let exits = ExitConfig {
            default_k: k,
            ..ExitConfig::default()
        };
        let servers = routers
            .iter()
            .map(|router| Server::new(at(*router).as_str()));
        Mesh::alone(at(me), exits)
            .with_ring(Instant::now(), Ring::from_servers(servers), BTreeSet::new())
            .at_rest()
    }

    fn names() -> Vec<String> {
        (0..60).map(|n| format!("service-{n}")).collect()
    }

    /// The services of which a router is an exit.
    fn held(mesh: &Mesh) -> Vec<String> {
        let mut names = names();
        names.retain(|name| mesh.is_exit(name));
        names
    }

    fn texts(names: &[String]) -> impl Iterator<Item = &str> {
        names.iter().map(String::as_str)
    }

    /// Who gets what when the routers of `before` become those of `after`, and each survivor does its part.
    fn deliveries(
        before: &[usize],
        after: &[usize],
        k: usize,
    ) -> HashMap<(HostPort, String), usize> {
        let mut deliveries = HashMap::new();
        for me in before.iter().filter(|me| after.contains(me)) {
            let (before, after) = (mesh(*me, before, k), mesh(*me, after, k));
            let held = held(&before);
            let parcels =
                HandOver::default().handle_mesh(Instant::now(), &before, &after, texts(&held));
            for Parcel { to, names } in parcels {
                for name in names {
                    *deliveries.entry((to.clone(), name)).or_default() += 1;
                }
            }
        }
        deliveries
    }

    #[track_caller]
    fn every_new_exit_is_told(before: &[usize], after: &[usize], k: usize) {
        let told = deliveries(before, after, k);
        let (before, after) = (mesh(1, before, k), mesh(1, after, k));
        let is_left = |exit: &HostPort| after.ring().get(exit.as_str()).is_some();
        for name in names() {
            let was = before.exits(&name);
            for exit in after.exits(&name) {
                if !was.contains(&exit) && was.iter().any(is_left) {
                    let delivery = (exit.clone(), name.clone());
                    assert!(told.contains_key(&delivery), "{name} to {exit}");
                }
            }
        }
    }

    #[test]
    fn every_new_exit_is_told_whatever_changes() {
        let nine = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        every_new_exit_is_told(&nine[..8], &nine, 3);
        every_new_exit_is_told(&nine, &nine[..8], 3);
        every_new_exit_is_told(&nine, &nine[..6], 3);
        every_new_exit_is_told(&nine[..2], &nine, 3);
        every_new_exit_is_told(&nine[..8], &nine[..1], 1);
        every_new_exit_is_told(&nine[..4], &nine, 10);
    }

    #[test]
    fn exits_that_stay_get_nothing_but_from_those_that_cease_to_be() {
        let routers = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        let before = mesh(1, &routers[..8], 3);
        for ((to, name), count) in deliveries(&routers[..8], &routers, 3) {
            let was = before.exits(&name);
            match was.contains(&to) {
                true => assert_eq!(count, 1, "{name} to {to}: from the one that it displaced"),
                false => assert!(count <= TELLERS + 1, "{name} to {to}: {count}"),
            }
        }
    }

    #[test]
    fn a_newcomer_that_asks_everybody_has_all_that_it_will_be_an_exit_for() {
        for newcomer in [9, 4] {
            // The second one was there before and has lost everything.
            let routers = [1, 2, 3, 4, 5, 6, 7, 8];
            let mut taken = HashSet::new();
            for me in routers.iter().filter(|me| **me != newcomer) {
                let mesh = mesh(*me, &routers, 3);
                let held = held(&mesh.without(&at(newcomer)));
                taken.extend(for_newcomer(&mesh, &at(newcomer), texts(&held)));
            }
            let wanted = held(&mesh(newcomer, &routers, 3).with(&at(newcomer)));
            assert_eq!(taken, wanted.into_iter().collect::<HashSet<_>>());
        }
    }

    #[test]
    fn new_exits_hear_what_was_sent_to_those_from_before() {
        let now = Instant::now();
        let (routers, k) = (6, 3);
        let before: Vec<_> = (1..routers).collect();
        let offers: Vec<_> = names().into_iter().map(|name| offer(&name)).collect();
        let mut told: BTreeMap<HostPort, BTreeSet<String>> = BTreeMap::new();
        for me in &before {
            let was = mesh(*me, &before, k);
            let ring = was.with(&at(routers)).ring().clone();
            let is = was.with_ring(now, ring, BTreeSet::new());
            for (to, offers) in for_settling(&is, &offers) {
                told.entry(to)
                    .or_default()
                    .extend(offers.into_iter().map(|offer| offer.name));
            }
            assert_eq!(for_settling(&is.at_rest(), &offers), BTreeMap::new());
        }
        let all: Vec<_> = (1..=routers).collect();
        let expected = held(&mesh(routers, &all, k)).into_iter().collect();
        assert_eq!(told, BTreeMap::from([(at(routers), expected)]));
    }

    fn offer(name: &str) -> Offer {
        Offer {
            name: name.to_owned(),
            instance: at(99),
        }
    }

    #[test]
    fn a_router_that_leaves_tells_those_that_take_its_place() {
        let routers = [1, 2, 3, 4, 5, 6];
        let mesh = mesh(3, &routers, 2);
        let held = held(&mesh);
        let parcels = for_leaving(&mesh, texts(&held));
        let told: usize = parcels.iter().map(|parcel| parcel.names.len()).sum();
        assert_eq!(told, held.len());
        assert!(parcels.iter().all(|parcel| parcel.to != at(3)));
    }

    #[test]
    fn a_displaced_exit_lets_go_once_somebody_has_it_and_everybody_knows() {
        let start = Instant::now();
        let (before, after) = (mesh(1, &[1], 1), mesh(1, &[1, 2, 3, 4], 1));
        let lost: Vec<_> = held(&before)
            .into_iter()
            .filter(|name| !after.is_exit(name))
            .collect();
        let mut hand_over = HandOver::default();
        let first = hand_over.handle_mesh(start, &before, &after, texts(&lost));
        assert_eq!(
            first.iter().map(|parcel| parcel.names.len()).sum::<usize>(),
            lost.len()
        );

        assert_eq!(hand_over.poll_timeout(), Some(start + AGAIN));
        let (again, released) = hand_over.handle_timeout(start + AGAIN, &after);
        assert_eq!((again, released), (first, Vec::new()));

        hand_over.handle_delivered(start + AGAIN, &lost);
        let (again, mut released) = hand_over.handle_timeout(start + AGAIN + GRACE, &after);
        released.sort_unstable();
        let mut expected = lost.clone();
        expected.sort_unstable();
        assert_eq!((again, released), (Vec::new(), expected));
        assert_eq!(hand_over.poll_timeout(), None);
    }

    #[test]
    fn an_exit_that_becomes_one_again_keeps_what_it_has() {
        let start = Instant::now();
        let (alone, crowd) = (mesh(1, &[1], 1), mesh(1, &[1, 2, 3, 4], 1));
        let all = names();
        let mut hand_over = HandOver::default();
        hand_over.handle_mesh(start, &alone, &crowd, texts(&all));
        hand_over.handle_mesh(start, &crowd, &alone, texts(&all));
        assert_eq!(hand_over.poll_timeout(), None);
    }

    #[test]
    fn what_came_to_the_wrong_router_goes_on_to_the_exits() {
        let start = Instant::now();
        let mesh = mesh(1, &[1, 2, 3, 4], 1);
        let stray = names()
            .into_iter()
            .find(|name| !mesh.is_exit(name))
            .unwrap();
        let mut hand_over = HandOver::default();
        hand_over.handle_taken(start, &mesh, &stray);
        let (parcels, _) = hand_over.handle_timeout(start + AGAIN, &mesh);
        let to = mesh.exits(&stray).remove(0);
        let names = vec![stray];
        assert_eq!(parcels, [Parcel { to, names }]);
    }
}
