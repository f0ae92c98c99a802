//! Who overrides whom: incarnation first, then status.
//!
//! ```text
//!                     known alive  suspect  faulty  leave  tombstone
//!  says alive              -          -       -       -        -
//!  says suspect          yes          -       -       -        -       at the same incarnation;
//!  says faulty           yes        yes       -       -        -       a higher one always wins,
//!  says leave            yes        yes     yes       -        -       a lower one never
//!  says tombstone        yes        yes     yes     yes        -
//! ```
//!
//! Source: spec/ringpop/membership.md, "who overrides whom".

/// What a member is said to be, in the order in which one overrides another.
///
/// Source: spec/ringpop/membership.md, "statuses".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Answers pings.
    Alive,
    /// Did not answer somebody, directly or through others, and may still refute it.
    Suspect,
    /// Did not refute in time, or took itself out.
    Faulty,
    /// Left of its own accord and may come back.
    Leave,
    /// About to be forgotten.
    Tombstone,
}

impl Status {
    /// Every status, lowest first.
    pub const ALL: [Self; 5] = [
        Self::Alive,
        Self::Suspect,
        Self::Faulty,
        Self::Leave,
        Self::Tombstone,
    ];

    /// Whether such a member is pinged and owns keys.
    ///
    /// Source: spec/ringpop/membership.md, "statuses".
    pub fn is_in_ring(self) -> bool {
        self <= Self::Suspect
    }

    /// The word of the wire and of the checksum.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alive => "alive",
            Self::Suspect => "suspect",
            Self::Faulty => "faulty",
            Self::Leave => "leave",
            Self::Tombstone => "tombstone",
        }
    }

    /// The status of a word, or `None` when no peer says such a thing.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Incarnation and status in one number, so that the greater one overrides the lesser.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Standing(u64);

impl Standing {
    /// What everything else overrides.
    pub(crate) const LEAST: Self = Self(0);

    /// `None` for an incarnation that a double cannot hold exactly, which peers cannot answer either.
    pub(crate) fn new(incarnation: u64, status: Status) -> Option<Self> {
        (incarnation < MAX_INCARNATION).then_some(Self(incarnation << STATUS_BITS | status as u64))
    }

    pub(crate) fn incarnation(self) -> u64 {
        self.0 >> STATUS_BITS
    }

    pub(crate) fn status(self) -> Status {
        Status::ALL[(self.0 & ((1 << STATUS_BITS) - 1)) as usize]
    }

    /// The same incarnation with another status.
    pub(crate) fn with(self, status: Status) -> Self {
        Self(self.incarnation() << STATUS_BITS | status as u64)
    }
}

impl std::fmt::Debug for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.status(), self.incarnation())
    }
}

/// Incarnations stay below this: every whole number up to it fits a double, and one above each can be said.
pub const MAX_INCARNATION: u64 = (1 << 53) - 1;

const STATUS_BITS: u32 = 3;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MAX_INCARNATION, Standing, Status};

    fn standing(incarnation: u64, status: Status) -> Standing {
        Standing::new(incarnation, status).expect("an incarnation a double can hold")
    }

    #[test]
    fn at_the_same_incarnation_a_status_yields_to_those_after_it() {
        for (low, known) in Status::ALL.into_iter().enumerate() {
            for (high, said) in Status::ALL.into_iter().enumerate() {
                assert_eq!(standing(7, said) > standing(7, known), high > low);
            }
        }
    }

    #[test]
    fn alive_and_suspect_are_in_the_ring() {
        let in_ring = Status::ALL.map(Status::is_in_ring);
        assert_eq!(in_ring, [true, true, false, false, false]);
    }

    #[test]
    fn an_incarnation_that_no_double_holds_is_refused() {
        assert!(Standing::new(MAX_INCARNATION, Status::Alive).is_none());
        assert!(Standing::new(MAX_INCARNATION - 1, Status::Alive).is_some());
    }

    fn any_status() -> impl Strategy<Value = Status> {
        (0..Status::ALL.len()).prop_map(|at| Status::ALL[at])
    }

    proptest! {
        #[test]
        fn a_higher_incarnation_wins_whatever_the_status(
            low in 0..MAX_INCARNATION - 1, above in 1_u64..1000, known in any_status(), said in any_status(),
        ) {
            let high = (low + above).min(MAX_INCARNATION - 1);
            prop_assert!(standing(high, said) > standing(low, known));
        }

        #[test]
        fn both_halves_come_back(incarnation in 0..MAX_INCARNATION, status in any_status()) {
            let standing = standing(incarnation, status);
            prop_assert_eq!(standing.incarnation(), incarnation);
            prop_assert_eq!(standing.status(), status);
            prop_assert_eq!(Status::from_word(status.as_str()), Some(status));
        }
    }
}
