//! How slow a peer has been of late: a moving average that jumps to peaks and decays from them.

use std::time::{Duration, Instant};

/// Latency by exponential decay. A sample above the average replaces it, so that a peer which turns
/// slow is avoided at once; without samples it sinks, so that the peer is tried again.
#[derive(Clone, Copy, Debug)]
pub(super) struct PeakEwma {
    seconds: f64,
    updated: Instant,
}

impl PeakEwma {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            seconds: START.as_secs_f64(),
            updated: now,
        }
    }

    pub(super) fn observe(&mut self, now: Instant, sample: Duration) {
        let sample = sample.as_secs_f64();
        let kept = self.kept(now);
        let sunk = self.seconds * kept;
        self.seconds = if sample > sunk {
            sample
        } else {
            sunk + sample * (1.0 - kept)
        };
        self.updated = self.updated.max(now);
    }

    /// The average as it stands now, in seconds.
    pub(super) fn seconds(&self, now: Instant) -> f64 {
        (self.seconds * self.kept(now)).max(LEAST.as_secs_f64())
    }

    fn kept(&self, now: Instant) -> f64 {
        // Calls that end with the same read end at the same time.
        if now == self.updated {
            return 1.0;
        }
        let elapsed = now.saturating_duration_since(self.updated);
        let turns = elapsed.as_secs_f64() / DECAY.as_secs_f64();
        if turns < SOON {
            // What is left of the series is below what a float can tell from one.
            1.0 - turns + turns * turns / 2.0
        } else {
            (-turns).exp()
        }
    }
}

/// What is assumed of a peer nobody has called.
const START: Duration = Duration::from_millis(30);

/// Time in which an average loses all but 1/e of its weight.
const DECAY: Duration = Duration::from_secs(10);

/// Calls follow each other within fractions of a millisecond when there are many, and each costs one of these.
const SOON: f64 = 1e-5;

/// Below this, peers differ by what they have in flight only.
const LEAST: Duration = Duration::from_micros(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(latency: &PeakEwma, now: Instant) -> u64 {
        (latency.seconds(now) * 1000.0).round() as u64
    }

    #[test]
    fn a_peak_counts_at_once() {
        let now = Instant::now();
        let mut latency = PeakEwma::new(now);
        assert_eq!(millis(&latency, now), 30);
        latency.observe(now, Duration::from_millis(500));
        assert_eq!(millis(&latency, now), 500);
    }

    #[test]
    fn after_a_peak_better_samples_count_by_the_time_between_them() {
        let now = Instant::now();
        let mut latency = PeakEwma::new(now);
        latency.observe(now, Duration::from_millis(1000));
        latency.observe(now, Duration::from_millis(1));
        assert_eq!(millis(&latency, now), 1000);
        let later = now + DECAY;
        latency.observe(later, Duration::from_millis(1));
        assert_eq!(millis(&latency, later), 369);
    }

    #[test]
    fn without_samples_a_peak_is_forgotten() {
        let now = Instant::now();
        let mut latency = PeakEwma::new(now);
        latency.observe(now, Duration::from_secs(5));
        assert_eq!(millis(&latency, now + DECAY), 1839);
        assert_eq!(latency.seconds(now + 100 * DECAY), 1e-6);
    }

    #[test]
    fn a_sample_from_the_past_counts_as_one_of_now() {
        let now = Instant::now();
        let mut latency = PeakEwma::new(now + DECAY);
        latency.observe(now, Duration::from_millis(40));
        assert_eq!(millis(&latency, now + DECAY), 40);
    }
}
