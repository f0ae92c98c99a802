//! One router node: the parts put together, started and drained.
//!
//! ```text
//!   ad, unad ────▶ endpoints ──▶ registrar, which owns the registry
//!                                    │ puts a newer view in force
//!   questions ───▶ endpoints ──▶ router: a view and the peers of each service
//!   other calls ─▶ relay ───────────▲ asks where to
//! ```
//!
//! Only the registrar's task changes what the node knows. An ad is answered once the newer view is in
//! force, so that the next call finds the instance.

mod endpoints;
mod registrar;
mod router;

use std::net::SocketAddr;
use std::sync::Arc;

use tchannel_rt::{Channel, ChannelConfig};
use tokio::task::JoinSet;

use crate::config::NodeConfig;
use crate::error::NodeError;
use crate::host_port::HostPort;

use registrar::Registrar;
use router::Router;

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
    // Aborts the registrar when it is dropped.
    _registrar: JoinSet<()>,
}

impl Node {
    /// Starts a router. When this returns, it can be called.
    ///
    /// # Errors
    ///
    /// [`NodeError`] when it cannot listen where it should, or would listen where no peer finds it.
    pub async fn start(config: NodeConfig) -> Result<Self, NodeError> {
        let channel = Arc::new(Channel::with_config("hyperbahn", limits(&config)));
        let router = Router::default();
        let (registrar, advertiser) = Registrar::new(
            config.registry.clone(),
            router.clone(),
            Arc::downgrade(&channel),
        );
        endpoints::register(&channel, &router, &advertiser);
        channel.relay(router.clone());
        let bound = channel.listen(&config.listen).await?;
        let address = address(&config, bound)?;
        router.open(&address);
        let mut task = JoinSet::new();
        task.spawn(registrar.run());
        Ok(Self {
            channel,
            address,
            _registrar: task,
        })
    }

    /// Where it can be reached.
    pub fn address(&self) -> &HostPort {
        &self.address
    }

    /// Ends it: no new calls are taken, those in flight finish within [`NodeConfig::drain`]. Says
    /// how many did not.
    pub async fn stop(self) -> usize {
        self.channel.close().await
    }
}

fn limits(config: &NodeConfig) -> ChannelConfig {
    let mut limits = ChannelConfig::default();
    limits.drain_limit = config.drain;
    limits.advertised_host_port = config.announce.as_ref().map(ToString::to_string);
    limits
}

fn address(config: &NodeConfig, bound: SocketAddr) -> Result<HostPort, NodeError> {
    if let Some(announced) = &config.announce {
        return Ok(announced.clone());
    }
    let bound = bound.to_string();
    HostPort::parse(&bound).map_err(|_| NodeError::Unreachable { bound })
}
