//! How long to wait before trying again: doubling, capped, jittered.

use std::time::Duration;

/// Waits that double from `base` up to `cap`.
///
/// The owner counts failures and hands in randomness, so this is a plain value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Longest wait after the first failure. Zero never waits.
    pub base: Duration,
    /// Longest wait of all.
    pub cap: Duration,
}

impl Backoff {
    /// Doubling from `base` up to `cap`.
    #[must_use]
    pub const fn new(base: Duration, cap: Duration) -> Self {
        Self { base, cap }
    }

    /// The longest wait after `failures` earlier failures in a row, 0 for the first.
    #[must_use]
    pub fn ceiling(&self, failures: u32) -> Duration {
        let factor = 2u32.checked_pow(failures).unwrap_or(u32::MAX);
        self.base.saturating_mul(factor).min(self.cap)
    }

    /// A wait from zero up to the [`ceiling`](Self::ceiling), spread evenly by `random`, which is
    /// uniform over all of `u64`.
    ///
    /// The whole range is used, so that callers that failed together do not come back together.
    #[must_use]
    pub fn delay(&self, failures: u32, random: u64) -> Duration {
        let ceiling_nanos = self.ceiling(failures).as_nanos().min(u64::MAX.into());
        let nanos = (ceiling_nanos * u128::from(random)) >> 64;
        Duration::from_nanos(nanos as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_ceiling_doubles_until_the_cap() {
        let backoff = Backoff::new(SECOND, 60 * SECOND);
        let ceilings =
            [0, 1, 2, 5, 6, 31, 32, u32::MAX].map(|failures| backoff.ceiling(failures).as_secs());
        assert_eq!(ceilings, [1, 2, 4, 32, 60, 60, 60, 60]);
    }

    #[test]
    fn the_delay_spans_everything_below_the_ceiling() {
        let backoff = Backoff::new(SECOND, 60 * SECOND);
        assert_eq!(backoff.delay(1, 0), Duration::ZERO);
        assert_eq!(backoff.delay(1, 1 << 63), SECOND);
        assert_eq!(
            backoff.delay(1, u64::MAX),
            2 * SECOND - Duration::from_nanos(1)
        );
    }

    proptest! {
        #[test]
        fn no_delay_exceeds_its_ceiling(base: Duration, cap: Duration, failures: u32, random: u64) {
            let backoff = Backoff::new(base, cap);
            prop_assert!(backoff.delay(failures, random) <= backoff.ceiling(failures));
            prop_assert!(backoff.ceiling(failures) <= cap);
        }

        #[test]
        fn the_ceiling_never_falls(base: Duration, cap: Duration, failures in 0..80u32) {
            let backoff = Backoff::new(base, cap);
            prop_assert!(backoff.ceiling(failures) <= backoff.ceiling(failures + 1));
        }
    }
}
