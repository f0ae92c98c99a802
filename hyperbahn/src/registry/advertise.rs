//! Adding, renewing and withdrawing names.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::{MAX_NAME_BYTES, Offer, Registry};
use crate::host_port::{HostPort, abbreviate};

impl Registry {
    /// Notes that `offers` stand from `now` on, or still do.
    ///
    /// # Errors
    ///
    /// [`AdvertiseError`] when a bound would be passed. None of the offers is then taken in, and
    /// what was known before still holds.
    pub fn advertise(&mut self, now: Instant, offers: &[Offer]) -> Result<(), AdvertiseError> {
        self.check(offers)?;
        for offer in offers {
            self.withdrawn.clear(offer);
            self.insert(offer, now);
        }
        Ok(())
    }

    /// Forgets `offers`; other names of the same instances stay. Says how many were known.
    ///
    /// For the time of [`WITHDRAWN`](super::WITHDRAWN) only the instance itself can bring them back.
    pub fn unadvertise(&mut self, now: Instant, offers: &[Offer]) -> usize {
        let limit = self.config.max_registrations;
        let known = offers.iter().filter(|offer| {
            self.withdrawn.note(now, offer, limit);
            self.remove(&offer.name, &offer.instance)
        });
        known.count()
    }

    pub(super) fn check(&self, offers: &[Offer]) -> Result<(), AdvertiseError> {
        if offers.len() > self.config.max_names_per_ad {
            return Err(AdvertiseError::TooManyNames {
                count: offers.len(),
                limit: self.config.max_names_per_ad,
            });
        }
        let mut new_instances: BTreeMap<&str, BTreeSet<&HostPort>> = BTreeMap::new();
        for offer in offers {
            check_name(&offer.name)?;
            if !self.holds(offer) {
                let instances = new_instances.entry(&offer.name).or_default();
                instances.insert(&offer.instance);
            }
        }
        self.check_room(&new_instances)
    }

    fn holds(&self, offer: &Offer) -> bool {
        let service = self.services.get(offer.name.as_str());
        service.is_some_and(|service| service.instances.contains_key(&offer.instance))
    }

    fn check_room(
        &self,
        new_instances: &BTreeMap<&str, BTreeSet<&HostPort>>,
    ) -> Result<(), AdvertiseError> {
        let config = &self.config;
        let mut services = self.services.len();
        let mut registrations = self.registrations;
        for (&name, instances) in new_instances {
            let known = self.services.get(name);
            services += usize::from(known.is_none());
            registrations += instances.len();
            let siblings = known.map_or(0, |service| service.instances.len()) + instances.len();
            let name = name.to_owned();
            if services > config.max_services {
                let limit = config.max_services;
                return Err(AdvertiseError::TooManyServices { name, limit });
            }
            if siblings > config.max_instances_per_service {
                let limit = config.max_instances_per_service;
                return Err(AdvertiseError::TooManyInstances { name, limit });
            }
            if registrations > config.max_registrations {
                let limit = config.max_registrations;
                return Err(AdvertiseError::TooManyRegistrations { name, limit });
            }
        }
        Ok(())
    }
}

fn check_name(name: &str) -> Result<(), AdvertiseError> {
    if name.is_empty() {
        return Err(AdvertiseError::EmptyName);
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(AdvertiseError::NameTooLong {
            name: abbreviate(name),
            length: name.len(),
        });
    }
    Ok(())
}

/// Why an advertisement is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdvertiseError {
    /// A service without a name.
    #[error("a service name is empty: give it 1 to {MAX_NAME_BYTES} bytes")]
    EmptyName,
    /// A name that no call could carry.
    #[error("service name {name:?} has {length} bytes: the most is {MAX_NAME_BYTES}")]
    NameTooLong {
        /// The name, shortened.
        name: String,
        /// Its length in bytes.
        length: usize,
    },
    /// More names at once than the router takes.
    #[error("{count} services in one advertisement: the most is {limit}, send several")]
    TooManyNames {
        /// How many there were.
        count: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// The router is full of names.
    #[error("no room for service {name:?}: {limit} services are registered already")]
    TooManyServices {
        /// The name that did not fit.
        name: String,
        /// How many are allowed.
        limit: usize,
    },
    /// The service is full of instances.
    #[error("no room for another instance of {name:?}: {limit} are registered already")]
    TooManyInstances {
        /// The name that did not fit.
        name: String,
        /// How many are allowed.
        limit: usize,
    },
    /// The router is full of instances.
    #[error("no room for an instance of {name:?}: {limit} registrations are held already")]
    TooManyRegistrations {
        /// The name that did not fit.
        name: String,
        /// How many are allowed.
        limit: usize,
    },
}

impl AdvertiseError {
    /// Whether the same advertisement can never succeed, at any time.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::EmptyName | Self::NameTooLong { .. } | Self::TooManyNames { .. } => true,
            Self::TooManyServices { .. }
            | Self::TooManyInstances { .. }
            | Self::TooManyRegistrations { .. } => false,
        }
    }
}
