//! One router: the registry, the exits and the hand-over that routers run, moved as a router's registrar does.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use hyperbahn::hand_over::{self, HandOver, Parcel};
use hyperbahn::host_port::HostPort;
use hyperbahn::registry::{Handed, Offer, Registry, RegistryConfig};
use hyperbahn::routing::{ExitConfig, Mesh, View};
use hyperbahn_ring::{Ring, Server};
use hyperbahn_swim::{Change, Member, Node, Status};

/// What routers tell each other about registrations.
pub(super) enum Message {
    /// An instance has just said so.
    Ad(Offer),
    /// The sender holds these.
    HandOver(Vec<Handed>),
    /// The receiver's hand-over of these services has been taken.
    Taken(Vec<String>),
}

/// Where each message goes.
pub(super) type Letters = Vec<(HostPort, Message)>;

pub(super) struct Router {
    mesh: Arc<Mesh>,
    registry: Registry,
    hand_over: HandOver,
    suspects: BTreeSet<String>,
}

impl Router {
    /// A router that has long been in the ring which `node` knows.
    pub(super) fn new(now: Instant, node: &Node) -> Self {
        let me = host_port(node.address());
        let members = node.members().filter(|member| member.status.is_in_ring());
        let ring = Ring::from_servers(members.map(|member| server(&member)));
        let alone = Mesh::alone(me, ExitConfig::default());
        let mesh = alone.with_ring(now, ring, BTreeSet::new()).at_rest();
        Self {
            mesh: Arc::new(mesh),
            registry: Registry::new(RegistryConfig::default()),
            hand_over: HandOver::default(),
            suspects: BTreeSet::new(),
        }
    }

    pub(super) fn mesh(&self) -> &Mesh {
        &self.mesh
    }

    /// What a call is decided by.
    pub(super) fn view(&mut self) -> View {
        View {
            services: self.registry.services(),
            mesh: Arc::clone(&self.mesh),
        }
    }

    /// How many instances of `service` are known here.
    pub(super) fn count(&mut self, service: &str) -> usize {
        let services = self.registry.services();
        services.instances(service).map_or(0, |all| all.len())
    }

    /// The membership has told of something.
    pub(super) fn handle_members(&mut self, now: Instant, changes: &[Change]) -> Letters {
        let before = Arc::clone(&self.mesh);
        for member in changes.iter().filter_map(|change| change.after.as_ref()) {
            match member.status {
                Status::Suspect => self.suspects.insert(member.address.to_string()),
                _ => self.suspects.remove(&*member.address),
            };
        }
        let ring = changed(before.ring(), changes);
        self.mesh = Arc::new(before.with_ring(now, ring, self.suspects.clone()));
        if before.ring() == self.mesh.ring() {
            return Letters::new();
        }
        let held = self.registry.names();
        let parcels = self.hand_over.handle_mesh(now, &before, &self.mesh, held);
        self.letters(now, parcels)
    }

    /// An instance, or the router that it talks to, has advertised.
    pub(super) fn handle_ad(&mut self, now: Instant, offer: Offer) -> Letters {
        self.hand_over.handle_taken(now, &self.mesh, &offer.name);
        let offers = [offer];
        let taken = self.registry.advertise(now, &offers);
        taken.expect("fewer than a router takes");
        let told = hand_over::for_settling(&self.mesh, &offers);
        let fresh = |offers: Vec<Offer>| {
            let age = std::time::Duration::ZERO;
            let handed = offers.into_iter().map(|offer| Handed { offer, age });
            handed.collect()
        };
        told.into_iter()
            .map(|(to, offers)| (to, Message::HandOver(fresh(offers))))
            .collect()
    }

    /// Another router hands over what it holds.
    pub(super) fn handle_hand_over(&mut self, now: Instant, handed: &[Handed]) {
        let taken = self.registry.take_over(now, handed);
        taken.expect("fewer than a router takes");
        for one in handed {
            self.hand_over
                .handle_taken(now, &self.mesh, &one.offer.name);
        }
    }

    /// Another router has taken what this one handed over.
    pub(super) fn handle_taken(&mut self, now: Instant, names: &[String]) {
        self.hand_over.handle_delivered(now, names);
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let due = [
            self.registry.poll_timeout(),
            self.mesh.poll_timeout(),
            self.hand_over.poll_timeout(),
        ];
        due.into_iter().flatten().min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) -> Letters {
        self.registry.handle_timeout(now);
        let (parcels, released) = self.hand_over.handle_timeout(now, &self.mesh);
        for name in released {
            self.registry.release(&name);
        }
        let letters = self.letters(now, parcels);
        self.mesh = Arc::new(self.mesh.settled(now));
        letters
    }

    fn letters(&mut self, now: Instant, parcels: Vec<Parcel>) -> Letters {
        let mut letters = Letters::new();
        for Parcel { to, names } in parcels {
            let held = names.iter().flat_map(|name| self.registry.held(now, name));
            let held: Vec<Handed> = held.collect();
            match held.is_empty() {
                true => names.iter().for_each(|name| self.hand_over.forget(name)),
                false => letters.push((to, Message::HandOver(held))),
            }
        }
        letters
    }
}

/// The address of a member, all of which can be dialled here.
pub(super) fn host_port(address: &str) -> HostPort {
    HostPort::parse(address).expect("seats have addresses that can be dialled")
}

fn server(member: &Member) -> Server {
    Server::with_identity(member.address.clone(), member.ring_name())
}

/// The ring once this has happened to its members.
fn changed(ring: &Ring, changes: &[Change]) -> Ring {
    let is_in_ring = |member: &&Member| member.status.is_in_ring();
    let mut removed = Vec::new();
    let mut added = Vec::new();
    for Change { before, after, .. } in changes {
        let is = after.as_ref().filter(is_in_ring);
        match is {
            Some(member) if ring.get(&member.address) != Some(&server(member)) => {
                added.push(server(member));
            }
            Some(_) => {}
            None => removed.extend(before.as_ref().map(|member| &*member.address)),
        }
    }
    removed.retain(|address| ring.get(address).is_some());
    match removed.is_empty() && added.is_empty() {
        true => ring.clone(),
        false => ring.change(removed, added),
    }
}
