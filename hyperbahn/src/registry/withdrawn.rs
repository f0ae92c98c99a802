//! Withdrawals of late, so that a registration on its way between routers does not bring one back.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::Offer;

/// How long a withdrawal outlives what it withdrew.
pub const WITHDRAWN: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct Withdrawn {
    at: HashMap<Offer, Instant>,
    /// The same, oldest first; with entries that have been cleared or renewed since.
    order: VecDeque<(Instant, Offer)>,
}

impl Withdrawn {
    /// Remembers that `offer` was withdrawn, and at most `limit` withdrawals in all.
    pub(super) fn note(&mut self, now: Instant, offer: &Offer, limit: usize) {
        self.forget_before(now);
        while self.order.len() >= limit {
            self.forget_oldest();
        }
        self.at.insert(offer.clone(), now);
        self.order.push_back((now, offer.clone()));
    }

    pub(super) fn clear(&mut self, offer: &Offer) {
        self.at.remove(offer);
    }

    pub(super) fn holds(&self, now: Instant, offer: &Offer) -> bool {
        self.at.get(offer).is_some_and(|at| *at + WITHDRAWN > now)
    }

    pub(super) fn forget_before(&mut self, now: Instant) {
        while self
            .order
            .front()
            .is_some_and(|(at, _)| *at + WITHDRAWN <= now)
        {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((at, offer)) = self.order.pop_front()
            && self.at.get(&offer) == Some(&at)
        {
            self.at.remove(&offer);
        }
    }
}
