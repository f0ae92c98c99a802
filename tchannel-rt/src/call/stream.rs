//! Streaming calls, from either end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tchannel_proto::{
    Body, ErrorCode, InboundKey, Progress, ResponseCode, ResponseHead, TransportHeaders,
};

use super::in_flight::{Answer, InFlight};
use super::{ArgReader, ArgWriter, Cancellation};
use crate::connection::Conn;
use crate::context::CallContext;
use crate::error::CallError;
use crate::retry::Acted;
use crate::scheme::ArgScheme;

/// A request as a streaming handler gets it: its args are still arriving.
#[derive(Debug)]
#[non_exhaustive]
pub struct StreamRequest {
    pub(crate) context: CallContext,
    /// The request's args.
    pub args: ArgReader,
    /// The way to answer.
    pub respond: Responder,
    pub(crate) cancellation: Cancellation,
}

impl StreamRequest {
    /// The service that was called.
    pub fn service(&self) -> &str {
        self.context.service()
    }

    /// The method: arg1.
    pub fn endpoint(&self) -> &str {
        self.context.endpoint()
    }

    /// Transport headers. Source: spec/protocol/headers.md, "transport headers".
    pub fn headers(&self) -> &TransportHeaders {
        self.context.head.headers()
    }

    /// The arg scheme, empty when the caller did not say.
    pub fn arg_scheme(&self) -> &str {
        self.context.arg_scheme()
    }

    /// Deadline, trace and caller. The deadline is for the first frame of the answer.
    pub fn context(&self) -> &CallContext {
        &self.context
    }

    /// See [`Request::cancellation`](crate::Request::cancellation).
    pub fn cancellation(&self) -> tokio_util::sync::CancellationToken {
        self.cancellation.token()
    }
}

/// Begins the answer of a streaming handler. Do so early: the caller's deadline ends with its first frame.
///
/// Source: spec/protocol/deadlines.md, "streaming".
pub struct Responder {
    conn: Conn,
    key: InboundKey,
    scheme: ArgScheme,
    tells: Option<Arc<AtomicBool>>,
}

impl Responder {
    pub(crate) fn new(conn: Conn, key: InboundKey, scheme: ArgScheme) -> Self {
        Self {
            conn,
            key,
            scheme,
            tells: None,
        }
    }

    /// Sends the first frame of an answer, without args yet.
    ///
    /// # Errors
    ///
    /// [`CallError`] when the caller no longer waits.
    pub fn ok(self) -> Result<ArgWriter, CallError> {
        self.begin(ResponseCode::OK)
    }

    /// The same for an answer that is an error of the application's own.
    ///
    /// # Errors
    ///
    /// [`CallError`] when the caller no longer waits.
    pub fn application_error(self) -> Result<ArgWriter, CallError> {
        self.begin(ResponseCode::APPLICATION_ERROR)
    }

    /// Sets `has_begun` once the answer has.
    pub(crate) fn tell(&mut self, has_begun: &Arc<AtomicBool>) {
        self.tells = Some(has_begun.clone());
    }

    /// Begins an answer with what is at hand of it, which may be all.
    pub(crate) async fn send(self, code: ResponseCode, body: Body) -> Result<ArgWriter, CallError> {
        let bytes = body.len();
        let mut rest = body;
        let (mut writer, progress) = self.begin_with(code, &mut rest)?;
        writer.go_on(bytes - rest.len(), progress, rest).await?;
        Ok(writer)
    }

    fn begin(self, code: ResponseCode) -> Result<ArgWriter, CallError> {
        let (writer, _) = self.begin_with(code, &mut Body::default())?;
        Ok(writer)
    }

    fn begin_with(
        self,
        code: ResponseCode,
        body: &mut Body,
    ) -> Result<(ArgWriter, Progress), CallError> {
        let head = ResponseHead {
            code,
            arg_scheme: self.scheme.as_str(),
            streaming: true,
        };
        let mut core = self.conn.core();
        let begun = core.proto.respond(self.key, &head, body);
        let progress = begun
            .map_err(|over| CallError::new(ErrorCode::Cancelled, Acted::Maybe, over.to_string()))?;
        self.conn.flush_soon(core);
        if let Some(has_begun) = self.tells {
            has_begun.store(true, Ordering::Release);
        }
        let writer = ArgWriter::of_response(self.conn, self.key, code.is_ok());
        Ok((writer, progress))
    }
}

impl std::fmt::Debug for Responder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Responder").finish_non_exhaustive()
    }
}

/// The answer to a streaming call, still to come. Dropped, it lets the answer come and go; dropping the writer
/// as well cancels the call.
pub struct PendingResponse {
    answer: Answer,
}

impl PendingResponse {
    pub(crate) fn new(call: Arc<InFlight>) -> Self {
        Self {
            answer: Answer::of(call),
        }
    }

    /// Waits for the first frame of the answer.
    ///
    /// # Errors
    ///
    /// [`CallError`] when the call fails or its deadline passes before that.
    pub async fn response(self) -> Result<StreamResponse, CallError> {
        let info = self.answer.begun().await?;
        Ok(StreamResponse {
            code: info.code,
            headers: info.headers,
            args: ArgReader::of_response(self.answer),
        })
    }
}

impl std::fmt::Debug for PendingResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PendingResponse").finish_non_exhaustive()
    }
}

/// An answer whose args are still arriving.
#[derive(Debug)]
#[non_exhaustive]
pub struct StreamResponse {
    /// Ok or application error.
    pub code: ResponseCode,
    /// Transport headers.
    pub headers: TransportHeaders,
    /// The answer's args.
    pub args: ArgReader,
}
