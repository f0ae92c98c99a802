//! Members of a mesh in one process: how they meet, notice a loss, leave and come back.

use std::sync::Arc;
use std::time::Duration;

use hyperbahn::host_port::HostPort;
use hyperbahn::membership::{Bootstrap, Membership, MembershipConfig, SERVICE, Snapshot, Status};
use tchannel_rt::{Channel, ErrorCode, Response};

/// A member and the channel it lives on.
struct Seat {
    channel: Arc<Channel>,
    member: Membership,
}

impl Seat {
    async fn at(address: &str) -> Self {
        Self::configured(address, quick()).await
    }

    async fn configured(address: &str, config: MembershipConfig) -> Self {
        let channel = Arc::new(Channel::new("mesh"));
        let bound = channel.listen(address).await.unwrap();
        let address = HostPort::parse(&bound.to_string()).unwrap();
        let member = Membership::start(&channel, &address, config);
        Self { channel, member }
    }

    async fn new() -> Self {
        Self::at("127.0.0.1:0").await
    }

    fn address(&self) -> String {
        self.member.address().to_string()
    }

    async fn join(&self, hosts: &[String]) {
        let report = self.member.look(hosts.iter().collect()).await;
        assert_eq!(report.problems, [""; 0]);
        self.member.enter().await;
    }

    /// Waits for a snapshot that is as wanted.
    async fn sees(&self, wanted: impl FnMut(&Arc<Snapshot>) -> bool) {
        let mut watch = self.member.watch();
        let limit = tokio::time::timeout(LONG, watch.wait_for(wanted));
        if let Err(_) | Ok(Err(_)) = limit.await {
            panic!("{:#?}", self.member.current());
        }
    }

    async fn sees_on_the_ring(&self, addresses: &[String]) {
        let mut addresses = addresses.to_vec();
        addresses.sort();
        self.sees(|snapshot| servers(snapshot) == addresses).await;
    }

    /// Asks its endpoint and waits for the answer, good or bad.
    async fn ask(&self, path: &str, body: &str) -> Response {
        let target = format!("{SERVICE}::{path}");
        let address = self.address();
        let caller = Channel::new("test");
        let call = caller.call(&target).peer(&address).arg_scheme("json");
        call.ttl(LONG).send("null", body.to_owned()).await.unwrap()
    }

    /// Ends it as a crash would.
    async fn crash(self) {
        drop(self.member);
        self.channel.close().await;
    }
}

fn quick() -> MembershipConfig {
    let mut config = MembershipConfig::default();
    config.period = Duration::from_millis(20);
    config.ping_timeout = Duration::from_millis(300);
    config.suspect_period = Duration::from_millis(500);
    config
}

fn servers(snapshot: &Snapshot) -> Vec<String> {
    let servers = snapshot.ring.servers().iter();
    servers.map(|server| server.address().to_owned()).collect()
}

/// Suspects nobody for being slow.
fn patient() -> MembershipConfig {
    let mut config = quick();
    config.ping_timeout = LONG;
    config
}

/// A ring of that many, all of which see each other.
async fn ring(size: usize) -> (Vec<Seat>, Vec<String>) {
    ring_of(size, quick).await
}

async fn ring_of(size: usize, config: fn() -> MembershipConfig) -> (Vec<Seat>, Vec<String>) {
    let mut seats = Vec::new();
    for _ in 0..size {
        seats.push(Seat::configured("127.0.0.1:0", config()).await);
    }
    let hosts: Vec<String> = seats.iter().map(Seat::address).collect();
    futures::future::join_all(seats.iter().map(|seat| seat.join(&hosts))).await;
    for seat in &seats {
        seat.sees_on_the_ring(&hosts).await;
    }
    (seats, hosts)
}

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn five_that_start_at_once_agree_on_everything() {
    let (seats, hosts) = ring(5).await;
    let first = seats[0].member.current();
    for seat in &seats {
        let snapshot = seat.member.current();
        assert_eq!(snapshot.members.len(), 5);
        assert_eq!(snapshot.ring, first.ring);
        for key in 0..50 {
            let key = format!("key{key}");
            assert_eq!(snapshot.ring.lookup(&key), first.ring.lookup(&key));
        }
    }
    let late = Seat::new().await;
    late.join(&hosts[..1]).await;
    let all = [&hosts[..], &[late.address()]].concat();
    for seat in seats.iter().chain([&late]) {
        seat.sees_on_the_ring(&all).await;
    }
}

