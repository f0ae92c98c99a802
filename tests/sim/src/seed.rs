//! Seeds: one from the environment repeats a run; a run that fails says which.

/// Environment variable with the only seed to run.
pub const SEED: &str = "SIM_SEED";

/// Environment variable with a factor: how many times as many seeds to run as by default.
pub const EFFORT: &str = "SIM_EFFORT";

/// Runs a scenario with each of so many seeds, or with the one that [`SEED`] names. A failing run prints the
/// seed that repeats it.
pub fn each(count: u64, scenario: impl Fn(u64)) {
    let seeds = match number(SEED) {
        Some(seed) => seed..=seed,
        None => 1..=count * number(EFFORT).unwrap_or(1),
    };
    for seed in seeds {
        let blame = Blame::new(format!("{SEED}={seed}"));
        scenario(seed);
        blame.acquit();
    }
}

/// Whether [`SEED`] names the only seed.
pub fn is_chosen() -> bool {
    number(SEED).is_some()
}

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    let number = value.parse();
    Some(number.unwrap_or_else(|_| panic!("{variable} is {value:?}: give a whole number")))
}

/// Says how to repeat a run, unless that run is acquitted.
pub(crate) struct Blame(String);

impl Blame {
    pub(crate) fn new(how: String) -> Self {
        Self(how)
    }

    pub(crate) fn acquit(self) {
        std::mem::forget(self);
    }
}

impl Drop for Blame {
    #[expect(clippy::print_stderr, reason = "the last words of a failing run")]
    fn drop(&mut self) {
        eprintln!("repeat this run with {}", self.0);
    }
}
