//! Who offers which service: a value that is told what happened and when.
//!
//! ```text
//!   ad   ──▶ advertise(now)      ┐                      ┌──▶ services()      what routing looks at
//!   unad ──▶ unadvertise(now)    ├──▶  name × host:port ┼──▶ held(now, name) what another exit is handed
//!   hand ──▶ take_over(now)      │                      └──▶ poll_timeout()  when to come again
//!   time ──▶ handle_timeout(now) ┘
//! ```
//!
//! Bookkeeping is per name: an instance that withdraws one name, or stops renewing it, keeps its
//! others. A name that nobody offers takes no memory. Everything is bounded by [`RegistryConfig`].
//! Source: spec/hyperbahn/api.md, "ad".

mod advertise;
mod expire;
mod hand_over;
mod withdrawn;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rpds::HashTrieMapSync;

use crate::host_port::HostPort;

pub use advertise::AdvertiseError;
pub use hand_over::Handed;
pub use withdrawn::WITHDRAWN;

use withdrawn::Withdrawn;

/// Longest service name, in bytes: the wire's own bound.
pub const MAX_NAME_BYTES: usize = 255;

/// Bounds and expiry of a [`Registry`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryConfig {
    /// Silence after which an instance loses a name. Default 400 s, more than twice the longest
    /// interval of a deployed client (185 s); `None` never forgets.
    pub expiry: Option<Duration>,
    /// Most service names at a time. Default 10,000; further names are refused.
    pub max_services: usize,
    /// Most instances of one service. Default 10,000; further instances are refused.
    pub max_instances_per_service: usize,
    /// Most pairs of name and instance in all. Default 200,000, some 50 MB; further ones are
    /// refused.
    pub max_registrations: usize,
    /// Most names in one advertisement. Default 1,000; a longer one is refused whole.
    pub max_names_per_ad: usize,
}

impl Default for RegistryConfig {
    fn default() -> Self {
        Self {
            expiry: Some(Duration::from_secs(400)),
            max_services: 10_000,
            max_instances_per_service: 10_000,
            max_registrations: 200_000,
            max_names_per_ad: 1_000,
        }
    }
}

/// One name offered by one instance.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offer {
    /// The service.
    pub name: String,
    /// Who offers it.
    pub instance: HostPort,
}

/// Instances by service name. See the [module](self).
#[derive(Debug)]
pub struct Registry {
    config: RegistryConfig,
    services: HashMap<Arc<str>, Service>,
    /// What runs out when, soonest first; empty when nothing ever expires.
    due: BTreeSet<(Instant, Arc<str>, HostPort)>,
    registrations: usize,
    withdrawn: Withdrawn,
    listed: Arc<Services>,
    /// Of these, `listed` may say something else.
    unlisted: HashSet<Arc<str>>,
    /// Of these, `listed` does, but nobody has been told that it has changed.
    untold: HashSet<Arc<str>>,
}

/// The instances of one service, each with the moment of its latest advertisement.
#[derive(Debug, Default)]
struct Service {
    instances: BTreeMap<HostPort, Instant>,
}

impl Registry {
    /// A registry that knows nobody.
    pub fn new(config: RegistryConfig) -> Self {
        Self {
            config,
            services: HashMap::new(),
            due: BTreeSet::new(),
            registrations: 0,
            withdrawn: Withdrawn::default(),
            listed: Arc::default(),
            unlisted: HashSet::new(),
            untold: HashSet::new(),
        }
    }

    /// The current state, as one immutable value to share. The same `Arc` comes back until a name
    /// or an instance appears or goes; a renewal changes nothing here.
    pub fn services(&mut self) -> Arc<Services> {
        if !self.unlisted.is_empty() {
            let mut by_name = self.listed.by_name.clone();
            for name in self.unlisted.drain() {
                match self.services.get(&name) {
                    Some(service) => by_name.insert_mut(Arc::clone(&name), service.list()),
                    None => drop(by_name.remove_mut(&name)),
                }
                self.untold.insert(name);
            }
            self.listed = Arc::new(Services { by_name });
        }
        Arc::clone(&self.listed)
    }

