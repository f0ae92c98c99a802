//! How far a run has come, and what has failed on the way, on standard error.

use std::cell::{Cell, RefCell};
use std::time::Instant;

/// Tells whoever waits. A failure ends nothing: it is told, kept, and named again at the end.
#[derive(Debug)]
pub struct Log {
    began: Instant,
    failures: RefCell<Vec<String>>,
    repeats: Cell<usize>,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            failures: RefCell::default(),
            repeats: Cell::default(),
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

    /// A run does not count, since others took so much of the processors.
    pub fn repeat(&self, share: f64) {
        self.say(&format!(
            "others took {:.0} % of the processors: once more",
            share * 100.0
        ));
        self.repeats.set(self.repeats.get() + 1);
    }

    /// How many runs did not count.
    pub fn repeats(&self) -> usize {
        self.repeats.get()
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
