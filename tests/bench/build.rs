//! The typed service that is measured, as a user's build script makes it.

use tchannel_codegen::{Errors, compile};

fn main() -> Result<(), Errors> {
    compile("idl/bench.thrift")
}
