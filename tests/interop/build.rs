//! Compiles the Thrift files that the peers compile, too.

use tchannel_codegen::{Errors, compile};

fn main() -> Result<(), Errors> {
    compile("peers/kv.thrift")?;
    compile("peers/torture.thrift")
}
