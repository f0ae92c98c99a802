//! Running handlers: first where the request was read, in a task of their own only if they must wait.

use std::borrow::Cow;
use std::sync::Arc;

use tchannel_proto::{Body, InboundCall, InboundKey, Progress, ResponseHead, header_key};

use super::{Conn, Core, Served, Turn, is_large};
use crate::call::{ArgReader, Cancellation, Responder, StreamRequest};
use crate::context::CallContext;
use crate::handler::{
    Begun, Endpoint, Guard, HandlerError, HandlerErrorKind, HandlerResult, Request,
    application_error_reply,
};
use crate::scheme::ArgScheme;
use crate::stats::End;

impl Conn {
    /// Takes out of `call` what the handler gets.
    pub(super) fn start_unary(&self, call: &mut InboundCall, endpoint: &Endpoint) {
        let Endpoint::Unary(handler) = endpoint else {
            return;
        };
        let key = call.key;
        let scheme = arg_scheme(call);
        let context = context(call);
        let guard = Guard::new(context.clone());
        let request = || Request {
            context,
            arg2: std::mem::take(&mut call.body.arg2),
            arg3: std::mem::take(&mut call.body.arg3),
            cancellation: Cancellation::new(self.clone(), key),
        };
        // Most handlers answer without waiting; they need no task.
        match guard.begin(handler, request) {
            Begun::Ended(outcome) => self.answer_at_once(key, scheme, outcome),
            Begun::Waits(guard, future) => {
                let conn = self.clone();
                let task = tokio::spawn(async move {
                    let outcome = guard.run(future).await;
                    conn.answer(key, scheme.as_str(), outcome).await;
                });
                self.note_task(key, task.abort_handle());
            }
        }
    }

    pub(super) fn start_stream(
        &self,
        call: &mut InboundCall,
        endpoint: Arc<Endpoint>,
        exchange: usize,
    ) {
        let key = call.key;
        let scheme = arg_scheme(call);
        let context = context(call);
        let guard = Guard::new(context.clone());
        let request = StreamRequest {
            context,
            args: ArgReader::of_request(self.clone(), key, exchange),
            respond: Responder::new(self.clone(), key, scheme.clone()),
            cancellation: Cancellation::new(self.clone(), key),
        };
        let conn = self.clone();
        let task = tokio::spawn(async move {
            let Endpoint::Stream(handler) = &*endpoint else {
                return;
            };
            let unfinished = "the handler ended without finishing its answer";
            let outcome = match guard.run(async { handler.start(request).await }).await {
                Ok(Some(reply)) => return conn.answer(key, scheme.as_str(), Ok(reply)).await,
                Ok(None) => Err(HandlerError::unexpected(unfinished)),
                Err(error) => Err(error),
            };
            // After a finished answer this finds nobody to tell, as it should.
            conn.answer(key, "raw", outcome).await;
        });
        self.note_task(key, task.abort_handle());
    }

    fn note_task(&self, key: InboundKey, handle: tokio::task::AbortHandle) {
        match self.core().served(key) {
            Served::Running { task, .. } => *task = Some(handle),
            // The read that brought the call has also brought its end.
            _ => handle.abort(),
        }
    }

    /// Queues what the driver will write, or its first frame. A large answer waits for its turn elsewhere.
    fn answer_at_once(&self, key: InboundKey, scheme: ArgScheme, outcome: HandlerResult) {
        let mut turn = None;
        if has_large_answer(&outcome) {
            turn = self.try_turn();
            if turn.is_none() {
                let conn = self.clone();
                tokio::spawn(async move { conn.answer(key, scheme.as_str(), outcome).await });
                return;
            }
        }
        let mut core = self.core();
        let rest = self.begin_answer(&mut core, key, scheme.as_str(), outcome, turn.as_mut());
        let is_due = core.gathered >= super::flush::GATHERED_MAX;
        drop(core);
        if let Some(rest) = rest {
            tokio::spawn(self.clone().send_rest(key, rest, turn));
        }
        if is_due {
            self.flush();
        }
    }

    async fn answer(self, key: InboundKey, scheme: &str, outcome: HandlerResult) {
        let mut turn = match has_large_answer(&outcome) {
            true => Some(self.turn_to_answer().await),
            false => None,
        };
        self.wait_for_room().await;
        let rest = {
            let mut core = self.core();
            let rest = self.begin_answer(&mut core, key, scheme, outcome, turn.as_mut());
            self.flush_soon(core);
            rest
        };
        if let Some(rest) = rest {
            self.send_rest(key, rest, turn).await;
        }
    }

    /// Queues the first frame of an answer, and of one whose turn it is what leaves with that. Gives what is left.
    fn begin_answer(
        &self,
        core: &mut Core,
        key: InboundKey,
        scheme: &str,
        outcome: HandlerResult,
        turn: Option<&mut Turn>,
    ) -> Option<Body> {
        let rest = respond(core, key, scheme, outcome);
        let Some(turn) = turn else {
            return rest;
        };
        let mut rest = rest?;
        let send = |core: &mut Core| core.proto.send_response(key, &mut rest);
        let progress = self.begin_whole(core, turn, send);
        (progress == Ok(Progress::Full)).then_some(rest)
    }

    /// Sends what has not left with the first frame, as fast as the peer takes it.
    async fn send_rest(self, key: InboundKey, mut body: Body, turn: Option<Turn>) {
        let send = |core: &mut Core| core.proto.send_response(key, &mut body);
        // An error says that the caller no longer waits.
        let _ = self.send_whole(turn, send).await;
    }
}

fn has_large_answer(outcome: &HandlerResult) -> bool {
    outcome
        .as_ref()
        .is_ok_and(|reply| is_large(reply.arg2.len() + reply.arg3.len()))
}

/// Queues the first frame of an answer and returns what is left of its body.
fn respond(core: &mut Core, key: InboundKey, scheme: &str, outcome: HandlerResult) -> Option<Body> {
    let outcome = outcome.or_else(|error| match &error.kind {
        HandlerErrorKind::Application(kind) => {
            application_error_reply(scheme, kind, &error.message).ok_or(error)
        }
        HandlerErrorKind::System(_) => Err(error),
    });
    match outcome {
        Ok(reply) => {
            let head = ResponseHead {
                code: reply.code(),
                arg_scheme: scheme,
                streaming: false,
            };
            let mut body = Body::whole(reply.arg2, reply.arg3);
            let bytes = body.len();
            // An error says that the caller no longer waits.
            let progress = core.proto.respond(key, &head, &mut body).ok()?;
            core.gathered += 1;
            core.count_answer(key, End::of_answer(reply.ok), bytes);
            (progress == Progress::Full).then_some(body)
        }
        Err(error) => {
            let (code, message) = error.wire();
            if core.proto.respond_error(key, code, message).is_ok() {
                core.count_answer(key, End::SystemError(code), 0);
            }
            None
        }
    }
}

fn context(call: &mut InboundCall) -> CallContext {
    let mut head = std::mem::take(&mut call.head);
    // For people; such a name has found no handler but a catch-all.
    if !head.arg1().is_ascii()
        && let Cow::Owned(text) = String::from_utf8_lossy(head.arg1())
    {
        head.set_arg1(text.as_bytes());
    }
    CallContext {
        deadline: call.deadline,
        tracing: call.tracing,
        head,
        has_begun: false,
    }
}

fn arg_scheme(call: &InboundCall) -> ArgScheme {
    let scheme = call.head.headers().get_bytes(header_key::ARG_SCHEME);
    ArgScheme::from_bytes(scheme.unwrap_or_default())
}
