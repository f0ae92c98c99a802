//! A service name and the handlers behind it.

use std::future::{Future, ready};
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::Either;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tchannel_proto::header_key;

use crate::call::StreamRequest;
use crate::context::CallContext;
use crate::dispatch::Dispatch;
use crate::handler::{Endpoint, HandlerError, HandlerResult, Reply, Request};
use crate::layer::{HandlerLayer, share};
use crate::scheme::{Headers, SchemeError, http, json, msgpack, thrift};
use crate::typed::Published;

/// Registers handlers under one service name. See [`Channel::service`](crate::Channel::service).
///
/// Handlers may be added while the channel serves; one that is added again replaces the first.
#[derive(Clone)]
pub struct Service {
    dispatch: Arc<Dispatch>,
    name: String,
}

/// A request whose args have been decoded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Incoming<T> {
    /// The body.
    pub body: T,
    /// Application headers.
    pub headers: Headers,
    /// Deadline, trace and caller.
    pub context: CallContext,
}

impl Service {
    pub(crate) fn new(dispatch: Arc<Dispatch>, name: &str) -> Self {
        Self {
            dispatch,
            name: name.to_owned(),
        }
    }

    /// The same channel's service of another name.
    pub(crate) fn named(&self, name: &str) -> Self {
        Self::new(self.dispatch.clone(), name)
    }

