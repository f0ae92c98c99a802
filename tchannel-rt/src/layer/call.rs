//! Layers around calls.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use serde::Serialize;
use tchannel_proto::{Body, ErrorCode};

use crate::call::{Begun, Call, Response, Sending, Told, split_target};
use crate::channel::Channel;
use crate::error::CallError;
use crate::retry::Retry;
use crate::scheme::{Headers, SchemeError, json, msgpack, thrift};

/// What is done around calls: look at one, refuse, change or answer it, let it go on, look at the outcome.
///
/// Any `async |call: Outbound, next: NextCall|` is one. It is around all attempts of the call, and around the
/// beginning of a stream.
pub trait CallLayer: Send + Sync + 'static {
    /// Makes the call, as a rule through [`NextCall::run`].
    ///
    /// # Errors
    ///
    /// [`CallError`], such as [`CallError::unsent`].
    fn call(
        &self,
        call: Outbound,
        next: NextCall,
    ) -> impl Future<Output = Result<Answer, CallError>> + Send;
}

impl<F, Fut> CallLayer for F
where
    F: Fn(Outbound, NextCall) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Answer, CallError>> + Send,
{
    fn call(
        &self,
        call: Outbound,
        next: NextCall,
    ) -> impl Future<Output = Result<Answer, CallError>> + Send {
        self(call, next)
    }
}

/// A call about to be made, with its args; what may be changed is there to be set.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outbound {
    /// Whom to call.
    pub service: String,
    /// The method: arg1.
    pub endpoint: String,
    /// How long to wait, all attempts together. `None`: as [`Call::ttl`] says.
    pub ttl: Option<Duration>,
    /// When and how often to try again.
    pub retry: Retry,
    /// Application headers, encoded as the arg scheme says.
    pub arg2: Bytes,
    /// The body, encoded as the arg scheme says; of a stream, what is at hand of it.
    pub arg3: Bytes,
    pub(crate) told: Told,
    stream: Option<StreamShape>,
}

/// Where the args of a stream stand.
#[derive(Clone, Copy, Debug)]
struct StreamShape {
    arg2_end: bool,
    end: bool,
}

impl Outbound {
    /// A call to `service::method` with args as they are, for [`Channel::make`].
    pub fn raw(target: &str, arg2: impl Into<Bytes>, arg3: impl Into<Bytes>) -> Self {
        Self::with_scheme("raw", target, arg2.into(), arg3.into())
    }

    /// A call to `service::method` with a JSON body, for [`Channel::make`].
    ///
    /// # Errors
    ///
    /// [`SchemeError`] when the body can not be encoded.
    pub fn json<T: Serialize + ?Sized>(target: &str, body: &T) -> Result<Self, SchemeError> {
        let arg2 = json::encode_headers(&Headers::default());
        Ok(Self::with_scheme("json", target, arg2, json::encode(body)?))
    }

    /// A call to `service::method` with a MessagePack body, for [`Channel::make`].
    ///
    /// # Errors
    ///
    /// [`SchemeError`] when the body can not be encoded.
    pub fn msgpack<T: Serialize + ?Sized>(target: &str, body: &T) -> Result<Self, SchemeError> {
        let arg2 = msgpack::encode_headers(&Headers::default());
        let arg3 = msgpack::encode(body)?;
        Ok(Self::with_scheme("msgpack", target, arg2, arg3))
    }

    fn with_scheme(scheme: &str, target: &str, arg2: Bytes, arg3: Bytes) -> Self {
        let (service, endpoint) = split_target(target);
        Self {
            service: service.to_owned(),
            endpoint: endpoint.to_owned(),
            ttl: None,
            retry: Retry::default(),
            arg2,
            arg3,
            told: Told::nothing_but(scheme),
            stream: None,
        }
    }

    pub(crate) fn new(call: &Call<'_>, body: Body, is_stream: bool) -> Self {
        let Body {
            arg2,
            arg2_end,
            arg3,
            end,
        } = body;
        Self {
            service: call.service().to_owned(),
            endpoint: call.endpoint().to_owned(),
            ttl: call.given_ttl(),
            retry: call.given_retry(),
            arg2,
            arg3,
            told: call.told(),
            stream: is_stream.then_some(StreamShape { arg2_end, end }),
        }
    }

    /// Whether more args follow, and the answer comes as a stream too.
    pub fn is_stream(&self) -> bool {
        self.stream.is_some()
    }

    /// How the args are encoded.
    pub fn arg_scheme(&self) -> &str {
        &self.told.arg_scheme
    }

    /// Calls this host:port instead of one chosen by service name.
    pub fn peer(&mut self, host_port: impl Into<String>) {
        self.told.peer = Some(host_port.into());
    }

    /// Adds a transport header; see [`Call::transport_header`].
    pub fn transport_header(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.told.other_headers.push((key.into(), value.into()));
    }

    /// The application headers of a json, msgpack or thrift call; those of a raw one are unknown, and none.
    ///
    /// # Errors
    ///
    /// [`SchemeError`] when arg2 can not be read.
    pub fn application_headers(&self) -> Result<Headers, SchemeError> {
        match self.arg_scheme() {
            _ if self.arg2.is_empty() => Ok(Headers::default()),
            "json" => json::decode_headers(&self.arg2),
            "msgpack" => msgpack::decode_headers(&self.arg2),
            "thrift" | "sthrift" => thrift::decode_headers(&self.arg2),
            _ => Ok(Headers::default()),
        }
    }

