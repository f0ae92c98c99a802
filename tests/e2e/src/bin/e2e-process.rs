//! What the scenarios run as processes.
//!
//! ```text
//! e2e-process router HOST:PORT [TOML]           a router; TOML says everything else
//! e2e-process service NAME HOST:PORT ROUTERS    an instance, advertised at ROUTERS
//! ```
#![expect(
    clippy::print_stdout,
    reason = "the line READY is how a test knows the address"
)]

use std::error::Error;
use std::time::Duration;

use hyperbahn::config::NodeConfig;
use hyperbahn::node::Node;
use tchannel_rt::hyperbahn::Routers;
use tchannel_rt::{Channel, Reply};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// How long a call of `work` takes, and one of `slow`.
const WORK: Duration = Duration::from_millis(20);
const SLOW: Duration = Duration::from_millis(50);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["router", listen] => router(listen, "").await,
        ["router", listen, toml] => router(listen, toml).await,
        ["service", name, listen, routers] => service(name, listen, routers).await,
        _ => {
            let usage = "e2e-process router HOST:PORT [TOML] | service NAME HOST:PORT ROUTERS";
            Err(usage.into())
        }
    }
}

async fn router(listen: &str, toml: &str) -> Result<(), Box<dyn Error>> {
    let mut terminated = signal(SignalKind::terminate())?;
    let node = Node::start(NodeConfig {
        listen: listen.to_owned(),
        ..NodeConfig::from_toml(toml)?
    })
    .await?;
    println!("READY {}", node.address());
    terminated.recv().await;
    node.stop().await;
    Ok(())
}

/// Answers with its own address, so that a test sees who served it.
async fn service(name: &str, listen: &str, routers: &str) -> Result<(), Box<dyn Error>> {
    let mut terminated = signal(SignalKind::terminate())?;
    let channel = Channel::new(name);
    let address = channel.listen(listen).await?.to_string();
    for (endpoint, time) in [("who", Duration::ZERO), ("work", WORK), ("slow", SLOW)] {
        let me = address.clone();
        channel.service(name).raw(endpoint, move |_| {
            let me = me.clone();
            async move {
                tokio::time::sleep(time).await;
                Ok(Reply::ok("", me))
            }
        });
    }
    channel
        .advertise(Routers::from_iter(routers.split(',')), &[name])?
        .advertised()
        .await;
    println!("READY {address}");
    terminated.recv().await;
    channel.close().await;
    Ok(())
}