    /// A handler that gets and gives args as they are.
    pub fn raw<F, Fut>(&self, method: &str, handler: F) -> &Self
    where
        F: Fn(Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = HandlerResult> + Send + 'static,
    {
        self.register(Some(method), Endpoint::unary(handler))
    }

    /// A handler for all methods that have none of their own.
    pub fn catch_all<F, Fut>(&self, handler: F) -> &Self
    where
        F: Fn(Request) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = HandlerResult> + Send + 'static,
    {
        self.register(None, Endpoint::unary(handler))
    }

    /// A handler whose args arrive and leave as streams.
    pub fn stream<F, Fut>(&self, method: &str, handler: F) -> &Self
    where
        F: Fn(StreamRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), HandlerError>> + Send + 'static,
    {
        self.register(Some(method), Endpoint::stream(handler))
    }

    /// A handler from a JSON body to a JSON body. Source: spec/schemes/json.md, "args".
    pub fn json<T, R, F, Fut>(&self, method: &str, handler: F) -> &Self
    where
        T: DeserializeOwned + Send + 'static,
        R: Serialize + Send + 'static,
        F: Fn(Incoming<T>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, HandlerError>> + Send + 'static,
    {
        self.typed(method, "json", handler, json_args, |value| {
            Ok(Reply::ok(
                json::encode_headers(&Headers::default()),
                json::encode(value)?,
            ))
        })
    }

    /// A handler from a MessagePack body to a MessagePack body, fields by name.
    /// Source: spec/schemes/msgpack.md, "args".
    pub fn msgpack<T, R, F, Fut>(&self, method: &str, handler: F) -> &Self
    where
        T: DeserializeOwned + Send + 'static,
        R: Serialize + Send + 'static,
        F: Fn(Incoming<T>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, HandlerError>> + Send + 'static,
    {
        self.typed(method, "msgpack", handler, msgpack_args, |value| {
            Ok(Reply::ok(
                msgpack::encode_headers(&Headers::default()),
                msgpack::encode(value)?,
            ))
        })
    }

    /// A handler from a Thrift argument struct to a result struct, both encoded; `method` is
    /// `Service::method`. `Ok(Ok(_))` is the success result, `Ok(Err(_))` one that holds an exception.
    /// Source: spec/schemes/thrift.md, "args".
    pub fn thrift<F, Fut>(&self, method: &str, handler: F) -> &Self
    where
        F: Fn(Incoming<Bytes>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Result<Bytes, Bytes>, HandlerError>> + Send + 'static,
    {
        self.typed(method, "thrift", handler, thrift_args, |result| {
            let arg2 = thrift::encode_headers(&Headers::default())?;
            Ok(match result {
                Ok(success) => Reply::ok(arg2, success.clone()),
                Err(exception) => Reply::application_error(arg2, exception.clone()),
            })
        })
    }

    /// A handler for HTTP carried over TChannel, whatever arg1 says; the body is arg3.
    /// Source: spec/schemes/http.md, "args".
    pub fn http<F, Fut>(&self, handler: F) -> &Self
    where
        F: Fn(http::Request, Bytes) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(http::Response, Bytes), HandlerError>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        self.catch_all(move |request| {
            let handler = handler.clone();
            async move {
                check_scheme(request.context(), "http")?;
                let head = http::Request::decode(&request.arg2).map_err(bad_request)?;
                let (head, body) = handler(head, request.arg3).await?;
                Ok(Reply::ok(
                    head.encode(http::VarintOrder::Node).map_err(bad_answer)?,
                    body,
                ))
            }
        })
    }

    /// Puts a layer around all handlers of this service, those that are still to come included, inside the layers
    /// that are there. See [`layer`](crate::layer).
    pub fn layer(&self, layer: impl HandlerLayer) -> &Self {
        self.dispatch.handlers.layer(&self.name, share(layer));
        self
    }

    fn typed<T, R, F, Fut>(
        &self,
        method: &str,
        scheme: &'static str,
        handler: F,
        decode: fn(&Request) -> Result<(Headers, T), SchemeError>,
        encode: fn(&R) -> Result<Reply, SchemeError>,
    ) -> &Self
    where
        T: Send + 'static,
        R: Send + 'static,
        F: Fn(Incoming<T>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, HandlerError>> + Send + 'static,
    {
        // What comes is read before there is a future, which then need not hold it; and futures are mapped, since
        // an async block would hold each twice.
        self.raw(method, move |request| {
            let read = check_scheme(request.context(), scheme)
                .and_then(|()| decode(&request).map_err(bad_request));
            match read {
                Ok((headers, body)) => {
                    let answer = handler(Incoming {
                        body,
                        headers,
                        context: request.context,
                    });
                    Either::Left(answer.map(move |answer| encode(&answer?).map_err(bad_answer)))
                }
                Err(error) => Either::Right(ready(Err(error))),
            }
        })
    }

    /// What is told of the typed services under this name.
    pub(crate) fn published(&self) -> Published {
        self.dispatch.handlers.published(&self.name)
    }

    pub(crate) fn register(&self, method: Option<&str>, endpoint: Arc<Endpoint>) -> &Self {
        self.dispatch
            .handlers
            .register(&self.name, method, endpoint);
        self
    }
}

fn json_args<T: DeserializeOwned>(request: &Request) -> Result<(Headers, T), SchemeError> {
    Ok((
        json::decode_headers(&request.arg2)?,
        json::decode(&request.arg3)?,
    ))
}

fn msgpack_args<T: DeserializeOwned>(request: &Request) -> Result<(Headers, T), SchemeError> {
    Ok((
        msgpack::decode_headers(&request.arg2)?,
        msgpack::decode(&request.arg3)?,
    ))
}

fn thrift_args(request: &Request) -> Result<(Headers, Bytes), SchemeError> {
    Ok((thrift::decode_headers(&request.arg2)?, request.arg3.clone()))
}

pub(crate) fn check_scheme(context: &CallContext, expected: &str) -> Result<(), HandlerError> {
    let scheme = context.head.headers().get_bytes(header_key::ARG_SCHEME);
    if scheme == Some(expected.as_bytes()) {
        return Ok(());
    }
    let (service, endpoint) = (context.service(), context.endpoint());
    let scheme = context.arg_scheme();
    let text =
        format!("{service}::{endpoint} takes arg scheme {expected}, the call has {scheme:?}");
    Err(HandlerError::bad_request(text))
}

pub(crate) fn bad_request(error: SchemeError) -> HandlerError {
    HandlerError::bad_request(error.to_string())
}

pub(crate) fn bad_answer(error: SchemeError) -> HandlerError {
    HandlerError::unexpected(format!("the answer can not be encoded: {error}"))
}

impl std::fmt::Debug for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}
