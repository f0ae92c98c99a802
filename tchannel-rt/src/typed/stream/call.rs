//! A call with a stream in it about to be made: awaited as it is, or told more first.

use std::convert::Infallible;
use std::future::IntoFuture;
use std::pin::{Pin, pin};
use std::time::Duration;

use bytes::Bytes;
use futures::future::{Either, select};
use tchannel_proto::{Body, Progress};
use tracing::Instrument;

use super::super::format::{Format, Scheme};
use super::super::{Client, MethodError};
use super::incoming::{End, Sending};
use super::outgoing::{Encoded, Unsent, encoded, over, send_all};
use super::{HEADER_BYTES_MAX, IntoValues, Streaming};
use crate::call::{ArgReader, ArgWriter, Begun, Call, PendingResponse, StreamResponse};
use crate::context::CallContext;
use crate::error::CallError;
use crate::scheme::{Headers, SchemeError};

/// A call to a method with a stream in it; `.await` makes it. `R` is what it gives: one value, or
/// [`Streaming`].
///
/// The ttl is for the first frame of the answer; where that is one value, it has to cover the whole request.
/// Another peer is tried only while nothing has left: a stream can not be sent again. A request that is still being sent
/// when the answer begins goes on in a task of its own, until it is complete or the answer has ended or is
/// dropped.
///
/// ```ignore
/// let mut events = client.watch("key").ttl(Duration::from_millis(200)).await?;
/// while let Some(event) = events.message().await? { .. }
/// ```
#[must_use = "a call is made when it is awaited"]
pub struct StreamCall<'a, R, E = Infallible> {
    call: Call<'a>,
    scheme: &'static Scheme,
    request: Result<Outgoing, SchemeError>,
    read: Read<R, E>,
}

enum Outgoing {
    Whole(Bytes),
    Stream(Encoded<'static>),
}

type Read<R, E> = Box<dyn FnOnce(Answer) -> ReadFuture<R, E> + Send>;
type ReadFuture<R, E> = Pin<Box<dyn Future<Output = Result<(R, Headers), MethodError<E>>> + Send>>;

/// An answer that has begun.
struct Answer {
    response: StreamResponse,
    request: Option<Sending>,
}

impl<'a, R, E> StreamCall<'a, R, E> {
    /// How long to wait for the first frame of the answer. See [`Call::ttl`](crate::Call::ttl).
    pub fn ttl(self, ttl: Duration) -> Self {
        self.configure(|call| call.ttl(ttl))
    }

    /// How long to wait unless [`Client::ttl`] or [`ttl`](Self::ttl) says otherwise.
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
    pub async fn with_headers(self) -> Result<(R, Headers), MethodError<E>> {
        let arg2 = self.scheme.encode_headers(self.call.application_headers());
        let arg2 = arg2.map_err(CallError::unsendable)?;
        let request = self.request.map_err(CallError::unsendable)?;
        let call = self.call.arg_scheme(self.scheme.name);
        let answer = match request {
            Outgoing::Whole(arg3) => begin_whole(call, Body::whole(arg2, arg3)).await?,
            Outgoing::Stream(values) => {
                let send = |writer| send_all(writer, values, self.scheme.name);
                begin_stream(call, arg2, send).await?
            }
        };
        (self.read)(answer).await
    }
}

impl<'a, R: 'a, E: 'a> IntoFuture for StreamCall<'a, R, E> {
    type Output = Result<R, MethodError<E>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async { self.with_headers().await.map(|(value, _)| value) })
    }
}

async fn begin_whole<E>(call: Call<'_>, mut body: Body) -> Result<Answer, MethodError<E>> {
    let bytes = body.len();
    let Begun {
        mut writer,
        pending,
        progress,
    } = call.begin(&mut body).await?;
    let sending = async move {
        let sent = writer.go_on(bytes - body.len(), progress, body).await;
        sent.map_err(over)
    };
    if progress == Progress::Done {
        // Nothing waits, so nothing else has to be driven.
        let _ = sending.await;
        let response = pending.response().await?;
        return Ok(Answer {
            response,
            request: None,
        });
    }
    answered(sending, pending).await
}

async fn begin_stream<E, F>(
    call: Call<'_>,
    arg2: Bytes,
    send: impl FnOnce(ArgWriter) -> F,
) -> Result<Answer, MethodError<E>>
where
    F: Future<Output = Result<(), Unsent>> + Send + 'static,
{
    let mut body = Body {
        arg2,
        arg2_end: true,
        ..Body::default()
    };
    let bytes = body.len();
    let mut begun = call.begin(&mut body).await?;
    let rest = begun.writer.go_on(bytes - body.len(), begun.progress, body);
    rest.await?;
    answered(send(begun.writer), begun.pending).await
}

