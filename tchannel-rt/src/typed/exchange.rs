//! The headers of the call that a typed method is serving.

use std::cell::{Cell, OnceCell};
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;

use crate::scheme::Headers;

tokio::task_local! {
    static CURRENT: Asked;
}

/// Application headers of the call that this task is serving: those that came, and those to answer with.
///
/// Typed methods have no parameter for headers; they ask for this. Like
/// [`CallContext`](crate::CallContext), it is not there in tasks that a method spawns.
#[derive(Clone, Debug)]
pub struct Exchange {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    request: Headers,
    response: Mutex<Headers>,
}

/// An exchange that is made when somebody asks for it, which most methods never do.
struct Asked {
    request: Cell<Headers>,
    exchange: OnceCell<Exchange>,
}

impl Asked {
    fn exchange(&self) -> Exchange {
        let made = || Exchange::new(self.request.take());
        self.exchange.get_or_init(made).clone()
    }
}

impl Exchange {
    /// The exchange that this task is serving, if it is serving one.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Asked::exchange).ok()
    }

    /// Headers of the request.
    #[must_use]
    pub fn request_headers(&self) -> &Headers {
        &self.inner.request
    }

    /// Puts a header on the response, be it a result or an exception.
    pub fn respond_header(&self, name: impl Into<String>, value: impl Into<String>) {
        self.response().insert(name, value);
    }

    pub(super) fn new(request: Headers) -> Self {
        let response = Mutex::default();
        Self {
            inner: Arc::new(Inner { request, response }),
        }
    }

    pub(super) async fn scope<F: Future>(self, future: F) -> F::Output {
        let asked = Asked {
            request: Cell::default(),
            exchange: self.into(),
        };
        CURRENT.scope(asked, future).await
    }

    /// Runs `future` in an exchange that began with these headers, and gives those to answer with beside its
    /// output.
    pub(super) fn serve<F: Future>(
        request: Headers,
        future: F,
    ) -> impl Future<Output = (F::Output, Headers)> {
        let asked = Asked {
            request: Cell::new(request),
            exchange: OnceCell::new(),
        };
        let with_headers = future.map(|output| {
            let headers = CURRENT.with(|asked| asked.exchange.get().map(Self::response_headers));
            (output, headers.unwrap_or_default())
        });
        CURRENT.scope(asked, with_headers)
    }

    pub(super) fn response_headers(&self) -> Headers {
        self.response().clone()
    }

    fn response(&self) -> std::sync::MutexGuard<'_, Headers> {
        let response = self.inner.response.lock();
        response.unwrap_or_else(PoisonError::into_inner)
    }
}
