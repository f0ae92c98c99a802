//! What is done again and again, each as a function of how often: for counting instructions.
//!
//! A case sets up, then does its work so many times. Whoever counts runs it for two numbers and divides the
//! difference, so what is set up does not count, whatever it costs.

mod calls;
mod codec;
mod router;

/// One thing that is done, by name.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// The name, as the baseline has it.
    pub name: &'static str,
    /// Does it so many times.
    pub run: fn(u64),
    /// How often it is done before the count is steady: tables have grown, buffers have been had.
    pub warm: u64,
    /// How often it is done beyond that to be counted.
    pub counted: u64,
}

/// All of them, cheapest first.
pub const CASES: [Case; 11] = [
    Case::new("peek", codec::peek, 100, 10_000),
    Case::new("ring lookup", router::look_up, 1_000, 10_000),
    Case::new("route", router::decide, 1_000, 10_000),
    Case::new("encode", codec::encode, 100, 10_000),
    Case::new("decode", codec::decode, 100, 10_000),
    Case::new("call between connections", codec::call, 1_000, 5_000),
    Case::new("fragment 1 MiB", codec::fragment, 4, 20),
    Case::new("raw call", calls::raw, 2_048, 4_096),
    Case::new("thrift call", calls::thrift, 2_048, 4_096),
    Case::new("msgpack call", calls::msgpack, 2_048, 4_096),
    Case::new("relayed call", calls::relayed, 2_048, 4_096),
];

impl Case {
    const fn new(name: &'static str, run: fn(u64), warm: u64, counted: u64) -> Self {
        Self {
            name,
            run,
            warm,
            counted,
        }
    }

    /// The case of that name.
    pub fn find(name: &str) -> Option<&'static Self> {
        CASES.iter().find(|case| case.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::CASES;

    #[test]
    fn every_case_runs() {
        for case in CASES {
            (case.run)(3);
        }
    }
}
