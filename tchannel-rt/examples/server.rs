//! Serves `greeter::hello` until Ctrl-C or SIGTERM, and advertises it if `HYPERBAHN_ROUTERS` names routers.
//!
//! ```text
//! cargo run -p tchannel-rt --example server -- 127.0.0.1:4040
//! ```
#![expect(clippy::print_stdout, reason = "an example talks to people")]

use serde::{Deserialize, Serialize};
use tchannel_rt::hyperbahn::ROUTERS_VARIABLE;
use tchannel_rt::{ChannelError, HandlerError, Incoming, Service};

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
async fn main() -> Result<(), ChannelError> {
    // RUST_LOG=tchannel_rt=info tells of its life, debug shows a span for each call.
    tracing_subscriber::fmt().with_env_filter(filter()).init();
    let listen = std::env::args().nth(1);
    let greeter = |it: &Service| {
        it.json("hello", hello);
    };

    let mut serve = tchannel_rt::serve("greeter", greeter)
        .listen(listen.as_deref().unwrap_or("127.0.0.1:4040"))
        .on_ready(|serving| println!("listening on {}", serving.addr()));
    if std::env::var_os(ROUTERS_VARIABLE).is_none() {
        serve = serve.without_routers();
    }
    let ended = serve.await?;
    println!("{:?}, {} calls cut off", ended.why, ended.cut_off);
    Ok(())
}

fn filter() -> tracing_subscriber::EnvFilter {
    tracing_subscriber::EnvFilter::from_default_env()
}
