//! What we want to reach, held against what was measured.

use serde::Serialize;

use super::spread::{Spread, short};
use super::table::{Table, cell};

/// One thing that we want to reach.
#[derive(Clone, Debug, Serialize)]
pub struct Goal {
    /// What is measured.
    pub what: String,
    /// Where it should be.
    pub bound: Bound,
    /// Where it is; `None` if it could not be measured.
    pub measured: Option<Spread>,
}

/// Where a figure should be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub enum Bound {
    /// Here or above.
    AtLeast(f64),
    /// Here or below.
    AtMost(f64),
}

impl Bound {
    fn allows(self, figure: f64) -> bool {
        match self {
            Self::AtLeast(bound) => figure >= bound,
            Self::AtMost(bound) => figure <= bound,
        }
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtLeast(bound) => write!(f, "≥ {}", short(*bound)),
            Self::AtMost(bound) => write!(f, "≤ {}", short(*bound)),
        }
    }
}

impl Goal {
    /// That `what` is no less than `bound`.
    pub fn at_least(what: impl Into<String>, bound: f64, measured: Option<Spread>) -> Self {
        Self {
            what: what.into(),
            bound: Bound::AtLeast(bound),
            measured,
        }
    }

    /// That `what` is no more than `bound`.
    pub fn at_most(what: impl Into<String>, bound: f64, measured: Option<Spread>) -> Self {
        Self {
            what: what.into(),
            bound: Bound::AtMost(bound),
            measured,
        }
    }

    /// Whether it was reached: in each round, in none, or in some.
    pub fn verdict(&self) -> &'static str {
        let Some(Spread { min, max, .. }) = self.measured else {
            return "not measured";
        };
        match [min, max].map(|figure| self.bound.allows(figure)) {
            [true, true] => "yes",
            [false, false] => "no",
            _ => "in some rounds",
        }
    }
}

/// All of them in one table.
pub fn tabulate(goals: &[Goal]) -> Table {
    let mut table = Table::new("goals", &["what", "goal", "measured", "reached"]);
    for goal in goals {
        table.row([
            goal.what.clone(),
            goal.bound.to_string(),
            cell(goal.measured),
            goal.verdict().to_owned(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::{Goal, Spread};

    #[test]
    fn a_goal_is_reached_in_every_round_in_some_or_in_none() {
        let measured = Spread::of([1.0, 2.0, 3.0]);
        for (goal, expected) in [
            (Goal::at_least("a", 1.0, measured), "yes"),
            (Goal::at_least("a", 2.5, measured), "in some rounds"),
            (Goal::at_most("a", 0.5, measured), "no"),
            (Goal::at_most("a", 3.0, measured), "yes"),
            (Goal::at_most("a", 3.0, None), "not measured"),
        ] {
            assert_eq!(goal.verdict(), expected, "{goal:?}");
        }
    }
}
