//! Recorded rings, and what holds for any ring, over the public API.

mod properties;
mod recorded;
