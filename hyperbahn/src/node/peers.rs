//! What the runtime needs to call instances and routers: lists of peers that follow the view.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use tchannel_rt::{Channel, PeerList};

use super::exits::Exits;
use super::instances::{Instances, Place};
use crate::routing::{AffinityConfig, Mesh, View};

/// The lists of one moment; never changes.
#[derive(Clone)]
pub(super) struct Lists {
    services: Arc<HashMap<Arc<str>, Arc<Instances>>>,
    pub(super) exits: Arc<Exits>,
}

impl Lists {
    /// Those of a router that knows no instances yet.
    pub(super) fn none(channel: &Channel, mesh: &Arc<Mesh>) -> Self {
        Self {
            services: Arc::default(),
            exits: Arc::new(Exits::next(None, channel, mesh)),
        }
    }

    pub(super) fn instances(&self, service: &str) -> Option<&Arc<Instances>> {
        self.services.get(service)
    }
}

/// Makes the lists of each moment from those of the one before.
pub(super) struct PeerLists {
    affinity: AffinityConfig,
    channel: Weak<Channel>,
    current: Option<(View, Lists)>,
}

impl PeerLists {
    pub(super) fn new(affinity: AffinityConfig, channel: Weak<Channel>) -> Self {
        Self {
            affinity,
            channel,
            current: None,
        }
    }

    /// The lists for `view`; `None` when nothing has changed, or the channel is gone.
    pub(super) fn update(&mut self, view: &View) -> Option<Lists> {
        let channel = self.channel.upgrade()?;
        let before = self.current.as_ref();
        let is_same_mesh = before.is_some_and(|(before, _)| Arc::ptr_eq(&before.mesh, &view.mesh));
        let is_same = is_same_mesh
            && before.is_some_and(|(before, _)| Arc::ptr_eq(&before.services, &view.services));
        if is_same {
            return None;
        }
        let earlier = before.map(|(_, lists)| lists);
        let exits = match earlier {
            Some(earlier) if is_same_mesh => Arc::clone(&earlier.exits),
            earlier => {
                let earlier = earlier.map(|earlier| &*earlier.exits);
                Arc::new(Exits::next(earlier, &channel, &view.mesh))
            }
        };
        let services = view.services.iter_shared().map(|(name, known)| {
            let earlier = earlier.and_then(|earlier| earlier.instances(name));
            let place = self.place(&view.mesh, name, known.len());
            let next = match earlier {
                Some(earlier) if earlier.are(known, place) => Arc::clone(earlier),
                _ => {
                    let all = || channel.new_peer_list(name);
                    let earlier = earlier.map(|earlier| &**earlier);
                    Arc::new(Instances::next(earlier, all, known, place, &self.affinity))
                }
            };
            (Arc::clone(name), next)
        });
        let lists = Lists {
            services: Arc::new(services.collect()),
            exits,
        };
        self.current = Some((view.clone(), lists.clone()));
        Some(lists)
    }

    /// This router's place among the exits of a service with so many instances, if they share them out.
    fn place(&self, mesh: &Mesh, service: &str, instances: usize) -> Option<Place> {
        if !self.affinity.applies_to(instances) {
            return None;
        }
        let mut exits = mesh.exits(service);
        exits.sort_unstable();
        let index = exits.iter().position(|exit| exit == mesh.me())?;
        Some((index, exits.len()))
    }
}

/// Brings a list from those it has to those it should have, both sorted. Peers that stay keep what is known
/// of them.
pub(super) fn follow(list: &PeerList, before: &[&str], after: &[&str]) {
    let added = after
        .iter()
        .filter(|peer| before.binary_search(peer).is_err());
    let removed = before
        .iter()
        .filter(|peer| after.binary_search(peer).is_err());
    list.update(added.copied(), removed.copied());
}
