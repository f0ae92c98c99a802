//! Rings of members on virtual time.
