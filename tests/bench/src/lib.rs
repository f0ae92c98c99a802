//! What the programs of this package share: flags, a closed loop of calls, and the line it ends with.
//!
//! Reading order: [`options`], [`load`], [`report`], and [`floor`] for what nobody can beat.

pub mod floor;
pub mod load;
pub mod options;
pub mod report;
pub mod runtime;
