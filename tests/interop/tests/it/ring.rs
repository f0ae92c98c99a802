//! One ring of our members and of deployed ones.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hyperbahn::host_port::HostPort;
use hyperbahn::membership::{Bootstrap, Membership, MembershipConfig, SERVICE};
use serde_json::{Value, json};
use tchannel_rt::Channel;
use test_interop::{Peer, RingMember};

const SUSPECT_PERIOD_MS: u64 = 1000;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(120);

/// One of our members; it is as good as killed when this is dropped.
struct Ours {
    channel: Arc<Channel>,
    member: Membership,
}

impl Ours {
    async fn listening() -> Self {
        let channel = Arc::new(Channel::new("ringpop"));
        let address = channel.listen("127.0.0.1:0").await.unwrap();
        let address = HostPort::parse(&address.to_string()).unwrap();
        let mut config = MembershipConfig::default();
        config.suspect_period = Duration::from_millis(SUSPECT_PERIOD_MS);
        let member = Membership::start(&channel, &address, config);
        Self { channel, member }
    }

    fn address(&self) -> &str {
        self.member.address().as_str()
    }

    async fn join(&self, hosts: &Hosts) {
        self.member.look(Bootstrap::File(hosts.0.clone())).await;
        self.member.enter().await;
    }

    async fn crash(self) {
        drop(self.member);
        self.channel.close().await;
    }
}

/// A file with the members of a ring.
struct Hosts(PathBuf);

impl Hosts {
    fn new(addresses: &[&str]) -> Self {
        let name = format!("ring-{}.json", addresses[0].replace(':', "-"));
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, json!(addresses).to_string()).unwrap();
        Self(path)
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// An address at which somebody may soon listen.
async fn free_address() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}

/// What an operator asks members.
struct Operator(Channel);

impl Operator {
    async fn ask(&self, address: &str, path: &str, body: Value) -> Option<Value> {
        let target = format!("{SERVICE}::{path}");
        let call = self.0.call(&target).peer(address).arg_scheme("json");
        let answer = call.ttl(LONG).send("null", body.to_string()).await.ok()?;
        serde_json::from_slice(&answer.arg3).ok()
    }

    /// Lets every member go through periods until all agree that just these are in the ring.
    async fn sees_agreement(&self, addresses: &[&str]) {
        let agreed = async {
            while !self.do_agree(addresses).await {
                for address in addresses {
                    self.ask(address, "/admin/gossip/tick", json!({})).await;
                }
            }
        };
        if tokio::time::timeout(LONG, agreed).await.is_err() {
            let mut seen = Vec::new();
            for address in addresses {
                seen.push((address, self.ask(address, "/admin/stats", json!({})).await));
            }
            panic!("no agreement: {seen:#?}");
        }
    }

    /// Whether members and rings of all are the same, with just these servers.
    async fn do_agree(&self, addresses: &[&str]) -> bool {
        let mut sums = BTreeSet::new();
        for address in addresses {
            let Some(stats) = self.ask(address, "/admin/stats", json!({})).await else {
                return false;
            };
            let servers = stats["ring"]["servers"].as_array().cloned();
            let servers: BTreeSet<String> = servers
                .into_iter()
                .flatten()
                .filter_map(|server| server.as_str().map(str::to_owned))
                .collect();
            if !servers.iter().map(String::as_str).eq(sorted(addresses)) {
                return false;
            }
            let checksum = |part: &str| stats[part]["checksum"].as_u64();
            sums.insert((checksum("membership"), checksum("ring")));
        }
        sums.len() == 1
    }

    /// Asks all of them who owns each of fifty keys.
    async fn hears_the_same_owners(&self, addresses: &[&str]) {
        let mut owners = BTreeSet::new();
        for key in 0..50 {
            let body = json!({"key": format!("key{key}")});
            let mut answers = BTreeSet::new();
            for address in addresses {
                let answer = self.ask(address, "/admin/lookup", body.clone()).await;
                let answer = answer.expect("an answer");
                answers.insert(answer["dest"].as_str().expect("an owner").to_owned());
            }
            assert_eq!(answers.len(), 1, "{body}: {answers:?}");
            owners.extend(answers);
        }
        assert!(owners.iter().map(String::as_str).eq(sorted(addresses)));
    }
}

fn sorted<'a>(addresses: &[&'a str]) -> Vec<&'a str> {
    let mut addresses = addresses.to_vec();
    addresses.sort_unstable();
    addresses
}

#[tokio::test]
async fn a_ring_of_ours_and_of_go_members_agrees_and_survives_losses_on_either_side() {
    let Some(peer) = Peer::ringpop_go() else {
        return;
    };
    let ours = [
        Ours::listening().await,
        Ours::listening().await,
        Ours::listening().await,
    ];
    let theirs = [free_address().await, free_address().await];
    let all = [
        ours[0].address().to_owned(),
        ours[1].address().to_owned(),
        ours[2].address().to_owned(),
        theirs[0].clone(),
        theirs[1].clone(),
    ];
    let [a, b, c, d, e] = [0, 1, 2, 3, 4].map(|at: usize| all[at].as_str());
    let hosts = Hosts::new(&[a, b, c, d, e]);
    let go = theirs
        .each_ref()
        .map(|address| RingMember::start(peer, address, &hosts.0, SUSPECT_PERIOD_MS));
    futures::future::join_all(ours.iter().map(|member| member.join(&hosts))).await;

    let operator = Operator(Channel::new("operator"));
    operator.sees_agreement(&[a, b, c, d, e]).await;
    operator.hears_the_same_owners(&[a, b, c, d, e]).await;

    let [first_go, second_go] = go;
    assert_eq!((first_go.address(), second_go.address()), (d, e));
    drop(first_go);
    operator.sees_agreement(&[a, b, c, e]).await;

    let [first, second, third] = ours;
    first.crash().await;
    operator.sees_agreement(&[b, c, e]).await;

    second.member.leave().await;
    operator.sees_agreement(&[c, e]).await;
    operator.hears_the_same_owners(&[c, e]).await;
    drop((second, third, second_go));
}
