//! No longer than so long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tchannel_proto::ErrorCode;

use super::{Answer, CallLayer, Handled, HandlerLayer, Inbound, NextCall, NextHandler, Outbound};
use crate::error::CallError;
use crate::handler::HandlerError;

/// Gives a call no more than so long, however long its caller would wait.
///
/// A handler that is not done by then is dropped, and its caller told `timeout`; calls that it makes inherit the
/// shorter deadline. A streaming handler has this time to begin its answer. Around a call, the ttl is shortened.
#[derive(Clone, Copy, Debug)]
pub struct Timeout {
    limit: Duration,
}

impl Timeout {
    /// No longer than `limit`.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self { limit }
    }

    fn passed(&self, call: &str) -> HandlerError {
        let limit_ms = self.limit.as_millis();
        HandlerError::new(
            ErrorCode::Timeout,
            format!("{call} was not answered within {limit_ms} ms, the limit of its service"),
        )
    }
}

impl HandlerLayer for Timeout {
    async fn handle(&self, mut call: Inbound, next: NextHandler) -> Result<Handled, HandlerError> {
        let name = format!("{}::{}", call.service(), call.endpoint());
        let context = call.context().clone().within(self.limit);
        call.set_context(context.clone());
        let has_begun = Arc::new(AtomicBool::new(false));
        if let Inbound::Stream(request) = &mut call {
            request.respond.tell(&has_begun);
        }
        let outcome = context.scope(next.run(call));
        tokio::pin!(outcome);
        match tokio::time::timeout(self.limit, &mut outcome).await {
            Ok(outcome) => outcome,
            Err(_) if has_begun.load(Ordering::Acquire) => outcome.await,
            Err(_) => Err(self.passed(&name)),
        }
    }
}

impl CallLayer for Timeout {
    async fn call(&self, mut call: Outbound, next: NextCall) -> Result<Answer, CallError> {
        call.ttl = Some(call.ttl.map_or(self.limit, |ttl| ttl.min(self.limit)));
        next.run(call).await
    }
}
