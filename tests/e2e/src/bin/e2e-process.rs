//! What the scenarios run as processes: `router HOST:PORT` or `service NAME ROUTER`.
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

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["router", listen] => router(listen).await,
        ["service", name, router] => service(name, router).await,
        _ => Err("usage: e2e-process router HOST:PORT | service NAME ROUTER".into()),
    }
}

async fn router(listen: &str) -> Result<(), Box<dyn Error>> {
    let node = Node::start(NodeConfig {
        listen: listen.to_owned(),
        ..NodeConfig::default()
    })
    .await?;
    println!("READY {}", node.address());
    terminated().await?;
    node.stop().await;
    Ok(())
}

/// Answers with its own address, so that a test sees who served it.
async fn service(name: &str, router: &str) -> Result<(), Box<dyn Error>> {
    let channel = Channel::new(name);
    let address = channel.listen("127.0.0.1:0").await?.to_string();
    let me = address.clone();
    channel.service(name).raw("who", move |_| {
        let me = me.clone();
        async move { Ok(Reply::ok("", me)) }
    });
    channel.service(name).raw("slow", |request| async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok(Reply::ok("", request.arg3))
    });
    channel
        .advertise(Routers::from_iter([router]), &[name])?
        .advertised()
        .await;
    println!("READY {address}");
    terminated().await?;
    channel.close().await;
    Ok(())
}

async fn terminated() -> std::io::Result<()> {
    signal(SignalKind::terminate())?.recv().await;
    Ok(())
}
