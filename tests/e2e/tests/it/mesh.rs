//! A mesh of router processes, instances that advertise at them, and callers that know all of them.

use std::time::Duration;

use serde_json::{Value, json};
use tchannel_rt::Channel;
use test_e2e::{Process, free_address};
use tokio::sync::{Mutex, MutexGuard};

/// The service that instances serve and callers call.
pub(crate) const SERVICE: &str = "greeter";

/// How many callers there are.
const CALLERS: usize = 4;

/// Longest wait for something that must come; only a failing test takes so long.
const LONG: Duration = Duration::from_secs(60);

/// Time for the answer to a call that is made for its answer. Longer than any pause of a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The program of all processes.
pub(crate) const PROCESS: &str = env!("CARGO_BIN_EXE_e2e-process");

/// Routers, each at an address that it keeps when it comes back.
pub(crate) struct Mesh {
    k: usize,
    addresses: Vec<String>,
    routers: Vec<Option<Process>>,
    _alone: MutexGuard<'static, ()>,
}

impl Mesh {
    /// As many routers, started one after another, each service with `k` exits.
    pub(crate) async fn start(routers: usize, k: usize) -> Self {
        let mut mesh = Self::empty(k).await;
        for _ in 0..routers {
            mesh.add().await;
        }
        mesh.settled().await;
        mesh
    }

    /// As many routers, started all at once.
    pub(crate) async fn start_at_once(routers: usize, k: usize) -> Self {
        let mut mesh = Self::empty(k).await;
        mesh.addresses = (0..routers).map(|_| free_address()).collect();
        let started = (0..routers).map(|index| mesh.process(index));
        let started = futures::future::join_all(started).await;
        mesh.routers = started.into_iter().map(Some).collect();
        mesh.settled().await;
        mesh
    }

    async fn empty(k: usize) -> Self {
        Self {
            k,
            addresses: Vec::new(),
            routers: Vec::new(),
            _alone: alone().await,
        }
    }

    /// Starts one more router.
    pub(crate) async fn add(&mut self) {
        self.addresses.push(free_address());
        self.routers.push(None);
        self.start_router(self.routers.len() - 1).await;
    }

    /// Starts a router, perhaps again; it serves when this returns.
    pub(crate) async fn start_router(&mut self, index: usize) {
        self.routers[index] = Some(self.process(index).await);
    }

    async fn process(&self, index: usize) -> Process {
        let (k, bootstrap) = (self.k, &self.addresses);
        let toml = format!("bootstrap = {bootstrap:?}\nexits.k = {k}");
        Process::start(PROCESS, &["router", &self.addresses[index], &toml]).await
    }

    /// Stops and starts the routers one after another, as an operator does who waits for nothing but that the
    /// last one serves again.
    pub(crate) async fn restart_all(&mut self) {
        for router in 0..self.routers.len() {
            self.take(router).stop().await;
            self.start_router(router).await;
        }
        self.settled().await;
    }

    /// Takes a running router out, to be stopped or killed.
    pub(crate) fn take(&mut self, index: usize) -> Process {
        self.routers[index].take().expect("it runs")
    }

    pub(crate) fn router(&self, index: usize) -> &Process {
        self.routers[index].as_ref().expect("it runs")
    }

    /// Where all routers are, those that are down too.
    pub(crate) fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// Where those are that run.
    pub(crate) fn running(&self) -> Vec<String> {
        let running = self.routers.iter().flatten();
        running.map(|router| router.address().to_owned()).collect()
    }

    /// Waits until all routers that run see each other and nobody else.
    pub(crate) async fn settled(&self) {
        let running = self.running();
        for router in &running {
            eventually(&format!("{router} sees {running:?}"), || async {
                let mut seen = alive_at(router).await;
                seen.sort_unstable();
                let mut expected = running.clone();
                expected.sort_unstable();
                seen == expected
            })
            .await;
        }
    }

    /// An instance that advertises at two of the routers.
    pub(crate) async fn instance(&self, index: usize) -> Process {
        let count = self.addresses.len();
        let mine = [index, index + 1].map(|index| self.addresses[index % count].as_str());
        let routers = mine.join(",");
        Process::start(PROCESS, &["service", SERVICE, "127.0.0.1:0", &routers]).await
    }

    /// As many instances, each advertised at another router.
    pub(crate) async fn instances(&self, count: usize) -> Vec<Process> {
        futures::future::join_all((0..count).map(|index| self.instance(index))).await
    }

    /// Callers that know all routers there are by now.
    pub(crate) fn callers(&self) -> Vec<Channel> {
        let caller = |index| {
            let channel = Channel::new(&format!("caller-{index}"));
            for router in &self.addresses {
                channel.routers().add(router);
            }
            channel
        };
        (0..CALLERS).map(caller).collect()
    }
}

/// Waits until no other scenario runs: the machine has calls enough to make for one.
pub(crate) async fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    ALONE.lock().await
}

/// Asks `router` a question of the `autobahn` service; `None` when there is no answer.
pub(crate) async fn ask(router: &str, endpoint: &str, body: Value) -> Option<Value> {
    let asker = Channel::new("asker");
    let target = format!("autobahn::{endpoint}");
    let call = asker.call(&target).peer(router).ttl(PATIENCE);
    let answer = call.json(&body).await.ok()?;
    serde_json::from_slice(&answer.arg3).ok()
}

/// The exits of `service`, as `router` sees them.
pub(crate) async fn exits(router: &str, service: &str) -> Vec<String> {
    let exits = ask(router, "hosts_v1", json!({"serviceName": service})).await;
    serde_json::from_value(exits.expect("the router answers")).expect("a list")
}

/// The members that `router` takes for alive.
pub(crate) async fn alive_at(router: &str) -> Vec<String> {
    let members = ask(router, "members_v1", Value::Null)
        .await
        .unwrap_or_default();
    let members = members.as_array().cloned().unwrap_or_default();
    let alive = members.iter().filter(|member| member["status"] == "alive");
    let addresses = alive.filter_map(|member| member["address"].as_str());
    addresses.map(str::to_owned).collect()
}

/// Repeats `probe` until it says yes. Nothing tells when a process has learned something.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, mut probe: impl FnMut() -> F) {
    let attempts = async {
        while !probe().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LONG, attempts)
        .await
        .unwrap_or_else(|_| panic!("not within {} s: {what}", LONG.as_secs()));
}
