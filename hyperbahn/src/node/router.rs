//! The answer to the relay's question: a view to decide by, and the peers to choose from.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use tchannel_proto::peek::CallReqPeek;
use tchannel_rt::{PeerInfo, PeerList, RouteTo};

use crate::host_port::HostPort;
use crate::refusal::Refusal;
use crate::registry::Services;
use crate::routing::{Call, Route, View, decide};

/// The instances of each service, as the runtime knows them.
pub(super) type Peers = HashMap<Arc<str>, PeerList>;

/// What the relay and the endpoints look at. Cheap to clone; all clones see the same.
#[derive(Clone, Default)]
pub(super) struct Router {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    address: OnceLock<HostPort>,
    current: RwLock<Option<Arc<Moment>>>,
}

/// What is known at one moment; never changes. There are peers for each service of the view.
pub(super) struct Moment {
    pub(super) view: View,
    peers: Peers,
}

impl Router {
    /// Begins to route, as the router at `address`. Calls that came earlier were declined.
    pub(super) fn open(&self, address: &HostPort) {
        self.shared.address.get_or_init(|| address.clone());
        self.replace(Arc::default(), Peers::new());
    }

    /// Puts a newer moment in force, from the next call on.
    pub(super) fn replace(&self, services: Arc<Services>, peers: Peers) {
        let Some(router) = self.shared.address.get().cloned() else {
            return;
        };
        let moment = Arc::new(Moment {
            view: View { router, services },
            peers,
        });
        let mut current = self
            .shared
            .current
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *current = Some(moment);
    }

    /// What is known now.
    ///
    /// # Errors
    ///
    /// Declined while the node is starting.
    pub(super) fn current(&self) -> Result<Arc<Moment>, Refusal> {
        let current = self
            .shared
            .current
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        current
            .clone()
            .ok_or_else(|| Refusal::declined("the router is starting"))
    }
}

impl Moment {
    /// The instances of a service of the view.
    pub(super) fn peers(&self, service: &str) -> Option<&PeerList> {
        self.peers.get(service)
    }
}

impl tchannel_rt::Route for Router {
    fn route(&self, call: &CallReqPeek<'_>, _: &PeerInfo) -> RouteTo {
        let moment = match self.current() {
            Ok(moment) => moment,
            Err(refusal) => return refused(refusal),
        };
        let call = Call {
            service: text(call.service),
            caller: text(call.caller_name),
            delegate: text(call.routing_delegate),
        };
        match decide(&call, &moment.view) {
            Route::Own(_) => RouteTo::Local,
            Route::Refuse(refusal) => refused(refusal),
            Route::Instances(_) => {
                let peers = moment.peers(call.target());
                let peers = peers.expect("a view comes with the peers of its services");
                RouteTo::Peers(peers.clone())
            }
        }
    }

    fn hop(&self) -> &str {
        self.shared
            .address
            .get()
            .map_or("that is starting", HostPort::as_str)
    }
}

fn refused(Refusal { code, message }: Refusal) -> RouteTo {
    RouteTo::Refuse { code, message }
}

// A name that is no text cannot have been advertised, so it only has to look like itself in a message.
fn text(name: &[u8]) -> &str {
    std::str::from_utf8(name).unwrap_or("\u{fffd}")
}
