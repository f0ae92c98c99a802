//! Makes Rust of the Thrift file, for `include_thrift!`.

fn main() -> Result<(), tchannel_codegen::Errors> {
    tchannel_codegen::compile("idl/keyvalue.thrift")
}
