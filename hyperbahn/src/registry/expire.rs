//! Forgetting the silent.

use std::time::Instant;

use super::{Offer, Registry};

impl Registry {
    /// When [`handle_timeout`](Self::handle_timeout) has something to do next; `None` when nothing
    /// is going to expire.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.due.first().map(|(due, ..)| *due)
    }

    /// Forgets every name whose renewal is overdue at `now`, and says which.
    pub fn handle_timeout(&mut self, now: Instant) -> Vec<Offer> {
        self.withdrawn.forget_before(now);
        let mut expired = Vec::new();
        while self.poll_timeout().is_some_and(|due| due <= now)
            && let Some((_, name, instance)) = self.due.pop_first()
        {
            self.remove(&name, &instance);
            expired.push(Offer {
                name: name.to_string(),
                instance,
            });
        }
        expired
    }
}
