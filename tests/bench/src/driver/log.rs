//! How far a run has come, and what has failed on the way, on standard error.

use std::cell::{Cell, RefCell};
use std::time::Instant;

/// Tells whoever waits. A failure ends nothing: it is told, kept, and named again at the end.
#[derive(Debug)]
pub struct Log {
    began: Instant,
    failures: RefCell<Vec<String>>,
    repeats: Cell<usize>,
    disturbed: Cell<usize>,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            failures: RefCell::default(),
            repeats: Cell::default(),
            disturbed: Cell::default(),
        }
    }
}

impl Log {
    /// What happens next.
    #[expect(clippy::print_stderr, reason = "people wait")]
    pub fn say(&self, what: &str) {
        let seconds = self.began.elapsed().as_secs();
        eprintln!("bench: {:2}:{:02} {what}", seconds / 60, seconds % 60);
    }

    /// Something has failed: whose fault it is, and what was said.
    pub fn fail(&self, who: &str, error: &dyn std::fmt::Display) {
        let failure = format!("{who}: {error}");
        self.say(&format!("FAILED: {failure}"));
        self.failures.borrow_mut().push(failure);
    }

    /// A run does not count, since others took so much of the processors, in hundredths.
    pub fn repeat(&self, percent: f64) {
        self.say(&format!(
            "others took {percent:.0} % of the processors: once more"
        ));
        self.repeats.set(self.repeats.get() + 1);
    }

    /// How many runs did not count.
    pub fn repeats(&self) -> usize {
        self.repeats.get()
    }

    /// A run counts although others took so much of the processors, in hundredths.
    pub fn count_disturbed(&self, percent: f64) {
        self.say(&format!(
            "others took {percent:.0} % of the processors: it counts, since more tries would take too long"
        ));
        self.disturbed.set(self.disturbed.get() + 1);
    }

    /// How many runs counted all the same.
    pub fn disturbed(&self) -> usize {
        self.disturbed.get()
    }

    /// All that has failed.
    pub fn failures(&self) -> Vec<String> {
        self.failures.borrow().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::Log;

    #[test]
    fn a_failure_is_kept_with_the_name_of_who_failed() {
        let log = Log::default();
        log.say("so far so good");
        log.fail("tarpc", &"it ended: signal 9");
        assert_eq!(log.failures(), ["tarpc: it ended: signal 9"]);
    }
}
