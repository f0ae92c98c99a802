//! Methods from a Rust trait, for the code that [`service`](macro@crate::service) writes.
//!
//! A trait has no names or types beyond those of Rust, so its methods are those of a Thrift file in all but
//! this: arguments are a tuple that travels as a map ([`Arguments`]), and what describes the service is made of
//! its types ([`Description`]).

mod arguments;
mod description;

pub use arguments::{Arguments, Parameters, Values, is_optional};
pub use description::{Description, NoSchema, Schema, SchemaFn, SchemaOf};

pub use futures::Stream;
pub use serde_json::Value;

pub use super::{
    Client, Format, MethodCall, MethodError, StreamAnswer, StreamCall, StreamItem, Streaming,
    TraitSchema, TypedService,
};
pub use crate::channel::Channel;

use std::marker::PhantomData;

/// Whether a type is a `Result`, under whatever name: its own constant comes before that of [`NoResult`].
///
/// ```compile_fail,E0080
/// type Answer = Result<u8, String>;
///
/// #[tchannel_rt::service]
/// trait Greeter {
///     async fn hello(&self) -> Answer; // write `Result<u8, String>`, so that its error is one on the wire
/// }
/// ```
#[derive(Debug)]
pub struct IsResult<T>(PhantomData<fn() -> T>);

impl<T, E> IsResult<Result<T, E>> {
    /// It is.
    pub const YES: bool = true;
}

/// Types that are no `Result`.
pub trait NoResult {
    /// It is not.
    const YES: bool = false;
}

impl<T> NoResult for IsResult<T> {}
