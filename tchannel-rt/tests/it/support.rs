//! What the tests share: a bound on waiting, channels at work, and knowing that a handler was dropped.

use std::time::Duration;

use tchannel_rt::{Call, Channel, ChannelConfig, Reply};
use tokio::sync::{mpsc, oneshot};

/// Waits for what must happen, but not for ever: a test that hangs says nothing.
pub(crate) async fn soon<F: Future>(what: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), what)
        .await
        .expect("it never happened")
}

/// A ttl that no test lives to see.
pub(crate) const LONG: Duration = Duration::from_secs(3600);

/// The default config but for what `change` does to it.
pub(crate) fn config(change: impl FnOnce(&mut ChannelConfig)) -> ChannelConfig {
    let mut config = ChannelConfig::default();
    change(&mut config);
    config
}

/// Listens on a free port.
pub(crate) async fn listen(channel: &Channel) -> String {
    let addr = channel.listen("127.0.0.1:0").await.expect("a free port");
    addr.to_string()
}

/// A channel that serves `echo::echo`, and `echo::never`, which does not answer. The second value knows
/// the calls of the latter.
pub(crate) fn echo(config: ChannelConfig) -> (Channel, Handlers) {
    let channel = Channel::with_config("echo", config);
    let service = channel.service("echo");
    service.raw("echo", |request| async move {
        Ok(Reply::ok(request.arg2, request.arg3))
    });
    let (calls, served) = mpsc::channel(1000);
    service.raw("never", move |_| {
        let calls = calls.clone();
        async move {
            let (_working, stopped) = oneshot::channel::<()>();
            let _ = calls.send(Served { stopped }).await;
            std::future::pending().await
        }
    });
    (channel, Handlers(served))
}

/// The calls that handlers which never answer have begun to serve.
pub(crate) struct Handlers(mpsc::Receiver<Served>);

impl Handlers {
    /// The next one, once it has begun.
    pub(crate) async fn next(&mut self) -> Served {
        soon(self.0.recv()).await.expect("the server is there")
    }

    /// One that has begun already, if any.
    pub(crate) fn try_next(&mut self) -> Option<Served> {
        self.0.try_recv().ok()
    }
}

/// A call that a handler has begun to serve.
pub(crate) struct Served {
    stopped: oneshot::Receiver<()>,
}

impl Served {
    /// Waits until the handler was dropped.
    pub(crate) async fn stopped(self) {
        assert!(soon(self.stopped).await.is_err(), "nothing is ever sent");
    }
}

/// Waits until `condition` holds. For what no event tells; everything else on this thread goes on.
pub(crate) async fn until(mut condition: impl FnMut() -> bool) {
    soon(async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// `call`, tried once.
pub(crate) fn once(call: Call<'_>) -> Call<'_> {
    call.retry(tchannel_rt::retry::Retry {
        max_attempts: 1,
        ..Default::default()
    })
}
