//! Runs ours and others side by side and says how they compare.
//!
//! Every figure is taken in rounds: in each, all contestants run one after the other as fresh processes, each
//! round beginning with another one. What is compared is the ratio within a round; the median of the ratios
//! counts, and the smallest and the largest say how far to trust it. Who fails is named, and the others go on.

pub mod contestant;
pub mod crowd;
pub mod echo;
pub mod fairness;
pub mod goal;
pub mod growth;
pub mod log;
pub mod machine;
pub mod memory;
pub mod process;
pub mod relay;
pub mod spread;
pub mod stolen;
pub mod table;

use std::path::PathBuf;
use std::time::Duration;

pub use goal::Goal;
pub use log::Log;
pub use table::Table;

/// What came of one measurement.
#[derive(Clone, Debug)]
pub struct Measured {
    /// All of it.
    pub table: Table,
    /// What of it we have goals for.
    pub goals: Vec<Goal>,
}

/// How thorough to be, and with what.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Rounds of every case. Default 3.
    pub rounds: usize,
    /// What a run counts. Default 1 s.
    pub duration: Duration,
    /// What a run does before it counts. Default 300 ms.
    pub warmup: Duration,
    /// Only measurements whose titles have one of these in them; empty for all.
    pub only: Vec<String>,
    /// Where cargo puts programs of ours and of the peers.
    pub programs: PathBuf,
}

impl Settings {
    /// The defaults, with programs of that folder.
    pub fn new(programs: PathBuf) -> Self {
        Self {
            rounds: 3,
            duration: Duration::from_secs(1),
            warmup: Duration::from_millis(300),
            only: Vec::new(),
            programs,
        }
    }

    /// As little as shows that everything works.
    pub fn be_quick(&mut self) {
        self.rounds = 1;
        self.duration = Duration::from_millis(400);
        self.warmup = Duration::from_millis(200);
    }

    /// Whether something of this name is wanted.
    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| name.contains(part))
    }

    /// The program of that name.
    pub fn program(&self, name: &str) -> String {
        self.programs.join(name).to_string_lossy().into_owned()
    }
}

impl std::fmt::Display for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { rounds, .. } = self;
        let [warmup, duration] = [self.warmup, self.duration].map(|time| time.as_millis());
        write!(
            f,
            "Rounds: {rounds}, each of {duration} ms after {warmup} ms that do not count. A figure is the median of \
             the rounds, with the smallest and the largest in brackets; a ratio is taken within a round."
        )
    }
}

/// Why something can not be measured.
pub type Error = Box<dyn std::error::Error>;
