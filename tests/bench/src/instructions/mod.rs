//! Counts the instructions of each [case](crate::cost) and holds them against what they were, and against each other.
//!
//! `instructions.json` has a count for each case. One that grows by more than [`ALLOWED`] fails, on
//! another processor, or where the count is not steady, by more than [`ALLOWED_ELSEWHERE`], unless a line
//! of the changelog names the case in backticks, says `instructions`, and gives a number that is no smaller:
//!
//! ```text
//! - A `relayed call` takes 6,100 instructions, was 5,800: it now does so and so.
//! ```
//!
//! Of two cases that are the same but for how much else there is, the one among more must not take more than
//! [`ALLOWED_AMONG_MANY`] beyond the other.

mod baseline;
mod valgrind;

pub use baseline::Baseline;
pub use valgrind::{Unavailable, count_all};

/// Growth that is taken for noise, in parts of the count.
pub const ALLOWED: f64 = 0.05;

/// The same where the processor is another one than that of the baseline, and where a count is not steady.
pub const ALLOWED_ELSEWHERE: f64 = 0.25;

/// What a call may take more among many services, connections or calls, in parts of what it takes among few.
pub const ALLOWED_AMONG_MANY: f64 = 0.3;

/// Whether `now` is no more than `allowed` beyond `before`.
pub fn is_within(now: u64, before: u64, allowed: f64) -> bool {
    now as f64 <= before as f64 * (1.0 + allowed)
}

/// The count that the changelog announces for a case, if it does.
pub fn announced(changelog: &str, case: &str) -> Option<u64> {
    let named = format!("`{case}`");
    changelog
        .lines()
        .filter(|line| line.contains("instructions"))
        .find_map(|line| {
            let (_, rest) = line.split_once(&named)?;
            let from = rest.find(|c: char| c.is_ascii_digit())?;
            let digits = rest[from..]
                .chars()
                .take_while(|c| c.is_ascii_digit() || *c == ',');
            digits
                .filter(|c| *c != ',')
                .collect::<String>()
                .parse()
                .ok()
        })
}

#[cfg(test)]
mod tests {
    use super::{ALLOWED, announced, is_within};

    #[test]
    fn a_twentieth_more_is_noise_and_more_is_not() {
        assert!(is_within(105, 100, ALLOWED) && is_within(3, 100, ALLOWED));
        assert!(!is_within(106, 100, ALLOWED));
    }

    #[test]
    fn a_line_of_the_changelog_announces_a_count() {
        let changelog =
            "- A `raw call` is faster.\n- A `relayed call` takes 6,100 instructions, was 5,800.";
        assert_eq!(announced(changelog, "relayed call"), Some(6_100));
        assert_eq!(announced(changelog, "raw call"), None);
        assert_eq!(announced(changelog, "call"), None);
    }
}
