//! Holds the protocol and the arg schemes against `spec/`: every vector, every requirement.
//!
//! Tests live in `tests/`.
