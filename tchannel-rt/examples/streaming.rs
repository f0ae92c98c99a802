//! Streams in both directions at once: what is written comes back in capitals while more is written.
//!
//! ```text
//! cargo run -p tchannel-rt --example streaming
//! ```
#![expect(clippy::print_stdout, reason = "an example talks to people")]

use std::error::Error;

use tchannel_rt::{ArgWriter, CallError, Channel, HandlerError, StreamRequest};

/// Chunks are as the network cuts them, so this handler gives them no meaning.
async fn capitals(request: StreamRequest) -> Result<(), HandlerError> {
    let mut args = request.args;
    // From the first frame of the answer on, the caller's ttl no longer ends the call.
    let mut answer = request.respond.ok()?;
    while let Some(chunk) = args.next_chunk().await? {
        answer.send(chunk.to_ascii_uppercase()).await?;
    }
    answer.finish().await?;
    Ok(())
}

async fn write(mut request: ArgWriter) -> Result<(), CallError> {
    for word in ["slowly ", "but ", "surely\n"] {
        // Waits while the server reads more slowly than we write.
        request.send(word).await?;
    }
    request.finish().await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Channel::new("letters");
    server.service("letters").stream("capitals", capitals);
    let addr = server.listen("127.0.0.1:0").await?.to_string();

    let client = Channel::new("example-client");
    let (request, pending) = client
        .call("letters::capitals")
        .peer(&addr)
        .stream()
        .await?;
    let writing = tokio::spawn(write(request));

    let mut answer = pending.response().await?.args;
    while let Some(chunk) = answer.next_chunk().await? {
        print!("{}", String::from_utf8_lossy(&chunk));
    }
    writing.await??;

    client.close().await;
    server.close().await;
    Ok(())
}