/// Sends the request until the answer begins, and beyond in a task of its own.
async fn answered<E, F>(sending: F, pending: PendingResponse) -> Result<Answer, MethodError<E>>
where
    F: Future<Output = Result<(), Unsent>> + Send + 'static,
{
    let response = pin!(pending.response());
    match select(Box::pin(sending), response).await {
        Either::Left((Err(Unsent::Failed(error)), _)) => Err(error.into()),
        Either::Left((Ok(()) | Err(Unsent::Over), response)) => Ok(Answer {
            response: response.await?,
            request: None,
        }),
        Either::Right((response, sending)) => Ok(Answer {
            response: response?,
            request: Some(go_on(sending)),
        }),
    }
}

fn go_on<F>(sending: F) -> Sending
where
    F: Future<Output = Result<(), Unsent>> + Send + 'static,
{
    // How it ends is seen by whoever reads the answer.
    let sending = async { drop(sending.await) };
    let task = match CallContext::current() {
        Some(context) => tokio::spawn(context.scope(sending).in_current_span()),
        None => tokio::spawn(sending.in_current_span()),
    };
    Sending::new(&task)
}

impl Client {
    /// Calls a method that takes a stream and gives one value, as generated clients do.
    pub fn request_stream<'a, A, T, E>(
        &'a self,
        endpoint: &'a str,
        format: Format<A, T, E>,
        values: impl IntoValues<A>,
    ) -> StreamCall<'a, T, E>
    where
        A: 'static,
        T: 'static,
        E: 'static,
    {
        let values = encoded(values, format.request.encode);
        self.stream_call(
            endpoint,
            format,
            Ok(Outgoing::Stream(values)),
            read_value(format),
        )
    }

    /// Calls a method that gives a stream, as generated clients do.
    pub fn response_stream<'a, A, T, E>(
        &'a self,
        endpoint: &'a str,
        format: Format<A, T, E>,
        arguments: &A,
    ) -> StreamCall<'a, Streaming<T>, E>
    where
        A: 'static,
        T: 'static,
        E: 'static,
    {
        let arguments = (format.request.encode)(arguments).map(Outgoing::Whole);
        self.stream_call(endpoint, format, arguments, read_stream(format))
    }

    /// Calls a method that takes a stream and gives one, as generated clients do.
    pub fn both_streams<'a, A, T, E>(
        &'a self,
        endpoint: &'a str,
        format: Format<A, T, E>,
        values: impl IntoValues<A>,
    ) -> StreamCall<'a, Streaming<T>, E>
    where
        A: 'static,
        T: 'static,
        E: 'static,
    {
        let values = encoded(values, format.request.encode);
        self.stream_call(
            endpoint,
            format,
            Ok(Outgoing::Stream(values)),
            read_stream(format),
        )
    }

    fn stream_call<'a, A, T, E, R>(
        &'a self,
        endpoint: &'a str,
        format: Format<A, T, E>,
        request: Result<Outgoing, SchemeError>,
        read: Read<R, E>,
    ) -> StreamCall<'a, R, E> {
        StreamCall {
            call: self.begin(endpoint),
            scheme: format.scheme,
            request,
            read,
        }
    }
}

fn read_value<A: 'static, T: 'static, E: 'static>(format: Format<A, T, E>) -> Read<T, E> {
    Box::new(move |answer| {
        Box::pin(async move {
            let (mut args, headers, _request) = read_head(format, answer).await?;
            let value = (format.response.decode)(&collect(&mut args).await?);
            Ok((value.map_err(MethodError::Malformed)?, headers))
        })
    })
}

fn read_stream<A: 'static, T: 'static, E: 'static>(
    format: Format<A, T, E>,
) -> Read<Streaming<T>, E> {
    Box::new(move |answer| {
        Box::pin(async move {
            let (args, headers, request) = read_head(format, answer).await?;
            let end = End::Client(request);
            let values = Streaming::new(args, end, format.scheme.name, format.response.decode);
            Ok((values, headers))
        })
    })
}

/// Reads as far as arg3, or what the method threw.
async fn read_head<A, T, E>(
    format: Format<A, T, E>,
    answer: Answer,
) -> Result<(ArgReader, Headers, Option<Sending>), MethodError<E>> {
    let StreamResponse { code, mut args, .. } = answer.response;
    let arg2 = args.arg2(HEADER_BYTES_MAX).await?;
    let headers = format
        .scheme
        .decode_headers(&arg2)
        .map_err(MethodError::Malformed)?;
    if !code.is_ok() {
        let thrown = (format.decode_thrown)(&collect(&mut args).await?)?;
        return Err(MethodError::Exception(thrown));
    }
    Ok((args, headers, answer.request))
}

async fn collect(args: &mut ArgReader) -> Result<Bytes, CallError> {
    let limit = args.conn().limits().message_max;
    args.collect(limit).await
}
