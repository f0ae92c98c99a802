//! How much of the trouble is our own: a member that is slow itself must not blame the others.
//!
//! Two signs. A score, after Lifeguard: it rises when helpers do not answer and when others suspect us, falls
//! with every answered ping, and stretches our timeouts. And silence: if nothing at all has been heard from
//! anybody for a while, the fault is more likely here.

use std::time::{Duration, Instant};

pub(crate) struct Health {
    score: u32,
    max: u32,
    last_heard: Instant,
    deaf_after: Duration,
}

impl Health {
    pub(crate) fn new(now: Instant, max: u32, ping_timeout: Duration) -> Self {
        Self {
            score: 0,
            max,
            last_heard: now,
            deaf_after: 2 * ping_timeout,
        }
    }

    /// A ping was answered.
    pub(crate) fn improve(&mut self) {
        self.score = self.score.saturating_sub(1);
    }

    /// Something that healthy members do not see, `count` times over.
    pub(crate) fn worsen(&mut self, count: u32) {
        self.score = self.score.saturating_add(count).min(self.max);
    }

    /// A time of patience, as long as our own health asks for.
    pub(crate) fn stretch(&self, time: Duration) -> Duration {
        time * (1 + self.score)
    }

    /// The longest that [`stretch`](Self::stretch) gets.
    pub(crate) fn longest(&self, time: Duration) -> Duration {
        time * (1 + self.max)
    }

    /// Somebody sent something, or a host answered that nobody listens. Returns whether it ended a silence.
    pub(crate) fn hear(&mut self, now: Instant) -> bool {
        let was_deaf = self.is_deaf(now);
        self.last_heard = now;
        was_deaf
    }

    /// Whether nobody has been heard for longer than two pings may take.
    pub(crate) fn is_deaf(&self, now: Instant) -> bool {
        self.silence(now) > self.deaf_after
    }

    /// For how long nobody has been heard.
    pub(crate) fn silence(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.last_heard)
    }

    pub(crate) fn score(&self) -> u32 {
        self.score
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Health;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn trouble_stretches_patience_up_to_a_bound() {
        #[expect(
            clippy::disallowed_methods,
            reason = "any instant serves as the origin"
        )]
        let mut health = Health::new(Instant::now(), 2, SECOND);
        assert_eq!(health.stretch(SECOND), SECOND);
        health.worsen(1);
        assert_eq!(health.stretch(SECOND), 2 * SECOND);
        health.worsen(9);
        assert_eq!(health.stretch(SECOND), health.longest(SECOND));
        health.improve();
        health.improve();
        health.improve();
        assert_eq!(health.stretch(SECOND), SECOND);
    }

    #[test]
    fn silence_makes_deaf_until_somebody_is_heard() {
        #[expect(
            clippy::disallowed_methods,
            reason = "any instant serves as the origin"
        )]
        let start = Instant::now();
        let mut health = Health::new(start, 8, SECOND);
        assert!(!health.is_deaf(start + 2 * SECOND));
        assert!(health.is_deaf(start + 3 * SECOND));
        assert!(health.hear(start + 3 * SECOND));
        assert!(!health.hear(start + 4 * SECOND));
    }
}
