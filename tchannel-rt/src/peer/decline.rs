//! A peer that has just declined a call is asked again after the others.
//!
//! It said that it does not take such calls now, for example because it is about to close. It is not a
//! failure, and it teaches nothing about other lists: a router that does not know one service knows others.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// When one peer of one list declined last.
pub(super) struct Decline {
    born: Instant,
    /// Counted from `born`.
    until_ms: AtomicU64,
}

impl Decline {
    pub(super) fn none(now: Instant) -> Self {
        Self {
            born: now,
            until_ms: AtomicU64::new(0),
        }
    }

    pub(super) fn note(&self, now: Instant) {
        let until = (now + DECLINED).saturating_duration_since(self.born);
        let until_ms = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
        self.until_ms.fetch_max(until_ms, Ordering::Relaxed);
    }

    pub(super) fn lasts(&self, now: Instant) -> bool {
        match self.until_ms.load(Ordering::Relaxed) {
            0 => false,
            until_ms => now < self.born + Duration::from_millis(until_ms),
        }
    }
}

/// How long a peer that has declined a call comes after the others: about as long as it takes until the
/// connection to one that is closing is gone.
const DECLINED: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decline_lasts_for_a_while_and_the_last_one_counts() {
        let born = Instant::now();
        let decline = Decline::none(born);
        assert!(!decline.lasts(born));
        let first = born + Duration::from_secs(1);
        decline.note(first);
        assert!(decline.lasts(first) && decline.lasts(first + DECLINED / 2));
        decline.note(first + DECLINED / 2);
        decline.note(first);
        assert!(decline.lasts(first + DECLINED));
        assert!(!decline.lasts(first + 2 * DECLINED));
    }
}
