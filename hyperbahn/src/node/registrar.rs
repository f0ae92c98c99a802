//! The task that owns the registry and the mesh, and the only one that changes what the node knows.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use hyperbahn_swim::Status;
use tchannel_rt::Channel;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use super::neighbours::{NeighbourError, Neighbours, Relay};
use super::peers::PeerLists;
use super::router::Router;
use crate::clock::{now, sleep_until};
use crate::hand_over::{self, HandOver, Parcel};
use crate::host_port::HostPort;
use crate::membership::Snapshot;
use crate::refusal::Refusal;
use crate::registry::{AdvertiseError, Handed, Offer, Registry, RegistryConfig};
use crate::routing::{AffinityConfig, Mesh, View};

/// Changes that wait for the registrar; a caller with another one waits itself.
const WAITING: usize = 256;

/// Messages to other routers under way, beyond which new exits wait for the next advertisement of an instance.
const SENDING: usize = 1024;

/// Applies changes and puts what comes of them in force.
pub(super) struct Registrar {
    registry: Registry,
    hand_over: HandOver,
    mesh: Arc<Mesh>,
    has_entered: bool,
    changes: mpsc::Receiver<Change>,
    members: watch::Receiver<Arc<Snapshot>>,
    router: Router,
    lists: PeerLists,
    neighbours: Neighbours,
    /// Hand-overs under way.
    sending: JoinSet<(Parcel, Result<(), NeighbourError>)>,
}

#[derive(Debug)]
enum Change {
    Advertise(Vec<Offer>, Done<Result<(), AdvertiseError>>),
    Unadvertise(Vec<Offer>, Done<()>),
    TakeOver(Vec<Handed>, Done<Result<(), AdvertiseError>>),
    /// What a router will be an exit for.
    Newcomer(HostPort, Done<Vec<Handed>>),
    /// What the others need once this router is gone.
    Leaving(Done<Vec<(HostPort, Vec<Handed>)>>),
}

type Done<T> = oneshot::Sender<T>;

/// Hands changes to the registrar; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Registrations {
    changes: mpsc::Sender<Change>,
}

impl Registrations {
    /// Takes `offers` in; when this returns, calls find them.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when a bound of the registry would be passed.
    pub(super) async fn advertise(&self, offers: Vec<Offer>) -> Result<(), Refusal> {
        self.ask(|done| Change::Advertise(offers, done))
            .await?
            .map_err(refusal)
    }

    /// Withdraws `offers`; when this returns, calls find them no more.
    ///
    /// # Errors
    ///
    /// Declined when the node is stopping.
    pub(super) async fn unadvertise(&self, offers: Vec<Offer>) -> Result<(), Refusal> {
        self.ask(|done| Change::Unadvertise(offers, done)).await
    }

    /// Takes in what another router held.
    ///
    /// # Errors
    ///
    /// As [`advertise`](Self::advertise).
    pub(super) async fn take_over(&self, handed: Vec<Handed>) -> Result<(), Refusal> {
        self.ask(|done| Change::TakeOver(handed, done))
            .await?
            .map_err(refusal)
    }

    /// The registrations that `newcomer` needs of this router before it joins.
    ///
    /// # Errors
    ///
    /// Declined when the node is stopping.
    pub(super) async fn for_newcomer(&self, newcomer: HostPort) -> Result<Vec<Handed>, Refusal> {
        self.ask(|done| Change::Newcomer(newcomer, done)).await
    }

    /// The registrations that others need when this router leaves.
    ///
    /// # Errors
    ///
    /// Declined when the node is stopping.
    pub(super) async fn for_leaving(&self) -> Result<Vec<(HostPort, Vec<Handed>)>, Refusal> {
        self.ask(Change::Leaving).await
    }

    async fn ask<T>(&self, change: impl FnOnce(Done<T>) -> Change) -> Result<T, Refusal> {
        let (done, answer) = oneshot::channel();
        let sent = self.changes.send(change(done)).await;
        sent.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())
    }
}

fn stopping() -> Refusal {
    Refusal::declined("the router is stopping")
}

fn refusal(error: AdvertiseError) -> Refusal {
    match error.is_permanent() {
        true => Refusal::bad_request(error.to_string()),
        false => Refusal::declined(error.to_string()),
    }
}

