//! What a typed call costs beside one whose args are written by hand, and what layers add.
//!
//! ```text
//! cargo bench -p test-codegen --bench typed [-- ROUNDS]
//! ```
//!
//! One thread, one connection over loopback, one call at a time, so that the time of a call is the work for it and
//! the way through the kernel. The variants take turns in each round, in another order each time, so that what else
//! the machine does hits all of them alike. A line gives the lower quartile of the rounds, and its ratio to the first.
#![expect(clippy::print_stdout, reason = "figures for the reader")]

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use tchannel_rt::layer::{CallLayer, HandlerLayer, Inbound, NextCall, NextHandler, Outbound};
use tchannel_rt::{Channel, MethodError, Reply, Service, serve};
use test_codegen::committed::keyvalue::{KeyValue, KeyValueClient, KeyValueGetThrows};

/// Calls of each variant in a round.
const CALLS: u32 = 200;
const ROUNDS: usize = 200;
const VALUE: &str = "a value of some 30 characters.";

struct Constant;

impl KeyValue for Constant {
    async fn get(&self, _: String) -> Result<String, MethodError<KeyValueGetThrows>> {
        Ok(VALUE.to_owned())
    }

    async fn put(&self, _: String, _: String) -> Result<(), MethodError> {
        Ok(())
    }
}

/// The same as a Rust trait.
#[tchannel_rt::service]
trait Asker {
    async fn get(&self, key: String) -> String;
}

impl Asker for Constant {
    async fn get(&self, _: String) -> String {
        VALUE.to_owned()
    }
}

/// Serves the same under each scheme, and gives the address.
async fn served(layers: bool) -> (Channel, String) {
    let raw = |it: &Service| {
        it.raw("get", async |_| Ok(Reply::ok("", VALUE)));
    };
    let mut serve = serve("raw", raw)
        .also("keyvalue", KeyValue::into_service(Constant))
        .also("asker", Asker::into_service(Constant))
        .without_routers()
        .listen("127.0.0.1:0");
    if layers {
        serve = serve.layer(pass_in());
    }
    let serving = serve.start().await.expect("a free port");
    // As long as the process: nobody shuts it down.
    let serving = Box::leak(Box::new(serving));
    let caller = Channel::new("caller");
    if layers {
        caller.layer_calls(pass_out());
    }
    (caller, serving.addr().to_string())
}

fn pass_in() -> impl HandlerLayer {
    async |call: Inbound, next: NextHandler| next.run(call).await
}

fn pass_out() -> impl CallLayer {
    async |call: Outbound, next: NextCall| next.run(call).await
}

type Made<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// A way to ask for the same.
struct Variant<'a> {
    name: &'static str,
    call: Box<dyn Fn() -> Made<'a> + 'a>,
    times: Vec<Duration>,
}

impl<'a> Variant<'a> {
    fn new<F: Future<Output = ()> + 'a>(name: &'static str, call: impl Fn() -> F + 'a) -> Self {
        Self {
            name,
            call: Box::new(move || Box::pin(call())),
            times: Vec::new(),
        }
    }
}

/// The time that three quarters of the rounds did not get below.
fn quartile(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 4]
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut rounds = std::env::args().filter_map(|argument| argument.parse().ok());
    let rounds = rounds.next_back().unwrap_or(ROUNDS);
    let (plain, plain_at) = served(false).await;
    let (layered, layered_at) = served(true).await;
    let thrift = |channel, at: &str| {
        KeyValueClient::with(tchannel_rt::Client::new(channel, "keyvalue").peer(at))
    };
    let raw = async |channel: &Channel, at: &str| {
        let answer = channel.call("raw::get").peer(at).send("", "key").await;
        assert_eq!(answer.expect("an answer").arg3, VALUE);
    };
    let get = async |client: &KeyValueClient| {
        assert_eq!(client.get("key").await.expect("a value"), VALUE);
    };
    let msgpack =
        |channel, at: &str| AskerClient::with(tchannel_rt::Client::new(channel, "asker").peer(at));
    let hello = async |client: &AskerClient| {
        assert_eq!(client.get("key").await.expect("a value"), VALUE);
    };
    let plain_msgpack = msgpack(&plain, &plain_at);
    let layered_msgpack = msgpack(&layered, &layered_at);
    let plain_thrift = thrift(&plain, &plain_at);
    let layered_thrift = thrift(&layered, &layered_at);
    let mut variants = [
        Variant::new("raw args", || raw(&plain, &plain_at)),
        Variant::new("raw args, a layer at each end", || {
            raw(&layered, &layered_at)
        }),
        Variant::new("thrift", || get(&plain_thrift)),
        Variant::new("thrift, a layer at each end", || get(&layered_thrift)),
        Variant::new("msgpack", || hello(&plain_msgpack)),
        Variant::new("msgpack, a layer at each end", || hello(&layered_msgpack)),
    ];
    for round in 0..rounds {
        let count = variants.len();
        for turn in 0..count {
            let variant = &mut variants[(round + turn) % count];
            let started = Instant::now();
            for _ in 0..CALLS {
                (variant.call)().await;
            }
            variant.times.push(started.elapsed());
        }
    }
    let raw = quartile(variants[0].times.clone());
    for variant in variants {
        let time = quartile(variant.times);
        let ratio = time.div_duration_f64(raw);
        let call = time / CALLS;
        println!("{:40} {call:>10.2?} a call {ratio:>8.3}", variant.name);
    }
}
