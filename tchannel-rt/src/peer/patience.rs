//! How long a call waits for one peer while there are others.

use std::time::Duration;

/// For a connection to one of several peers, a call that has `left` waits a third of that, at most a second:
/// one that swallows packets must leave time for the next. The dial goes on for those who come later.
pub(crate) fn patience(left: Duration) -> Duration {
    (left / 3).min(PATIENCE_MAX)
}

const PATIENCE_MAX: Duration = Duration::from_secs(1);
