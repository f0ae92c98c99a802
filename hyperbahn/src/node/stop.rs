//! Going out of a mesh: hand over, leave, drain.
//!
//! While the others learn that this router leaves, it goes on serving, so that nobody is sent away who
//! could not know. Source: spec/hyperbahn/routing.md, "hand-over".

use std::time::Duration;

use futures::future::join_all;

use super::Node;

/// Longest time that handing over may take.
const HANDING_OVER: Duration = Duration::from_secs(5);

/// Time for the news to reach routers that were not told directly, and for calls that they sent before.
const NEWS: Duration = Duration::from_millis(1500);

pub(super) async fn stop(node: Node) -> usize {
    if node.members().ring.servers().len() > 1 {
        hand_over(&node).await;
        node.membership.leave().await;
        tokio::time::sleep(NEWS).await;
    }
    node.channel.close().await
}

async fn hand_over(node: &Node) {
    let Ok(parcels) = node.registrations.for_leaving().await else {
        return;
    };
    let sent = parcels.iter().map(|(to, handed)| async move {
        match node.neighbours.hand_over(to, handed).await {
            Ok(()) => tracing::info!(router = %to, registrations = handed.len(), "handed over"),
            Err(error) => tracing::warn!(router = %to, %error, "not handed over"),
        }
    });
    if tokio::time::timeout(HANDING_OVER, join_all(sent))
        .await
        .is_err()
    {
        tracing::warn!("handing over takes too long; leaving without the rest");
    }
}
