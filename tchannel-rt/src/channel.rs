//! Channel: both ends of calls in one object. It listens, dials, serves, calls and owns the connections.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tchannel_proto::Ttl;
use tokio_util::sync::CancellationToken;

use crate::call::{Call, Response, split_target};
use crate::clock;
use crate::config::ChannelConfig;
use crate::connection::{Conn, Listening};
use crate::dispatch::Dispatch;
use crate::error::{CallError, ChannelError};
use crate::handler::Remote;
use crate::hyperbahn::{Advertisement, Routers, check_host_port};
use crate::layer::{CallLayer, ChannelLayers, HandlerLayer, NextCall, Outbound, share};
use crate::listener::{Announced, accept, listen_in_process};
use crate::peer::{Dialer, PeerList, PeerTable};
use crate::relay::{Relay, Route};
use crate::retry::Budget;
use crate::service::Service;
use crate::stats::Stats;

/// One participant in a network of services; cheap to clone.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use tchannel_rt::{Channel, Reply};
///
/// let server = Channel::new("greeter");
/// server.service("greeter").raw("hello", |request| async move { Ok(Reply::ok("", request.arg3)) });
/// let addr = server.listen("127.0.0.1:0").await?;
///
/// let client = Channel::new("caller");
/// let answer = client.call("greeter::hello").peer(&addr.to_string()).send("", "hi").await?;
/// assert_eq!(answer.arg3, "hi");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Channel {
    pub(crate) state: Arc<State>,
}

pub(crate) struct State {
    pub(crate) name: String,
    pub(crate) dispatch: Arc<Dispatch>,
    pub(crate) dialer: Arc<Dialer>,
    pub(crate) retry_budget: Budget,
    peers: RwLock<HashMap<String, PeerList>>,
    routers: PeerList,
    /// Cancelled once the channel is closed or dropped.
    pub(crate) stop: CancellationToken,
    advertisements: Mutex<Vec<Advertisement>>,
    in_process: Mutex<Option<Listening>>,
    pub(crate) call_layers: ChannelLayers,
}

impl Channel {
    /// A channel with default limits. `name` is the service name that its calls give as their caller.
    pub fn new(name: &str) -> Self {
        Self::with_config(name, ChannelConfig::default())
    }

    /// A channel with limits of your own.
    pub fn with_config(name: &str, config: ChannelConfig) -> Self {
        let process = std::env::args().next().unwrap_or_default();
        let process = process.rsplit(['/', '\\']).next().unwrap_or_default();
        let process_name = format!("{process}[{}]", std::process::id());
        let idle_close = config.idle_close;
        let mut dialer = None;
        let dispatch = Arc::new_cyclic(|dispatch| {
            let announced = Announced::new(process_name, &config);
            let shared = Arc::new(Dialer {
                config,
                announced,
                dispatch: dispatch.clone(),
            });
            dialer = Some(shared.clone());
            Dispatch::new(PeerTable::new(shared), idle_close, Stats::new(name))
        });
        let state = State {
            name: name.to_owned(),
            routers: PeerList::new(&dispatch, "hyperbahn"),
            dispatch,
            dialer: dialer.expect("set while the dispatch was made"),
            retry_budget: Budget::new(
                Budget::DEFAULT_PERCENT,
                Budget::DEFAULT_PER_SECOND,
                clock::now(),
            ),
            peers: RwLock::default(),
            stop: CancellationToken::new(),
            advertisements: Mutex::default(),
            in_process: Mutex::default(),
            call_layers: ChannelLayers::default(),
        };
        Self {
            state: Arc::new(state),
        }
    }

    /// The service name its calls give as their caller.
    pub fn name(&self) -> &str {
        &self.state.name
    }

