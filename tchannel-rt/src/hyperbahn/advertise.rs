//! Staying advertised: at once, then every 50 to 70 s, sooner after a failure or when the router that took
//! the last ad is lost, and never given up for good.
//!
//! Source: spec/hyperbahn/api.md, "ad".

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::{broadcast, watch};
use tokio::task::AbortHandle;

use crate::backoff::Backoff;
use crate::channel::Channel;
use crate::dispatch::Dispatch;
use crate::error::CallError;

const INTERVAL: Duration = Duration::from_secs(50);
const JITTER: Duration = Duration::from_secs(20);
/// After a failure: half a second at least, doubling up to half a minute.
const RETRY_MIN: Duration = Duration::from_millis(500);
const RETRY: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(30));
/// Services that lost the same router come back one by one within this time.
const LOST_JITTER: Duration = Duration::from_millis(500);
/// Time for one ad, attempts at other routers included.
const TTL: Duration = Duration::from_secs(3);
/// Events kept for a slow listener.
const EVENTS: usize = 16;

/// What happens to an advertisement.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AdvertiseEvent {
    /// A router has taken it: calls by name arrive from now on, or still do.
    Advertised {
        /// The router.
        router: String,
        /// Whether it was the first time.
        first: bool,
    },
    /// No router has taken it; it is tried again after a while.
    Failed {
        /// Why.
        error: CallError,
        /// Failures in a row.
        failures: u32,
        /// Until the next attempt.
        retry_in: Duration,
    },
}

/// Services that are advertised until this is withdrawn or the channel closed; cheap to clone.
#[derive(Clone, Debug)]
pub struct Advertisement {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    channel: WeakChannel,
    services: Vec<String>,
    events: broadcast::Sender<AdvertiseEvent>,
    advertised: watch::Receiver<bool>,
    task: AbortHandle,
}

/// A channel that closing may drop while it is still advertised.
#[derive(Clone)]
struct WeakChannel(std::sync::Weak<crate::channel::State>);

impl WeakChannel {
    fn upgrade(&self) -> Option<Channel> {
        self.0.upgrade().map(|state| Channel { state })
    }
}

impl std::fmt::Debug for WeakChannel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WeakChannel")
    }
}

impl Advertisement {
    pub(crate) fn start(channel: Channel, services: &[&str]) -> Self {
        let services: Vec<String> = services.iter().map(|&service| service.to_owned()).collect();
        let (events, _) = broadcast::channel(EVENTS);
        let (sender, advertised) = watch::channel(false);
        let stop = channel.state.stop.clone();
        let channel = WeakChannel(Arc::downgrade(&channel.state));
        let ads = keep_advertised(channel.clone(), services.clone(), events.clone(), sender);
        let task = tokio::spawn(stop.run_until_cancelled_owned(ads)).abort_handle();
        Self {
            inner: Arc::new(Inner {
                channel,
                services,
                events,
                advertised,
                task,
            }),
        }
    }

    /// Waits until a router has taken the advertisement for the first time. `false` when it was withdrawn.
    pub async fn advertised(&self) -> bool {
        self.inner
            .advertised
            .clone()
            .wait_for(|&advertised| advertised)
            .await
            .is_ok()
    }

    /// What happens from now on. A listener that falls behind by 16 misses the oldest.
    pub fn events(&self) -> broadcast::Receiver<AdvertiseEvent> {
        self.inner.events.subscribe()
    }

    /// Stops advertising and tells the routers, so that no further call comes by name.
    pub async fn withdraw(&self) {
        self.inner.task.abort();
        if !*self.inner.advertised.borrow() {
            return;
        }
        let Some(channel) = self.inner.channel.upgrade() else {
            return;
        };
        let withdrawn = send(&channel, "hyperbahn::unad", &self.inner.services).await;
        if let Err(error) = withdrawn {
            tracing::warn!(%error, "could not withdraw the advertisement; routers forget it in time");
        }
    }
}

async fn keep_advertised(
    channel: WeakChannel,
    services: Vec<String>,
    events: broadcast::Sender<AdvertiseEvent>,
    advertised: watch::Sender<bool>,
) {
    let mut failures = 0;
    loop {
        let Some(live) = channel.upgrade() else {
            return;
        };
        let outcome = send(&live, "hyperbahn::ad", &services).await;
        let dispatch = live.state.dispatch.clone();
        drop(live);
        match outcome {
            Ok(router) => {
                failures = 0;
                let first = !advertised.send_replace(true);
                tracing::debug!(%router, first, ?services, "advertised");
                let event = AdvertiseEvent::Advertised {
                    router: router.clone(),
                    first,
                };
                let _ = events.send(event);
                let wait = INTERVAL + JITTER.mul_f64(fastrand::f64());
                if tokio::time::timeout(wait, lost(&dispatch, &router))
                    .await
                    .is_ok()
                {
                    tracing::debug!(%router, "lost the router that took the last ad");
                    tokio::time::sleep(LOST_JITTER.mul_f64(fastrand::f64())).await;
                }
            }
            Err(error) => {
                let retry_in = RETRY_MIN + RETRY.delay(failures, fastrand::u64(..));
                failures = failures.saturating_add(1);
                tracing::warn!(%error, failures, ?retry_in, ?services, "could not advertise");
                let _ = events.send(AdvertiseEvent::Failed {
                    error,
                    failures,
                    retry_in,
                });
                tokio::time::sleep(retry_in).await;
            }
        }
    }
}

/// Waits until no connection to `router` is left: it may come back knowing nobody.
async fn lost(dispatch: &Dispatch, router: &str) {
    loop {
        let closed = dispatch.closed.notified();
        tokio::pin!(closed);
        closed.as_mut().enable();
        if dispatch.peers.get(router).count() == (0, 0) {
            return;
        }
        closed.await;
    }
}

/// Sends an ad or unad to whichever router answers first in order of choice; returns which one did.
async fn send(channel: &Channel, endpoint: &str, services: &[String]) -> Result<String, CallError> {
    let services: Vec<_> = services
        .iter()
        .map(|name| json!({ "serviceName": name, "cost": 0 }))
        .collect();
    let routers = channel.routers();
    let call = channel.call(endpoint).via(&routers).ttl(TTL).idempotent();
    let response = call.json(&json!({ "services": services })).await?;
    if response.is_ok() {
        return Ok(response.peer.to_string());
    }
    let text = format!(
        "the router refused: {}",
        String::from_utf8_lossy(&response.arg3)
    );
    Err(CallError::new(
        tchannel_proto::ErrorCode::Declined,
        crate::retry::Acted::No,
        text,
    ))
}
