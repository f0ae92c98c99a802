//! The task that owns the registry, and the only one that changes what the node knows.

use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::Instant;

use tchannel_rt::{Channel, PeerList};
use tokio::sync::{mpsc, oneshot};

use super::router::{Peers, Router};
use crate::host_port::HostPort;
use crate::refusal::Refusal;
use crate::registry::{AdvertiseError, Offer, Registry, RegistryConfig, Services};

/// Changes that wait for the registrar; a caller with another one waits itself.
const WAITING: usize = 256;

/// Applies changes one by one and puts what comes of them in force.
pub(super) struct Registrar {
    registry: Registry,
    changes: mpsc::Receiver<Change>,
    router: Router,
    channel: Weak<Channel>,
    services: Arc<Services>,
    peers: Peers,
}

enum Change {
    Advertise(Vec<Offer>, oneshot::Sender<Result<(), AdvertiseError>>),
    Unadvertise(Vec<Offer>, oneshot::Sender<()>),
}

/// Hands changes to the registrar; cheap to clone.
#[derive(Clone)]
pub(super) struct Advertiser {
    changes: mpsc::Sender<Change>,
}

impl Advertiser {
    /// Takes `offers` in; when this returns, calls find them.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] when a bound of the registry would be passed.
    pub(super) async fn advertise(&self, offers: Vec<Offer>) -> Result<(), Refusal> {
        let (done, answer) = oneshot::channel();
        self.send(Change::Advertise(offers, done)).await?;
        answer.await.map_err(|_| stopping())?.map_err(refusal)
    }

    /// Withdraws `offers`; when this returns, calls find them no more.
    ///
    /// # Errors
    ///
    /// Declined when the node is stopping.
    pub(super) async fn unadvertise(&self, offers: Vec<Offer>) -> Result<(), Refusal> {
        let (done, answer) = oneshot::channel();
        self.send(Change::Unadvertise(offers, done)).await?;
        answer.await.map_err(|_| stopping())
    }

    async fn send(&self, change: Change) -> Result<(), Refusal> {
        self.changes.send(change).await.map_err(|_| stopping())
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

impl Registrar {
    pub(super) fn new(
        config: RegistryConfig,
        router: Router,
        channel: Weak<Channel>,
    ) -> (Self, Advertiser) {
        let (sender, changes) = mpsc::channel(WAITING);
        let registrar = Self {
            registry: Registry::new(config),
            changes,
            router,
            channel,
            services: Arc::default(),
            peers: Peers::new(),
        };
        (registrar, Advertiser { changes: sender })
    }

    /// Works until nobody is left to send changes.
    pub(super) async fn run(mut self) {
        loop {
            let due = self.registry.poll_timeout();
            tokio::select! {
                change = self.changes.recv() => match change {
                    Some(change) => self.handle_change(change),
                    None => return,
                },
                () = sleep_until(due) => self.handle_timeout(),
            }
        }
    }

    fn handle_change(&mut self, change: Change) {
        // Whoever asked may be gone; the change stands all the same.
        match change {
            Change::Advertise(offers, done) => {
                let taken = self.registry.advertise(now(), &offers);
                tracing::debug!(?taken, ?offers, "advertised");
                self.publish();
                let _ = done.send(taken);
            }
            Change::Unadvertise(offers, done) => {
                let known = self.registry.unadvertise(&offers);
                tracing::debug!(known, ?offers, "unadvertised");
                self.publish();
                let _ = done.send(());
            }
        }
    }

    fn handle_timeout(&mut self) {
        for Offer { name, instance } in self.registry.handle_timeout(now()) {
            tracing::info!(service = name, %instance, "forgotten: no advertisement for too long");
        }
        self.publish();
    }

    /// Puts in force what has changed, if anything has.
    fn publish(&mut self) {
        let services = self.registry.services();
        if Arc::ptr_eq(&services, &self.services) {
            return;
        }
        let Some(channel) = self.channel.upgrade() else {
            return;
        };
        let peers = services.iter().map(|(name, _)| {
            let known = self.peers.get_key_value(name);
            let (name, list) = known.map_or_else(
                || (Arc::from(name), channel.new_peer_list(name)),
                |(name, list)| (Arc::clone(name), list.clone()),
            );
            update(
                &list,
                self.services.instances(&name),
                services.instances(&name),
            );
            (name, list)
        });
        self.peers = peers.collect();
        self.services = services;
        self.router
            .replace(Arc::clone(&self.services), self.peers.clone());
    }
}

type Instances = Arc<[HostPort]>;

/// Brings a list from one state of a service to the next. Peers that stay keep what is known of them.
fn update(list: &PeerList, before: Option<&Instances>, after: Option<&Instances>) {
    if let (Some(before), Some(after)) = (before, after)
        && Arc::ptr_eq(before, after)
    {
        return;
    }
    let set = |instances: Option<&Instances>| -> HashSet<HostPort> {
        instances
            .into_iter()
            .flat_map(|all| all.iter().cloned())
            .collect()
    };
    let (before, after) = (set(before), set(after));
    for instance in after.difference(&before) {
        list.add(instance.as_str());
        list.connect(instance.as_str());
    }
    for instance in before.difference(&after) {
        list.remove(instance.as_str());
    }
}

// Tokio's clock, so that a test can move it.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A registrar at work, on a clock that moves when everybody waits.
    struct Bench {
        advertiser: Advertiser,
        router: Router,
        // The registrar itself does not keep it.
        _channel: Arc<Channel>,
    }

    impl Bench {
        fn new() -> Self {
            let channel = Arc::new(Channel::new("test"));
            let router = Router::default();
            router.open(&at("127.0.0.1:21300"));
            let config = RegistryConfig {
                max_services: 2,
                ..RegistryConfig::default()
            };
            let (registrar, advertiser) =
                Registrar::new(config, router.clone(), Arc::downgrade(&channel));
            tokio::spawn(registrar.run());
            Self {
                advertiser,
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
        bench.advertiser.advertise(offers.clone()).await.unwrap();
        assert_eq!(bench.instances("a"), 2);
        bench
            .advertiser
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
        bench.advertiser.advertise(silent).await.unwrap();
        for _ in 0..3 {
            bench.advertiser.advertise(renewing.clone()).await.unwrap();
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
        let refusal = bench.advertiser.advertise(many).await.unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "declined: no room for service \"c\": 2 services are registered already"
        );
        let long = vec![offer(&"n".repeat(256), "127.0.0.1:1")];
        let refusal = bench.advertiser.advertise(long).await.unwrap_err();
        assert!(
            refusal.to_string().starts_with("bad-request: service name"),
            "{refusal}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_registrar_that_is_gone_declines() {
        let (registrar, advertiser) =
            Registrar::new(RegistryConfig::default(), Router::default(), Weak::new());
        drop(registrar);
        let refusal = advertiser.advertise(Vec::new()).await.unwrap_err();
        assert_eq!(refusal.to_string(), "declined: the router is stopping");
    }

    #[tokio::test(start_paused = true)]
    async fn an_instance_is_a_peer_while_it_is_registered() {
        let bench = Bench::new();
        let offers = vec![offer("a", "127.0.0.1:1"), offer("a", "127.0.0.1:2")];
        bench.advertiser.advertise(offers.clone()).await.unwrap();
        let peers = bench.router.current().unwrap().peers("a").unwrap().clone();
        assert_eq!(peers.len(), 2);
        bench
            .advertiser
            .unadvertise(offers[1..].to_vec())
            .await
            .unwrap();
        assert_eq!(peers.len(), 1);
    }
}
