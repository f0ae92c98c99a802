//! A moment in which calls go elsewhere if they can. It is not an ejection: nothing has failed that was begun.
//!
//! A peer that has declined a call does not take such calls now; that says nothing about other lists, since a
//! router that does not know one service knows others. A peer that is closing, or that could not be dialled, is
//! away from all lists.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Until when, if at all.
pub(super) struct Pause {
    born: Instant,
    /// Counted from `born`.
    until_ms: AtomicU64,
}

impl Pause {
    pub(super) fn none(now: Instant) -> Self {
        Self {
            born: now,
            until_ms: AtomicU64::new(0),
        }
    }

    pub(super) fn last_until(&self, until: Instant) {
        let until = until.saturating_duration_since(self.born);
        let until_ms = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
        self.until_ms.fetch_max(until_ms, Ordering::Relaxed);
    }

    pub(super) fn end(&self) {
        self.until_ms.store(0, Ordering::Relaxed);
    }

    pub(super) fn lasts(&self, now: Instant) -> bool {
        match self.until_ms.load(Ordering::Relaxed) {
            0 => false,
            until_ms => now < self.born + Duration::from_millis(until_ms),
        }
    }
}

/// How long a peer that has declined a call, or said that it is closing, comes after the others: about as long
/// as it takes until its connection is gone.
pub(super) const REFUSED: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_lasts_until_the_latest_end_it_was_given() {
        let born = Instant::now();
        let pause = Pause::none(born);
        assert!(!pause.lasts(born));
        pause.last_until(born + 2 * REFUSED);
        pause.last_until(born + REFUSED);
        assert!(pause.lasts(born + REFUSED));
        assert!(!pause.lasts(born + 2 * REFUSED));
        pause.end();
        assert!(!pause.lasts(born));
    }
}
