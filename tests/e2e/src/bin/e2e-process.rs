//! What the scenarios run as processes.
//!
//! ```text
//! e2e-process router HOST:PORT [TOML]           a router; TOML says everything else
//! e2e-process service NAME HOST:PORT ROUTERS    an instance, advertised at ROUTERS, which may be none
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
use tchannel_rt::{Channel, Reply, Service};
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
    let channel = Channel::new(name);
    let calls = channel.clone();
    let handlers = move |it: &Service| {
        for (endpoint, time) in [("who", Duration::ZERO), ("work", WORK), ("slow", SLOW)] {
            let channel = calls.clone();
            it.raw(endpoint, move |_| {
                let channel = channel.clone();
                async move {
                    tokio::time::sleep(time).await;
                    let me = channel.local_addr().map(|addr| addr.to_string());
                    Ok(Reply::ok("", me.unwrap_or_default()))
                }
            });
        }
        // Asks whoever is at the address in arg3, and answers once they have.
        it.raw("ask", move |request| {
            let channel = calls.clone();
            async move {
                let address = std::str::from_utf8(&request.arg3)?;
                let asked = channel.call("gate::wait").peer(address);
                Ok(Reply::ok("", asked.send("", "").await?.arg3))
            }
        });
    };
    let serve = tchannel_rt::serve(name, handlers)
        .channel(&channel)
        .listen(listen);
    let serve = match routers {
        "" => serve.without_routers(),
        routers => serve.routers(Routers::from_iter(routers.split(','))),
    };
    let is_alone = routers.is_empty();
    let ready = serve.on_ready(move |serving| {
        let serving = serving.clone();
        tokio::spawn(async move {
            if is_alone || serving.advertised().await {
                println!("READY {}", serving.addr());
            }
        });
    });
    let ended = ready.await?;
    println!("{:?}, {} calls cut off", ended.why, ended.cut_off);
    Ok(())
}
