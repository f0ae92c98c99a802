//! Serving methods with a stream in them.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use futures::Stream;
use tchannel_proto::{Body, ResponseCode};

use super::super::format::{Codec, Encode, Format, Scheme};
use super::super::{Exchange, MethodError, ServiceBuilder};
use super::incoming::End;
use super::outgoing::{encoded, send_all};
use super::{HEADER_BYTES_MAX, StreamItem, Streaming, Values};
use crate::call::{ArgReader, Responder, StreamRequest};
use crate::context::CallContext;
use crate::error::CallError;
use crate::handler::{Endpoint, HandlerError};
use crate::service::{bad_answer, bad_request, check_scheme};

impl<I: Send + Sync + 'static> ServiceBuilder<I> {
    /// A method that takes a stream and gives one value.
    #[must_use]
    pub fn request_stream<A, T, E, F, Fut>(
        self,
        method: &str,
        format: Format<A, T, E>,
        handler: F,
    ) -> Self
    where
        A: Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
        F: Fn(Arc<I>, Streaming<A>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, MethodError<E>>> + Send + 'static,
    {
        self.stream(method, format, take_stream, move |it, values, out| {
            let outcome = handler(it, values);
            async move { out.send_value(outcome.await).await }
        })
    }

    /// A method that gives a stream, which `handler` hands to the [`StreamAnswer`].
    #[must_use]
    pub fn response_stream<A, T, E, F, Fut>(
        self,
        method: &str,
        format: Format<A, T, E>,
        handler: F,
    ) -> Self
    where
        A: Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
        F: Fn(Arc<I>, A, StreamAnswer<T, E>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        self.stream(method, format, take_value, handler)
    }

    /// A method that takes a stream and gives one, each at its own pace. See
    /// [`response_stream`](Self::response_stream).
    #[must_use]
    pub fn both_streams<A, T, E, F, Fut>(
        self,
        method: &str,
        format: Format<A, T, E>,
        handler: F,
    ) -> Self
    where
        A: Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
        F: Fn(Arc<I>, Streaming<A>, StreamAnswer<T, E>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        self.stream(method, format, take_stream, handler)
    }

    /// `take` makes of arg3 what the handler takes.
    fn stream<A, T, E, In, Take, F, Fut>(
        mut self,
        method: &str,
        format: Format<A, T, E>,
        take: fn(ArgReader, Format<A, T, E>) -> Take,
        handler: F,
    ) -> Self
    where
        A: Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
        In: Send + 'static,
        Take: Future<Output = Result<In, HandlerError>> + Send + 'static,
        F: Fn(Arc<I>, In, StreamAnswer<T, E>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        let it = self.it.clone();
        let handler = Arc::new(handler);
        let endpoint = Endpoint::stream(move |request| {
            let (it, handler) = (it.clone(), handler.clone());
            async move {
                let handler = |input, out| handler(it, input, out);
                serve(request, format, take, handler).await
            }
        });
        self.put(method, endpoint);
        self
    }
}

async fn serve<A, T, E, In, Take, Fut>(
    request: StreamRequest,
    format: Format<A, T, E>,
    take: fn(ArgReader, Format<A, T, E>) -> Take,
    handler: impl FnOnce(In, StreamAnswer<T, E>) -> Fut,
) -> Result<(), HandlerError>
where
    Take: Future<Output = Result<In, HandlerError>>,
    Fut: Future<Output = Result<(), HandlerError>>,
{
    check_scheme(&request.context, format.scheme.name)?;
    let StreamRequest {
        mut args, respond, ..
    } = request;
    let arg2 = args.arg2(HEADER_BYTES_MAX).await.map_err(unread)?;
    let headers = format.scheme.decode_headers(&arg2).map_err(bad_request)?;
    let exchange = Exchange::new(headers);
    let out = StreamAnswer {
        respond,
        exchange: exchange.clone(),
        scheme: format.scheme,
        response: format.response,
        encode_thrown: format.encode_thrown,
    };
    let serving = async { handler(take(args, format).await?, out).await };
    exchange.scope(serving).await
}

