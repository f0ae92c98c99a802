//! The programs that are measured, run for a moment each.

mod floor;
mod peer;
mod process;
