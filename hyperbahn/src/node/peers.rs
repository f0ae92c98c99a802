//! What the runtime needs to call instances and routers: lists of peers that follow the view.

use std::sync::{Arc, Weak};

use rpds::HashTrieMapSync;
use tchannel_rt::{Channel, PeerList};

use super::exits::Exits;
use super::instances::{Instances, Place};
use crate::routing::{AffinityConfig, Mesh, View};

type Services = HashTrieMapSync<Arc<str>, Arc<Instances>>;

/// The lists of one moment; never changes.
#[derive(Clone)]
pub(super) struct Lists {
    services: Services,
    pub(super) exits: Arc<Exits>,
}

impl Lists {
    /// Those of a router that knows no instances yet.
    pub(super) fn none(channel: &Channel, mesh: &Arc<Mesh>) -> Self {
        Self {
            services: Services::default(),
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

    /// The lists for `view`, in which the instances of the services `changed` differ from the view before.
    /// `None` when nothing does, or the channel is gone.
    pub(super) fn update(&mut self, view: &View, changed: &[Arc<str>]) -> Option<Lists> {
        let channel = self.channel.upgrade()?;
        let earlier = self.current.take();
        let same_mesh = earlier
            .as_ref()
            .filter(|(before, _)| Arc::ptr_eq(&before.mesh, &view.mesh));
        let lists = match same_mesh {
            Some((_, lists)) => {
                let mut lists = lists.clone();
                for name in changed {
                    self.follow(&mut lists.services, view, name, &channel);
                }
                lists
            }
            None => self.of_mesh(earlier.as_ref().map(|(_, lists)| lists), view, &channel),
        };
        let is_new = same_mesh.is_none() || !changed.is_empty();
        self.current = Some((view.clone(), lists.clone()));
        is_new.then_some(lists)
    }

    /// The lists among other routers than before: another share of any service may be this router's.
    fn of_mesh(&self, earlier: Option<&Lists>, view: &View, channel: &Channel) -> Lists {
        let mut lists = Lists {
            services: earlier.map_or_else(Services::default, |lists| lists.services.clone()),
            exits: Arc::new(Exits::next(
                earlier.map(|lists| &*lists.exits),
                channel,
                &view.mesh,
            )),
        };
        let gone: Vec<_> = lists
            .services
            .keys()
            .filter(|name| view.services.instances(name).is_none())
            .cloned()
            .collect();
        let there = view.services.iter_shared().map(|(name, _)| name);
        for name in gone.iter().chain(there) {
            self.follow(&mut lists.services, view, name, channel);
        }
        lists
    }

    /// Brings one service to what `view` says of it.
    fn follow(&self, services: &mut Services, view: &View, name: &Arc<str>, channel: &Channel) {
        let Some(known) = view.services.instances(name) else {
            services.remove_mut(name);
            return;
        };
        let place = self.place(&view.mesh, name, known.len());
        let earlier = services.get(name);
        if earlier.is_some_and(|earlier| earlier.are(known, place)) {
            return;
        }
        let all = || channel.new_peer_list(name);
        let earlier = earlier.map(|earlier| &**earlier);
        let next = Instances::next(earlier, all, known, place, &self.affinity);
        services.insert_mut(Arc::clone(name), Arc::new(next));
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
