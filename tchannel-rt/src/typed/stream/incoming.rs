//! A stream of values as it arrives.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::Stream;
use tchannel_proto::ErrorCode;
use tokio::task::AbortHandle;

use super::StreamError;
use crate::call::ArgReader;
use crate::error::CallError;
use crate::scheme::chunks::{ChunkError, Chunks};
use crate::scheme::{Arg, ArgScheme, SchemeError};

/// The values of a stream, as they arrive: for a server those of the request, for a client those of the
/// response.
///
/// Values that are not asked for are held back at their source, as [`ArgReader`] says; here no more is kept
/// than the beginning of the next one. After an error there is nothing more. Dropped, it cancels the call at
/// a client; at a server it lets the rest come and go.
#[must_use = "values come only when they are asked for"]
pub struct Streaming<T> {
    /// `None` once the stream has ended.
    source: Option<Source>,
    chunks: Chunks,
    decode: fn(&Bytes) -> Result<T, SchemeError>,
}

struct Source {
    args: ArgReader,
    scheme: &'static str,
    end: End,
}

/// Which end of the call reads.
pub(super) enum End {
    Server,
    /// The request may still be on its way; it ends with the answer.
    Client(#[expect(dead_code, reason = "kept to be dropped")] Option<Sending>),
}

/// A request that is still being sent; dropped, it is no longer.
#[derive(Debug)]
pub(super) struct Sending(AbortHandle);

impl Sending {
    pub(super) fn new(task: &tokio::task::JoinHandle<()>) -> Self {
        Self(task.abort_handle())
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl<T> Streaming<T> {
    pub(super) fn new(
        args: ArgReader,
        end: End,
        scheme: &'static str,
        decode: fn(&Bytes) -> Result<T, SchemeError>,
    ) -> Self {
        let chunks = Chunks::new(args.conn().limits().chunk_max);
        Self {
            source: Some(Source { args, scheme, end }),
            chunks,
            decode,
        }
    }

    /// The next value; `None` once the stream is complete.
    ///
    /// # Errors
    ///
    /// [`StreamError`] when the stream has ended before its end; nothing comes after it.
    pub async fn message(&mut self) -> Result<Option<T>, StreamError> {
        std::future::poll_fn(|cx| self.poll_value(cx))
            .await
            .transpose()
    }

    fn poll_value(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, StreamError>>> {
        let Some(source) = &mut self.source else {
            return Poll::Ready(None);
        };
        let chunk = ready!(source.poll_chunk(&mut self.chunks, cx));
        let decode = self.decode;
        let outcome = chunk.map(|chunk| decode(&chunk?).map_err(|error| source.malformed(error)));
        if !matches!(outcome, Some(Ok(_))) {
            self.source = None;
        }
        Poll::Ready(outcome)
    }
}

impl Source {
    fn poll_chunk(
        &mut self,
        chunks: &mut Chunks,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, StreamError>>> {
        loop {
            let cut = chunks.cut();
            if let Err(error) = self.args.keep(chunks.held()) {
                return Poll::Ready(Some(Err(self.refused(error))));
            }
            match cut {
                Ok(Some(chunk)) => return Poll::Ready(Some(Ok(chunk))),
                Ok(None) => {}
                Err(error) => return Poll::Ready(Some(Err(self.broken(error)))),
            }
            match ready!(self.args.poll_arg3(cx)) {
                Some(Ok(bytes)) => chunks.push(bytes),
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                None => {
                    let broken = chunks.finish().err();
                    return Poll::Ready(broken.map(|error| Err(self.broken(error))));
                }
            }
        }
    }

    fn broken(&self, error: ChunkError) -> StreamError {
        let scheme = ArgScheme::from(self.scheme);
        self.malformed(SchemeError::new(scheme, Arg::Body, error))
    }

    /// A server tells its caller, whose mistake it is.
    fn malformed(&self, error: SchemeError) -> StreamError {
        match self.end {
            End::Server => StreamError::new(ErrorCode::BadRequest, error.to_string()),
            End::Client(_) => StreamError::Malformed(error),
        }
    }

    fn refused(&self, error: CallError) -> StreamError {
        match self.end {
            End::Server => StreamError::new(error.code(), error.message()),
            End::Client(_) => error.into(),
        }
    }
}

impl<T> Stream for Streaming<T> {
    type Item = Result<T, StreamError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_value(cx)
    }
}

impl<T> fmt::Debug for Streaming<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streaming")
            .field("has_ended", &self.source.is_none())
            .finish_non_exhaustive()
    }
}
