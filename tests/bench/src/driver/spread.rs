//! Several measurements of the same thing, and how far apart they are.

use serde::Serialize;

/// The median of some rounds, with the smallest and the largest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The one in the middle.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// Of these; `None` of none.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values
            .into_iter()
            .filter(|value| value.is_finite())
            .collect();
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = match values.len() % 2 {
            0 => (values[middle - 1] + values[middle]) / 2.0,
            _ => values[middle],
        };
        Some(Self { median, min, max })
    }

    /// Of the ratios, round by round; a round that either lacks does not count.
    pub fn of_ratios(ours: &[Option<f64>], theirs: &[Option<f64>]) -> Option<Self> {
        let pairs = ours.iter().zip(theirs);
        Self::of(pairs.filter_map(|(ours, theirs)| Some((*ours)? / (*theirs)?)))
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { median, min, max } = *self;
        match min == max {
            true => f.write_str(&short(median)),
            false => write!(f, "{} ({}..{})", short(median), short(min), short(max)),
        }
    }
}

/// Three digits that count.
pub fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 1e6 => format!("{:.2}M", value / 1e6),
        size if size >= 1e4 => format!("{:.1}k", value / 1e3),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn ratios_are_taken_within_a_round_before_the_median() {
        let ours = [Some(10.0), Some(40.0), None, Some(30.0)];
        let theirs = [Some(5.0), Some(10.0), Some(1.0), Some(10.0)];
        let spread = Spread::of_ratios(&ours, &theirs).expect("three rounds");
        assert_eq!((spread.min, spread.median, spread.max), (2.0, 3.0, 4.0));
        assert_eq!(spread.to_string(), "3.00 (2.00..4.00)");
    }

    #[test]
    fn nothing_has_no_spread_and_one_figure_has_none_to_show() {
        assert_eq!(Spread::of([f64::NAN]), None);
        let one = Spread::of([2.0]).expect("one figure");
        assert_eq!(one.to_string(), "2.00");
    }
}
