//! What code generated from Thrift files stands on; [`include_thrift!`](crate::include_thrift) brings
//! such code in.
//!
//! Nothing here is of its own: [`scheme::thrift`](crate::scheme::thrift) reads and writes values, and
//! clients and services are at the root of this crate.

pub use std::future::Future;

pub use bytes::Bytes;
pub use serde;
pub use uuid::Uuid;

pub use crate::channel::Channel;
pub use crate::scheme::thrift::{
    Field, ReadError, Reader, Struct, Throws, Type, Value, VecMap, VecSet, Writer, required,
};
pub use crate::typed::{
    Client, IntoValues, MethodCall, MethodError, StreamCall, Streaming, ThriftFiles, TypedService,
    Values,
};

/// Brings in what `tchannel_codegen::compile("idl/keyvalue.thrift")` made in the build script: the module
/// `keyvalue`, and one for each file it includes.
///
/// ```ignore
/// tchannel_rt::include_thrift!("keyvalue");
/// ```
#[macro_export]
macro_rules! include_thrift {
    ($name:literal) => {
        include!(concat!(env!("OUT_DIR"), "/", $name, ".rs"));
    };
}
