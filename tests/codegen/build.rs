//! Compiles Thrift files as a user's build script does, one call for each option.

use tchannel_codegen::{Config, Errors, compile};

fn main() -> Result<(), Errors> {
    compile("idl/plain.thrift")?;
    compile("idl/evolution_old.thrift")?;
    compile("idl/evolution_new.thrift")?;
    compile("idl/classic.thrift")?;
    Config::new()
        .include_dir("../../codegen/tests/data/common")
        .compile("idl/elsewhere.thrift")?;
    Config::new()
        .serde(true)
        .compile("../../codegen/tests/data/serde.thrift")
}
