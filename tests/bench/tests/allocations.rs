//! Heap allocations of a call once everything is warm: at the caller, at the callee, in a relay.
//!
//! Each end runs in a thread of its own, because allocations are counted by thread.

#![expect(
    clippy::print_stdout,
    reason = "the counts, for people, with --nocapture"
)]

use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::JoinHandle;

use allocation_counter::measure;
use bytes::Bytes;
use tchannel_rt::{Channel, Reply};
use test_bench::relay::relay_to;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::task::JoinSet;

#[test]
fn a_raw_unary_call_allocates_no_more_than_stated_at_either_end() {
    let server = Host::start(serve);
    let at_caller = call_at(&server.addr, &[&server]);
    check("caller", at_caller, AT_CALLER);
    check("server", server.end(), AT_SERVER);
}

#[test]
fn a_relayed_call_allocates_no_more_than_stated_in_the_relay() {
    let server = Host::start(serve);
    let addr = server.addr.clone();
    let relay = Host::start(async move || relay_to(&addr));
    call_at(&relay.addr, &[&server, &relay]);
    check("relay", relay.end(), IN_RELAY);
    server.end();
}

/// What a call may allocate: its args and its future stay with the task that makes it.
const AT_CALLER: f64 = 0.0;
/// The handler's future, for handlers are of any type.
const AT_SERVER: f64 = 1.0;
/// Frames are passed on as they were read.
const IN_RELAY: f64 = 0.0;
/// What is not of one call: read buffers, tables that grow, the tasks that call.
const AMORTIZED: f64 = 0.2;

#[track_caller]
fn check(end: &str, allocations: u64, allowed: f64) {
    let each = allocations as f64 / (TASKS * CALLS) as f64;
    println!("{end}: {each:.3} allocations a call");
    assert!(
        each <= allowed + AMORTIZED,
        "{end}: {each:.3} allocations a call, {allowed} are allowed"
    );
}

/// Makes calls until all is warm, then counts this thread's allocations while it makes them again.
fn call_at(addr: &str, hosts: &[&Host]) -> u64 {
    let runtime = runtime();
    let client = Channel::new("client");
    runtime.block_on(call_often(&client, addr));
    hosts.iter().for_each(|host| host.begin());
    let counted = measure(|| runtime.block_on(call_often(&client, addr)));
    counted.count_total
}

async fn call_often(client: &Channel, addr: &str) {
    let mut callers = JoinSet::new();
    for _ in 0..TASKS {
        let (client, addr) = (client.clone(), addr.to_owned());
        callers.spawn(async move {
            for _ in 0..CALLS {
                let call = client.call("echo::echo").peer(&addr);
                let answer = call.send(Bytes::new(), PAYLOAD).await;
                assert_eq!(answer.expect("an answer").arg3, PAYLOAD);
            }
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller.expect("no panic");
    }
}

const TASKS: u64 = 64;
const CALLS: u64 = 50;
const PAYLOAD: Bytes = Bytes::from_static(&[7; 32]);

async fn serve() -> Channel {
    let channel = Channel::new("echo");
    channel.service("echo").raw("echo", |request| async move {
        Ok(Reply::ok(request.arg2, request.arg3))
    });
    channel
}

/// A channel that listens, in a thread of its own.
struct Host {
    addr: String,
    is_warm: Arc<Notify>,
    counts: Receiver<()>,
    is_done: Arc<Notify>,
    thread: JoinHandle<u64>,
}

impl Host {
    fn start(build: impl AsyncFnOnce() -> Channel + Send + 'static) -> Self {
        let (is_warm, is_done) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (warm, done) = (is_warm.clone(), is_done.clone());
        let (told, addrs) = sync_channel(1);
        let (counting, counts) = sync_channel(1);
        let thread = std::thread::spawn(move || {
            let runtime = runtime();
            let channel = runtime.block_on(build());
            let addr = runtime.block_on(channel.listen("127.0.0.1:0"));
            told.send(addr.expect("a free port").to_string())
                .expect("somebody waits for it");
            runtime.block_on(warm.notified());
            counting.send(()).expect("somebody waits for it");
            measure(|| runtime.block_on(done.notified())).count_total
        });
        Self {
            addr: addrs.recv().expect("the thread listens"),
            is_warm,
            counts,
            is_done,
            thread,
        }
    }

    /// Counts from now on.
    fn begin(&self) {
        self.is_warm.notify_one();
        self.counts.recv().expect("the thread runs");
    }

    /// What has been allocated since.
    fn end(self) -> u64 {
        self.is_done.notify_one();
        self.thread.join().expect("no panic")
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}
