//! Time to live: the milliseconds a caller will still wait.

use std::num::NonZeroU32;
use std::time::Duration;

/// Time the caller will still wait, in whole milliseconds; never zero.
///
/// Source: spec/protocol/deadlines.md, "ttl".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ttl(NonZeroU32);

impl Ttl {
    /// The longest ttl the wire can hold, some 49 days.
    pub const MAX: Self = Self(NonZeroU32::MAX);

    /// `None` for zero, which the wire does not allow.
    pub fn from_millis(millis: u32) -> Option<Self> {
        NonZeroU32::new(millis).map(Self)
    }

    /// Rounds down to whole milliseconds and caps at [`Ttl::MAX`]; `None` for less than one.
    pub fn from_duration(duration: Duration) -> Option<Self> {
        Self::from_millis(u32::try_from(duration.as_millis()).unwrap_or(u32::MAX))
    }

    /// The milliseconds.
    pub fn as_millis(self) -> u32 {
        self.0.get()
    }

    /// The same as a [`Duration`].
    pub fn as_duration(self) -> Duration {
        Duration::from_millis(u64::from(self.0.get()))
    }

    /// What remains once `elapsed` has passed, or `None` when nothing does.
    ///
    /// Source: spec/protocol/deadlines.md, "across hops".
    pub fn minus(self, elapsed: Duration) -> Option<Self> {
        let elapsed_ms = u32::try_from(elapsed.as_millis()).ok()?;
        Self::from_millis(self.0.get().saturating_sub(elapsed_ms))
    }
}