/// What a registrar starts from.
pub(super) struct Start {
    pub(super) registry: RegistryConfig,
    pub(super) affinity: AffinityConfig,
    pub(super) mesh: Mesh,
    pub(super) members: watch::Receiver<Arc<Snapshot>>,
    pub(super) router: Router,
    pub(super) channel: Weak<Channel>,
}

impl Registrar {
    pub(super) fn new(start: Start) -> (Self, Registrations) {
        let (sender, changes) = mpsc::channel(WAITING);
        let registrar = Self {
            registry: Registry::new(start.registry),
            hand_over: HandOver::default(),
            mesh: Arc::new(start.mesh),
            has_entered: false,
            changes,
            members: start.members,
            router: start.router,
            lists: PeerLists::new(start.affinity, start.channel.clone()),
            neighbours: Neighbours::new(start.channel),
            sending: JoinSet::new(),
        };
        (registrar, Registrations { changes: sender })
    }

    /// Works until nobody is left to send changes.
    pub(super) async fn run(mut self) {
        self.publish();
        let mut changes = Vec::with_capacity(WAITING);
        loop {
            let due = self.poll_timeout();
            tokio::select! {
                count = self.changes.recv_many(&mut changes, WAITING) => match count {
                    0 => return,
                    _ => self.handle_changes(&mut changes),
                },
                Ok(()) = self.members.changed() => self.handle_members(),
                Some(Ok((parcel, outcome))) = self.sending.join_next() => {
                    self.handle_sent(&parcel, outcome);
                }
                () = sleep_until(due) => self.handle_timeout(),
            }
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let due = [
            self.registry.poll_timeout(),
            self.mesh.poll_timeout(),
            self.hand_over.poll_timeout(),
        ];
        due.into_iter().flatten().min()
    }

    /// Applies all that wait, puts the result in force once, then answers each.
    fn handle_changes(&mut self, changes: &mut Vec<Change>) {
        let answers: Vec<_> = changes
            .drain(..)
            .map(|change| self.handle_change(change))
            .collect();
        self.publish();
        for answer in answers {
            answer();
        }
    }

    fn handle_change(&mut self, change: Change) -> Box<dyn FnOnce() + Send> {
        // Whoever asked may be gone; the change stands all the same.
        match change {
            Change::Advertise(offers, done) => {
                let taken = self.registry.advertise(now(), &offers);
                tracing::debug!(?taken, ?offers, "advertised");
                if taken.is_ok() {
                    self.handle_taken(offers.iter());
                    self.tell_newcomers(&offers, Relay::Ad);
                }
                Box::new(|| drop(done.send(taken)))
            }
            Change::TakeOver(handed, done) => {
                let taken = self.registry.take_over(now(), &handed);
                tracing::debug!(?taken, registrations = handed.len(), "taken over");
                if taken.is_ok() {
                    self.handle_taken(handed.iter().map(|one| &one.offer));
                }
                Box::new(|| drop(done.send(taken.map(drop))))
            }
            Change::Unadvertise(offers, done) => {
                let known = self.registry.unadvertise(now(), &offers);
                tracing::debug!(known, ?offers, "unadvertised");
                self.tell_newcomers(&offers, Relay::Unad);
                Box::new(|| {
                    let _ = done.send(());
                })
            }
            Change::Newcomer(newcomer, done) => {
                let names = hand_over::for_newcomer(&self.mesh, &newcomer, self.registry.names());
                let handed = self.held(&names);
                Box::new(|| drop(done.send(handed)))
            }
            Change::Leaving(done) => {
                let parcels = hand_over::for_leaving(&self.mesh, self.registry.names());
                let parcels: Vec<_> = parcels
                    .into_iter()
                    .map(|Parcel { to, names }| (to, self.held(&names)))
                    .collect();
                Box::new(|| drop(done.send(parcels)))
            }
        }
    }

    fn handle_taken<'a>(&mut self, offers: impl Iterator<Item = &'a Offer>) {
        for offer in offers {
            self.hand_over.handle_taken(now(), &self.mesh, &offer.name);
        }
    }

