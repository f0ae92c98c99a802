//! Compiles the Thrift file of the demo service that `hyperbahn dev` runs.

fn main() -> Result<(), tchannel_codegen::Errors> {
    tchannel_codegen::compile("idl/keyvalue.thrift")
}
