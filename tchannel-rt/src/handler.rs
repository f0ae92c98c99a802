//! Handlers: what a service does when it is called.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures::{FutureExt, TryFutureExt};
use tchannel_proto::{ErrorCode, PeerInfo, ResponseCode, TransportHeaders};
use tracing::Instrument;

use crate::call::{Cancellation, StreamRequest};
use crate::context::CallContext;
use crate::error::CallError;
use crate::scheme::{ErrorBody, Headers, json, msgpack};

/// One whole request, as a unary handler gets it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    pub(crate) context: CallContext,
    /// Application headers, encoded as the arg scheme says.
    pub arg2: Bytes,
    /// The body, encoded as the arg scheme says.
    pub arg3: Bytes,
    pub(crate) cancellation: Cancellation,
}

impl Request {
    /// The service that was called.
    pub fn service(&self) -> &str {
        self.context.service()
    }

    /// The method: arg1.
    pub fn endpoint(&self) -> &str {
        self.context.endpoint()
    }

    /// Transport headers. Source: spec/protocol/headers.md, "transport headers".
    pub fn headers(&self) -> &TransportHeaders {
        self.context.head.headers()
    }

    /// The arg scheme, empty when the caller did not say.
    pub fn arg_scheme(&self) -> &str {
        self.context.arg_scheme()
    }

    /// Deadline, trace and caller.
    pub fn context(&self) -> &CallContext {
        &self.context
    }

    /// Who sent it over this connection: the caller itself, or the last router on the way.
    pub fn remote(&self) -> Remote {
        self.cancellation.remote()
    }

    /// Completes when the caller has cancelled, is gone, or waits no longer. A handler is dropped then
    /// anyway; this is for work it has handed to others.
    pub fn cancellation(&self) -> tokio_util::sync::CancellationToken {
        self.cancellation.token()
    }
}

/// The other end of a connection.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Remote {
    /// The address of its socket; `None` when it is in this process and needs none.
    pub addr: Option<std::net::SocketAddr>,
    /// What it said of itself in the handshake; its `host_port` is where it can be called.
    pub peer: PeerInfo,
    /// Whether this end has dialled.
    pub is_outbound: bool,
}

/// What a unary handler answers. The default is an answer without args.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reply {
    /// Whether the application was content.
    pub ok: bool,
    /// Application headers, encoded as the arg scheme says.
    pub arg2: Bytes,
    /// The body, encoded as the arg scheme says.
    pub arg3: Bytes,
}

impl Default for Reply {
    fn default() -> Self {
        Self::ok(Bytes::new(), Bytes::new())
    }
}

impl Reply {
    /// An answer.
    pub fn ok(arg2: impl Into<Bytes>, arg3: impl Into<Bytes>) -> Self {
        Self {
            ok: true,
            arg2: arg2.into(),
            arg3: arg3.into(),
        }
    }

    /// An answer that is an error of the application's own.
    pub fn application_error(arg2: impl Into<Bytes>, arg3: impl Into<Bytes>) -> Self {
        Self {
            ok: false,
            arg2: arg2.into(),
            arg3: arg3.into(),
        }
    }

    pub(crate) fn code(&self) -> ResponseCode {
        if self.ok {
            ResponseCode::OK
        } else {
            ResponseCode::APPLICATION_ERROR
        }
    }
}

/// Why a handler has no answer: it becomes an error frame.
///
/// Any `std::error::Error` becomes `unexpected error` through `?`.
/// Source: spec/protocol/errors.md, "codes".
#[derive(Clone, Debug)]
pub struct HandlerError {
    pub(crate) kind: HandlerErrorKind,
    pub(crate) message: String,
}

#[derive(Clone, Debug)]
pub(crate) enum HandlerErrorKind {
    System(ErrorCode),
    /// An application error for the schemes that have a form for it: its type.
    Application(String),
}

impl HandlerError {
    /// An error frame with `code`.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            kind: HandlerErrorKind::System(code),
            message: message.into(),
        }
    }

    /// Overloaded, not started; the caller may try another instance.
    pub fn busy(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Busy, message)
    }

    /// Refused, not started; the caller may try another instance.
    pub fn declined(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Declined, message)
    }

    /// The request can never succeed.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::BadRequest, message)
    }

    /// Failed half-way.
    pub fn unexpected(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::UnexpectedError, message)
    }

    /// An application error `{type, message}`: response code 1 in json and msgpack, `unexpected error` in
    /// schemes that have no such form. Source: spec/schemes/json.md, "args".
    pub fn application(error_type: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind: HandlerErrorKind::Application(error_type.into()),
            message: message.into(),
        }
    }

    pub(crate) fn wire(&self) -> (ErrorCode, &str) {
        match &self.kind {
            // Sent for one call, a fatal error would cost Go callers the connection and all calls on it.
            HandlerErrorKind::System(ErrorCode::FatalProtocolError) => {
                (ErrorCode::UnexpectedError, &self.message)
            }
            HandlerErrorKind::System(code) => (*code, &self.message),
            HandlerErrorKind::Application(_) => (ErrorCode::UnexpectedError, &self.message),
        }
    }
}

