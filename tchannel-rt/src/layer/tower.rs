//! Layers and services of `tower` at the edge: around handlers, around calls, and a channel as a service.
//!
//! A tower layer stands wherever one of ours does, through [`around_handlers`] or [`around_calls`]. Its own errors,
//! such as that its time is up, become `unexpected error` unless `on_error` says better:
//!
//! ```
//! use std::time::Duration;
//! use tchannel_rt::layer::tower::{around_handlers, BoxError};
//! use tchannel_rt::{Channel, ErrorCode, HandlerError};
//! use tower::{ServiceBuilder, timeout::error::Elapsed};
//!
//! let layers = ServiceBuilder::new().concurrency_limit(10).timeout(Duration::from_millis(50));
//! let channel = Channel::new("greeter");
//! channel.layer(around_handlers(layers).on_error(|error: BoxError| {
//!     let code = if error.is::<Elapsed>() { ErrorCode::Timeout } else { ErrorCode::UnexpectedError };
//!     HandlerError::new(code, error.to_string())
//! }));
//! ```
//!
//! [`Channel`] is itself a `tower_service::Service` of [`Outbound`] calls.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use tchannel_proto::ErrorCode;
use tower_layer::Layer;
use tower_service::Service;

use super::{Answer, CallLayer, Handled, HandlerLayer, Inbound, NextCall, NextHandler, Outbound};
use crate::call::Response;
use crate::channel::Channel;
use crate::error::CallError;
use crate::handler::HandlerError;

/// What tower's own services fail with.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Puts a tower layer around handlers, whole calls and streams alike. All of them share one service, so that a
/// limit is one for all; it is cloned for each call.
pub fn around_handlers<L>(layer: L) -> AroundHandlers<L::Service>
where
    L: Layer<HandlerService>,
{
    AroundHandlers {
        service: Mutex::new(layer.layer(HandlerService)),
        on_error: |error| HandlerError::unexpected(error.to_string()),
    }
}

/// Puts a tower layer around calls, whole ones and the beginnings of streams. All of them share one service,
/// which is cloned for each call.
pub fn around_calls<L>(layer: L) -> AroundCalls<L::Service>
where
    L: Layer<CallService>,
{
    AroundCalls {
        service: Mutex::new(layer.layer(CallService)),
        on_error: |error| CallError::unanswered(ErrorCode::UnexpectedError, error.to_string()),
    }
}

/// What tower's layers are put around: the layers further in, and the handler.
#[derive(Clone, Copy, Debug)]
pub struct HandlerService;

/// What tower's layers are put around: the layers further in, and the call itself.
#[derive(Clone, Copy, Debug)]
pub struct CallService;

/// A call on its way to its handler through tower.
#[derive(Debug)]
pub struct HandlerRequest {
    /// The call.
    pub call: Inbound,
    next: NextHandler,
}

/// A call about to be made through tower. Each clone can be made, so it can be tried again.
#[derive(Clone, Debug)]
pub struct CallRequest {
    /// The call.
    pub call: Outbound,
    next: NextCall,
}

impl Service<HandlerRequest> for HandlerService {
    type Response = Handled;
    type Error = HandlerError;
    type Future = BoxFuture<'static, Result<Handled, HandlerError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), HandlerError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HandlerRequest) -> Self::Future {
        Box::pin(request.next.run(request.call))
    }
}

impl Service<CallRequest> for CallService {
    type Response = Answer;
    type Error = CallError;
    type Future = BoxFuture<'static, Result<Answer, CallError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: CallRequest) -> Self::Future {
        Box::pin(request.next.run(request.call))
    }
}

impl Service<Outbound> for Channel {
    type Response = Response;
    type Error = CallError;
    type Future = BoxFuture<'static, Result<Response, CallError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, call: Outbound) -> Self::Future {
        let channel = self.clone();
        Box::pin(async move { channel.make(call).await })
    }
}

/// A tower service that is a layer around handlers; see [`around_handlers`].
pub struct AroundHandlers<S> {
    service: Mutex<S>,
    on_error: fn(BoxError) -> HandlerError,
}

impl<S> AroundHandlers<S> {
    /// What to answer when tower's layers fail by themselves. Default: `unexpected error`.
    #[must_use]
    pub fn on_error(mut self, on_error: fn(BoxError) -> HandlerError) -> Self {
        self.on_error = on_error;
        self
    }
}

impl<S> HandlerLayer for AroundHandlers<S>
where
    S: Service<HandlerRequest, Response = Handled, Error: Into<BoxError>, Future: Send>,
    S: Clone + Send + 'static,
{
    async fn handle(&self, call: Inbound, next: NextHandler) -> Result<Handled, HandlerError> {
        let service = clone(&self.service);
        let outcome = oneshot(service, HandlerRequest { call, next }).await;
        outcome.map_err(|error| match error.downcast::<Failure>() {
            Ok(failure) => failure.0,
            Err(own) => (self.on_error)(own),
        })
    }
}

/// A tower service that is a layer around calls; see [`around_calls`].
pub struct AroundCalls<S> {
    service: Mutex<S>,
    on_error: fn(BoxError) -> CallError,
}

impl<S> AroundCalls<S> {
    /// What a call fails with when tower's layers fail by themselves; [`CallError::unsent`] says that it is safe
    /// to try again. Default: `unexpected error` of a call that may have run.
    #[must_use]
    pub fn on_error(mut self, on_error: fn(BoxError) -> CallError) -> Self {
        self.on_error = on_error;
        self
    }
}

impl<S> CallLayer for AroundCalls<S>
where
    S: Service<CallRequest, Response = Answer, Error: Into<BoxError>, Future: Send>,
    S: Clone + Send + 'static,
{
    async fn call(&self, call: Outbound, next: NextCall) -> Result<Answer, CallError> {
        let service = clone(&self.service);
        let outcome = oneshot(service, CallRequest { call, next }).await;
        outcome.map_err(|error| match error.downcast::<CallError>() {
            Ok(error) => *error,
            Err(own) => (self.on_error)(own),
        })
    }
}

fn clone<S: Clone>(service: &Mutex<S>) -> S {
    service
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

async fn oneshot<S, Q>(mut service: S, request: Q) -> Result<S::Response, BoxError>
where
    S: Service<Q, Error: Into<BoxError>>,
{
    let ready = std::future::poll_fn(|cx| service.poll_ready(cx)).await;
    ready.map_err(Into::into)?;
    service.call(request).await.map_err(Into::into)
}

/// A handler's error on its way through tower, which wants all errors to be of the standard kind.
#[derive(Debug)]
struct Failure(HandlerError);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (code, message) = self.0.wire();
        write!(f, "{code}: {message}")
    }
}

impl std::error::Error for Failure {}

impl From<HandlerError> for BoxError {
    fn from(error: HandlerError) -> Self {
        Box::new(Failure(error))
    }
}

impl<S> fmt::Debug for AroundHandlers<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AroundHandlers").finish_non_exhaustive()
    }
}

impl<S> fmt::Debug for AroundCalls<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AroundCalls").finish_non_exhaustive()
    }
}
