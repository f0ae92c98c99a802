//! How many a second, over the last ten.

use std::time::{Duration, Instant};

pub(super) struct Meter {
    window_start: Instant,
    count: u32,
    rate: f64,
}

impl Meter {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            window_start: now,
            count: 0,
            rate: 0.0,
        }
    }

    pub(super) fn mark(&mut self, now: Instant) {
        self.turn(now);
        self.count += 1;
    }

    /// Events a second in the last whole window.
    pub(super) fn rate(&mut self, now: Instant) -> f64 {
        self.turn(now);
        self.rate
    }

    fn turn(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.window_start);
        if passed >= WINDOW {
            self.rate = f64::from(self.count) / passed.as_secs_f64();
            self.count = 0;
            self.window_start = now;
        }
    }
}

const WINDOW: Duration = Duration::from_secs(10);
