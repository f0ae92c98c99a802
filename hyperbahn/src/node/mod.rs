//! One router node: the parts put together, started and drained.
//!
//! ```text
//!   ad, unad ────▶ endpoints ──▶ fan_out ──▶ the exits, this router among them perhaps
//!   relay-ad ────▶ endpoints ──▶ registrar, which owns registry and mesh
//!   membership ──────────────────▶ │ puts a newer view in force
//!   questions ───▶ endpoints ──▶ router: a view and the peers of each service
//!   other calls ─▶ relay ───────────▲ asks where to
//! ```
//!
//! Only the registrar's task changes what the node knows. An ad is answered once the newer view is in
//! force, so that the next call finds the instance.

mod endpoints;
mod exits;
mod fan_out;
mod instances;
mod neighbours;
mod peers;
mod registrar;
mod router;
mod start;
mod stop;

use std::net::SocketAddr;
use std::sync::Arc;

use tchannel_rt::{Channel, ChannelConfig};
use tokio::task::JoinSet;

use crate::config::NodeConfig;
use crate::error::NodeError;
use crate::host_port::HostPort;
use crate::membership::{Membership, Snapshot};
use crate::routing::ROUTER_HEADER;

use neighbours::Neighbours;
use registrar::Registrations;

/// A running router. Dropping it ends it at once; [`stop`](Self::stop) lets calls finish.
///
/// ```
/// # use hyperbahn::{config::NodeConfig, error::NodeError, node::Node};
/// # #[tokio::main] async fn main() -> Result<(), NodeError> {
/// let config = NodeConfig { listen: "127.0.0.1:0".into(), ..NodeConfig::default() };
/// let node = Node::start(config).await?;
/// assert_ne!(node.address().as_str(), "127.0.0.1:0");
/// assert_eq!(node.stop().await, 0);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Node {
    channel: Arc<Channel>,
    address: HostPort,
    membership: Membership,
    registrations: Registrations,
    neighbours: Neighbours,
    // Aborts the registrar when it is dropped.
    _registrar: JoinSet<()>,
}

impl Node {
    /// Starts a router. When this returns, it can be called, and it has taken over from the routers it
    /// found what it is now an exit for.
    ///
    /// # Errors
    ///
    /// [`NodeError`] when it cannot listen where it should, or would listen where no peer finds it. Finding
    /// no other router is no error: it is then a mesh of one until others come.
    pub async fn start(config: NodeConfig) -> Result<Self, NodeError> {
        start::start(config).await
    }

    /// Where it can be reached.
    pub fn address(&self) -> &HostPort {
        &self.address
    }

    /// The routers, as this one sees them.
    pub fn members(&self) -> Arc<Snapshot> {
        self.membership.current()
    }

    /// Resolves once this router sees `count` routers, itself included, that are alive.
    pub async fn sees(&self, count: usize) {
        let mut members = self.membership.watch();
        let is_seen = |snapshot: &Arc<Snapshot>| snapshot.ring.servers().len() == count;
        // It fails only when the membership has ended, and then there is nothing to wait for.
        let _ = members.wait_for(is_seen).await;
    }

    /// Ends it: what it holds is handed over, the other routers are told, no new calls are taken, those in
    /// flight finish within [`NodeConfig::drain`]. Says how many did not.
    pub async fn stop(self) -> usize {
        stop::stop(self).await
    }
}

fn limits(config: &NodeConfig) -> ChannelConfig {
    let mut limits = ChannelConfig::default();
    limits.drain_limit = config.drain;
    limits.connections_max = config.connections_max;
    limits.advertised_host_port = config.announce.as_ref().map(ToString::to_string);
    limits.init_headers = vec![(ROUTER_HEADER.to_owned(), "1".to_owned())];
    limits
}

fn address(config: &NodeConfig, bound: SocketAddr) -> Result<HostPort, NodeError> {
    if let Some(announced) = &config.announce {
        return Ok(announced.clone());
    }
    let bound = bound.to_string();
    HostPort::parse(&bound).map_err(|_| NodeError::Unreachable { bound })
}