    /// The current state, and the names whose instances have changed since this was asked before. Takes as
    /// long as there are such names and instances, however many others there are.
    pub fn changed_services(&mut self) -> (Arc<Services>, Vec<Arc<str>>) {
        let services = self.services();
        (services, self.untold.drain().collect())
    }

    /// When a name that was advertised at `renewed` runs out.
    fn due(&self, renewed: Instant) -> Option<Instant> {
        self.config
            .expiry
            .and_then(|expiry| renewed.checked_add(expiry))
    }

    fn shared(&self, name: &str) -> Arc<str> {
        let known = self.services.get_key_value(name);
        known.map_or_else(|| name.into(), |(name, _)| Arc::clone(name))
    }

    fn insert(&mut self, offer: &Offer, renewed: Instant) {
        let (name, due) = (self.shared(&offer.name), self.due(renewed));
        let service = self.services.entry(Arc::clone(&name)).or_default();
        match service.instances.insert(offer.instance.clone(), renewed) {
            Some(before) => self.forget_due(&name, &offer.instance, before),
            None => {
                self.registrations += 1;
                self.unlisted.insert(Arc::clone(&name));
            }
        }
        if let Some(due) = due {
            self.due.insert((due, name, offer.instance.clone()));
        }
    }

    fn remove(&mut self, name: &str, instance: &HostPort) -> bool {
        let shared = self.shared(name);
        let Some(service) = self.services.get_mut(name) else {
            return false;
        };
        let Some(renewed) = service.instances.remove(instance) else {
            return false;
        };
        self.registrations -= 1;
        if service.instances.is_empty() {
            self.services.remove(name);
        }
        self.unlisted.insert(shared);
        self.forget_due(name, instance, renewed);
        true
    }

    fn forget_due(&mut self, name: &str, instance: &HostPort, renewed: Instant) {
        if let Some(due) = self.due(renewed) {
            self.due.remove(&(due, name.into(), instance.clone()));
        }
    }
}

impl Service {
    fn list(&self) -> Arc<[HostPort]> {
        self.instances.keys().cloned().collect()
    }
}

/// Who offers what at one moment. Never changes; a newer state is another value, which shares with this one
/// what is the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Services {
    by_name: HashTrieMapSync<Arc<str>, Arc<[HostPort]>>,
}

impl Services {
    /// The instances of a service in the order of their addresses, or `None` when there is none.
    pub fn instances(&self, name: &str) -> Option<&Arc<[HostPort]>> {
        self.by_name.get(name)
    }

    /// Every service with its instances, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[HostPort])> {
        let mut sorted: Vec<_> = self.by_name.iter().collect();
        sorted.sort_unstable_by(|a, b| a.0.cmp(b.0));
        sorted
            .into_iter()
            .map(|(name, instances)| (&**name, &**instances))
    }

    /// The same in no order, as values to share.
    pub fn iter_shared(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<[HostPort]>)> {
        self.by_name.iter()
    }

    /// All names that each instance of `service` offers, in order.
    pub fn names_beside(&self, service: &str) -> BTreeMap<&HostPort, Vec<&str>> {
        let siblings = self.instances(service).map_or(&[][..], |all| all);
        let mut names: BTreeMap<_, _> = siblings.iter().map(|one| (one, Vec::new())).collect();
        for (name, instances) in self.iter() {
            for instance in instances {
                if let Some(names) = names.get_mut(instance) {
                    names.push(name);
                }
            }
        }
        names
    }

    /// How many services have an instance.
    pub fn len(&self) -> usize {
        self.by_name.size()
    }

    /// Whether no service has an instance.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }
}

#[cfg(test)]
mod tests;
