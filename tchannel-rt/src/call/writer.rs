//! Args sent as a stream: arg2 first, then arg3. Each write is a frame of its own, or several.

use std::sync::Arc;

use bytes::Bytes;
use tchannel_proto::{Body, CallIsOver, ErrorCode, InboundKey, Progress};

use super::in_flight::InFlight;
use crate::connection::{Conn, Core, TURN};
use crate::error::CallError;
use crate::handler::HandlerError;
use crate::retry::Acted;
use crate::stats::End;

/// Writes the args of a streamed request or response. Waits while the peer reads more slowly.
///
/// Dropped before [`finish`](Self::finish), a request is cancelled with its call, and a response ends in
/// `unexpected error`: half a message is never taken for a whole one. For the same reason a send that is
/// dropped while it waits leaves an unknown part of its chunk sent; send no more then.
/// Source: spec/protocol/fragments.md, "sending".
pub struct ArgWriter {
    side: Side,
    arg2_end: bool,
    done: bool,
    /// Bytes sent since others have had their turn.
    turn: usize,
}

enum Side {
    Request(Arc<InFlight>),
    Response {
        conn: Conn,
        key: InboundKey,
        ok: bool,
        sent: usize,
    },
}

impl ArgWriter {
    pub(crate) fn of_request(call: Arc<InFlight>) -> Self {
        Self {
            side: Side::Request(call),
            arg2_end: false,
            done: false,
            turn: 0,
        }
    }

    pub(crate) fn of_response(conn: Conn, key: InboundKey, ok: bool) -> Self {
        Self {
            side: Side::Response {
                conn,
                key,
                ok,
                sent: 0,
            },
            arg2_end: false,
            done: false,
            turn: 0,
        }
    }

    /// Sends more of arg2. Not possible once arg3 has begun.
    ///
    /// # Errors
    ///
    /// [`CallError`] when the call is over, and when arg2 was closed by sending arg3.
    pub async fn send_arg2(&mut self, chunk: impl Into<Bytes>) -> Result<(), CallError> {
        if self.arg2_end {
            return Err(CallError::new(
                ErrorCode::BadRequest,
                Acted::Maybe,
                "arg2 was closed by sending arg3",
            ));
        }
        self.write(Body {
            arg2: chunk.into(),
            ..Body::default()
        })
        .await
    }

    /// Sends more of arg3.
    ///
    /// # Errors
    ///
    /// [`CallError`] when the call is over.
    pub async fn send(&mut self, chunk: impl Into<Bytes>) -> Result<(), CallError> {
        self.arg2_end = true;
        self.write(Body {
            arg2_end: true,
            arg3: chunk.into(),
            ..Body::default()
        })
        .await
    }

    /// Ends the message.
    ///
    /// # Errors
    ///
    /// [`CallError`] when the call is over.
    pub async fn finish(self) -> Result<(), CallError> {
        self.finish_with(Bytes::new()).await
    }

    /// Sends the last of arg3 and ends the message.
    ///
    /// # Errors
    ///
    /// [`CallError`] when the call is over.
    pub async fn finish_with(mut self, chunk: impl Into<Bytes>) -> Result<(), CallError> {
        self.write(Body {
            arg2_end: true,
            arg3: chunk.into(),
            end: true,
            ..Body::default()
        })
        .await
    }

    /// Ends a message that will never be whole, and says why: a response in an error frame, a request by
    /// cancelling its call.
    pub fn fail(mut self, why: HandlerError) {
        let (code, message) = why.wire();
        self.give_up(code, message);
    }

    /// Goes on with a message of which the first frame has left, and with what did not fit into it.
    pub(crate) async fn go_on(
        &mut self,
        written: usize,
        progress: Progress,
        rest: Body,
    ) -> Result<(), CallError> {
        self.count(written);
        self.arg2_end = rest.arg2_end;
        match progress {
            Progress::Done => self.note_done(),
            Progress::Starved => {}
            Progress::Full => self.write(rest).await?,
        }
        Ok(())
    }

    fn count(&mut self, bytes: usize) {
        match &mut self.side {
            Side::Request(call) => call.on_request_bytes(bytes),
            Side::Response { sent, .. } => *sent += bytes,
        }
    }

    fn note_done(&mut self) {
        self.done = true;
        if let Side::Response {
            conn,
            key,
            ok,
            sent,
        } = &self.side
        {
            conn.count_answer(*key, End::of_answer(*ok), *sent);
        }
    }

    async fn write(&mut self, mut body: Body) -> Result<(), CallError> {
        let bytes = body.len();
        self.count(bytes);
        let sent = self
            .conn()
            .send_in_turns(|core| self.send_frame(core, &mut body));
        if sent.await.map_err(|_| over())? == Progress::Done {
            self.note_done();
        }
        // Others are to have their turn also where this never has to wait.
        self.turn += bytes;
        if self.turn >= TURN {
            self.turn = 0;
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    fn give_up(&mut self, code: ErrorCode, why: &str) {
        self.done = true;
        match &self.side {
            Side::Request(call) => call.abandon(why),
            Side::Response { conn, key, .. } => {
                let mut core = conn.core();
                if core.proto.respond_error(*key, code, why).is_ok() {
                    core.count_answer(*key, End::SystemError(code), 0);
                    conn.flush_soon(core);
                }
            }
        }
    }

    fn send_frame(&self, core: &mut Core, body: &mut Body) -> Result<Progress, CallIsOver> {
        match &self.side {
            Side::Request(call) => core.proto.send(call.key(), body),
            Side::Response { key, .. } => core.proto.send_response(*key, body),
        }
    }

    pub(crate) fn conn(&self) -> &Conn {
        match &self.side {
            Side::Request(call) => call.conn(),
            Side::Response { conn, .. } => conn,
        }
    }
}

fn over() -> CallError {
    CallError::new(
        ErrorCode::Cancelled,
        Acted::Maybe,
        "the call is already over",
    )
}

impl Drop for ArgWriter {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        let why = match &self.side {
            Side::Request(_) => "the caller abandoned its request",
            Side::Response { .. } => "the handler abandoned its answer",
        };
        self.give_up(ErrorCode::UnexpectedError, why);
    }
}

impl std::fmt::Debug for ArgWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArgWriter")
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}
