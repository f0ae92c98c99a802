//! A service made of typed methods, ready to be put under a name.

use std::future::{Future, ready};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::Either;

use super::{Exchange, Format, Interface, MethodError, meta};
use crate::handler::{Endpoint, HandlerError, HandlerResult, Reply, Request};
use crate::layer::{HandlerLayer, SharedLayer, layered, share};
use crate::scheme::Headers;
use crate::scheme::thrift::{Returned, Struct, Throws};
use crate::service::{Service, bad_answer, bad_request, check_scheme};

/// The methods of one interface and what answers them. [`Service::serve`] puts it under a name.
pub struct TypedService {
    name: &'static str,
    interface: Interface,
    endpoints: Vec<(String, Arc<Endpoint>)>,
    layers: Vec<SharedLayer>,
}

impl TypedService {
    /// Begins a service whose methods `it` answers, as generated code does. `name` is the one in the
    /// Thrift file, which arg1 begins with, or that of the trait, which it does not.
    #[expect(
        clippy::new_ret_no_self,
        reason = "a builder knows `it`, a service does not"
    )]
    pub fn new<I: Send + Sync + 'static>(
        name: &'static str,
        interface: impl Into<Interface>,
        it: I,
    ) -> ServiceBuilder<I> {
        ServiceBuilder {
            it: Arc::new(it),
            service: Self {
                name,
                interface: interface.into(),
                endpoints: Vec::new(),
                layers: Vec::new(),
            },
        }
    }
}

impl TypedService {
    /// Puts a layer around these methods, inside the layers of the service name and of the channel, and inside those
    /// that are there. See [`layer`](crate::layer).
    #[must_use]
    pub fn layer(mut self, layer: impl HandlerLayer) -> Self {
        self.layers.push(share(layer));
        self
    }
}

impl std::fmt::Debug for TypedService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.endpoints.iter().map(|(name, _)| name);
        f.debug_list().entries(names).finish()
    }
}

/// Puts methods together; see [`TypedService::new`].
#[derive(Debug)]
pub struct ServiceBuilder<I> {
    pub(super) it: Arc<I>,
    service: TypedService,
}

impl<I: Send + Sync + 'static> ServiceBuilder<I> {
    /// A method by its name in the Thrift file.
    #[must_use]
    pub fn method<A, T, E, F, Fut>(self, method: &str, handler: F) -> Self
    where
        A: Struct + Send + 'static,
        T: Returned + Send + 'static,
        E: Throws + Send + 'static,
        F: Fn(Arc<I>, A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, MethodError<E>>> + Send + 'static,
    {
        self.unary(method, Format::thrift(), handler)
    }

    /// A method that takes and gives one value each.
    #[must_use]
    pub fn unary<A, T, E, F, Fut>(
        mut self,
        method: &str,
        format: Format<A, T, E>,
        handler: F,
    ) -> Self
    where
        A: Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
        F: Fn(Arc<I>, A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, MethodError<E>>> + Send + 'static,
    {
        let it = self.it.clone();
        // What comes is read before there is a future, which then need not hold it; and futures are mapped, since
        // an async block would hold each twice.
        let endpoint = Endpoint::unary(move |request: Request| match read(&request, format) {
            Ok((headers, arguments)) => {
                let served = Exchange::serve(headers, handler(it.clone(), arguments));
                Either::Left(served.map(move |(result, headers)| answer(format, result, &headers)))
            }
            Err(error) => Either::Right(ready(Err(error))),
        });
        self.put(method, endpoint);
        self
    }

    pub(super) fn put(&mut self, method: &str, endpoint: Arc<Endpoint>) {
        let name = match self.service.interface {
            Interface::Thrift(_) => format!("{}::{method}", self.service.name),
            Interface::Trait(_) => method.to_owned(),
        };
        self.service.endpoints.push((name, endpoint));
    }

    /// The service as it can be served.
    #[must_use]
    pub fn finish(self) -> TypedService {
        self.service
    }
}

fn read<A, T, E>(request: &Request, format: Format<A, T, E>) -> Result<(Headers, A), HandlerError> {
    check_scheme(request.context(), format.scheme.name)?;
    let headers = format.scheme.decode_headers(&request.arg2);
    let arguments = (format.request.decode)(&request.arg3);
    Ok((
        headers.map_err(bad_request)?,
        arguments.map_err(bad_request)?,
    ))
}

fn answer<A, T, E>(
    format: Format<A, T, E>,
    result: Result<T, MethodError<E>>,
    headers: &Headers,
) -> HandlerResult {
    let arg2 = || format.scheme.encode_headers(headers).map_err(bad_answer);
    match result {
        Ok(value) => {
            let arg3 = (format.response.encode)(&value).map_err(bad_answer)?;
            Ok(Reply::ok(arg2()?, arg3))
        }
        Err(error) => {
            let thrown = error.into_handler_error()?;
            let arg3 = (format.encode_thrown)(&thrown).map_err(bad_answer)?;
            Ok(Reply::application_error(arg2()?, arg3))
        }
    }
}

impl Service {
    /// Serves typed methods, and `Meta` beside them: health, version, and what the methods are.
    ///
    /// Several typed services may be put under one name. `Meta` is answered under the service name
    /// `tchannel` too, where it tells of all that the channel serves.
    ///
    /// Source: spec/schemes/thrift.md, "Meta", and spec/schemes/interfaces.md, "asking".
    pub fn serve(&self, typed: TypedService) -> &Self {
        meta::publish(&self.named("tchannel"), typed.name, typed.interface);
        meta::publish(self, typed.name, typed.interface);
        self.put_methods(typed)
    }

    pub(super) fn put_methods(&self, typed: TypedService) -> &Self {
        for (name, endpoint) in typed.endpoints {
            let endpoint = layered(typed.layers.iter().cloned(), &endpoint);
            self.register(Some(&name), endpoint);
        }
        self
    }
}
