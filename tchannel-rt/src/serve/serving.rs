//! A service at work, and how it comes to its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use super::signals::Signals;
use crate::channel::Channel;
use crate::hyperbahn::Advertisement;

/// A service at work; cheap to clone. When the last clone is dropped, it closes at once.
#[derive(Clone, Debug)]
pub struct Serving {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    channel: Channel,
    addr: SocketAddr,
    advertisement: Option<Advertisement>,
    ended: watch::Receiver<Option<usize>>,
    /// To drain.
    stop: CancellationToken,
    /// To drain no longer.
    hurry: CancellationToken,
    task: AbortHandle,
}

/// How a service came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ended {
    /// Calls in flight that were cut off: by the drain limit, or by a second signal.
    pub cut_off: usize,
    /// Who wanted it to end.
    pub why: Why,
}

/// Who wanted a service to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// The system or an operator: SIGTERM.
    Terminated,
    /// A person at the terminal: Ctrl-C.
    Interrupted,
    /// This program: [`Serving::shutdown`], or it has closed the channel.
    Asked,
}

impl Serving {
    pub(super) fn new(
        channel: Channel,
        addr: SocketAddr,
        advertisement: Option<Advertisement>,
        drain_limit: Duration,
    ) -> Self {
        let (tell, ended) = watch::channel(None);
        let (stop, hurry) = (CancellationToken::new(), CancellationToken::new());
        let end = end(
            channel.clone(),
            drain_limit,
            stop.clone(),
            hurry.clone(),
            tell,
        );
        let task = tokio::spawn(end).abort_handle();
        Self {
            inner: Arc::new(Inner {
                channel,
                addr,
                advertisement,
                ended,
                stop,
                hurry,
                task,
            }),
        }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.inner.addr
    }

    /// The channel that it is served on.
    pub fn channel(&self) -> &Channel {
        &self.inner.channel
    }

    /// Waits until a router has taken the advertisement for the first time. `false` when it is advertised
    /// nowhere, or has ended before.
    pub async fn advertised(&self) -> bool {
        match &self.inner.advertisement {
            Some(advertisement) => advertisement.advertised().await,
            None => false,
        }
    }

    /// Withdraws, finishes the calls in flight within the drain limit, and closes.
    pub async fn shutdown(&self) -> Ended {
        self.inner.stop.cancel();
        self.ended().await
    }

    /// Waits for the end, whoever brings it about.
    pub async fn ended(&self) -> Ended {
        let mut ended = self.inner.ended.clone();
        let cut_off = match ended.wait_for(Option::is_some).await {
            Ok(count) => count.unwrap_or_default(),
            // Its task went away with the runtime.
            Err(_) => 0,
        };
        let why = Why::Asked;
        Ended { cut_off, why }
    }

    /// Waits for a signal and obeys it.
    pub(super) async fn until(self, mut signals: Signals) -> Ended {
        let why = tokio::select! {
            ended = self.ended() => return ended,
            why = signals.next() => why,
        };
        tracing::info!(?why, "draining; a second signal ends it at once");
        self.inner.stop.cancel();
        let ended = tokio::select! {
            ended = self.ended() => ended,
            _ = signals.next() => {
                self.inner.hurry.cancel();
                self.ended().await
            }
        };
        Ended { why, ..ended }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Waits until it is time to end, and ends it.
async fn end(
    channel: Channel,
    drain_limit: Duration,
    stop: CancellationToken,
    hurry: CancellationToken,
    tell: watch::Sender<Option<usize>>,
) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = channel.closing() => {}
    }
    let cut_off = tokio::select! {
        cut_off = channel.close_within(drain_limit) => cut_off,
        () = hurry.cancelled() => channel.cut_off(),
    };
    tracing::info!(cut_off, "ended");
    tell.send_replace(Some(cut_off));
}
