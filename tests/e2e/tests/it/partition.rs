//! A network that is cut in two: both halves go on by themselves, and become one again.

use std::collections::BTreeSet;

use serde_json::json;
use tchannel_rt::Channel;
use test_e2e::Process;

use crate::hand_over::{advertised_once, known_at};
use crate::mesh::{PATIENCE, PROCESS, SERVICE, alive_at, alone, ask, eventually};
use crate::netns::{HOSTS, LEFT, Network, Site};
use crate::routers::{ALL, WORK};
use crate::traffic::Traffic;

/// Calls on each side of the cut.
const SOME: usize = 1000;

#[tokio::test(flavor = "multi_thread")]
async fn halves_that_are_cut_off_go_on_and_lose_no_registration_when_they_meet_again() {
    let _alone = alone().await;
    let Some(network) = Network::new("cut") else {
        return;
    };
    let halves = [
        Half::new(&network, 1..=LEFT).await,
        Half::new(&network, LEFT + 1..=HOSTS).await,
    ];
    let _routers = routers(&network).await;
    for half in &halves {
        half.sees(1..=HOSTS).await;
    }
    let _instances = [
        halves[0].instance(&network, 1).await,
        halves[0].instance(&network, 2).await,
        halves[1].instance(&network, 4).await,
        halves[1].instance(&network, 5).await,
    ];
    let mut advertised = vec![
        halves[0].advertise("before-left").await,
        halves[1].advertise("before-right").await,
    ];

    network.cut();
    for half in &halves {
        half.sees(half.hosts.clone()).await;
        half.has_lost_instances_outside().await;
    }
    advertised.push(halves[0].advertise("meanwhile-left").await);
    advertised.push(halves[1].advertise("meanwhile-right").await);
    let traffic = [halves[0].traffic().await, halves[1].traffic().await];
    for (half, traffic) in halves.iter().zip(traffic) {
        traffic.answered(SOME).await;
        let counts = traffic.stop(&format!("{} cut off", half.name())).await;
        counts.assert_none_failed();
        let mut answered = counts.by_instance.keys();
        assert!(answered.all(|instance| half.holds(instance)), "{counts:?}");
    }

    let traffic = [halves[0].traffic().await, halves[1].traffic().await];
    network.join();
    for half in &halves {
        half.sees(1..=HOSTS).await;
    }
    for half in &halves {
        for (name, instance) in &advertised {
            half.knows(name, instance).await;
            half.calls(name).await;
        }
    }
    for (half, traffic) in halves.iter().zip(traffic) {
        traffic.answered(SOME).await;
        let counts = traffic.stop(&format!("{} joined again", half.name())).await;
        counts.assert_none_failed();
    }
}

/// One on each host.
async fn routers(network: &Network) -> Vec<Process> {
    let bootstrap: Vec<_> = (1..=HOSTS).map(router).collect();
    let toml = format!("bootstrap = {bootstrap:?}\nexits.k = {ALL}");
    let mut routers = Vec::new();
    for host in 1..=HOSTS {
        let args = ["router", &router(host), &toml];
        routers.push(start(network, host, &args).await);
    }
    routers
}

fn router(host: usize) -> String {
    format!("{}:21300", Network::ip(host))
}

async fn start(network: &Network, host: usize, args: &[&str]) -> Process {
    let namespace = network.namespace(host);
    let within = ["netns", "exec", &namespace, PROCESS];
    Process::start("ip", &[&within, args].concat()).await
}

type Hosts = std::ops::RangeInclusive<usize>;

/// The hosts on one side of the cut, and a thread of the test among them.
struct Half {
    hosts: Hosts,
    site: Site,
}

impl Half {
    async fn new(network: &Network, hosts: Hosts) -> Self {
        let site = network.enter(*hosts.start()).await;
        Self { hosts, site }
    }

    fn name(&self) -> String {
        format!("hosts {:?}", self.hosts)
    }

    fn routers(&self) -> Vec<String> {
        self.hosts.clone().map(router).collect()
    }

    fn holds(&self, instance: &str) -> bool {
        let mut ips = self.hosts.clone().map(Network::ip);
        ips.any(|ip| instance.split(':').next() == Some(&ip))
    }

    /// Waits until the routers of this half see those of `hosts` and nobody else.
    async fn sees(&self, hosts: Hosts) {
        let expected: BTreeSet<_> = hosts.map(router).collect();
        for router in self.routers() {
            eventually(&format!("{router} sees {expected:?}"), || async {
                let router = router.clone();
                let seen = self.site.run(async move { alive_at(&router).await }).await;
                BTreeSet::from_iter(seen) == expected
            })
            .await;
        }
    }

    /// Waits until the routers of this half have given up the connections to the other one.
    async fn has_lost_instances_outside(&self) {
        for router in self.routers() {
            eventually(&format!("{router} has no connection outside"), || async {
                let router = router.clone();
                let body = json!({"serviceName": SERVICE});
                let known = async move { ask(&router, "exit_connections_v1", body).await };
                let known = self.site.run(known).await.unwrap_or_default();
                let mut outside = known
                    .as_object()
                    .into_iter()
                    .flatten()
                    .filter(|(instance, _)| !self.holds(instance));
                outside.all(|(_, known)| {
                    known["connected"]["in"] != true && known["connected"]["out"] != true
                })
            })
            .await;
        }
    }

    /// A process that advertises at the routers of this half.
    async fn instance(&self, network: &Network, host: usize) -> Process {
        let listen = format!("{}:0", Network::ip(host));
        let routers = self.routers().join(",");
        start(network, host, &["service", SERVICE, &listen, &routers]).await
    }

    /// Advertises an instance in this process once, at one router. Returns name and instance.
    async fn advertise(&self, name: &str) -> (String, Channel) {
        let (listen, router) = (
            format!("{}:0", Network::ip(*self.hosts.start())),
            router(*self.hosts.end()),
        );
        let name = name.to_owned();
        let advertised = async move {
            let instance = advertised_once(&listen, &router, &name).await;
            (name, instance)
        };
        self.site.run(advertised).await
    }

    /// Waits until each router of this half knows the one instance of `name`.
    async fn knows(&self, name: &str, instance: &Channel) {
        let address = instance.local_addr().expect("it listens").to_string();
        let expected = BTreeSet::from([address]);
        for router in self.routers() {
            eventually(
                &format!("{router} knows {expected:?} of {name}"),
                || async {
                    let (router, name) = (router.clone(), name.to_owned());
                    let known = async move { known_at(&router, &name).await };
                    self.site.run(known).await == expected
                },
            )
            .await;
        }
    }

    /// Calls `name` through each router of this half.
    async fn calls(&self, name: &str) {
        let target = format!("{name}::echo");
        let routers = self.routers();
        let calls = async move {
            let caller = Channel::new("caller");
            for router in routers {
                let call = caller.call(&target).peer(&router).ttl(PATIENCE);
                let answer = call.send("", "hi").await;
                answer.unwrap_or_else(|error| panic!("{error}"));
            }
        };
        self.site.run(calls).await;
    }

    /// Calls by one that knows the routers of this half.
    async fn traffic(&self) -> Traffic {
        let routers = self.routers();
        let traffic = async move {
            let caller = Channel::new("caller");
            for router in routers {
                caller.routers().add(&router);
            }
            Traffic::start(&[caller], WORK)
        };
        self.site.run(traffic).await
    }
}
