//! Serving methods with a stream in them.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use futures::Stream;
use tchannel_proto::{Body, ResponseCode};

use super::super::{Exchange, MethodError, ServiceBuilder};
use super::format::Format;
use super::incoming::End;
use super::outgoing::{Encoded, encoded, send_all};
use super::{HEADER_BYTES_MAX, StreamItem, Streaming};
use crate::call::{ArgReader, Responder, StreamRequest};
use crate::context::CallContext;
use crate::error::CallError;
use crate::handler::{Endpoint, HandlerError};
use crate::service::{bad_answer, bad_request, other_scheme};

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
        self.stream(method, format, take_stream, give_value, handler)
    }

    /// A method that gives a stream. What it throws, and the headers of its response, go before the stream:
    /// they are settled once `handler` has given it.
    #[must_use]
    pub fn response_stream<A, T, E, S, F, Fut>(
        self,
        method: &str,
        format: Format<A, T, E>,
        handler: F,
    ) -> Self
    where
        A: Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
        S: Stream<Item: StreamItem<T>> + Send + 'static,
        F: Fn(Arc<I>, A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<S, MethodError<E>>> + Send + 'static,
    {
        self.stream(method, format, take_value, give_stream, handler)
    }

    /// A method that takes a stream and gives one, each at its own pace. See
    /// [`response_stream`](Self::response_stream).
    #[must_use]
    pub fn both_streams<A, T, E, S, F, Fut>(
        self,
        method: &str,
        format: Format<A, T, E>,
        handler: F,
    ) -> Self
    where
        A: Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
        S: Stream<Item: StreamItem<T>> + Send + 'static,
        F: Fn(Arc<I>, Streaming<A>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<S, MethodError<E>>> + Send + 'static,
    {
        self.stream(method, format, take_stream, give_stream, handler)
    }

    /// `take` makes of arg3 what the handler takes, `give` the answer of what it gives.
    fn stream<A, T, E, In, Out, Take, F, Fut>(
        mut self,
        method: &str,
        format: Format<A, T, E>,
        take: fn(ArgReader, Format<A, T, E>) -> Take,
        give: Give<Out, A, T, E>,
        handler: F,
    ) -> Self
    where
        A: Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
        In: Send + 'static,
        Out: Send + 'static,
        Take: Future<Output = Result<In, HandlerError>> + Send + 'static,
        F: Fn(Arc<I>, In) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Out, MethodError<E>>> + Send + 'static,
    {
        let it = self.it.clone();
        let handler = Arc::new(handler);
        let endpoint = Endpoint::stream(move |request| {
            let (it, handler) = (it.clone(), handler.clone());
            async move {
                let handler = |input| handler(it, input);
                serve(request, format, take, give, handler).await
            }
        });
        self.put(method, endpoint);
        self
    }
}

async fn serve<A, T, E, In, Out, Take, Fut>(
    request: StreamRequest,
    format: Format<A, T, E>,
    take: fn(ArgReader, Format<A, T, E>) -> Take,
    give: Give<Out, A, T, E>,
    handler: impl FnOnce(In) -> Fut,
) -> Result<(), HandlerError>
where
    Take: Future<Output = Result<In, HandlerError>>,
    Fut: Future<Output = Result<Out, MethodError<E>>>,
{
    check_scheme(&request, format.scheme.name)?;
    let StreamRequest {
        mut args, respond, ..
    } = request;
    let arg2 = args.arg2(HEADER_BYTES_MAX).await.map_err(unread)?;
    let exchange = Exchange::new((format.scheme.decode_headers)(&arg2).map_err(bad_request)?);
    let serving = async {
        let input = take(args, format).await?;
        let (code, given) = match handler(input).await {
            Ok(out) => (ResponseCode::OK, give(out, format)?),
            Err(error) => (ResponseCode::APPLICATION_ERROR, thrown(error, format)?),
        };
        let headers = exchange.response_headers();
        let arg2 = (format.scheme.encode_headers)(&headers).map_err(bad_answer)?;
        answer(respond, code, arg2, given, format.scheme.name).await
    };
    exchange.clone().scope(serving).await
}

fn check_scheme(request: &StreamRequest, expected: &str) -> Result<(), HandlerError> {
    let scheme = request.arg_scheme();
    if scheme == expected {
        return Ok(());
    }
    let StreamRequest {
        service, endpoint, ..
    } = request;
    Err(other_scheme(service, endpoint, expected, scheme))
}

type Give<Out, A, T, E> = fn(Out, Format<A, T, E>) -> Result<Given, HandlerError>;

/// What is answered, encoded or about to be.
enum Given {
    Whole(Bytes),
    Stream(Encoded),
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

fn give_value<A, T, E>(value: T, format: Format<A, T, E>) -> Result<Given, HandlerError> {
    let arg3 = (format.response.encode)(&value).map_err(bad_answer)?;
    Ok(Given::Whole(arg3))
}

fn give_stream<A, T, E, S>(values: S, format: Format<A, T, E>) -> Result<Given, HandlerError>
where
    T: 'static,
    S: Stream<Item: StreamItem<T>> + Send + 'static,
{
    Ok(Given::Stream(encoded(values, format.response.encode)))
}

fn thrown<A, T, E>(error: MethodError<E>, format: Format<A, T, E>) -> Result<Given, HandlerError> {
    let thrown = error.into_handler_error()?;
    let arg3 = (format.encode_thrown)(&thrown).map_err(bad_answer)?;
    Ok(Given::Whole(arg3))
}

async fn answer(
    respond: Responder,
    code: ResponseCode,
    arg2: Bytes,
    given: Given,
    scheme: &'static str,
) -> Result<(), HandlerError> {
    match given {
        Given::Whole(arg3) => {
            respond.send(code, Body::whole(arg2, arg3)).await?;
        }
        Given::Stream(values) => {
            let head = Body {
                arg2,
                arg2_end: true,
                ..Body::default()
            };
            let writer = respond.send(code, head).await?;
            // Whatever becomes of it, the caller has been told or waits no longer.
            let sending = async { drop(send_all(writer, values, scheme).await) };
            match CallContext::current() {
                Some(context) => context.begun().scope(sending).await,
                None => sending.await,
            }
        }
    }
    Ok(())
}

/// Says what is wrong with a request in the words of its reader.
fn unread(error: CallError) -> HandlerError {
    HandlerError::new(error.code(), error.message())
}
