//! What the programs of this package share: flags, a closed loop of calls, and the line it ends with.
//!
//! Reading order: [`options`], [`load`], [`report`]; [`typed`] for our own echo, [`floor`] for what nobody can
//! beat, [`cost`] for what is counted instead of timed, [`relay`] for what
//! stands between two ends, [`driver`] for all of them side by side.

pub mod cost;
pub mod driver;
pub mod floor;
pub mod instructions;
pub mod load;
pub mod options;
pub mod relay;
pub mod report;
pub mod runtime;
pub mod typed;