impl<E: std::error::Error + 'static> From<E> for HandlerError {
    fn from(error: E) -> Self {
        let any: &dyn std::any::Any = &error;
        // The callee ran out of our own caller's time; anything else it said is not ours to repeat.
        let code = match any.downcast_ref::<CallError>() {
            Some(call) if call.code() == ErrorCode::Timeout => ErrorCode::Timeout,
            _ => ErrorCode::UnexpectedError,
        };
        Self::new(code, error.to_string())
    }
}

/// What a handler comes to.
pub type HandlerResult = Result<Reply, HandlerError>;

pub(crate) type HandlerFuture<A> = Pin<Box<dyn Future<Output = Result<A, HandlerError>> + Send>>;

/// One method of a service.
pub(crate) enum Endpoint {
    Unary(Handler<Request, Reply>),
    /// As a rule it answers by itself; a layer may have it give a whole answer.
    Stream(Handler<StreamRequest, Option<Reply>>),
}

/// From a request to an answer.
pub(crate) struct Handler<Q, A>(Box<dyn Fn(Q) -> HandlerFuture<A> + Send + Sync>);

impl<Q, A> Handler<Q, A> {
    pub(crate) fn start(&self, request: Q) -> HandlerFuture<A> {
        (self.0)(request)
    }
}

impl Endpoint {
    pub(crate) fn unary<F, Fut>(handler: F) -> Arc<Self>
    where
        F: Fn(Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = HandlerResult> + Send + 'static,
    {
        let start = move |request| -> HandlerFuture<Reply> { Box::pin(handler(request)) };
        Arc::new(Self::Unary(Handler(Box::new(start))))
    }

    pub(crate) fn stream<F, Fut>(handler: F) -> Arc<Self>
    where
        F: Fn(StreamRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        Self::stream_or_reply(move |request| handler(request).map_ok(|()| None))
    }

    pub(crate) fn stream_or_reply<F, Fut>(handler: F) -> Arc<Self>
    where
        F: Fn(StreamRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Option<Reply>, HandlerError>> + Send + 'static,
    {
        let start = move |request| -> HandlerFuture<Option<Reply>> { Box::pin(handler(request)) };
        Arc::new(Self::Stream(Handler(Box::new(start))))
    }

    pub(crate) fn is_streaming(&self) -> bool {
        matches!(self, Self::Stream(_))
    }
}

/// A handler's context and span, and what becomes of its panics: an error.
pub(crate) struct Guard {
    context: CallContext,
    span: tracing::Span,
}

impl Guard {
    pub(crate) fn new(context: CallContext) -> Self {
        let span = tracing::debug_span!(target: "tchannel_rt", "serve", service = context.service(), endpoint = context.endpoint(), caller = context.caller());
        Self { context, span }
    }

    /// Starts a handler, and gives its answer if it need not wait for it. If it must, it wants to be polled anew, which
    /// is when its wakers are set.
    ///
    /// Each step on which a request were moved would copy it, so it is made at the last one.
    pub(crate) fn begin<Q, A>(
        self,
        handler: &Handler<Q, A>,
        request: impl FnOnce() -> Q,
    ) -> Begun<A> {
        let Self { context, span } = self;
        let begin = || {
            let mut future = handler.start(request());
            match future
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
            {
                Poll::Ready(outcome) => Ok(outcome),
                Poll::Pending => Err(future),
            }
        };
        let mut waits_in = None;
        let begun = context.sync_scope(|| {
            let begun = catch_unwind(AssertUnwindSafe(|| span.in_scope(begin)))
                .unwrap_or_else(|panic| Ok(Err(panicked(&*panic))));
            if begun.is_err() {
                waits_in = CallContext::current();
            }
            begun
        });
        match begun {
            Ok(outcome) => Begun::Ended(outcome),
            Err(future) => {
                let context = waits_in.expect("it has begun in its context");
                Begun::Waits(Self { context, span }, future)
            }
        }
    }

    /// All of a handler.
    pub(crate) async fn run<A>(
        self,
        handler: impl Future<Output = Result<A, HandlerError>> + Send,
    ) -> Result<A, HandlerError> {
        let caught = AssertUnwindSafe(handler).catch_unwind();
        let in_context = self.context.scope(caught).instrument(self.span);
        let outcome = in_context.await;
        outcome.unwrap_or_else(|panic| Err(panicked(&*panic)))
    }
}

/// How far a handler has come at once.
pub(crate) enum Begun<A> {
    Ended(Result<A, HandlerError>),
    Waits(Guard, HandlerFuture<A>),
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> HandlerError {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = text.unwrap_or("?"), "a handler panicked");
    HandlerError::unexpected("the handler panicked")
}

/// An application error in schemes that have a form for it.
pub(crate) fn application_error_reply(
    scheme: &str,
    error_type: &str,
    message: &str,
) -> Option<Reply> {
    let body = ErrorBody {
        kind: error_type.to_owned(),
        message: message.to_owned(),
    };
    let headers = Headers::default();
    match scheme {
        "json" => Some(Reply::application_error(
            json::encode_headers(&headers),
            json::encode(&body).ok()?,
        )),
        "msgpack" => Some(Reply::application_error(
            msgpack::encode_headers(&headers),
            msgpack::encode(&body).ok()?,
        )),
        _ => None,
    }
}
