//! Calls the store by its name, wherever it runs: `get KEY`, `put KEY VALUE`, `watch [PREFIX]`.
#![expect(clippy::print_stdout, reason = "an example talks to people")]

use std::error::Error;
use std::time::Duration;

use example_keyvalue::KeyValueClient;
use tchannel_rt::Channel;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let channel = Channel::new("keyvalue-client");
    channel.routers().add("127.0.0.1:21300");
    let store = KeyValueClient::new(&channel);

    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["get", key] => {
            let value = store.get(key).ttl(Duration::from_millis(500)).idempotent();
            println!("{}", value.await?);
        }
        ["put", key, value] => store.put(key, value).await?,
        ["watch"] => watch(&store, "").await?,
        ["watch", prefix] => watch(&store, prefix).await?,
        _ => return Err("expected `get KEY`, `put KEY VALUE` or `watch [PREFIX]`".into()),
    }
    Ok(())
}

async fn watch(store: &KeyValueClient, prefix: &str) -> Result<(), Box<dyn Error>> {
    let mut changes = store.watch(prefix).await?;
    while let Some(change) = changes.message().await? {
        println!("{} is {}", change.key, change.value);
    }
    Ok(())
}