    /// Tells exits that have just become some what an instance has just said, in case nobody else does.
    fn tell_newcomers(&mut self, offers: &[Offer], relay: Relay) {
        for (to, offers) in hand_over::for_settling(&self.mesh, offers) {
            if self.sending.len() >= SENDING {
                tracing::warn!(router = %to, "not told: it will be with the next advertisement");
                continue;
            }
            let neighbours = self.neighbours.clone();
            self.sending.spawn(async move {
                let outcome = match relay {
                    Relay::Ad => neighbours.hand_over(&to, &fresh(offers)).await,
                    Relay::Unad => neighbours.relay(&to, relay, "hyperbahn", &offers).await,
                };
                // It has these offers, which are not all of any service.
                let names = Vec::new();
                (Parcel { to, names }, outcome)
            });
        }
    }

    fn handle_members(&mut self) {
        let snapshot = Arc::clone(&self.members.borrow_and_update());
        let before = Arc::clone(&self.mesh);
        self.mesh = Arc::new(self.next_mesh(&snapshot));
        if before.ring() != self.mesh.ring() {
            let servers = self.mesh.ring().servers();
            let routers: Vec<_> = servers
                .iter()
                .map(hyperbahn_ring::Server::address)
                .collect();
            tracing::info!(?routers, "the ring of routers has changed");
            let names = self.registry.names();
            let parcels = self
                .hand_over
                .handle_mesh(now(), &before, &self.mesh, names);
            self.send(parcels);
        }
        self.publish();
    }

    fn next_mesh(&mut self, snapshot: &Snapshot) -> Mesh {
        self.has_entered |= snapshot.is_member;
        let suspects = snapshot
            .members
            .iter()
            .filter(|member| member.status == Status::Suspect)
            .map(|member| member.address.to_string());
        let next = self
            .mesh
            .with_ring(now(), snapshot.ring.clone(), suspects.collect());
        match self.has_entered {
            true => next,
            // As it will be, and as if it had always been so: there is nothing to hand over.
            false => next.with(self.mesh.me()),
        }
    }

    fn handle_sent(&mut self, parcel: &Parcel, outcome: Result<(), NeighbourError>) {
        let Parcel { to, names } = parcel;
        match outcome {
            Ok(()) => {
                tracing::info!(router = %to, services = names.len(), "handed over");
                self.hand_over.handle_delivered(now(), names);
            }
            Err(error) => {
                tracing::warn!(router = %to, services = names.len(), %error, "not handed over");
            }
        }
    }

    fn handle_timeout(&mut self) {
        let now = now();
        for Offer { name, instance } in self.registry.handle_timeout(now) {
            tracing::info!(service = name, %instance, "forgotten: no advertisement for too long");
        }
        let (parcels, released) = self.hand_over.handle_timeout(now, &self.mesh);
        for name in released {
            tracing::info!(service = name, "released: others are its exits now");
            self.registry.release(&name);
        }
        self.send(parcels);
        if self.mesh.poll_timeout().is_some_and(|due| due <= now) {
            self.mesh = Arc::new(self.mesh.settled(now));
        }
        self.publish();
    }

    fn send(&mut self, parcels: Vec<Parcel>) {
        for parcel in parcels {
            let handed = self.held(&parcel.names);
            if handed.is_empty() {
                parcel
                    .names
                    .iter()
                    .for_each(|name| self.hand_over.forget(name));
                continue;
            }
            let neighbours = self.neighbours.clone();
            self.sending.spawn(async move {
                let outcome = neighbours.hand_over(&parcel.to, &handed).await;
                (parcel, outcome)
            });
        }
    }

    fn held(&self, names: &[String]) -> Vec<Handed> {
        let held = names
            .iter()
            .flat_map(|name| self.registry.held(now(), name));
        held.collect()
    }

    /// Puts in force what has changed, if anything has.
    fn publish(&mut self) {
        let (services, changed) = self.registry.changed_services();
        let mesh = Arc::clone(&self.mesh);
        let view = View { services, mesh };
        if let Some(lists) = self.lists.update(&view, &changed) {
            self.router.replace(view, lists);
        }
    }
}

