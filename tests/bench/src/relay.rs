//! Relays that send all calls to one place.

use tchannel_rt::proto::peek::CallReqPeek;
use tchannel_rt::{Channel, PeerInfo, PeerList, Route, RouteTo};

use crate::options::SERVICE;

/// A channel that relays every call to `addr`. It does not listen yet.
pub fn relay_to(addr: &str) -> Channel {
    relay_by(addr, ToOne)
}

/// The same, by a route that is made of the only peer there is.
pub fn relay_by<R: Route>(addr: &str, route: impl FnOnce(PeerList) -> R) -> Channel {
    let relay = Channel::new("relay");
    let peers = relay.new_peer_list(SERVICE);
    peers.add(addr);
    relay.relay(route(peers));
    relay
}

struct ToOne(PeerList);

impl Route for ToOne {
    fn route(&self, _: &CallReqPeek<'_>, _: &PeerInfo) -> RouteTo {
        RouteTo::Peers(self.0.clone())
    }

    fn hop(&self) -> &str {
        "relay"
    }
}
