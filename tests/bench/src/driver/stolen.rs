//! Time that others take of the processors, where the machine is one of several on its host.
//!
//! Within a round everybody runs at another moment: no ratio evens that out.

use std::time::Duration;

use super::{Error, Log};

/// Most of the processors' time that may be taken during a run, in hundredths.
pub const PERCENT_MAX: f64 = 3.0;
/// How often a run is made until so little was taken. The last time counts, whatever was.
const TRIES: u32 = 6;
/// No more in all: whoever waits should not wait for hours.
const REPEATS_MAX: usize = 200;
/// Longer before each further try.
const PAUSE: Duration = Duration::from_secs(1);

/// What `run` gives when others leave it alone. One that fails is not made again: whoever fails when others are busy
/// fails.
///
/// # Errors
///
/// Those of `run`.
pub fn undisturbed<T>(log: &Log, run: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
    let mut tries = 1;
    loop {
        let before = Ticks::now();
        let outcome = run()?;
        let percent = Ticks::now().stolen_since(before);
        if percent <= PERCENT_MAX {
            return Ok(outcome);
        }
        if tries == TRIES || log.repeats() >= REPEATS_MAX {
            log.count_disturbed(percent);
            return Ok(outcome);
        }
        log.repeat(percent);
        std::thread::park_timeout(PAUSE * tries);
        tries += 1;
    }
}

/// Time of all processors since the system has started, in its own unit.
#[derive(Clone, Copy, Debug, Default)]
struct Ticks {
    all: u64,
    stolen: u64,
}

impl Ticks {
    /// Nothing where the system does not tell.
    fn now() -> Self {
        Self::parse(&std::fs::read_to_string("/proc/stat").unwrap_or_default())
    }

    fn parse(stat: &str) -> Self {
        let line = stat.lines().next().unwrap_or_default();
        let fields = line.split_whitespace().skip(1).take(STOLEN + 1);
        let fields: Vec<u64> = fields.filter_map(|field| field.parse().ok()).collect();
        Self {
            all: fields.iter().sum(),
            stolen: fields.get(STOLEN).copied().unwrap_or_default(),
        }
    }

    /// In hundredths.
    fn stolen_since(self, before: Self) -> f64 {
        let all = self.all.saturating_sub(before.all);
        let stolen = self.stolen.saturating_sub(before.stolen);
        100.0 * stolen as f64 / all.max(1) as f64
    }
}

/// Where it stands in the first line of `/proc/stat`. What follows is part of what comes before.
const STOLEN: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_have_taken_is_a_share_of_all_time() {
        let before = Ticks::parse("cpu  100 0 50 800 10 0 5 35 7 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n");
        let after = Ticks::parse("cpu  150 0 60 810 10 0 5 65 9 0\n");
        assert_eq!((before.all, before.stolen), (1000, 35));
        assert!((after.stolen_since(before) - 30.0).abs() < 1e-9);
    }

    #[test]
    fn a_run_that_fails_is_made_once() {
        let runs = std::cell::Cell::new(0);
        let outcome = undisturbed(&Log::default(), || {
            runs.set(runs.get() + 1);
            Err::<(), Error>("it ended".into())
        });
        assert_eq!(outcome.expect_err("it failed").to_string(), "it ended");
        assert_eq!(runs.get(), 1);
    }

    #[test]
    fn where_the_system_does_not_tell_nothing_is_taken() {
        let nothing = Ticks::parse("");
        assert!(nothing.stolen_since(nothing).abs() < f64::EPSILON);
    }
}
