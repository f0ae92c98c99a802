//! Layers around handlers.

use std::future::Future;
use std::sync::Arc;

use futures::future::BoxFuture;
use tchannel_proto::TransportHeaders;

use crate::call::StreamRequest;
use crate::context::CallContext;
use crate::handler::{Endpoint, HandlerError, Reply, Request};

/// What is done around handlers: look at the call, refuse or change it, let it go on, look at the outcome.
///
/// Any `async |call: Inbound, next: NextHandler|` is one. It runs within the call's context and span, and a
/// panic in it is answered as one in the handler.
pub trait HandlerLayer: Send + Sync + 'static {
    /// Answers the call, as a rule through [`NextHandler::run`].
    ///
    /// # Errors
    ///
    /// [`HandlerError`], which becomes an error frame.
    fn handle(
        &self,
        call: Inbound,
        next: NextHandler,
    ) -> impl Future<Output = Result<Handled, HandlerError>> + Send;
}

impl<F, Fut> HandlerLayer for F
where
    F: Fn(Inbound, NextHandler) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Handled, HandlerError>> + Send,
{
    fn handle(
        &self,
        call: Inbound,
        next: NextHandler,
    ) -> impl Future<Output = Result<Handled, HandlerError>> + Send {
        self(call, next)
    }
}

/// A call on its way to its handler.
#[derive(Debug)]
pub enum Inbound {
    /// With all its args.
    Whole(Request),
    /// Its args still arrive: this is its head.
    Stream(StreamRequest),
}

/// What a handler has done.
#[derive(Debug)]
pub enum Handled {
    /// This is the answer. It may be given for a stream too, as long as that has not been answered.
    Reply(Reply),
    /// The answer was streamed.
    Streamed,
}

impl Inbound {
    /// The service that was called.
    pub fn service(&self) -> &str {
        self.context().service()
    }

    /// The method: arg1.
    pub fn endpoint(&self) -> &str {
        self.context().endpoint()
    }

    /// Transport headers. Source: spec/protocol/headers.md, "transport headers".
    pub fn headers(&self) -> &TransportHeaders {
        self.context().head.headers()
    }

    /// The arg scheme, empty when the caller did not say.
    pub fn arg_scheme(&self) -> &str {
        self.context().arg_scheme()
    }

    /// Deadline, trace and caller.
    pub fn context(&self) -> &CallContext {
        match self {
            Self::Whole(request) => &request.context,
            Self::Stream(request) => &request.context,
        }
    }

    pub(super) fn set_context(&mut self, context: CallContext) {
        match self {
            Self::Whole(request) => request.context = context,
            Self::Stream(request) => request.context = context,
        }
    }
}

/// What a layer is around: the layers further in, and the handler.
#[derive(Clone)]
pub struct NextHandler {
    layers: Arc<[SharedLayer]>,
    passed: usize,
    handler: Arc<Endpoint>,
}

impl NextHandler {
    /// Lets the call go on, and gives its outcome.
    ///
    /// # Errors
    ///
    /// What the handler or a layer further in has failed with.
    pub async fn run(mut self, call: Inbound) -> Result<Handled, HandlerError> {
        if let Some(layer) = self.layers.get(self.passed).cloned() {
            self.passed += 1;
            return layer.handle(call, self).await;
        }
        match (&*self.handler, call) {
            (Endpoint::Unary(handler), Inbound::Whole(request)) => {
                handler.start(request).await.map(Handled::Reply)
            }
            (Endpoint::Stream(handler), Inbound::Stream(request)) => {
                let reply = handler.start(request).await?;
                Ok(reply.map_or(Handled::Streamed, Handled::Reply))
            }
            _ => Err(HandlerError::unexpected(
                "a layer has passed on a call of another kind than it got",
            )),
        }
    }
}

impl std::fmt::Debug for NextHandler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NextHandler")
            .field("layers", &(self.layers.len() - self.passed))
            .finish_non_exhaustive()
    }
}

/// A layer by itself, whatever its type.
pub(crate) type SharedLayer = Arc<dyn AnyLayer>;

pub(crate) fn share(layer: impl HandlerLayer) -> SharedLayer {
    Arc::new(layer)
}

pub(crate) trait AnyLayer: Send + Sync {
    fn handle(
        &self,
        call: Inbound,
        next: NextHandler,
    ) -> BoxFuture<'_, Result<Handled, HandlerError>>;
}

impl<L: HandlerLayer> AnyLayer for L {
    fn handle(
        &self,
        call: Inbound,
        next: NextHandler,
    ) -> BoxFuture<'_, Result<Handled, HandlerError>> {
        Box::pin(HandlerLayer::handle(self, call, next))
    }
}

/// `handler` inside `layers`, the first of which is outermost.
pub(crate) fn layered(
    layers: impl IntoIterator<Item = SharedLayer>,
    handler: &Arc<Endpoint>,
) -> Arc<Endpoint> {
    let layers: Arc<[SharedLayer]> = layers.into_iter().collect();
    if layers.is_empty() {
        return handler.clone();
    }
    let next = NextHandler {
        layers,
        passed: 0,
        handler: handler.clone(),
    };
    match &**handler {
        Endpoint::Unary(_) => Endpoint::unary(move |request| {
            let next = next.clone();
            async move {
                match next.run(Inbound::Whole(request)).await? {
                    Handled::Reply(reply) => Ok(reply),
                    Handled::Streamed => Err(HandlerError::unexpected(
                        "a layer says that it has streamed an answer that is whole",
                    )),
                }
            }
        }),
        Endpoint::Stream(_) => Endpoint::stream_or_reply(move |request| {
            let next = next.clone();
            async move {
                match next.run(Inbound::Stream(request)).await? {
                    Handled::Reply(reply) => Ok(Some(reply)),
                    Handled::Streamed => Ok(None),
                }
            }
        }),
    }
}
