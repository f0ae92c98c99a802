//! A router node over real sockets on loopback: one binary, one module for each theme.

mod advertise;
mod api;
mod cli;
mod forward;
mod membership;
mod mesh;
mod wire;

use hyperbahn::config::NodeConfig;
use hyperbahn::node::Node;
use tchannel_rt::hyperbahn::Routers;
use tchannel_rt::{Call, Channel, HandlerError, Reply};

/// A router on a free port.
async fn router() -> Node {
    Node::start(config()).await.unwrap()
}

fn config() -> NodeConfig {
    NodeConfig {
        listen: "127.0.0.1:0".into(),
        ..NodeConfig::default()
    }
}

/// A service process that `router` knows under `names`.
async fn service(router: &Node, names: &[&str]) -> Channel {
    let channel = listening(names).await;
    let advertised = channel
        .advertise(routers(router), names)
        .unwrap()
        .advertised()
        .await;
    assert!(advertised);
    channel
}

/// A service process that nobody knows yet.
async fn listening(names: &[&str]) -> Channel {
    let channel = Channel::new(names[0]);
    for name in names {
        let service = channel.service(name);
        service.raw("echo", |request| async move {
            Ok(Reply::ok(request.arg2, request.arg3))
        });
        service.raw("whoami", |request| async move {
            let service = request.service().to_owned();
            Ok(Reply::ok("", service))
        });
        service.raw("refuse", |_| async {
            Ok(Reply::application_error("h", "no"))
        });
        service.raw("busy", |_| async { Err(HandlerError::busy("go away")) });
        service.raw("never", |_| std::future::pending());
    }
    channel.listen("127.0.0.1:0").await.unwrap();
    channel
}

fn routers(router: &Node) -> Routers {
    [router.address().as_str()].into_iter().collect()
}

/// A call through `router`, tried once.
fn through<'a>(router: &'a Node, caller: &Channel, target: &'a str) -> Call<'a> {
    let once = tchannel_rt::retry::Retry {
        on: tchannel_rt::retry::RetryOn::Never,
        ..Default::default()
    };
    caller
        .call(target)
        .peer(router.address().as_str())
        .retry(once)
}

/// An address at which nobody listens.
async fn nowhere() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}
