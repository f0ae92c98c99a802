//! Which routers a command asks, and a call to the first of them that can be reached.

use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Args;
use hyperbahn::config::DEFAULT_ROUTER;
use hyperbahn::host_port::HostPort;
use tchannel_rt::hyperbahn::ROUTERS_VARIABLE;
use tchannel_rt::retry::{Retry, RetryOn};
use tchannel_rt::{
    ArgWriter, Call, CallError, Channel, ErrorCode, PendingResponse, Response, RetryAdvice,
};

/// What to do when no router can be reached.
pub(crate) const ADVICE: &str = "start a router with 'hyperbahn dev' or 'hyperbahn serve', or say where \
                                 one is with --router H:P or HYPERBAHN_ROUTERS";

/// The flag that names routers.
#[derive(Clone, Debug, Args)]
pub(crate) struct RouterArgs {
    /// Router to ask; may be repeated or comma-separated, the first that can be reached is used
    /// [default: $HYPERBAHN_ROUTERS, else 127.0.0.1:21300]
    #[arg(long, value_name = "H:P", value_delimiter = ',', value_parser = HostPort::parse)]
    router: Vec<HostPort>,
}

impl RouterArgs {
    /// The routers to ask, in order: those given, those of the environment, or the default.
    ///
    /// # Errors
    ///
    /// A sentence about the entry of the environment that is no address.
    pub(crate) fn list(&self) -> Result<Vec<HostPort>, String> {
        match self.router.is_empty() {
            true => listed(std::env::var(ROUTERS_VARIABLE).ok().as_deref()),
            false => Ok(self.router.clone()),
        }
    }
}

fn listed(environment: Option<&str>) -> Result<Vec<HostPort>, String> {
    let routers = environment.filter(|routers| !routers.trim().is_empty());
    let routers = routers.unwrap_or(DEFAULT_ROUTER).split(',');
    let parse = |router: &str| {
        HostPort::parse(router.trim()).map_err(|error| format!("{ROUTERS_VARIABLE}: {error}"))
    };
    routers.map(parse).collect()
}

/// Whom to call: routers, or one instance directly.
#[derive(Clone, Debug, Args)]
pub(crate) struct PeerArgs {
    #[command(flatten)]
    routers: RouterArgs,

    /// Instance to call, without a router
    #[arg(long, value_name = "H:P", value_parser = HostPort::parse, conflicts_with = "router")]
    peer: Option<HostPort>,
}

impl PeerArgs {
    /// Whom to call, in order: the peer, or the routers.
    ///
    /// # Errors
    ///
    /// A sentence about the entry of the environment that is no address.
    pub(crate) fn list(&self) -> Result<Vec<HostPort>, String> {
        match &self.peer {
            Some(peer) => Ok(vec![peer.clone()]),
            None => self.routers.list(),
        }
    }

    /// Whether a router is called.
    pub(crate) fn is_routed(&self) -> bool {
        self.peer.is_none()
    }

    /// The same flags for another command, each with a space before it.
    pub(crate) fn flags(&self) -> String {
        let routers = self.routers.router.iter();
        let routers = routers.map(|router| format!(" --router {}", router.as_str()));
        let peer = self
            .peer
            .iter()
            .map(|peer| format!(" --peer {}", peer.as_str()));
        routers.chain(peer).collect()
    }
}

/// One call, made once: a person wants to see what happened, not what a second attempt would have hidden.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OneCall<'a> {
    /// What calls; its name says who.
    pub(crate) channel: &'a Channel,
    /// What is called: `service::method`.
    pub(crate) target: &'a str,
    /// The `as` header.
    pub(crate) scheme: &'static str,
    /// The `sk` header.
    pub(crate) shard_key: Option<&'a str>,
    /// How long it may take, all peers together.
    pub(crate) ttl: Duration,
}

impl OneCall<'_> {
    /// Calls the first of `peers`, of which there is one at least, that can be reached.
    ///
    /// # Errors
    ///
    /// [`CallError`] of the peer that was reached, or of the last one when none was.
    pub(crate) async fn send(
        &self,
        peers: &[HostPort],
        arg2: &Bytes,
        arg3: &Bytes,
    ) -> Result<Response, CallError> {
        let send = async |call: Call<'_>| call.send(arg2.clone(), arg3.clone()).await;
        let (response, _) = self.at_first(peers, send).await?;
        Ok(response)
    }

    /// Begins a call with streams at the first of `peers`, of which there is one at least, that can be reached,
    /// and says which that is. The time is for the first frame of the answer.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub(crate) async fn begin<'a>(
        &self,
        peers: &'a [HostPort],
    ) -> Result<((ArgWriter, PendingResponse), &'a HostPort), CallError> {
        self.at_first(peers, async |call: Call<'_>| call.stream().await)
            .await
    }

    async fn at_first<'a, T>(
        &self,
        peers: &'a [HostPort],
        make: impl AsyncFn(Call<'_>) -> Result<T, CallError>,
    ) -> Result<(T, &'a HostPort), CallError> {
        let started = Instant::now();
        let mut last = None;
        for peer in peers {
            let left = self.ttl.saturating_sub(started.elapsed());
            let mut call = self
                .channel
                .call(self.target)
                .peer(peer.as_str())
                .arg_scheme(self.scheme)
                .ttl(left)
                .retry(never());
            if let Some(key) = self.shard_key {
                call = call.shard_key(key);
            }
            match make(call).await {
                Err(error) if is_unreachable(&error) => last = Some(error),
                outcome => return outcome.map(|made| (made, peer)),
            }
        }
        Err(last.expect("there is a peer to call"))
    }
}

fn never() -> Retry {
    Retry {
        on: RetryOn::Never,
        max_attempts: 1,
        ..Retry::default()
    }
}

/// Whether no byte of the call has left, for want of a connection.
pub(crate) fn is_unreachable(error: &CallError) -> bool {
    error.code() == ErrorCode::NetworkError && error.retry_advice() == RetryAdvice::Safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(environment: Option<&str>, expected: &[&str]) {
        let routers = listed(environment).unwrap();
        assert_eq!(
            routers.iter().map(HostPort::as_str).collect::<Vec<_>>(),
            expected
        );
    }

    #[test]
    fn without_a_word_the_router_on_this_machine_is_asked() {
        check(None, &["127.0.0.1:21300"]);
        check(Some(" "), &["127.0.0.1:21300"]);
        check(Some("a:1, b:2"), &["a:1", "b:2"]);
    }

    #[test]
    fn an_entry_of_the_environment_that_is_no_address_is_named_with_its_variable() {
        let refused = listed(Some("a:1,nonsense")).unwrap_err();
        assert!(
            refused.starts_with("HYPERBAHN_ROUTERS: \"nonsense\""),
            "{refused}"
        );
    }
}
