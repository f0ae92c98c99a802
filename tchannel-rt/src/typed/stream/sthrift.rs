//! Methods with streams in them as code generated from Thrift files has them.

use std::future::Future;
use std::sync::Arc;

use super::super::{Client, Format, MethodError, ServiceBuilder};

use super::{IntoValues, StreamAnswer, StreamCall, Streaming};
use crate::handler::HandlerError;
use crate::scheme::thrift::{Returned, Struct, Throws, Value};

/// Source: spec/schemes/sthrift.md, "args".
impl<I: Send + Sync + 'static> ServiceBuilder<I> {
    /// A method that takes a stream, by its name in the Thrift file.
    #[must_use]
    pub fn sthrift_request<A, T, E, F, Fut>(self, method: &str, handler: F) -> Self
    where
        A: Value + Send + 'static,
        T: Returned + Send + 'static,
        E: Throws + Send + 'static,
        F: Fn(Arc<I>, Streaming<A>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, MethodError<E>>> + Send + 'static,
    {
        self.request_stream(method, Format::sthrift_request(), handler)
    }

    /// A method that gives a stream, by its name in the Thrift file.
    #[must_use]
    pub fn sthrift_response<A, T, E, F, Fut>(self, method: &str, handler: F) -> Self
    where
        A: Struct + Send + 'static,
        T: Value + Send + 'static,
        E: Throws + Send + 'static,
        F: Fn(Arc<I>, A, StreamAnswer<T, E>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        self.response_stream(method, Format::sthrift_response(), handler)
    }

    /// A method that takes a stream and gives one, by its name in the Thrift file.
    #[must_use]
    pub fn sthrift_both<A, T, E, F, Fut>(self, method: &str, handler: F) -> Self
    where
        A: Value + Send + 'static,
        T: Value + Send + 'static,
        E: Throws + Send + 'static,
        F: Fn(Arc<I>, Streaming<A>, StreamAnswer<T, E>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        self.both_streams(method, Format::sthrift_both(), handler)
    }
}

/// Source: spec/schemes/sthrift.md, "args".
impl Client {
    /// Calls a method that takes a stream. `endpoint` is `Service::method`.
    pub fn sthrift_request<'a, A, T, E>(
        &'a self,
        endpoint: &'a str,
        values: impl IntoValues<A>,
    ) -> StreamCall<'a, T, E>
    where
        A: Value + 'static,
        T: Returned + 'static,
        E: Throws + 'static,
    {
        self.request_stream(endpoint, Format::sthrift_request(), values)
    }

    /// Calls a method that gives a stream. `endpoint` is `Service::method`.
    pub fn sthrift_response<'a, A, T, E>(
        &'a self,
        endpoint: &'a str,
        arguments: &A,
    ) -> StreamCall<'a, Streaming<T>, E>
    where
        A: Struct + 'static,
        T: Value + 'static,
        E: Throws + 'static,
    {
        self.response_stream(endpoint, Format::sthrift_response(), arguments)
    }

    /// Calls a method that takes a stream and gives one. `endpoint` is `Service::method`.
    pub fn sthrift_both<'a, A, T, E>(
        &'a self,
        endpoint: &'a str,
        values: impl IntoValues<A>,
    ) -> StreamCall<'a, Streaming<T>, E>
    where
        A: Value + 'static,
        T: Value + 'static,
        E: Throws + 'static,
    {
        self.both_streams(endpoint, Format::sthrift_both(), values)
    }
}
