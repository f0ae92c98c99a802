//! Counts the instructions of each [case](crate::cost) and holds them against what they were.
//!
//! `instructions.json` has a count for each case. One that grows by more than [`ALLOWED`] fails, unless a line
//! of the changelog names the case in backticks, says `instructions`, and gives a number that is no smaller:
//!
//! ```text
//! - A `relayed call` takes 6,100 instructions, was 5,800: it now does so and so.
//! ```

mod baseline;
mod valgrind;

pub use baseline::Baseline;
pub use valgrind::{Unavailable, count};

/// Growth that is taken for noise, in parts of the count.
pub const ALLOWED: f64 = 0.05;

/// Whether `now` is within what is allowed beyond `before`.
pub fn is_within(now: u64, before: u64) -> bool {
    now as f64 <= before as f64 * (1.0 + ALLOWED)
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
    use super::{announced, is_within};

    #[test]
    fn a_twentieth_more_is_noise_and_more_is_not() {
        assert!(is_within(105, 100) && is_within(3, 100));
        assert!(!is_within(106, 100));
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