#[tokio::test]
async fn who_dies_is_dropped_by_all() {
    let (mut seats, mut hosts) = ring(5).await;
    let (dead, address) = (seats.remove(2), hosts.remove(2));
    dead.crash().await;
    for seat in &seats {
        seat.sees_on_the_ring(&hosts).await;
        let snapshot = seat.member.current();
        let dead = snapshot.member(&address).expect("it is not forgotten yet");
        assert_eq!(dead.status, Status::Faulty);
    }
}

#[tokio::test]
async fn who_leaves_is_gone_without_having_been_suspected() {
    let (mut seats, mut hosts) = ring_of(5, patient).await;
    for seat in &seats {
        // Whoever still looks for the lost takes a leaver for one of them.
        seat.ask("/admin/healpartition/disco", "").await;
    }
    let (leaver, address) = (seats.remove(2), hosts.remove(2));
    let told: Vec<_> = seats
        .iter()
        .map(|seat| {
            let mut watch = seat.member.watch();
            watch.mark_unchanged();
            let address = address.clone();
            async move {
                loop {
                    watch.changed().await.unwrap();
                    match watch.borrow_and_update().member(&address).unwrap().status {
                        Status::Alive => {}
                        other => return other,
                    }
                }
            }
        })
        .collect();
    let (others, ()) = tokio::time::timeout(LONG, async {
        tokio::join!(futures::future::join_all(told), leaver.member.leave())
    })
    .await
    .unwrap();
    assert_eq!(others, [Status::Faulty; 4]);
    let last = leaver.member.current();
    assert!(!last.is_member && last.ring.get(&address).is_none());
    for seat in &seats {
        seat.sees_on_the_ring(&hosts).await;
    }
    // Nobody leaves twice, nor comes back as the same.
    leaver.member.leave().await;
    leaver.member.enter().await;
    assert!(!leaver.member.current().is_member);
}

#[tokio::test]
async fn who_restarts_at_the_same_address_is_back_in_a_new_life() {
    let (mut seats, hosts) = ring(3).await;
    let (dead, address) = (seats.remove(0), hosts[0].clone());
    let before = dead.member.current().member(&address).unwrap().incarnation;
    dead.crash().await;
    let back = Seat::at(&address).await;
    back.join(&hosts).await;
    for seat in seats.iter().chain([&back]) {
        seat.sees(|snapshot| {
            let member = snapshot.member(&address).unwrap();
            member.status == Status::Alive && member.incarnation > before
        })
        .await;
        seat.sees_on_the_ring(&hosts).await;
    }
}

