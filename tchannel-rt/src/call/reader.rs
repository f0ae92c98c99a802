//! Args as a stream: arg2 first, then arg3, in the chunks they arrive in.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures::Stream;
use tchannel_proto::{Body, ErrorCode, InboundKey};

use super::in_flight::{Answer, poll_body};
use crate::connection::{Conn, Served};
use crate::error::CallError;
use crate::retry::Acted;

/// Reads the args of a streamed request or response.
///
/// Bytes that are not read are held back at their source: first here, then in the kernel, then at the peer.
/// Where other calls share the connection they go on, so a reader that leaves more than
/// [`queued_bytes_max`](crate::ChannelConfig::queued_bytes_max) unread fails its stream with `busy`. Dropped
/// before the end, it lets the rest come and go.
/// As a [`Stream`] it yields arg3. Source: spec/protocol/fragments.md, "receiving".
pub struct ArgReader {
    source: Source,
    arg2: VecDeque<Bytes>,
    arg2_end: bool,
    arg3: VecDeque<Bytes>,
    end: bool,
    /// Bytes that were read and are kept until more has come.
    kept: usize,
}

enum Source {
    Request {
        conn: Conn,
        key: InboundKey,
        exchange: usize,
    },
    Response(Answer),
}

impl ArgReader {
    pub(crate) fn of_request(conn: Conn, key: InboundKey, exchange: usize) -> Self {
        Self::new(Source::Request {
            conn,
            key,
            exchange,
        })
    }

    pub(crate) fn of_response(answer: Answer) -> Self {
        Self::new(Source::Response(answer))
    }

    fn new(source: Source) -> Self {
        Self {
            source,
            arg2: VecDeque::new(),
            arg2_end: false,
            arg3: VecDeque::new(),
            end: false,
            kept: 0,
        }
    }

    /// The next chunk of arg2; `None` once it is complete.
    ///
    /// # Errors
    ///
    /// [`CallError`] when the message ends before it is complete.
    pub async fn next_arg2(&mut self) -> Result<Option<Bytes>, CallError> {
        loop {
            if let Some(chunk) = self.arg2.pop_front() {
                return Ok(Some(chunk));
            }
            if self.arg2_end {
                return Ok(None);
            }
            std::future::poll_fn(|cx| self.poll_more(cx)).await?;
        }
    }

    /// All of arg2, at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`CallError`] when the message ends before it is complete, and when arg2 is larger.
    pub async fn arg2(&mut self, limit: usize) -> Result<Bytes, CallError> {
        let mut whole = BytesMut::new();
        while let Some(chunk) = self.next_arg2().await? {
            append(&mut whole, &chunk, limit, "arg2")?;
        }
        Ok(whole.freeze())
    }

    /// The next chunk of arg3; `None` once the message is complete. Skips what is left of arg2.
    ///
    /// # Errors
    ///
    /// [`CallError`] when the message ends before it is complete.
    pub async fn next_chunk(&mut self) -> Result<Option<Bytes>, CallError> {
        std::future::poll_fn(|cx| self.poll_arg3(cx))
            .await
            .transpose()
    }

    /// All that is left of arg3, at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`CallError`] when the message ends before it is complete, and when arg3 is larger.
    pub async fn arg3(&mut self, limit: usize) -> Result<Bytes, CallError> {
        let mut whole = BytesMut::new();
        while let Some(chunk) = self.next_chunk().await? {
            append(&mut whole, &chunk, limit, "arg3")?;
        }
        Ok(whole.freeze())
    }

    /// All that is left of arg3, at most `limit` bytes, where many may do so over one connection at once.
    pub(crate) async fn collect(&mut self, limit: usize) -> Result<Bytes, CallError> {
        let first = self.next_chunk().await?.unwrap_or_default();
        if self.end && self.arg3.is_empty() && first.len() <= limit {
            return Ok(first);
        }
        let mut whole = BytesMut::new();
        append(&mut whole, &first, limit, "arg3")?;
        while let Some(chunk) = self.next_chunk().await? {
            append(&mut whole, &chunk, limit, "arg3")?;
            self.keep(whole.len())?;
        }
        self.keep(0)?;
        Ok(whole.freeze())
    }

    /// Says how much of what was read is kept until more has come, so that it counts as arriving.
    pub(crate) fn keep(&mut self, bytes: usize) -> Result<(), CallError> {
        if bytes == self.kept {
            return Ok(());
        }
        let conn = self.conn();
        let arriving = conn.core().note_kept(self.kept, bytes);
        let limit = conn.limits().arriving_max;
        self.kept = bytes;
        if bytes > 0 && arriving > limit {
            let text = format!(
                "{arriving} bytes are arriving over this connection, which is over its limit of {limit}"
            );
            return Err(CallError::new(ErrorCode::Busy, Acted::Maybe, text));
        }
        Ok(())
    }

    pub(crate) fn conn(&self) -> &Conn {
        match &self.source {
            Source::Request { conn, .. } => conn,
            Source::Response(answer) => answer.conn(),
        }
    }

    pub(crate) fn poll_arg3(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, CallError>>> {
        loop {
            self.arg2.clear();
            if let Some(chunk) = self.arg3.pop_front() {
                return Poll::Ready(Some(Ok(chunk)));
            }
            if self.end {
                return Poll::Ready(None);
            }
            if let Err(error) = ready!(self.poll_more(cx)) {
                self.end = true;
                return Poll::Ready(Some(Err(error)));
            }
        }
    }

    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        let next = match &self.source {
            Source::Request { conn, exchange, .. } => {
                poll_body(conn, &mut conn.core(), *exchange, cx)
            }
            Source::Response(answer) => answer.poll_body(cx),
        };
        match ready!(next) {
            Some(Ok(body)) => self.take(body),
            Some(Err(error)) => return Poll::Ready(Err(error)),
            None => {
                self.arg2_end = true;
                self.end = true;
            }
        }
        Poll::Ready(Ok(()))
    }

    fn take(&mut self, body: Body) {
        let Body {
            arg2,
            arg2_end,
            arg3,
            end,
        } = body;
        self.arg2
            .extend(Some(arg2).filter(|chunk| !chunk.is_empty()));
        self.arg3
            .extend(Some(arg3).filter(|chunk| !chunk.is_empty()));
        self.arg2_end |= arg2_end;
        self.end |= end;
    }
}

impl Stream for ArgReader {
    type Item = Result<Bytes, CallError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_arg3(cx)
    }
}

impl Drop for ArgReader {
    fn drop(&mut self) {
        if self.kept > 0 {
            self.conn().core().note_kept(self.kept, 0);
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        if let Self::Request {
            conn,
            key,
            exchange,
        } = self
        {
            let mut core = conn.core();
            let rest = core.remove_exchange(*exchange).buffered();
            if let Served::Running { requests, .. } = core.served(*key) {
                *requests = None;
            }
            conn.note_read(&mut core, rest);
        }
    }
}

impl std::fmt::Debug for ArgReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArgReader")
            .field("arg2_end", &self.arg2_end)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

fn append(whole: &mut BytesMut, chunk: &[u8], limit: usize, arg: &str) -> Result<(), CallError> {
    if whole.len() + chunk.len() > limit {
        let text = format!("{arg} is larger than the {limit} bytes its reader takes");
        return Err(CallError::new(ErrorCode::BadRequest, Acted::Maybe, text));
    }
    whole.extend_from_slice(chunk);
    Ok(())
}
