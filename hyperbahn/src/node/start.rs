//! Coming into a mesh: look, take over, enter.
//!
//! A router that others can see is sent calls. So it first learns who is there, without being seen, and
//! takes over what it will be an exit for; only then it enters. Source: spec/hyperbahn/routing.md, "hand-over".

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tchannel_rt::Channel;
use tokio::task::JoinSet;

use super::endpoints::{self, Parts};
use super::fan_out::FanOut;
use super::neighbours::Neighbours;
use super::registrar::{Registrar, Start};
use super::router::Router;
use super::{Node, address, limits};
use crate::config::NodeConfig;
use crate::error::NodeError;
use crate::host_port::HostPort;
use crate::membership::{Membership, Snapshot};
use crate::routing::Mesh;

/// Routers asked at a time for what a newcomer takes over.
const ASKED_AT_ONCE: usize = 16;

/// Longest time that taking over may hold a newcomer up. What is missing then comes once it has entered.
const TAKING_OVER: Duration = Duration::from_secs(5);

pub(super) async fn start(config: NodeConfig) -> Result<Node, NodeError> {
    let channel = Arc::new(Channel::with_config("hyperbahn", limits(&config)));
    let router = Router::default();
    channel.relay(router.clone());
    let bound = channel.listen(&config.listen).await?;
    let address = address(&config, bound)?;
    let membership = Membership::start(&channel, &address, config.membership.clone());
    let mesh = Mesh::alone(address.clone(), config.exits);
    router.begin(&channel, &mesh);
    let (registrar, registrations) = Registrar::new(Start {
        registry: config.registry,
        affinity: config.affinity,
        mesh,
        members: membership.watch(),
        router: router.clone(),
        channel: Arc::downgrade(&channel),
    });
    let mut task = JoinSet::new();
    task.spawn(registrar.run());
    let neighbours = Neighbours::new(Arc::downgrade(&channel));
    let parts = Parts {
        router: router.clone(),
        registrations: registrations.clone(),
        fan_out: FanOut::new(registrations.clone(), neighbours.clone()),
        neighbours: neighbours.clone(),
        membership: membership.clone(),
        channel: Arc::downgrade(&channel),
    };
    endpoints::register(&channel, &parts);

    let found = membership.look(config.bootstrap).await;
    for problem in &found.problems {
        tracing::warn!(problem, "part of the bootstrap is of no use");
    }
    tracing::info!(
        asked = found.hosts,
        answered = found.answered,
        "looked for routers"
    );
    take_over(&neighbours, &address, &membership.current()).await;
    router.open();
    membership.enter().await;
    Ok(Node {
        channel,
        address,
        membership,
        registrations,
        neighbours,
        _registrar: task,
    })
}

/// Has every router that was found hand over what this one will be an exit for.
async fn take_over(neighbours: &Neighbours, me: &HostPort, found: &Snapshot) {
    let others = found.ring.servers().iter();
    let others = others.filter_map(|server| HostPort::parse(server.address()).ok());
    let asked = others.filter(|other| other != me).map(|other| async move {
        if let Err(error) = neighbours.take_over(&other, me).await {
            tracing::warn!(router = %other, %error, "took nothing over");
        }
    });
    let all = futures::stream::iter(asked)
        .buffer_unordered(ASKED_AT_ONCE)
        .collect::<()>();
    if tokio::time::timeout(TAKING_OVER, all).await.is_err() {
        tracing::warn!("some routers take too long to hand over; entering without the rest");
    }
}
