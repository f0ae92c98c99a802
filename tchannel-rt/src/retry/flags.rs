//! The transport header `re`: what others on the way may retry.

use super::RetryOn;

/// After which failures the call may be sent again, as the header `re` says.
///
/// Source: spec/protocol/headers.md, "retry flags".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RetryFlags {
    /// `n`: never.
    Never,
    /// `c`: after a failed connection or an unexpected error.
    #[default]
    Connection,
    /// `t`: after a timeout.
    Timeout,
    /// `ct`: after both.
    ConnectionAndTimeout,
}

impl RetryFlags {
    /// The flags that `value` stands for; every value without a meaning stands for the default.
    #[must_use]
    pub fn from_header(value: &str) -> Self {
        match value {
            "n" => Self::Never,
            "t" => Self::Timeout,
            "ct" | "tc" => Self::ConnectionAndTimeout,
            _ => Self::Connection,
        }
    }

    /// The header's value.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Never => "n",
            Self::Connection => "c",
            Self::Timeout => "t",
            Self::ConnectionAndTimeout => "ct",
        }
    }
}

/// What to let others on the way do for a call under this policy.
///
/// `NonIdempotent` becomes `n`: no flag means busy and declined alone, and `c` says too much.
impl From<RetryOn> for RetryFlags {
    fn from(on: RetryOn) -> Self {
        match on {
            RetryOn::Never | RetryOn::NonIdempotent => Self::Never,
            RetryOn::ConnectionError | RetryOn::Unexpected => Self::Connection,
            RetryOn::Idempotent => Self::ConnectionAndTimeout,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_as_they_are_written() {
        for flags in [
            RetryFlags::Never,
            RetryFlags::Connection,
            RetryFlags::Timeout,
            RetryFlags::ConnectionAndTimeout,
        ] {
            assert_eq!(RetryFlags::from_header(flags.as_str()), flags);
        }
    }

    #[test]
    fn both_orders_of_two_flags_mean_the_same() {
        assert_eq!(
            RetryFlags::from_header("tc"),
            RetryFlags::ConnectionAndTimeout
        );
    }

    #[test]
    fn a_value_without_a_meaning_is_the_default() {
        for value in ["", "x", "N", "nt"] {
            assert_eq!(
                RetryFlags::from_header(value),
                RetryFlags::default(),
                "{value:?}"
            );
        }
        assert_eq!(RetryFlags::default().as_str(), "c");
    }

    #[test]
    fn the_default_policy_is_written_as_the_default_flag() {
        assert_eq!(RetryFlags::from(RetryOn::default()), RetryFlags::default());
    }
}
