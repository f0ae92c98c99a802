//! At most so many at once.

use std::sync::Arc;

use tchannel_proto::ErrorCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Answer, CallLayer, Handled, HandlerLayer, Inbound, NextCall, NextHandler, Outbound};
use crate::error::CallError;
use crate::handler::HandlerError;

/// Lets at most so many calls be served, or be in flight, at once; more are `busy`, which a caller may try
/// elsewhere. Nobody waits. A stream counts until its handler ends; as a layer around calls, until it begins.
///
/// Clones share the limit.
#[derive(Clone, Debug)]
pub struct ConcurrencyLimit {
    most: usize,
    free: Arc<Semaphore>,
}

impl ConcurrencyLimit {
    /// At most `most` at once.
    ///
    /// # Panics
    ///
    /// When `most` is more than a semaphore counts to, 2^61.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self {
            most,
            free: Arc::new(Semaphore::new(most)),
        }
    }

    fn begin(&self) -> Result<OwnedSemaphorePermit, String> {
        let most = self.most;
        let permit = self.free.clone().try_acquire_owned();
        permit.map_err(|_| format!("{most} calls are in progress, which is the limit"))
    }
}

impl HandlerLayer for ConcurrencyLimit {
    async fn handle(&self, call: Inbound, next: NextHandler) -> Result<Handled, HandlerError> {
        let _permit = self.begin().map_err(HandlerError::busy)?;
        next.run(call).await
    }
}

impl CallLayer for ConcurrencyLimit {
    async fn call(&self, call: Outbound, next: NextCall) -> Result<Answer, CallError> {
        let refuse = |why| CallError::unsent(ErrorCode::Busy, why);
        let _permit = self.begin().map_err(refuse)?;
        next.run(call).await
    }
}
