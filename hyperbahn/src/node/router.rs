//! The answer to the relay's question: a view to decide by, and the peers to choose from.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard};

use tchannel_proto::peek::CallReqPeek;
use tchannel_rt::{Channel, LoadBound, PeerInfo, RouteTo};

use super::instances::Instances;
use super::peers::Lists;
use crate::host_port::HostPort;
use crate::refusal::Refusal;
use crate::routing::{self, Call, Mesh, Origin, ROUTER_HEADER, Route, View, decide};

/// How busy an instance may be before a shard key goes to the next one.
const SHARD_BOUND: LoadBound = LoadBound {
    times_average: 1.25,
    at_least: 16,
};

/// What the relay and the endpoints look at. Cheap to clone; all clones see the same.
#[derive(Clone, Default)]
pub(super) struct Router {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    address: OnceLock<HostPort>,
    is_open: AtomicBool,
    current: RwLock<Option<Arc<Moment>>>,
}

/// What is known at one moment; never changes. There are peers for each service of the view.
pub(super) struct Moment {
    pub(super) view: View,
    pub(super) lists: Lists,
}

impl Router {
    /// Answers for itself from now on, as the router that `mesh` speaks of, and declines all other calls.
    pub(super) fn begin(&self, channel: &Channel, mesh: &Mesh) {
        self.shared.address.get_or_init(|| mesh.me().clone());
        let view = View {
            services: Arc::default(),
            mesh: Arc::new(mesh.clone()),
        };
        let lists = Lists::none(channel, &view.mesh);
        self.replace(view, lists);
    }

    /// Begins to route.
    pub(super) fn open(&self) {
        self.shared.is_open.store(true, Ordering::Release);
    }

    /// Puts a newer moment in force, from the next call on.
    pub(super) fn replace(&self, view: View, lists: Lists) {
        let mut current = self
            .shared
            .current
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let before = current.replace(Arc::new(Moment { view, lists }));
        // What nobody else has of it goes once the lock has been released: calls wait for that.
        drop(current);
        drop(before);
    }

    /// What is known now.
    ///
    /// # Errors
    ///
    /// Declined while the node is starting.
    pub(super) fn current(&self) -> Result<Arc<Moment>, Refusal> {
        self.read().clone().ok_or_else(starting)
    }

    /// The same for a short look: a newer moment waits for it.
    fn read(&self) -> RwLockReadGuard<'_, Option<Arc<Moment>>> {
        let current = self.shared.current.read();
        current.unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing, once it routes.
    ///
    /// # Errors
    ///
    /// Declined while the node is starting.
    pub(super) fn check_open(&self) -> Result<(), Refusal> {
        match self.shared.is_open.load(Ordering::Acquire) {
            true => Ok(()),
            false => Err(starting()),
        }
    }
}

fn starting() -> Refusal {
    Refusal::declined("the router is starting")
}

impl Moment {
    fn route(&self, call: &Call<'_>, origin: impl FnOnce() -> Origin) -> Result<RouteTo, Refusal> {
        let next = call.target();
        match decide(call, &self.view, |name| self.lists.instances(name), origin) {
            Route::Own(_) => Ok(RouteTo::Local),
            Route::Refuse(refusal) => Err(refusal),
            Route::Instances(instances) => Ok(match call.shard_key {
                "" => RouteTo::Peers(instances.near.clone()),
                key => to_shard(instances, key),
            }),
            Route::Exits => Ok(self.lists.exits.route(next)),
            Route::Shard => Ok(self.to_exit_of_shard(next, call.shard_key)),
        }
    }

    /// To the exit that `key` names; this router is one itself perhaps.
    fn to_exit_of_shard(&self, service: &str, key: &str) -> RouteTo {
        match self.lists.instances(service) {
            Some(instances) if self.lists.exits.is_shard_mine(service, key) => {
                to_shard(instances, key)
            }
            _ => self.lists.exits.route_shard(service, key),
        }
    }
}

fn to_shard(instances: &Instances, key: &str) -> RouteTo {
    let order = routing::instances_for(instances.ring(), key);
    RouteTo::InOrder {
        peers: instances.all.clone(),
        order: order.map(Into::into).collect(),
        bound: Some(SHARD_BOUND),
    }
}

impl tchannel_rt::Route for Router {
    fn route(&self, call: &CallReqPeek<'_>, from: &PeerInfo) -> RouteTo {
        let shard_key = String::from_utf8_lossy(call.shard_key);
        let current = self.read();
        let routed = current.as_ref().ok_or_else(starting).and_then(|moment| {
            let call = Call {
                service: text(call.service),
                caller: text(call.caller_name),
                delegate: text(call.routing_delegate),
                shard_key: &shard_key,
            };
            let to = moment.route(&call, || origin(from, &moment.view.mesh))?;
            match to {
                RouteTo::Local => Ok(to),
                _ => self.check_open().map(|()| to),
            }
        });
        routed.unwrap_or_else(|Refusal { code, message }| RouteTo::Refuse { code, message })
    }

    fn hop(&self) -> &str {
        self.shared
            .address
            .get()
            .map_or("that is starting", HostPort::as_str)
    }
}

/// Deployed routers do not say what they are, but they are on the ring.
fn origin(from: &PeerInfo, mesh: &Mesh) -> Origin {
    match from.header(ROUTER_HEADER).is_some() || mesh.is_router(&from.host_port) {
        true => Origin::Router,
        false => Origin::Caller,
    }
}

// A name that is no text cannot have been advertised, so it only has to look like itself in a message.
fn text(name: &[u8]) -> &str {
    std::str::from_utf8(name).unwrap_or("\u{fffd}")
}
