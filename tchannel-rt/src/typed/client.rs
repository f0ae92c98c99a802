//! Whom a typed client calls, and what all its calls have in common.

use std::time::Duration;

use super::{Format, MethodCall};
use crate::call::Call;
use crate::channel::Channel;
use crate::layer::{CallLayer, CallLayers, extend};
use crate::peer::PeerList;
use crate::scheme::Headers;
use crate::scheme::thrift::{Returned, Struct, Throws};

/// A service as its callers see it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    channel: Channel,
    service: String,
    peer: Option<String>,
    via: Option<PeerList>,
    ttl: Option<Duration>,
    headers: Headers,
    layers: Option<CallLayers>,
}

impl Client {
    /// Calls the instances of `service` that `channel` knows or its routers find.
    pub fn new(channel: &Channel, service: impl Into<String>) -> Self {
        Self {
            channel: channel.clone(),
            service: service.into(),
            peer: None,
            via: None,
            ttl: None,
            headers: Headers::new(),
            layers: None,
        }
    }

    /// Calls this host:port only.
    #[must_use]
    pub fn peer(mut self, host_port: impl Into<String>) -> Self {
        self.peer = Some(host_port.into());
        self
    }

    /// Calls these peers only.
    #[must_use]
    pub fn via(mut self, peers: &PeerList) -> Self {
        self.via = Some(peers.clone());
        self
    }

    /// How long each call may take, all attempts together. See [`Call::ttl`](crate::Call::ttl).
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// An application header of each call.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Puts a layer around each call, inside those of the channel and those that are there. See
    /// [`layer`](crate::layer).
    #[must_use]
    pub fn layer(mut self, layer: impl CallLayer) -> Self {
        self.layers = Some(extend(self.layers.as_ref(), layer));
        self
    }

    /// Begins a call to `endpoint`, which is `Service::method`, as clients generated from Thrift do.
    pub fn call<'a, T: Returned, E: Throws>(
        &'a self,
        endpoint: &'a str,
        arguments: &impl Struct,
    ) -> MethodCall<'a, T, E> {
        self.unary(endpoint, Format::thrift(), arguments)
    }

    /// Begins a call to a method that takes and gives one value each, as generated clients do.
    pub fn unary<'a, A, T, E>(
        &'a self,
        endpoint: &'a str,
        format: Format<A, T, E>,
        arguments: &A,
    ) -> MethodCall<'a, T, E> {
        MethodCall::new(self.begin(endpoint), format, arguments)
    }

    pub(super) fn begin<'a>(&'a self, endpoint: &'a str) -> Call<'a> {
        let mut call = Call::new(self.channel.clone(), &self.service, endpoint);
        if let Some(peer) = &self.peer {
            call = call.peer(peer);
        }
        if let Some(peers) = &self.via {
            call = call.via(peers);
        }
        if let Some(ttl) = self.ttl {
            call = call.ttl(ttl);
        }
        if let Some(layers) = &self.layers {
            call = call.layers(layers.clone());
        }
        for (name, value) in self.headers.iter() {
            call = call.header(name, value);
        }
        call
    }
}
