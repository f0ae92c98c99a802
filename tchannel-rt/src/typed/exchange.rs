//! The headers of the call that a typed method is serving.

use std::sync::{Arc, Mutex, PoisonError};

use crate::scheme::Headers;

tokio::task_local! {
    static CURRENT: Exchange;
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

impl Exchange {
    /// The exchange that this task is serving, if it is serving one.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
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
        CURRENT.scope(self, future).await
    }

    pub(super) fn response_headers(&self) -> Headers {
        self.response().clone()
    }

    fn response(&self) -> std::sync::MutexGuard<'_, Headers> {
        let response = self.inner.response.lock();
        response.unwrap_or_else(PoisonError::into_inner)
    }
}
