//! A crowd of idle connections, each with names to advertise: `bench-crowd --addr H:P [--first N] --connections N
//! --names M --services S`. Prints `READY` once all are there, and stays.
#![expect(clippy::print_stdout, reason = "other programs read what it prints")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use lexopt::prelude::{Long, ValueExt};
use serde_json::json;
use tchannel_rt::{Channel, ChannelConfig};
use test_bench::runtime;
use tokio::task::JoinSet;

#[derive(Default)]
struct Options {
    addr: String,
    first: usize,
    connections: usize,
    names: usize,
    services: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let options = options()?;
    runtime::with_threads(1)?.block_on(run(options))
}

fn options() -> Result<Options, lexopt::Error> {
    let mut options = Options::default();
    let mut parser = lexopt::Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Long("addr") => options.addr = parser.value()?.string()?,
            Long("first") => options.first = parser.value()?.parse()?,
            Long("connections") => options.connections = parser.value()?.parse()?,
            Long("names") => options.names = parser.value()?.parse()?,
            Long("services") => options.services = parser.value()?.parse()?,
            other => return Err(other.unexpected()),
        }
    }
    Ok(options)
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let options = Arc::new(options);
    let mut members = Vec::new();
    let mut joining = JoinSet::new();
    for number in options.first..options.first + options.connections {
        let options = options.clone();
        joining.spawn(async move {
            join(&options, number)
                .await
                .map_err(|error| error.to_string())
        });
        if joining.len() >= AT_ONCE
            && let Some(member) = joining.join_next().await
        {
            members.push(member??);
        }
    }
    while let Some(member) = joining.join_next().await {
        members.push(member??);
    }
    println!("READY");
    std::future::pending::<()>().await;
    drop(members);
    Ok(())
}

async fn join(options: &Options, number: usize) -> Result<Channel, Box<dyn Error>> {
    let mut config = ChannelConfig::default();
    config.advertised_host_port = Some(format!("10.9.{}.{}:9000", number / 250, number % 250));
    let channel = Channel::with_config("crowd", config);
    if options.names == 0 {
        // Whatever comes back, there is a connection now.
        let call = channel.call("bench::nothing").peer(&options.addr).ttl(TTL);
        let _ = call.send("", "").await;
        return Ok(channel);
    }
    // Nobody calls it there: a router uses the connection that it has.
    channel.listen("127.0.0.1:0").await?;
    let names = (0..options.names).map(|name| {
        let service = (number * options.names + name) % options.services;
        json!({ "serviceName": format!("crowd-{service}"), "cost": 0 })
    });
    let names: Vec<_> = names.collect();
    for names in names.chunks(NAMES_MAX) {
        let call = channel.call("hyperbahn::ad").peer(&options.addr).ttl(TTL);
        let answer = call.json(&json!({ "services": names })).await?;
        if !answer.is_ok() {
            return Err(String::from_utf8_lossy(&answer.arg3).into_owned().into());
        }
    }
    Ok(channel)
}

/// More would only wait for each other.
const AT_ONCE: usize = 32;
const TTL: Duration = Duration::from_secs(30);
/// What one advertisement may name.
const NAMES_MAX: usize = 1_000;
