//! The demo services: an echo on two instances, one that fails one call in five, and two with typed methods.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tchannel_rt::hyperbahn::Routers;
use tchannel_rt::{Channel, ChannelError, HandlerError, HandlerResult, Reply, Request};

use super::greeter::{Greeter, Polite};
use super::keyvalue::{KeyValue, Store};

/// One instance of a demo service, advertised.
#[derive(Debug)]
pub(super) struct Demo {
    channel: Channel,
    address: String,
    router: String,
}

impl Demo {
    /// An instance of `demo`, whose method is `echo`. When this returns, the mesh of `router` knows it.
    ///
    /// # Errors
    ///
    /// [`ChannelError`] when there is no port to listen on.
    pub(super) async fn echo(router: &str) -> Result<Self, ChannelError> {
        let channel = Channel::new("demo");
        channel.service("demo").raw("echo", echo);
        Self::start(channel, router).await
    }

    /// An instance of `flaky`, whose `echo` fails each fifth time. When this returns, the mesh of `router`
    /// knows it.
    ///
    /// # Errors
    ///
    /// [`ChannelError`] when there is no port to listen on.
    pub(super) async fn flaky(router: &str) -> Result<Self, ChannelError> {
        let channel = Channel::new("flaky");
        let calls = Arc::new(AtomicU64::new(0));
        channel.service("flaky").raw("echo", move |request| {
            let earlier_calls = calls.fetch_add(1, Ordering::Relaxed);
            async move {
                match earlier_calls % 5 {
                    4 => Err(HandlerError::unexpected(
                        "flaky::echo fails every fifth call, on purpose",
                    )),
                    _ => echo(request).await,
                }
            }
        });
        Self::start(channel, router).await
    }

    /// An instance of `keyvalue`, whose methods are typed. When this returns, the mesh of `router` knows it.
    ///
    /// # Errors
    ///
    /// [`ChannelError`] when there is no port to listen on.
    pub(super) async fn keyvalue(router: &str) -> Result<Self, ChannelError> {
        let channel = Channel::new("keyvalue");
        channel
            .service("keyvalue")
            .serve(Store::new().into_service());
        Self::start(channel, router).await
    }

    /// An instance of `greeter`, whose methods are those of a trait. When this returns, the mesh of `router` knows
    /// it.
    ///
    /// # Errors
    ///
    /// [`ChannelError`] when there is no port to listen on.
    pub(super) async fn greeter(router: &str) -> Result<Self, ChannelError> {
        let channel = Channel::new("greeter");
        channel.service("greeter").serve(Polite.into_service());
        Self::start(channel, router).await
    }

    async fn start(channel: Channel, router: &str) -> Result<Self, ChannelError> {
        let address = channel.listen("127.0.0.1:0").await?.to_string();
        let router = router.to_owned();
        let routers = Routers::List(vec![router.clone()]);
        let name = channel.name().to_owned();
        channel.advertise(routers, &[&name])?.advertised().await;
        Ok(Self {
            channel,
            address,
            router,
        })
    }

    /// Withdraws it and lets its calls finish.
    pub(super) async fn stop(self) {
        self.channel.close().await;
    }
}

/// Where it listens, and where it is advertised.
impl fmt::Display for Demo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            address, router, ..
        } = self;
        write!(f, "listens on {address}, advertised at {router}")
    }
}

async fn echo(request: Request) -> HandlerResult {
    Ok(Reply::ok(request.arg2, request.arg3))
}
