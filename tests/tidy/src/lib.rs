//! What no compiler checks: the floors, the heads of files, the citations of the spec, and the few
//! numbers and names that must stand in one place.
//!
//! Each module is one rule: a function from a few files, or from what cargo knows, to [`Complaints`].
//! Its unit tests show it complaining about a small bad input; `tests/tidy.rs` holds the project
//! itself to all of them.

pub mod bans;
pub mod citations;
pub mod commands;
pub mod floors;
pub mod heads;
pub mod ignored;
pub mod licences;
pub mod locks;
pub mod machines;
pub mod manifests;
pub mod modules;
pub mod top_level;
pub mod tree;
pub mod unfinished;

/// What is wrong, one sentence each, and what to do about it. Empty when all is well.
pub type Complaints = Vec<String>;
