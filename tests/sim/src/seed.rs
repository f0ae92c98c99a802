//! Seeds: one from the environment repeats a run; a run that fails says which.

/// Environment variable with the only seed to run.
pub const VARIABLE: &str = "SIM_SEED";

/// Runs a scenario with each of so many seeds, or with the one that [`VARIABLE`] names. A failing run prints
/// the seed that repeats it.
pub fn each(count: u64, scenario: impl Fn(u64)) {
    let chosen = std::env::var(VARIABLE).ok();
    let chosen = chosen.map(|seed| seed.parse::<u64>().expect("SIM_SEED is a whole number"));
    let seeds = match chosen {
        Some(seed) => seed..seed + 1,
        None => 1..count + 1,
    };
    for seed in seeds {
        let blame = Blame(seed);
        scenario(seed);
        std::mem::forget(blame);
    }
}

struct Blame(u64);

impl Drop for Blame {
    #[expect(clippy::print_stderr, reason = "the last words of a failing run")]
    fn drop(&mut self) {
        eprintln!("repeat this run with {VARIABLE}={}", self.0);
    }
}
