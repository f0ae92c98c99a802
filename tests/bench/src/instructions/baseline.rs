//! What the counts were, in a file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::cost::CASES;

/// Counts by the name of their case, and the compiler that they are of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The release of rustc, such as `1.2`. Another one makes other code, so its counts say nothing about ours.
    pub rustc: String,
    /// The processor, as the system names it. The C library and checksums choose their code by it.
    pub processor: String,
    /// The instructions of doing each case once.
    pub instructions: BTreeMap<String, u64>,
}

impl Baseline {
    /// The file.
    pub fn path() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("instructions.json")
    }

    /// Reads the file.
    ///
    /// # Errors
    ///
    /// When it is not there, or is no baseline.
    pub fn read() -> Result<Self, Box<dyn std::error::Error>> {
        Ok(serde_json::from_str(&std::fs::read_to_string(
            Self::path(),
        )?)?)
    }

    /// Writes the file.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn write(&self) -> Result<(), Box<dyn std::error::Error>> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        Ok(std::fs::write(Self::path(), text)?)
    }

    /// The names of cases that the file lacks, or has and nobody counts.
    pub fn strangers(&self) -> Vec<String> {
        let unknown = self
            .instructions
            .keys()
            .filter(|name| CASES.iter().all(|case| case.name != **name));
        let missing = CASES
            .iter()
            .filter(|case| !self.instructions.contains_key(case.name));
        let missing = missing.map(|case| case.name.to_owned());
        unknown.cloned().chain(missing).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Baseline;

    #[test]
    fn the_baseline_has_a_count_for_every_case_and_no_other() {
        let baseline = Baseline::read().expect("the file is there");
        assert_eq!(baseline.strangers(), Vec::<String>::new());
    }
}
