//! What one exit node passes on to the next: registrations, as old as they are.

use std::time::{Duration, Instant};

use super::{AdvertiseError, Offer, Registry};

/// A registration on its way from one exit node to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handed {
    /// What is offered, and by whom.
    pub offer: Offer,
    /// How long ago the instance last said so.
    pub age: Duration,
}

impl Registry {
    /// Takes in registrations that another exit held. They run out when they would have run out there; a
    /// newer advertisement that came here directly stands, and so does a withdrawal.
    ///
    /// # Errors
    ///
    /// [`AdvertiseError`] as for [`advertise`](Self::advertise); nothing is taken in then.
    pub fn take_over(&mut self, now: Instant, handed: &[Handed]) -> Result<usize, AdvertiseError> {
        let current = handed.iter().filter(|one| self.is_current(now, one));
        let current: Vec<_> = current.cloned().collect();
        let offers: Vec<_> = current.iter().map(|one| one.offer.clone()).collect();
        self.check(&offers)?;
        for Handed { offer, age } in &current {
            let renewed = now.checked_sub(*age).unwrap_or(now);
            if self.renewed(offer).is_none_or(|known| known < renewed) {
                self.insert(offer, renewed);
            }
        }
        Ok(current.len())
    }

    /// The registrations of `name`, for another exit to take over.
    pub fn held(&self, now: Instant, name: &str) -> Vec<Handed> {
        let instances = self.services.get(name).map(|service| &service.instances);
        let handed = instances.into_iter().flatten();
        let handed = handed.map(|(instance, renewed)| Handed {
            offer: Offer {
                name: name.to_owned(),
                instance: instance.clone(),
            },
            age: now.saturating_duration_since(*renewed),
        });
        handed.collect()
    }

    /// Every service that has an instance here, in no order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.services.keys().map(|name| &**name)
    }

    /// Forgets all of `name`, which others hold now. It can come back at any time.
    pub fn release(&mut self, name: &str) {
        let instances = self.services.get(name).map(|service| &service.instances);
        let instances: Vec<_> = instances
            .into_iter()
            .flat_map(|all| all.keys().cloned())
            .collect();
        for instance in instances {
            self.remove(name, &instance);
        }
    }

    fn is_current(&self, now: Instant, handed: &Handed) -> bool {
        let expired = self
            .config
            .expiry
            .is_some_and(|expiry| handed.age >= expiry);
        !expired && !self.withdrawn.holds(now, &handed.offer)
    }

    fn renewed(&self, offer: &Offer) -> Option<Instant> {
        let service = self.services.get(offer.name.as_str())?;
        service.instances.get(&offer.instance).copied()
    }
}
