//! Services from Rust traits, one for each way to write them.
#![warn(clippy::pedantic)]

pub mod corners;
pub mod evolution;
pub mod greeter;
pub mod json;
pub mod renamed;
