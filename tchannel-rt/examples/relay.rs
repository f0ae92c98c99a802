//! A relay between a client and two instances of a service, all in one process.
//!
//! ```text
//! cargo run -p tchannel-rt --example relay
//! ```
#![expect(clippy::print_stdout, reason = "an example talks to people")]

use std::error::Error;

use tchannel_rt::proto::peek::CallReqPeek;
use tchannel_rt::{Channel, ErrorCode, PeerInfo, PeerList, Reply, Route, RouteTo};

/// Knows one service. A router knows many, and learns them while it runs.
struct OneService {
    hop: String,
    greeters: PeerList,
}

impl Route for OneService {
    fn route(&self, call: &CallReqPeek<'_>, _: &PeerInfo) -> RouteTo {
        if call.service == b"greeter" {
            return RouteTo::Peers(self.greeters.clone());
        }
        let service = String::from_utf8_lossy(call.service);
        RouteTo::Refuse {
            code: ErrorCode::Declined,
            message: format!("no peer available for {service:?} (at router {})", self.hop),
        }
    }

    fn hop(&self) -> &str {
        &self.hop
    }
}

async fn start_greeter(name: &'static str) -> Result<Channel, Box<dyn Error>> {
    let channel = Channel::new("greeter");
    channel
        .service("greeter")
        .raw("hello", move |_| async move {
            Ok(Reply::ok("", format!("hello from {name}")))
        });
    channel.listen("127.0.0.1:0").await?;
    Ok(channel)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let instances = [start_greeter("Ada").await?, start_greeter("Grace").await?];

    let router = Channel::new("router");
    let greeters = router.new_peer_list("greeter");
    for addr in instances.iter().filter_map(Channel::local_addr) {
        greeters.add(&addr.to_string());
    }
    let hop = "example-router".to_owned();
    router.relay(OneService { hop, greeters });
    router.listen("127.0.0.1:0").await?;

    let client = Channel::new("example-client");
    if let Some(addr) = router.local_addr() {
        client.routers().add(&addr.to_string());
    }
    for _ in 0..4 {
        let answer = client.call("greeter::hello").send("", "").await?;
        println!("{}", String::from_utf8_lossy(&answer.arg3));
    }
    let refused = client.call("nobody::home").send("", "").await;
    println!("{}", refused.expect_err("nobody is there"));

    for channel in [&client, &router, &instances[0], &instances[1]] {
        channel.close().await;
    }
    Ok(())
}
