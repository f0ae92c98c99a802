//! Two connections, a clock, and sentences about them.
