//! Serves a store until SIGTERM or Ctrl-C: listens, tells the routers, and finishes what is in flight at last.
#![expect(clippy::print_stdout, reason = "an example talks to people")]

use example_keyvalue::{KeyValue, Memory};
use tchannel_rt::ChannelError;

#[tokio::main]
async fn main() -> Result<(), ChannelError> {
    tchannel_rt::serve("keyvalue", Memory::default().into_service())
        .on_ready(|serving| println!("keyvalue listens on {}", serving.addr()))
        .await?;
    Ok(())
}
