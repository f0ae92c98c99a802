//! Greets until SIGTERM or Ctrl-C: listens, tells the routers, and finishes what is in flight at last.
#![expect(clippy::print_stdout, reason = "an example talks to people")]

use example_greeter::{Greeter, Polite};
use tchannel_rt::ChannelError;

#[tokio::main]
async fn main() -> Result<(), ChannelError> {
    tchannel_rt::serve("greeter", Polite.into_service())
        .on_ready(|serving| println!("greeter listens on {}", serving.addr()))
        .await?;
    Ok(())
}
