//! The public API on loopback.

mod calls;
