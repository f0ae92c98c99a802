//! A typed call about to be made: awaited as it is, or told more first.

use std::convert::Infallible;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;

use super::MethodError;
use super::format::{Format, Scheme};
use crate::call::{Call, Response};
use crate::error::CallError;
use crate::scheme::thrift::Unreadable;
use crate::scheme::{Headers, SchemeError};

/// A call to a typed method; `.await` makes it.
///
/// ```ignore
/// let value = client.get("key").ttl(Duration::from_millis(200)).idempotent().await?;
/// ```
#[must_use = "a call is made when it is awaited"]
#[derive(Debug)]
pub struct MethodCall<'a, T, E = Infallible> {
    call: Call<'a>,
    scheme: &'static Scheme,
    arguments: Result<Bytes, SchemeError>,
    decode: fn(&Bytes) -> Result<T, SchemeError>,
    decode_thrown: fn(&Bytes) -> Result<E, Unreadable>,
}

impl<'a, T, E> MethodCall<'a, T, E> {
    pub(super) fn new<A>(call: Call<'a>, format: Format<A, T, E>, arguments: &A) -> Self {
        Self {
            call,
            scheme: format.scheme,
            arguments: (format.request.encode)(arguments),
            decode: format.response.decode,
            decode_thrown: format.decode_thrown,
        }
    }

    /// How long to wait for the answer, all attempts together. See [`Call::ttl`](crate::Call::ttl).
    pub fn ttl(self, ttl: Duration) -> Self {
        self.configure(|call| call.ttl(ttl))
    }

    /// How long to wait unless [`Client::ttl`](crate::Client::ttl) or [`ttl`](Self::ttl) says otherwise.
    pub fn or_ttl(self, ttl: Duration) -> Self {
        self.configure(|call| call.or_ttl(ttl))
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

    /// Makes the call and gives the headers of the response beside the result.
    ///
    /// # Errors
    ///
    /// [`MethodError`], which says whether trying again is safe.
    pub async fn with_headers(self) -> Result<(T, Headers), MethodError<E>> {
        let Self {
            scheme,
            decode,
            decode_thrown,
            ..
        } = self;
        let response = self.send().await?;
        let value = read(&response, decode, decode_thrown)?;
        let headers = scheme.decode_headers(&response.arg2);
        Ok((value, headers.map_err(MethodError::Malformed)?))
    }

    fn send(self) -> impl Future<Output = Result<Response, CallError>> + Send + use<'a, T, E> {
        let arg2 = self.scheme.encode_headers(self.call.application_headers());
        self.call
            .send_encoded(self.scheme.name, arg2, self.arguments)
    }
}

fn read<T, E>(
    response: &Response,
    decode: fn(&Bytes) -> Result<T, SchemeError>,
    decode_thrown: fn(&Bytes) -> Result<E, Unreadable>,
) -> Result<T, MethodError<E>> {
    if response.is_ok() {
        decode(&response.arg3).map_err(MethodError::Malformed)
    } else {
        Err(MethodError::Exception(decode_thrown(&response.arg3)?))
    }
}

impl<'a, T, E> IntoFuture for MethodCall<'a, T, E>
where
    T: 'a,
    E: 'a,
{
    type Output = Result<T, MethodError<E>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        let (decode, decode_thrown) = (self.decode, self.decode_thrown);
        // Mapped, since an async block would hold the call twice.
        let read = move |response: Result<_, _>| read(&response?, decode, decode_thrown);
        Box::pin(self.send().map(read))
    }
}
