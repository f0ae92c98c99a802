//! Generated code as users build it: by a build script, and as files that were committed.
//!
//! One crate with a module for each option, not a crate for each: every crate would link the runtime once
//! more, and what an option does shows in a module as well. A warning anywhere fails the build.
#![deny(warnings)]

/// `compile("..")`, nothing else said.
pub mod plain {
    tchannel_rt::include_thrift!("plain");
}

/// What the author of an old service had.
pub mod old {
    tchannel_rt::include_thrift!("evolution_old");
}

/// What became of it.
pub mod new {
    tchannel_rt::include_thrift!("evolution_new");
}

/// The constructs that the test files of Thrift itself are known for.
pub mod classic {
    tchannel_rt::include_thrift!("classic");
}

/// `Config::include_dir`.
pub mod elsewhere {
    tchannel_rt::include_thrift!("elsewhere");
}

/// `Config::serde`.
pub mod serde {
    tchannel_rt::include_thrift!("serde");
}

/// Files that the command wrote.
pub mod committed;

/// `#[service]` on traits.
pub mod traits;
