//! The instances of one service as peers.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use hyperbahn_ring::Ring;
use tchannel_rt::PeerList;

use super::peers::follow;
use crate::host_port::HostPort;
use crate::routing::{self, AffinityConfig};

/// This router's number among the exits of a service, sorted, and how many there are.
pub(super) type Place = (usize, usize);

/// The instances of one service.
pub(super) struct Instances {
    known: Arc<[HostPort]>,
    /// Present where exits share the instances out.
    place: Option<Place>,
    /// All of them; those that this router keeps no connection to are dialled when a shard key wants them.
    pub(super) all: PeerList,
    /// Those that this router keeps connected.
    pub(super) near: PeerList,
    ring: OnceLock<Ring>,
}

impl Instances {
    /// Those that are `known` now. Instances that were there `earlier` keep what is known of them; those that
    /// are near for the first time are dialled.
    pub(super) fn next(
        earlier: Option<&Self>,
        all: impl FnOnce() -> PeerList,
        known: &Arc<[HostPort]>,
        place: Option<Place>,
        affinity: &AffinityConfig,
    ) -> Self {
        let all = earlier.map_or_else(all, |earlier| earlier.all.clone());
        // Before the list changes that it may share.
        let was_near = earlier.map_or_else(HashSet::new, Self::near_addresses);
        let before = earlier.map_or(&[][..], |earlier| &earlier.known);
        follow(&all, &addresses(before), &addresses(known));
        let near = match place {
            None => all.clone(),
            Some((index, exits)) => {
                let slice = affinity.slice(index, exits, known.len());
                let positions = slice.positions(known.len());
                all.subset(positions.map(|position| known[position].as_str()))
            }
        };
        for instance in known.iter().map(HostPort::as_str) {
            if near.contains(instance) && !was_near.contains(instance) {
                near.connect(instance);
            }
        }
        Self {
            known: Arc::clone(known),
            place,
            all,
            near,
            ring: OnceLock::new(),
        }
    }

    /// Whether these are the instances that are `known`, shared out in the same way.
    pub(super) fn are(&self, known: &Arc<[HostPort]>, place: Option<Place>) -> bool {
        Arc::ptr_eq(&self.known, known) && self.place == place
    }

    /// The ring that shard keys are looked up on.
    pub(super) fn ring(&self) -> &Ring {
        self.ring.get_or_init(|| routing::ring_of(&self.known))
    }

    fn near_addresses(&self) -> HashSet<&str> {
        let known = self.known.iter().map(HostPort::as_str);
        known
            .filter(|address| self.near.contains(address))
            .collect()
    }
}

fn addresses(instances: &[HostPort]) -> Vec<&str> {
    instances.iter().map(HostPort::as_str).collect()
}
