//! The programs that are measured, run for a moment each.

mod peer;
mod process;
