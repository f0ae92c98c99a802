//! What is done again and again, each as a function of how often: for counting instructions, and for criterion.
//!
//! A case sets up, then does its work so many times and says how long that took. Whoever counts runs it for two
//! numbers and divides the difference, so what is set up does not count, whatever it costs.

mod calls;
mod codec;
mod router;

use std::time::{Duration, Instant};

/// One thing that is done, by name.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The name, as the baseline has it.
    pub name: &'static str,
    /// Does it so many times.
    pub run: fn(u64) -> Duration,
    /// How often it is done before the count is steady: tables have grown, buffers have been had.
    pub warm: u64,
    /// How often it is done beyond that to be counted.
    pub counted: u64,
    /// Whether the count is the same however fast the machine is.
    pub is_steady: bool,
    /// How often it is counted; the least is taken.
    pub runs: usize,
}

/// All of them, cheapest first.
pub const CASES: [Case; 19] = [
    Case::new("peek", codec::peek, 100, 10_000),
    Case::new("ring lookup", router::look_up, 1_000, 10_000),
    Case::new("route", router::decide, 1_000, 10_000),
    Case::new("encode", codec::encode, 100, 10_000),
    Case::new("decode", codec::decode, 100, 10_000),
    Case::new("exits of a service", router::exits, 100, 1_000),
    Case::new("ring change", router::change, 2, 4),
    Case::new("call between connections", codec::call, 1_000, 5_000),
    Case::new("fragment 1 MiB", codec::fragment, 4, 20),
    Case::new("raw call", calls::raw, 2_048, 4_096),
    Case::new("thrift call", calls::thrift, 2_048, 4_096),
    Case::new("msgpack call", calls::msgpack, 2_048, 4_096),
    Case::new("trait call", calls::of_trait, 2_048, 4_096),
    Case::new("relayed call", calls::relayed, 2_048, 4_096),
    Case::new(ALONE, calls::raw_of::<1>, 256, 1_024).unsteady(),
    Case::new(OF_MANY, calls::raw_of::<10_000>, 0, 10_000),
    Case::new(BESIDE_MANY, calls::raw_among::<1_000>, 1_024, 2_048),
    Case::new(AMONG_ONE, calls::routed_among::<1>, 1_024, 2_048).disturbed(),
    Case::new(AMONG_MANY, calls::routed_among::<100_000>, 1_024, 2_048).disturbed(),
];

// How often the runtime looks for the time and for sockets between two calls depends on how fast the machine is.
const ALONE: &str = "raw call alone";
const OF_MANY: &str = "raw call of 10,000 in flight";
const BESIDE_MANY: &str = "raw call among 1,000 connections";
const AMONG_ONE: &str = "routed call among 1 service";
const AMONG_MANY: &str = "routed call among 100,000 services";

/// Pairs of cases that are the same but for how much else there is: few first, then many.
pub const GROWTH: [(&str, &str); 4] = [
    (ALONE, "raw call"),
    ("raw call", OF_MANY),
    ("raw call", BESIDE_MANY),
    (AMONG_ONE, AMONG_MANY),
];

impl Case {
    const fn new(name: &'static str, run: fn(u64) -> Duration, warm: u64, counted: u64) -> Self {
        Self {
            name,
            run,
            warm,
            counted,
            is_steady: true,
            runs: 1,
        }
    }

    /// What else the program does goes by the clock. That only adds, so the least of a few runs is the case itself.
    const fn disturbed(mut self) -> Self {
        self.runs = 3;
        self
    }

    const fn unsteady(mut self) -> Self {
        self.is_steady = false;
        self
    }

    /// The case of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        CASES.iter().find(|case| case.name == name)
    }
}

/// Does it so many times and says how long that took.
fn repeat(times: u64, mut work: impl FnMut()) -> Duration {
    let began = Instant::now();
    for _ in 0..times {
        work();
    }
    began.elapsed()
}

#[cfg(test)]
mod tests {
    use super::{CASES, Case, GROWTH};

    #[test]
    fn every_case_runs() {
        for case in CASES {
            (case.run)(3);
        }
    }

    #[test]
    fn what_is_compared_is_counted() {
        for (few, many) in GROWTH {
            assert!(Case::find(few).is_some() && Case::find(many).is_some());
        }
    }
}
