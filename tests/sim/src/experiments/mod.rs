//! What is measured, each as a table with what we want to reach and what others do beside it.
//!
//! Figures of others are medians and 99th percentiles of memberlist, foca and SWIM at one probe a second, and
//! of Lifeguard and Rapid as their papers give them; Ringpop's follow from its constants. A goal that is
//! missed fails nothing: `tests/it` holds what must hold.

mod broken;
mod campaign;
mod churn;
mod crash;
mod loss;
mod mesh;
mod partition;
mod quiet;
mod slow;
mod start;

use std::time::Duration;

use hyperbahn_swim::Config;

pub use crate::report::Table;

/// What a measurement is made with. Those that an experiment has no use for are ignored.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Members.
    pub size: usize,
    /// How often the fault is made.
    pub runs: usize,
    /// Decides everything else.
    pub seed: u64,
    /// Chance that a message is lost; `None` is what the experiment is for.
    pub loss: Option<f64>,
    /// Time between two chances to look for the lost; `None` is the default of members.
    pub heal: Option<Duration>,
    /// Registrations that a mesh of routers holds.
    pub registrations: usize,
    /// Virtual time, where the experiment does not end by itself.
    pub time: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            size: 100,
            runs: 20,
            seed: 1,
            loss: None,
            heal: None,
            registrations: 100_000,
            time: Duration::from_secs(60),
        }
    }
}

/// An experiment.
pub type Experiment = fn(&Settings) -> Table;

/// All of them: name, what it measures, how.
pub const ALL: [(&str, &str, Experiment); 12] = [
    (
        "quiet",
        "what a ring sends when nothing happens",
        quiet::run,
    ),
    (
        "crash",
        "how long a crash on a live host goes unnoticed",
        crash::run_refusing,
    ),
    (
        "silence",
        "the same for a host that vanishes",
        crash::run_silent,
    ),
    ("loss", "false verdicts while messages are lost", loss::run),
    (
        "partition",
        "two halves for a minute, then one ring again",
        partition::run,
    ),
    ("slow", "false verdicts while members stall", slow::run),
    (
        "grid",
        "the same in all 432 cells of the Lifeguard paper",
        slow::run_grid,
    ),
    (
        "broken",
        "members that lose most messages, or all in one direction",
        broken::run,
    ),
    ("start", "all members start at once", start::run),
    (
        "churn",
        "a tenth of the members restart each minute",
        churn::run,
    ),
    (
        "mesh",
        "routers that hold registrations: what each needs, and one after another dies",
        mesh::run,
    ),
    (
        "campaign",
        "every fault at once, in rings of half that size and more",
        campaign::run,
    ),
];

/// The defaults, as they are deployed.
fn defaults(_: &mut Config) {}

const SECOND: Duration = Duration::from_secs(1);

fn seconds(nanos: crate::Nanos) -> f64 {
    nanos as f64 / crate::SECOND as f64
}

/// Lets the news of the beginning fade.
const WARM_UP: Duration = Duration::from_secs(20);