    /// Begins a call to `service::method`: what stands before the first `::` is the service, the rest is the
    /// method, so `keyvalue::KeyValue::get` is method `KeyValue::get` of service `keyvalue`.
    pub fn call<'a>(&self, target: &'a str) -> Call<'a> {
        let (service, method) = split_target(target);
        Call::new(self.clone(), service, method)
    }

    /// Registers handlers under a service name. A channel may serve several.
    pub fn service(&self, name: &str) -> Service {
        Service::new(self.state.dispatch.clone(), name)
    }

    /// Puts a layer around all handlers, those that are still to come and `Meta` included, inside the layers of the
    /// channel that are there. See [`layer`](crate::layer).
    pub fn layer(&self, layer: impl HandlerLayer) {
        self.state.dispatch.handlers.layer_all(share(layer));
    }

    /// Makes a call that was put together before, inside the channel's layers.
    ///
    /// # Errors
    ///
    /// As [`Call::send`].
    pub async fn make(&self, call: Outbound) -> Result<Response, CallError> {
        let layers = self.state.call_layers.get().unwrap_or_default();
        NextCall::new(self.clone(), layers).run(call).await?.whole()
    }

    /// Puts a layer around all calls that are made from now on, inside those that are there. See
    /// [`layer`](crate::layer).
    pub fn layer_calls(&self, layer: impl CallLayer) {
        self.state.call_layers.add(layer);
    }

    /// The peers that calls to `service` go to, unless a call names one. Empty at first.
    pub fn peers(&self, service: &str) -> PeerList {
        let mut peers = self
            .state
            .peers
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        peers
            .entry(service.to_owned())
            .or_insert_with(|| PeerList::new(&self.state.dispatch, service))
            .clone()
    }

    /// An empty list of the peers that serve `service`, for a [`Route`]; messages call it by that name.
    pub fn new_peer_list(&self, service: &str) -> PeerList {
        PeerList::new(&self.state.dispatch, service)
    }

    /// The routers that calls go to for want of peers of their own. Empty at first.
    pub fn routers(&self) -> PeerList {
        self.state.routers.clone()
    }

    /// Listens on `addr`, such as `127.0.0.1:0`, and serves from then on. Returns the real address.
    ///
    /// # Errors
    ///
    /// [`ChannelError::Listen`] when the address is taken or not ours, [`ChannelError::Closed`] after
    /// [`close`](Self::close).
    pub async fn listen(&self, addr: &str) -> Result<SocketAddr, ChannelError> {
        self.check_open()?;
        let failed = |source| ChannelError::Listen {
            addr: addr.to_owned(),
            source,
        };
        let listener = tokio::net::TcpListener::bind(addr).await.map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        let state = &self.state;
        state.dialer.announced.set_listening(local);
        let told = state.dialer.announced.host_port();
        let host_port = told.unwrap_or_else(|| local.to_string());
        state.dispatch.count_connections_as(&host_port);
        tokio::spawn(accept(
            listener,
            state.dialer.clone(),
            state.dispatch.clone(),
            state.stop.clone(),
        ));
        Ok(local)
    }

    /// Makes it reachable for other channels of this process without a socket, and gives the address, which
    /// stands wherever a host:port can: in [`Call::peer`], in a [`PeerList`], in a list of routers.
    ///
    /// All else is as over TCP: the same frames, deadlines, cancels and bounds. What is served there runs on
    /// the runtime of the channel that connects. Under a paused clock of tokio's nothing is left to chance, so
    /// this is for tests. After [`close`](Self::close) nobody is there.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), tchannel_rt::CallError> {
    /// use tchannel_rt::{Channel, Reply};
    ///
    /// let server = Channel::new("greeter");
    /// server.service("greeter").raw("hello", |request| async move { Ok(Reply::ok("", request.arg3)) });
    ///
    /// let client = Channel::new("caller");
    /// client.peers("greeter").add(&server.in_process());
    /// assert_eq!(client.call("greeter::hello").send("", "hi").await?.arg3, "hi");
    /// # Ok(()) }
    /// ```
    pub fn in_process(&self) -> String {
        let state = &self.state;
        let announced = &state.dialer.announced;
        let mut listening = state.in_process();
        announced.in_process(|| {
            let started = listen_in_process(&state.dialer, &state.dispatch);
            let host_port = started.host_port();
            if !state.stop.is_cancelled() {
                *listening = Some(started);
            }
            host_port
        })
    }

    /// Tells peers `host_port` from now on, as [`ChannelConfig::advertised_host_port`] does from the start.
    pub(crate) fn announce(&self, host_port: String) -> Result<(), ChannelError> {
        check_host_port(&host_port)?;
        self.state.dialer.announced.set_host_port(host_port);
        Ok(())
    }

    /// Where it listens, if it does.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.state.dialer.announced.listening()
    }

    /// Passes calls on as `route` says. To be set once, before listening; `false` when it was set before.
    pub fn relay(&self, route: impl Route) -> bool {
        let ttl_max = self.state.dialer.config.relay_ttl_max;
        self.state.dispatch.set_relay(Relay {
            route: Arc::new(route),
            ttl_max: Ttl::from_duration(ttl_max).unwrap_or(Ttl::MAX),
        })
    }

    /// Sends calls that have no peers of their own to these routers, besides those that are there.
    ///
    /// # Errors
    ///
    /// [`ChannelError`] when the list of routers can not be read.
    pub fn call_through(&self, routers: Routers) -> Result<(), ChannelError> {
        for router in routers.resolve()? {
            self.state.routers.add(&router);
        }
        Ok(())
    }

    /// Advertises `services` at `routers`, now and from time to time, and sends calls that have no peers of
    /// their own to these routers.
    ///
    /// Returns at once; the [`Advertisement`] tells how it goes. [`close`](Self::close) withdraws it.
    ///
    /// # Errors
    ///
    /// [`ChannelError`] when the list of routers can not be read, or the channel is closed.
    pub fn advertise(
        &self,
        routers: Routers,
        services: &[&str],
    ) -> Result<Advertisement, ChannelError> {
        self.check_open()?;
        self.call_through(routers)?;
        let advertisement = Advertisement::start(self.clone(), services);
        self.advertisements().push(advertisement.clone());
        Ok(advertisement)
    }

    /// Open connections, as (inbound, outbound).
    pub fn connections(&self) -> (usize, usize) {
        let connections = self.state.dispatch.connections();
        let outbound = connections.iter().filter(|conn| conn.is_outbound()).count();
        (connections.len() - outbound, outbound)
    }

    /// Who is connected.
    pub fn all_remotes(&self) -> Vec<Remote> {
        let connections = self.state.dispatch.connections();
        connections.iter().map(Conn::remote).collect()
    }

    /// Who is connected under `host_port`: as it was dialled, or as it announced itself.
    pub fn remotes(&self, host_port: &str) -> Vec<Remote> {
        let at = |remote: &Remote| {
            let is_socket = |addr: SocketAddr| addr.to_string() == host_port;
            remote.peer.host_port == host_port || remote.addr.is_some_and(is_socket)
        };
        self.all_remotes().into_iter().filter(at).collect()
    }

    /// Closes in order: withdraw advertisements, stop accepting, finish the calls in flight within
    /// [`ChannelConfig::drain_limit`], then close the connections.
    /// Returns how many calls were cut off by the limit.
    pub async fn close(&self) -> usize {
        self.withdraw().await;
        self.state.stop_listening();
        let limit = self.state.dialer.config.drain_limit;
        let _ = tokio::time::timeout(limit, self.drain()).await;
        self.cut_off()
    }

    /// The same, with a limit for all of it.
    pub(crate) async fn close_within(&self, limit: Duration) -> usize {
        let deadline = tokio::time::Instant::now() + limit;
        let _ = tokio::time::timeout_at(deadline, self.withdraw()).await;
        self.state.stop_listening();
        let _ = tokio::time::timeout_at(deadline, self.drain()).await;
        self.cut_off()
    }

    /// Closes at once, and gives how many calls were in flight.
    pub(crate) fn cut_off(&self) -> usize {
        self.state.stop_listening();
        self.state.dispatch.shut();
        let left = self.state.dispatch.connections();
        left.iter()
            .map(|conn| {
                let in_flight = conn.in_flight();
                conn.close();
                in_flight
            })
            .sum()
    }

    /// Waits until somebody has begun to close it.
    pub(crate) async fn closing(&self) {
        self.state.stop.cancelled().await;
    }

    async fn withdraw(&self) {
        let advertisements = std::mem::take(&mut *self.advertisements());
        for advertisement in advertisements {
            advertisement.withdraw().await;
        }
    }

    async fn drain(&self) {
        loop {
            let closed = self.state.dispatch.closed.notified();
            tokio::pin!(closed);
            closed.as_mut().enable();
            let open = self.state.dispatch.connections();
            if open.is_empty() {
                return;
            }
            // Handlers at work may have dialled since, for calls of their own.
            for conn in open {
                conn.drain("closing");
            }
            closed.await;
        }
    }

    fn check_open(&self) -> Result<(), ChannelError> {
        if self.state.stop.is_cancelled() {
            Err(ChannelError::Closed)
        } else {
            Ok(())
        }
    }

    fn advertisements(&self) -> MutexGuard<'_, Vec<Advertisement>> {
        self.state
            .advertisements
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub(crate) fn peers_of(&self, service: &str) -> PeerList {
        let peers = self.peers.read().unwrap_or_else(PoisonError::into_inner);
        peers
            .get(service)
            .filter(|peers| !peers.is_empty())
            .unwrap_or(&self.routers)
            .clone()
    }

    fn in_process(&self) -> MutexGuard<'_, Option<Listening>> {
        self.in_process
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn stop_listening(&self) {
        self.stop.cancel();
        self.in_process().take();
    }
}

impl Drop for State {
    fn drop(&mut self) {
        // The last handle is gone: nobody can call any more, and nobody could ever close it.
        self.stop_listening();
        self.dispatch.shut();
        for conn in self.dispatch.connections() {
            conn.close();
        }
    }
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel")
            .field("name", &self.state.name)
            .field("listening", &self.local_addr())
            .finish_non_exhaustive()
    }
}
