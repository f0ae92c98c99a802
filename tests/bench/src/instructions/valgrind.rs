//! Counting with callgrind: the same machine code in, nearly the same number out, however busy the machine is.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::cost::Case;

/// Why instructions can not be counted here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unavailable(pub String);

impl std::fmt::Display for Unavailable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Unavailable {}

/// The instructions of doing each case once, by the difference of two runs of `program`, which is `bench-cost`. As many
/// cases at a time as there are processors.
///
/// # Errors
///
/// [`Unavailable`] when there is no valgrind, or it does not say.
pub fn count_all(program: &Path, cases: &[Case]) -> Result<Vec<u64>, Unavailable> {
    let next = AtomicUsize::new(cases.len());
    // The last ones take longest, so they come first.
    let take = || {
        let left = next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            left.checked_sub(1)
        });
        left.ok().map(|left| left - 1)
    };
    let work = || -> Vec<_> {
        std::iter::from_fn(take)
            .map(|place| (place, count(program, &cases[place])))
            .collect()
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut counts: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let counts = workers.into_iter().map(|worker| worker.join());
        counts
            .flat_map(|counts| counts.expect("it does not panic"))
            .collect()
    });
    counts.sort_unstable_by_key(|(place, _)| *place);
    counts.into_iter().map(|(_, count)| count).collect()
}

fn count(program: &Path, case: &Case) -> Result<u64, Unavailable> {
    let few = least(program, case, case.warm)?;
    let many = least(program, case, case.warm + case.counted)?;
    Ok(many.saturating_sub(few) / case.counted)
}

fn least(program: &Path, case: &Case, times: u64) -> Result<u64, Unavailable> {
    let first = total(program, case, times)?;
    (1..case.runs).try_fold(
        first,
        |least, _| Ok(least.min(total(program, case, times)?)),
    )
}

fn total(program: &Path, case: &Case, times: u64) -> Result<u64, Unavailable> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([case.name, &times.to_string()])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Unavailable(format!("valgrind does not start: {error}")))?;
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(Unavailable(format!(
            "{:?} under valgrind: {text}",
            case.name
        )));
    }
    collected(&text).ok_or_else(|| Unavailable(format!("valgrind gives no count: {text}")))
}

fn collected(text: &str) -> Option<u64> {
    let line = text.lines().find(|line| line.contains("Collected"))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::collected;

    #[test]
    fn the_count_is_found_in_what_valgrind_says() {
        let text = "==7== \n==7== Events    : Ir\n==7== Collected : 123456\n==7==\n";
        assert_eq!(collected(text), Some(123_456));
        assert_eq!(collected("nothing"), None);
    }
}
