//! Serves `greeter::hello` until ctrl-c, and advertises it if `HYPERBAHN_ROUTERS` names routers.
//!
//! ```text
//! cargo run -p tchannel-rt --example server -- 127.0.0.1:4040
//! ```
#![expect(clippy::print_stdout, reason = "an example talks to people")]

use std::error::Error;

use serde::{Deserialize, Serialize};
use tchannel_rt::hyperbahn::{ROUTERS_VARIABLE, Routers};
use tchannel_rt::{Channel, HandlerError, Incoming};

#[derive(Deserialize)]
struct Hello {
    name: String,
}

#[derive(Serialize)]
struct Greeting {
    text: String,
}

async fn hello(request: Incoming<Hello>) -> Result<Greeting, HandlerError> {
    let name = request.body.name;
    if name.is_empty() {
        return Err(HandlerError::application("no-name", "whom shall I greet?"));
    }
    let text = format!("hello {name}, says {}", request.context.service());
    Ok(Greeting { text })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // RUST_LOG=tchannel_rt=debug shows a span for each call.
    tracing_subscriber::fmt().with_env_filter(filter()).init();
    let listen = std::env::args().nth(1);

    let channel = Channel::new("greeter");
    channel.service("greeter").json("hello", hello);
    let addr = channel
        .listen(listen.as_deref().unwrap_or("127.0.0.1:4040"))
        .await?;
    println!("listening on {addr}");

    if std::env::var_os(ROUTERS_VARIABLE).is_some() {
        let advertisement = channel.advertise(Routers::Environment, &["greeter"])?;
        advertisement.advertised().await;
        println!("advertised");
    }

    tokio::signal::ctrl_c().await?;
    let cut_off = channel.close().await;
    println!("closed, {cut_off} calls cut off");
    Ok(())
}

fn filter() -> tracing_subscriber::EnvFilter {
    tracing_subscriber::EnvFilter::from_default_env()
}