async fn take_value<A, T, E>(
    mut args: ArgReader,
    format: Format<A, T, E>,
) -> Result<A, HandlerError> {
    let limit = args.conn().limits().message_max;
    let arg3 = args.collect(limit).await.map_err(unread)?;
    (format.request.decode)(&arg3).map_err(bad_request)
}

async fn take_stream<A, T, E>(
    args: ArgReader,
    format: Format<A, T, E>,
) -> Result<Streaming<A>, HandlerError> {
    let scheme = format.scheme.name;
    Ok(Streaming::new(
        args,
        End::Server,
        scheme,
        format.request.decode,
    ))
}

/// The way to answer with a stream. What the method throws, and the headers of its response, go before the
/// stream: they are settled once [`send`](Self::send) is called.
pub struct StreamAnswer<T, E> {
    respond: Responder,
    exchange: Exchange,
    scheme: &'static Scheme,
    response: Codec<T>,
    encode_thrown: Encode<E>,
}

impl<T, E> StreamAnswer<T, E> {
    /// Answers with what a method came to, and is done once the stream has ended or the caller is gone. The
    /// stream may borrow from what the handler holds.
    ///
    /// # Errors
    ///
    /// [`HandlerError`] to be answered, where the stream has not begun.
    pub async fn send<S>(self, outcome: Result<S, MethodError<E>>) -> Result<(), HandlerError>
    where
        S: Stream<Item: StreamItem<T>> + Send,
    {
        let values = match outcome {
            Ok(values) => encoded(values, self.response.encode),
            Err(error) => return self.throw(error).await,
        };
        let head = Body {
            arg2: self.headers()?,
            arg2_end: true,
            ..Body::default()
        };
        let writer = self.respond.send(ResponseCode::OK, head).await?;
        // Whatever becomes of it, the caller has been told or waits no longer.
        let sending = async { drop(send_all(writer, values, self.scheme.name).await) };
        match CallContext::current() {
            Some(context) => context.begun().scope(sending).await,
            None => sending.await,
        }
        Ok(())
    }

    /// Answers with what `method` comes to, as generated code does. See [`send`](Self::send).
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub async fn send_all<S: Values<T>>(
        self,
        method: impl Future<Output = Result<S, MethodError<E>>>,
    ) -> Result<(), HandlerError> {
        self.send(method.await).await
    }

    async fn send_value(self, outcome: Result<T, MethodError<E>>) -> Result<(), HandlerError> {
        let value = match outcome {
            Ok(value) => value,
            Err(error) => return self.throw(error).await,
        };
        let arg3 = (self.response.encode)(&value).map_err(bad_answer)?;
        self.send_whole(ResponseCode::OK, arg3).await
    }

    async fn throw(self, error: MethodError<E>) -> Result<(), HandlerError> {
        let thrown = error.into_handler_error()?;
        let arg3 = (self.encode_thrown)(&thrown).map_err(bad_answer)?;
        self.send_whole(ResponseCode::APPLICATION_ERROR, arg3).await
    }

    async fn send_whole(self, code: ResponseCode, arg3: Bytes) -> Result<(), HandlerError> {
        let body = Body::whole(self.headers()?, arg3);
        self.respond.send(code, body).await?;
        Ok(())
    }

    fn headers(&self) -> Result<Bytes, HandlerError> {
        self.scheme
            .encode_headers(&self.exchange.response_headers())
            .map_err(bad_answer)
    }
}

impl<T, E> fmt::Debug for StreamAnswer<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamAnswer").finish_non_exhaustive()
    }
}

/// Says what is wrong with a request in the words of its reader.
fn unread(error: CallError) -> HandlerError {
    HandlerError::new(error.code(), error.message())
}
