//! What routers say to each other: one call each.

use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tchannel_proto::ErrorCode;
use tchannel_rt::retry::Retry;
use tchannel_rt::{CallError, Channel, PeerList, Response};

use crate::control;
use crate::host_port::HostPort;
use crate::registry::{Handed, Offer};

/// How long an exit may take to answer `relay-ad` and `relay-unad`. Source: spec/hyperbahn/api.md, "relay-ad".
const RELAY_TTL: Duration = Duration::from_millis(500);

/// How long a router may take to push to a newcomer what it will be an exit for.
const TAKE_OVER_TTL: Duration = Duration::from_secs(3);

/// How long an exit may take to tell what it knows. Source: spec/hyperbahn/api.md, "connections_v1".
const QUESTION_TTL: Duration = Duration::from_secs(1);

/// Registrations in one hand-over call; some 300 kB at most.
const HANDED_AT_ONCE: usize = 500;

/// The other routers, by address. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Neighbours {
    // The channel holds handlers that hold this.
    channel: Weak<Channel>,
}

/// Which of the two messages about offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relay {
    Ad,
    Unad,
}

impl Relay {
    fn target(self) -> &'static str {
        match self {
            Self::Ad => "hyperbahn::relay-ad",
            Self::Unad => "hyperbahn::relay-unad",
        }
    }
}

/// Why a neighbour did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum NeighbourError {
    #[error("this router is stopping")]
    Stopping,
    #[error(transparent)]
    Call(#[from] CallError),
    #[error("answered {0}")]
    Answer(String),
}

impl NeighbourError {
    /// Whether the neighbour could not be reached or would not just now.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Call(error) => matches!(
                error.code(),
                ErrorCode::NetworkError
                    | ErrorCode::Timeout
                    | ErrorCode::Declined
                    | ErrorCode::Busy
            ),
            Self::Stopping | Self::Answer(_) => false,
        }
    }
}

impl Neighbours {
    pub(super) fn new(channel: Weak<Channel>) -> Self {
        Self { channel }
    }

    /// Tells an exit what an instance has just said, on behalf of `caller`.
    pub(super) async fn relay(
        &self,
        to: &HostPort,
        relay: Relay,
        caller: &str,
        offers: &[Offer],
    ) -> Result<(), NeighbourError> {
        let body = control::relay_body(offers);
        let said = self.ask(to, relay.target(), caller, RELAY_TTL, &body);
        said.await.map(drop)
    }

    /// Hands registrations over to an exit.
    pub(super) async fn hand_over(
        &self,
        to: &HostPort,
        handed: &[Handed],
    ) -> Result<(), NeighbourError> {
        for some in handed.chunks(HANDED_AT_ONCE) {
            let body = control::hand_over_body(some);
            let target = Relay::Ad.target();
            self.ask(to, target, "hyperbahn", TAKE_OVER_TTL, &body)
                .await?;
        }
        Ok(())
    }

    /// Asks a router to hand over what `newcomer` will be an exit for.
    pub(super) async fn take_over(
        &self,
        from: &HostPort,
        newcomer: &HostPort,
    ) -> Result<(), NeighbourError> {
        let body = control::take_over_body(newcomer);
        let target = "hyperbahn::take-over";
        let said = self.ask(from, target, "hyperbahn", TAKE_OVER_TTL, &body);
        said.await.map(drop)
    }

    /// Asks a router a question of the `autobahn` service.
    pub(super) async fn question<T: DeserializeOwned>(
        &self,
        of: &HostPort,
        endpoint: &str,
        body: &impl Serialize,
    ) -> Result<T, NeighbourError> {
        let target = format!("autobahn::{endpoint}");
        let said = self
            .ask(of, &target, "autobahn", QUESTION_TTL, body)
            .await?;
        serde_json::from_slice(&said.arg3)
            .map_err(|error| NeighbourError::Answer(error.to_string()))
    }

    /// Passes a thrift question on to one of `exits`.
    pub(super) async fn discover(
        &self,
        exits: &PeerList,
        body: Bytes,
    ) -> Result<Response, NeighbourError> {
        let channel = self.channel()?;
        let call = channel
            .call("hyperbahn::Hyperbahn::discoverAffine")
            .via(exits)
            .caller_name("hyperbahn")
            .ttl(QUESTION_TTL)
            .arg_scheme("thrift")
            .retry(Retry::never());
        Ok(call.send(Bytes::from_static(&[0, 0]), body).await?)
    }

    async fn ask(
        &self,
        to: &HostPort,
        target: &str,
        caller: &str,
        ttl: Duration,
        body: &impl Serialize,
    ) -> Result<Response, NeighbourError> {
        let channel = self.channel()?;
        let call = channel
            .call(target)
            .peer(to.as_str())
            .caller_name(caller)
            .ttl(ttl)
            .retry(Retry::never());
        let response = call.json(body).await?;
        match response.is_ok() {
            true => Ok(response),
            false => {
                let text = String::from_utf8_lossy(&response.arg3).into_owned();
                Err(NeighbourError::Answer(text))
            }
        }
    }

    fn channel(&self) -> Result<Arc<Channel>, NeighbourError> {
        self.channel.upgrade().ok_or(NeighbourError::Stopping)
    }
}
