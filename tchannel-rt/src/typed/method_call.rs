//! A typed call about to be made: awaited as it is, or told more first.

use std::convert::Infallible;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;

use super::MethodError;
use crate::call::Call;
use crate::error::CallError;
use crate::retry::Acted;
use crate::scheme::thrift::{Returned, Throws, read_result};
use crate::scheme::{Headers, SchemeError};
use tchannel_proto::ErrorCode;

/// A call to a typed method; `.await` makes it.
///
/// ```ignore
/// let value = client.get("key").ttl(Duration::from_millis(200)).idempotent().await?;
/// ```
#[must_use = "a call is made when it is awaited"]
#[derive(Debug)]
pub struct MethodCall<'a, T, E = Infallible> {
    call: Call<'a>,
    arguments: Result<Bytes, SchemeError>,
    result: PhantomData<fn() -> Result<T, E>>,
}

impl<'a, T, E> MethodCall<'a, T, E> {
    pub(super) fn new(call: Call<'a>, arguments: Result<Bytes, SchemeError>) -> Self {
        Self {
            call,
            arguments,
            result: PhantomData,
        }
    }

    /// How long to wait for the answer, all attempts together. See [`Call::ttl`](crate::Call::ttl).
    pub fn ttl(self, ttl: Duration) -> Self {
        self.configure(|call| call.ttl(ttl))
    }

    /// Calls this host:port.
    pub fn peer(self, host_port: &'a str) -> Self {
        self.configure(|call| call.peer(host_port))
    }

    /// An application header.
    pub fn header(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.configure(|call| call.header(name, value))
    }

    /// Vouches that the call may run twice. See [`Call::idempotent`](crate::Call::idempotent).
    pub fn idempotent(self) -> Self {
        self.configure(Call::idempotent)
    }

    /// Anything else that a [`Call`](crate::Call) can be told.
    pub fn configure(mut self, configure: impl FnOnce(Call<'a>) -> Call<'a>) -> Self {
        self.call = configure(self.call);
        self
    }
}

impl<T: Returned, E: Throws> MethodCall<'_, T, E> {
    /// Makes the call and gives the headers of the response beside the result.
    ///
    /// # Errors
    ///
    /// [`MethodError`], which says whether trying again is safe.
    pub async fn with_headers(self) -> Result<(T, Headers), MethodError<E>> {
        let arguments = self.arguments.map_err(|error| {
            // Nothing has left, but the same arguments would not leave the next time either.
            CallError::new(ErrorCode::BadRequest, Acted::No, error.to_string())
        })?;
        let response = self.call.thrift(arguments).await?;
        let result = read_result(response.is_ok(), &response.arg3)?;
        let value = result.map_err(MethodError::Exception)?;
        let headers = response.application_headers();
        Ok((value, headers.map_err(MethodError::Malformed)?))
    }
}

impl<'a, T: Returned, E: Throws> IntoFuture for MethodCall<'a, T, E>
where
    T: 'a,
    E: 'a,
{
    type Output = Result<T, MethodError<E>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async { self.with_headers().await.map(|(value, _)| value) })
    }
}
