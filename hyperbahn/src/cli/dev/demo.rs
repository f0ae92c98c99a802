//! The demo service: an echo, and a method that fails one call in five.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tchannel_rt::hyperbahn::Routers;
use tchannel_rt::{Channel, ChannelError, HandlerError, HandlerResult, Reply, Request};

/// The name it advertises.
const SERVICE: &str = "demo";

/// One instance of the demo service, advertised.
#[derive(Debug)]
pub(super) struct Demo {
    channel: Channel,
    address: String,
}

impl Demo {
    /// Starts an instance at a free port; when this returns, `router` knows it. `flakes` counts the
    /// calls of `flaky` at all instances, so that it is each fifth call that fails wherever it goes.
    ///
    /// # Errors
    ///
    /// [`ChannelError`] when there is no port to listen on.
    pub(super) async fn start(router: &str, flakes: Arc<AtomicU64>) -> Result<Self, ChannelError> {
        let channel = Channel::new(SERVICE);
        channel
            .service(SERVICE)
            .raw("echo", echo)
            .raw("flaky", move |request| {
                flaky(flakes.fetch_add(1, Ordering::Relaxed), request)
            });
        let address = channel.listen("127.0.0.1:0").await?.to_string();
        let routers = Routers::List(vec![router.to_owned()]);
        channel.advertise(routers, &[SERVICE])?.advertised().await;
        Ok(Self { channel, address })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Withdraws it and lets its calls finish.
    pub(super) async fn stop(self) {
        self.channel.close().await;
    }
}

async fn echo(request: Request) -> HandlerResult {
    Ok(Reply::ok(request.arg2, request.arg3))
}

async fn flaky(earlier_calls: u64, request: Request) -> HandlerResult {
    match earlier_calls % 5 {
        4 => Err(HandlerError::unexpected(
            "demo::flaky fails every fifth call, on purpose",
        )),
        _ => echo(request).await,
    }
}