fn fresh(offers: Vec<Offer>) -> Vec<Handed> {
    let age = Duration::ZERO;
    let handed = offers.into_iter().map(|offer| Handed { offer, age });
    handed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::membership::{Membership, MembershipConfig};
    use crate::routing::ExitConfig;

    /// A registrar at work, on a clock that moves when everybody waits.
    struct Bench {
        registrations: Registrations,
        router: Router,
        // The registrar itself does not keep it.
        _channel: Arc<Channel>,
    }

    impl Bench {
        fn new() -> Self {
            let channel = Arc::new(Channel::new("test"));
            let router = Router::default();
            let mesh = Mesh::alone(at("127.0.0.1:21300"), ExitConfig::default());
            router.begin(&channel, &mesh);
            let (registrar, registrations) = Registrar::new(start(&channel, &router, mesh));
            tokio::spawn(registrar.run());
            Self {
                registrations,
                router,
                _channel: channel,
            }
        }

        fn instances(&self, name: &str) -> usize {
            let moment = self.router.current().unwrap();
            moment
                .view
                .services
                .instances(name)
                .map_or(0, |all| all.len())
        }
    }

    fn start(channel: &Arc<Channel>, router: &Router, mesh: Mesh) -> Start {
        let config = MembershipConfig::default();
        Start {
            registry: RegistryConfig {
                max_services: 2,
                ..RegistryConfig::default()
            },
            affinity: AffinityConfig::default(),
            members: Membership::start(channel, mesh.me(), config).watch(),
            mesh,
            router: router.clone(),
            channel: Arc::downgrade(channel),
        }
    }

    fn at(address: &str) -> HostPort {
        HostPort::parse(address).unwrap()
    }

    fn offer(name: &str, address: &str) -> Offer {
        Offer {
            name: name.to_owned(),
            instance: at(address),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_advertised_is_in_force_when_the_answer_comes() {
        let bench = Bench::new();
        let offers = vec![offer("a", "127.0.0.1:1"), offer("a", "127.0.0.1:2")];
        bench.registrations.advertise(offers.clone()).await.unwrap();
        assert_eq!(bench.instances("a"), 2);
        bench
            .registrations
            .unadvertise(offers[..1].to_vec())
            .await
            .unwrap();
        assert_eq!(bench.instances("a"), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_instance_that_falls_silent_is_forgotten_and_one_that_renews_is_not() {
        let bench = Bench::new();
        let renewing = vec![offer("a", "127.0.0.1:1")];
        let silent = vec![offer("a", "127.0.0.1:2")];
        bench.registrations.advertise(silent).await.unwrap();
        for _ in 0..3 {
            bench
                .registrations
                .advertise(renewing.clone())
                .await
                .unwrap();
            tokio::time::sleep(Duration::from_secs(185)).await;
        }
        assert_eq!(bench.instances("a"), 1);
        tokio::time::sleep(Duration::from_secs(401)).await;
        assert_eq!(bench.instances("a"), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_fit_is_declined_and_what_never_fits_is_a_bad_request() {
        let bench = Bench::new();
        let many = ["a", "b", "c"]
            .map(|name| offer(name, "127.0.0.1:1"))
            .to_vec();
        let refusal = bench.registrations.advertise(many).await.unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "declined: no room for service \"c\": 2 services are registered already"
        );
        let long = vec![offer(&"n".repeat(256), "127.0.0.1:1")];
        let refusal = bench.registrations.advertise(long).await.unwrap_err();
        assert!(
            refusal.to_string().starts_with("bad-request: service name"),
            "{refusal}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_registrar_that_is_gone_declines() {
        let channel = Arc::new(Channel::new("test"));
        let mesh = Mesh::alone(at("127.0.0.1:21300"), ExitConfig::default());
        let (registrar, registrations) = Registrar::new(start(&channel, &Router::default(), mesh));
        drop(registrar);
        let refusal = registrations.advertise(Vec::new()).await.unwrap_err();
        assert_eq!(refusal.to_string(), "declined: the router is stopping");
    }

    #[tokio::test(start_paused = true)]
    async fn an_instance_is_a_peer_while_it_is_registered() {
        let bench = Bench::new();
        let offers = vec![offer("a", "127.0.0.1:1"), offer("a", "127.0.0.1:2")];
        bench.registrations.advertise(offers.clone()).await.unwrap();
        let moment = bench.router.current().unwrap();
        let peers = moment.lists.instances("a").unwrap().all.clone();
        assert_eq!(peers.len(), 2);
        bench
            .registrations
            .unadvertise(offers[1..].to_vec())
            .await
            .unwrap();
        assert_eq!(peers.len(), 1);
    }
}
