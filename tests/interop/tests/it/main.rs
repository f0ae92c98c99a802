//! Our runtime and our router with the peers that are deployed.

mod checks;
mod pair;
mod peers;
