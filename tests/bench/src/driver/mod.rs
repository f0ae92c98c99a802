//! Runs ours and others side by side and says how they compare.
//!
//! Every figure is taken in rounds: in each, all contestants run one after the other as fresh processes, each
//! round beginning with another one. What is compared is the ratio within a round; the median of the ratios
//! counts, and the smallest and the largest say how far to trust it.

pub mod contestant;
pub mod crowd;
pub mod echo;
pub mod fairness;
pub mod growth;
pub mod memory;
pub mod process;
pub mod relay;
pub mod spread;
pub mod table;

use std::path::PathBuf;
use std::time::Duration;

pub use table::Table;

/// How thorough to be, and with what.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Rounds of every case. Default 3.
    pub rounds: usize,
    /// What a run counts. Default 1 s.
    pub duration: Duration,
    /// What a run does before it counts. Default 300 ms.
    pub warmup: Duration,
    /// Only contestants and cases whose names have one of these in them; empty for all.
    pub only: Vec<String>,
    /// Where cargo puts programs of ours and of the peers.
    pub programs: PathBuf,
}

impl Settings {
    /// Whether something of this name is wanted.
    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| name.contains(part))
    }

    /// The program of that name.
    pub fn program(&self, name: &str) -> String {
        self.programs.join(name).to_string_lossy().into_owned()
    }
}

/// Why something can not be measured.
pub type Error = Box<dyn std::error::Error>;
