//! Whether to try a call again, and when. Pure: time and randomness are handed in.
//!
//! A failed attempt is tried again when all of this holds, in this order:
//!
//! 1. the policy says so, and the failed attempt did no harm: it was not begun, or the caller has
//!    vouched that the call may run twice;
//! 2. attempts are left;
//! 3. time is left after the wait;
//! 4. the budget shared by all calls is not spent.

mod budget;
mod flags;

use std::time::{Duration, Instant};

use tchannel_proto::ErrorCode::{
    self, Busy, Declined, FatalProtocolError, NetworkError, Timeout, UnexpectedError,
};

use crate::backoff::Backoff;

pub use budget::Budget;
pub use flags::RetryFlags;

/// How calls are tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// After which failures. Default [`RetryOn::ConnectionError`].
    pub on: RetryOn,
    /// Attempts in all, the first included. Default 5; 1 never tries again.
    pub max_attempts: u32,
    /// Waits from the second retry on. The first goes out at once, to another peer if there is one.
    /// Default 10 ms doubling up to 1 s.
    pub backoff: Backoff,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            on: RetryOn::default(),
            max_attempts: 5,
            backoff: Backoff::new(Duration::from_millis(10), Duration::from_secs(1)),
        }
    }
}

impl Retry {
    /// One attempt, whatever comes of it: for callers who know better when to try again.
    #[must_use]
    pub fn never() -> Self {
        Self {
            on: RetryOn::Never,
            ..Self::default()
        }
    }

    /// What to do after attempt number `attempt`, 1 being the first, has ended in `failure`.
    ///
    /// `random` is uniform over all of `u64`. A decision to retry has been taken from the budget.
    #[must_use]
    pub fn next(
        &self,
        failure: Failure,
        attempt: u32,
        now: Instant,
        deadline: Instant,
        random: u64,
        budget: &Budget,
    ) -> Decision {
        if let Some(reason) = self.on.refuses(failure) {
            return Decision::GiveUp(reason);
        }
        if attempt >= self.max_attempts {
            return Decision::GiveUp(GiveUp::AttemptsSpent);
        }
        let after = self.wait(attempt, random);
        if now + after + SHORTEST_TTL > deadline {
            return Decision::GiveUp(GiveUp::DeadlineNear);
        }
        // What was never sent has put no load on anybody.
        if failure != UNSENT && !budget.try_spend(now) {
            return Decision::GiveUp(GiveUp::BudgetSpent);
        }
        Decision::Retry { after }
    }

    /// Whether attempt number `attempt` would be followed by another if nothing of it could be sent.
    pub(crate) fn goes_on_unsent(&self, attempt: u32) -> bool {
        attempt < self.max_attempts && self.on.refuses(UNSENT).is_none()
    }

    fn wait(&self, attempt: u32, random: u64) -> Duration {
        match attempt.checked_sub(2) {
            None => Duration::ZERO,
            Some(waits) => self.backoff.delay(waits, random),
        }
    }
}

/// After which failures a call is tried again, and with that what the caller vouches for.
///
/// The names are those of the Go library.
///
/// Source: spec/protocol/errors.md, "retry".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RetryOn {
    /// When the call was refused unbegun (busy, declined) or a connection failed before any of it
    /// was sent. Safe for every call.
    #[default]
    ConnectionError,
    /// Never.
    Never,
    /// When the call was refused unbegun (busy, declined), and not even when a connection failed.
    /// Safe for every call.
    NonIdempotent,
    /// Also when a connection failed later, or with an unexpected error. Only for calls that may
    /// run twice.
    Unexpected,
    /// Also after a timeout. Only for calls that may run twice.
    Idempotent,
}

impl RetryOn {
    fn refuses(self, failure: Failure) -> Option<GiveUp> {
        if !self.codes().contains(&failure.code) {
            return Some(GiveUp::NotRetried);
        }
        let unbegun = failure.acted == Acted::No || matches!(failure.code, Busy | Declined);
        if unbegun || self.may_run_twice() {
            None
        } else {
            Some(GiveUp::MayHaveActed)
        }
    }

    fn codes(self) -> &'static [ErrorCode] {
        match self {
            Self::Never => &[],
            Self::NonIdempotent => &[Busy, Declined],
            Self::ConnectionError => &[Busy, Declined, NetworkError, FatalProtocolError],
            Self::Unexpected => &[
                Busy,
                Declined,
                NetworkError,
                FatalProtocolError,
                UnexpectedError,
            ],
            Self::Idempotent => &[
                Busy,
                Declined,
                NetworkError,
                FatalProtocolError,
                UnexpectedError,
                Timeout,
            ],
        }
    }

    fn may_run_twice(self) -> bool {
        matches!(self, Self::Unexpected | Self::Idempotent)
    }
}

/// How an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The code of the error frame, or what comes closest to a local failure.
    pub code: ErrorCode,
    /// Whether the call may have been begun. Busy and declined say by themselves that it was not.
    pub acted: Acted,
}

/// No connection could be had.
const UNSENT: Failure = Failure {
    code: NetworkError,
    acted: Acted::No,
};

/// Whether a peer may have begun to act on an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acted {
    /// Certainly not: no byte of it was sent.
    No,
    /// Bytes were sent.
    Maybe,
}

/// What to do after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Try again.
    Retry {
        /// Once this time has passed; zero is at once.
        after: Duration,
    },
    /// Hand the failure to the caller.
    GiveUp(GiveUp),
}

/// Why a failed attempt is the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GiveUp {
    /// The policy does not try again after this code.
    #[error("calls of this policy are not retried after this error")]
    NotRetried,
    /// The call may have been begun and nobody vouched that it may run twice.
    #[error("the call may have run and is not declared idempotent")]
    MayHaveActed,
    /// As many attempts as the policy allows were made.
    #[error("all attempts are spent")]
    AttemptsSpent,
    /// The next attempt would begin too close to the deadline or after it.
    #[error("no time is left for another attempt")]
    DeadlineNear,
    /// Too many of the recent calls were retries.
    #[error("the retry budget is spent")]
    BudgetSpent,
}

/// The wire knows whole milliseconds, and never zero.
const SHORTEST_TTL: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests;
