//! What flows from a call to the calls made while serving it: deadline, trace and caller.

use std::time::{Duration, Instant};

use tchannel_proto::{InboundHead, Tracing, header_key};

use crate::clock;

tokio::task_local! {
    static CURRENT: CallContext;
}

/// The call that is being served right now.
///
/// Handlers run inside their call's context, so the calls they make inherit what is left of the deadline
/// and go on with the trace. A task that a handler spawns does not; give it [`CallContext::scope`].
#[derive(Clone, Debug)]
pub struct CallContext {
    pub(crate) deadline: Instant,
    pub(crate) tracing: Tracing,
    pub(crate) head: InboundHead,
    /// Whether a streamed answer has begun, which is all that the deadline was for.
    pub(crate) has_begun: bool,
}

impl CallContext {
    /// The context of the call that this task is serving, if it is serving one.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// When the caller stops waiting; for a stream, when it stopped waiting for the first frame.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// What is left of the deadline, zero once it has passed.
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(clock::now())
    }

    /// The same with a deadline no later than `limit` from now, for work that must be done sooner.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.deadline = self.deadline.min(clock::now() + limit);
        self
    }

    /// The trace of the call. Source: spec/protocol/tracing.md, "the field".
    pub fn tracing(&self) -> Tracing {
        self.tracing
    }

    /// Who calls, empty when it did not say.
    pub fn caller(&self) -> &str {
        let caller = self.head.headers().get(header_key::CALLER_NAME);
        caller.unwrap_or_default()
    }

    /// The service that was called.
    pub fn service(&self) -> &str {
        self.head.service()
    }

    /// The method: arg1.
    pub(crate) fn endpoint(&self) -> &str {
        std::str::from_utf8(self.head.arg1()).unwrap_or_default()
    }

    /// The arg scheme, empty when the caller did not say.
    pub(crate) fn arg_scheme(&self) -> &str {
        let scheme = self.head.headers().get(header_key::ARG_SCHEME);
        scheme.unwrap_or_default()
    }

    /// Runs `future` inside this context.
    pub fn scope<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, future)
    }

    /// Runs `task` inside this context.
    pub(crate) fn sync_scope<R>(self, task: impl FnOnce() -> R) -> R {
        CURRENT.sync_scope(self, task)
    }

    /// What a call made now inherits: the deadline, if there is one, and the tracing field, which is within the
    /// current trace or the root of a new one.
    pub(crate) fn inherited() -> (Option<Instant>, Tracing) {
        let span_id = fastrand::u64(1..);
        let root = Tracing {
            span_id,
            parent_id: 0,
            trace_id: span_id,
            flags: 0,
        };
        let inherit = |context: &Self| {
            let deadline = (!context.has_begun).then_some(context.deadline);
            let tracing = match context.tracing {
                tracing if tracing.trace_id != 0 => tracing.child(span_id),
                _ => root,
            };
            (deadline, tracing)
        };
        CURRENT.try_with(inherit).unwrap_or((None, root))
    }

    /// This context once a streamed answer has begun: calls made from then on no longer inherit the deadline.
    ///
    /// Source: spec/protocol/deadlines.md, "streaming".
    pub(crate) fn begun(mut self) -> Self {
        self.has_begun = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn calls_made_once_a_streamed_answer_has_begun_inherit_no_deadline() {
        let context = CallContext {
            deadline: Instant::now(),
            tracing: Tracing::default(),
            head: InboundHead::default(),
            has_begun: false,
        };
        let deadline = context.deadline;
        let inherited = || async { CallContext::inherited().0 };
        assert_eq!(context.clone().scope(inherited()).await, Some(deadline));
        assert_eq!(context.begun().scope(inherited()).await, None);
    }
}
