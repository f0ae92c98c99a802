//! Tokio's clock, so that a test can stop and move it.

use std::time::{Duration, Instant};

/// The time.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// How long ago `earlier` was; zero when it is still to come.
pub(crate) fn since(earlier: Instant) -> Duration {
    now().saturating_duration_since(earlier)
}
