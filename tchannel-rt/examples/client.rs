//! Calls `greeter::hello`: at a peer if one is named, else through the routers of `HYPERBAHN_ROUTERS`.
//!
//! ```text
//! cargo run -p tchannel-rt --example client -- world 127.0.0.1:4040
//! HYPERBAHN_ROUTERS=127.0.0.1:21300 cargo run -p tchannel-rt --example client -- world
//! ```
#![expect(clippy::print_stdout, reason = "an example talks to people")]

use std::error::Error;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use tchannel_rt::hyperbahn::Routers;
use tchannel_rt::{Channel, ResponseError};

#[derive(Deserialize)]
struct Greeting {
    text: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_default();
    let peer = args.next();

    let channel = Channel::new("example-client");
    let mut call = channel
        .call("greeter::hello")
        .ttl(Duration::from_millis(500))
        .header("language", "en")
        .idempotent();
    match &peer {
        Some(peer) => call = call.peer(peer),
        None => {
            for router in Routers::Environment.resolve()? {
                channel.routers().add(&router);
            }
        }
    }

    // No answer is a `CallError`, which knows whether trying again is safe. An answer may still be an error
    // of the application's own.
    let response = call.json(&json!({ "name": name })).await?;
    match response.decode::<Greeting>() {
        Ok(greeting) => println!("{}", greeting.text),
        Err(ResponseError::Application { kind, message }) => println!("refused, {kind}: {message}"),
        Err(error) => return Err(error.into()),
    }
    let (peer, attempts, elapsed) = (response.peer, response.attempts, response.elapsed);
    println!("from {peer} after {elapsed:?}, attempts: {attempts}");
    channel.close().await;
    Ok(())
}