    /// Sets an application header of a json, msgpack or thrift call; others have none, and stay as they are.
    ///
    /// # Errors
    ///
    /// [`SchemeError`] when arg2 can not be read, or does not take it.
    pub fn header(
        &mut self,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Result<(), SchemeError> {
        let mut headers = self.application_headers()?;
        headers.insert(name, value);
        match self.arg_scheme() {
            "json" => self.arg2 = json::encode_headers(&headers),
            "msgpack" => self.arg2 = msgpack::encode_headers(&headers),
            "thrift" | "sthrift" => self.arg2 = thrift::encode_headers(&headers)?,
            _ => {}
        }
        Ok(())
    }

    pub(crate) async fn make(self, channel: Channel) -> Result<Answer, CallError> {
        let mut call = Call::new(channel, &self.service, &self.endpoint);
        call = call.retell(&self.told).retry(self.retry);
        if let Some(ttl) = self.ttl {
            call = call.ttl(ttl);
        }
        match self.stream {
            None => {
                let body = Body::whole(self.arg2, self.arg3);
                Sending::alone(call, body).await.map(Answer::Whole)
            }
            Some(StreamShape { arg2_end, end }) => {
                let mut rest = Body {
                    arg2: self.arg2,
                    arg2_end,
                    arg3: self.arg3,
                    end,
                };
                let begun = call.begin_alone(&mut rest).await?;
                Ok(Answer::Stream(OpenStream { begun, rest }))
            }
        }
    }
}

/// What a call has come to, short of an error.
#[derive(Debug)]
pub enum Answer {
    /// A whole answer, be it content or an error of the application's own.
    Whole(Response),
    /// A stream has begun.
    Stream(OpenStream),
}

/// A stream that has begun; only who has called can read and write it.
pub struct OpenStream {
    begun: Begun,
    rest: Body,
}

impl std::fmt::Debug for OpenStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenStream").finish_non_exhaustive()
    }
}

impl Answer {
    pub(crate) fn whole(self) -> Result<Response, CallError> {
        match self {
            Self::Whole(response) => Ok(response),
            Self::Stream(_) => Err(mixed_up("a stream", "a whole answer")),
        }
    }

    pub(crate) fn stream(self) -> Result<(Begun, Body), CallError> {
        match self {
            Self::Stream(OpenStream { begun, rest }) => Ok((begun, rest)),
            Self::Whole(_) => Err(mixed_up("a whole answer", "a stream")),
        }
    }
}

fn mixed_up(given: &str, expected: &str) -> CallError {
    let text = format!("a layer gave {given} where {expected} was expected");
    CallError::unanswered(ErrorCode::UnexpectedError, text)
}

/// What a layer is around: the layers further in, and the call itself.
#[derive(Clone)]
pub struct NextCall {
    channel: Channel,
    layers: CallLayers,
    passed: usize,
}

impl NextCall {
    pub(crate) fn new(channel: Channel, layers: CallLayers) -> Self {
        Self {
            channel,
            layers,
            passed: 0,
        }
    }

    /// Lets the call go on, and gives what it has come to.
    ///
    /// # Errors
    ///
    /// What the call or a layer further in has failed with.
    pub async fn run(mut self, call: Outbound) -> Result<Answer, CallError> {
        match self.layers.get(self.passed).cloned() {
            Some(layer) => {
                self.passed += 1;
                layer.call(call, self).await
            }
            None => call.make(self.channel).await,
        }
    }
}

impl std::fmt::Debug for NextCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NextCall")
            .field("layers", &(self.layers.len() - self.passed))
            .finish_non_exhaustive()
    }
}

/// The layers of a channel. Most have none, and ask no lock for that.
#[derive(Default)]
pub(crate) struct ChannelLayers {
    are_there: AtomicBool,
    layers: RwLock<Option<CallLayers>>,
}

impl ChannelLayers {
    pub(crate) fn get(&self) -> Option<CallLayers> {
        if !self.are_there.load(Ordering::Acquire) {
            return None;
        }
        let layers = self.layers.read().unwrap_or_else(PoisonError::into_inner);
        layers.clone()
    }

    pub(crate) fn add(&self, layer: impl CallLayer) {
        let mut layers = self.layers.write().unwrap_or_else(PoisonError::into_inner);
        *layers = Some(extend(layers.as_ref(), layer));
        self.are_there.store(true, Ordering::Release);
    }
}

/// Layers around calls, outermost first.
pub(crate) type CallLayers = Arc<[Arc<dyn AnyCallLayer>]>;

/// `layers` with one more, innermost.
pub(crate) fn extend(layers: Option<&CallLayers>, layer: impl CallLayer) -> CallLayers {
    let before = layers.map_or(&[][..], |layers| layers);
    let layer: Arc<dyn AnyCallLayer> = Arc::new(layer);
    before.iter().cloned().chain([layer]).collect()
}

pub(crate) trait AnyCallLayer: Send + Sync {
    fn call(&self, call: Outbound, next: NextCall) -> BoxFuture<'_, Result<Answer, CallError>>;
}

impl std::fmt::Debug for dyn AnyCallLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CallLayer")
    }
}

impl<L: CallLayer> AnyCallLayer for L {
    fn call(&self, call: Outbound, next: NextCall) -> BoxFuture<'_, Result<Answer, CallError>> {
        Box::pin(CallLayer::call(self, call, next))
    }
}
