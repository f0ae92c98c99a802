//! Routers that form a mesh over loopback.

use std::time::Duration;

use futures::future::join_all;
use hyperbahn::config::NodeConfig;
use hyperbahn::error::NodeError;
use hyperbahn::node::Node;

/// Time for the routers to see each other; on one machine it takes a moment.
const MEETING: Duration = Duration::from_secs(30);

/// Routers that see each other.
#[derive(Debug)]
pub(super) struct Mesh {
    nodes: Vec<Node>,
}

/// Why there is no mesh.
#[derive(Debug, thiserror::Error)]
pub(super) enum MeshError {
    #[error(transparent)]
    Node(#[from] NodeError),
    #[error(
        "the {count} routers do not find each other; is a firewall between ports of this machine?"
    )]
    Apart { count: usize },
}

impl Mesh {
    /// Starts the first router at `listen` and the others at free ports of the same host, and waits until
    /// all see all.
    ///
    /// # Errors
    ///
    /// [`MeshError`]. No router is left then.
    pub(super) async fn start(listen: &str, count: usize) -> Result<Self, MeshError> {
        let first = Node::start(config(listen, None)).await?;
        let bootstrap = first.address().to_string();
        let (host, _) = bootstrap.rsplit_once(':').expect("addresses have a port");
        let anywhere = format!("{host}:0");
        let mut nodes = vec![first];
        while nodes.len() < count {
            nodes.push(Node::start(config(&anywhere, Some(&bootstrap))).await?);
        }
        let meeting = join_all(nodes.iter().map(|node| node.sees(count)));
        match tokio::time::timeout(MEETING, meeting).await {
            Ok(_) => Ok(Self { nodes }),
            Err(_) => Err(MeshError::Apart { count }),
        }
    }

    /// Where the routers are, in the order in which they started.
    pub(super) fn addresses(&self) -> Vec<&str> {
        let addresses = self.nodes.iter().map(|node| node.address().as_str());
        addresses.collect()
    }

    /// Stops one after another, the first one last. Says how many calls did not finish.
    pub(super) async fn stop(self) -> usize {
        let mut cut_off = 0;
        for node in self.nodes.into_iter().rev() {
            cut_off += node.stop().await;
        }
        cut_off
    }
}

fn config(listen: &str, bootstrap: Option<&str>) -> NodeConfig {
    NodeConfig {
        listen: listen.to_owned(),
        bootstrap: bootstrap.into_iter().collect(),
        ..NodeConfig::default()
    }
}
