//! Peers: what is known of each, and which of them takes the next call.
//!
//! ```text
//! choose(candidates) -> peer -> score.on_start -> call -> score.on_end(outcome)
//! ```
//!
//! [`Score`] is one peer's record: a latency average, calls in flight, and whether it is kept away
//! from calls for failing. [`choose`] compares two of them. Both are values that are told the time.

mod chosen;
mod connections;
mod ejection;
mod entry;
mod latency;
mod list;
mod load;
mod order;
mod patience;
mod pause;
mod score;
mod strategy;
mod table;

pub(crate) use chosen::Chosen;
pub(crate) use connections::Dialer;
pub use ejection::{Change, Group, Standing};
pub use entry::PeerState;
pub use list::PeerList;
pub use load::LoadBound;
pub(crate) use order::{Destination, Order};
pub(crate) use patience::patience;
pub use score::{Outcome, Score, Turn};
pub use strategy::{Candidate, Tried, choose};
pub(crate) use table::PeerTable;

#[cfg(test)]
mod tests;