#[tokio::test]
async fn who_only_looks_sees_all_and_is_seen_by_nobody() {
    let (seats, hosts) = ring(3).await;
    let late = Seat::new().await;
    let report = late.member.look(hosts.iter().collect()).await;
    // One is enough; a slow machine may cost us others.
    assert!(report.hosts == 3 && report.answered > 0, "{report:?}");
    assert_eq!(servers(&late.member.current()), {
        let mut hosts = hosts.clone();
        hosts.sort();
        hosts
    });
    assert!(!late.member.current().is_member);

    let address = late.address();
    let body = format!(r#"{{"checksum":1,"changes":[],"source":"{}"}}"#, hosts[0]);
    let refused = late.ask("/protocol/ping", &body).await;
    assert!(!refused.is_ok());
    assert!(String::from_utf8_lossy(&refused.arg3).contains("ringpop.not-ready"));

    // Each of the others pings all that it knows of, again and again.
    for seat in &seats {
        for _ in 0..10 {
            assert!(seat.ask("/admin/gossip/tick", "").await.is_ok());
        }
        assert!(seat.member.current().member(&address).is_none());
    }
    late.member.enter().await;
    assert!(late.member.current().ring.get(&address).is_some());
    let all = [&hosts[..], &[address]].concat();
    for seat in &seats {
        seat.sees_on_the_ring(&all).await;
    }
}

#[tokio::test]
async fn nobody_to_be_seen_is_no_failure() {
    let seat = Seat::new().await;
    let nowhere = super::nowhere().await;
    let bootstrap = Bootstrap::from_iter([nowhere, seat.address()]);
    let report = seat.member.look(bootstrap).await;
    assert_eq!((report.hosts, report.answered), (1, 0));
    assert!(seat.member.current().ring.servers().is_empty());
    seat.member.enter().await;
    seat.sees_on_the_ring(&[seat.address()]).await;
    seat.member.leave().await;
    assert!(seat.member.current().ring.servers().is_empty());
}

#[tokio::test]
async fn names_and_files_lead_to_members_and_what_does_not_is_told() {
    let first = Seat::new().await;
    first.member.enter().await;
    let port = first.address().rsplit_once(':').unwrap().1.to_owned();
    let path = std::env::temp_dir().join(format!("members-{port}.json"));
    let entries = format!(r#"["localhost:{port}", "name.invalid:1"]"#);
    std::fs::write(&path, entries).unwrap();
    let second = Seat::new().await;
    let report = second.member.look(Bootstrap::File(path.clone())).await;
    std::fs::remove_file(path).unwrap();
    assert_eq!((report.hosts, report.answered), (1, 1));
    assert!(report.problems[0].contains("name.invalid:1"));
    second.member.enter().await;
    let both = [first.address(), second.address()];
    first.sees_on_the_ring(&both).await;
}

#[tokio::test]
async fn operators_are_answered() {
    let (seats, mut hosts) = ring(2).await;
    hosts.sort();
    let address = seats[0].address();
    let ask = async |path: &str, body: &str| {
        let answer = seats[0].ask(path, body).await;
        serde_json::from_slice::<serde_json::Value>(&answer.arg3).unwrap()
    };
    let stats = ask("/admin/stats", "").await;
    assert_eq!(stats["ring"]["servers"], serde_json::json!(hosts));
    let ring = &seats[0].member.current().ring;
    assert_eq!(stats["ring"]["checksum"], ring.checksum());
    assert!(stats["process"]["memory"]["rss"].as_u64() > Some(0));
    let owner = ask("/admin/lookup", r#"{"key":"k"}"#).await;
    assert_eq!(owner["dest"], ring.lookup("k").unwrap().address());
    let refused = ask("/admin/lookup", "{}").await;
    assert_eq!(refused["type"], "ringpop.argument-required");
    let left = ask("/admin/member/leave", "").await;
    assert_eq!(left["status"], "ok");
    seats[1].sees_on_the_ring(&[seats[1].address()]).await;

    let caller = Channel::new("operator");
    let unknown = caller.call("ringpop::/proxy/req").peer(&address);
    let error = unknown.send("", "").await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::BadRequest);
}

#[tokio::test]
async fn the_member_ends_with_its_last_handle_and_the_channel_lives_on() {
    let Seat { channel, member } = Seat::new().await;
    let address = member.address().to_string();
    let clone = member.clone();
    drop(member);
    clone.enter().await;
    let mut watch = clone.watch();
    drop(clone);
    let ended = async { while watch.changed().await.is_ok() {} };
    tokio::time::timeout(LONG, ended).await.unwrap();
    let caller = Channel::new("test");
    let health = caller.call("ringpop::/health").peer(&address);
    let error = health.send("", "").await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Declined, "{error}");
    channel.close().await;
}

#[tokio::test]
async fn the_member_ends_with_its_channel() {
    let Seat { channel, member } = Seat::new().await;
    member.enter().await;
    drop(channel);
    let mut watch = member.watch();
    let ended = async { while watch.changed().await.is_ok() {} };
    tokio::time::timeout(LONG, ended).await.unwrap();
    // Nobody is left to answer, and nobody waits.
    member.leave().await;
    assert_eq!(member.look(Bootstrap::default()).await.answered, 0);
}
