//! A stream of values on its way out.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};

use super::super::format::Encode;
use super::StreamError;
use crate::call::ArgWriter;
use crate::error::CallError;
use crate::scheme::chunks::put_chunk;
use crate::scheme::{Arg, ArgScheme, SchemeError};

/// What a stream that is sent may be made of: the values themselves, or results. An error ends the stream
/// before its end, and the other end is told.
#[diagnostic::on_unimplemented(
    message = "a stream of `{T}` can not be made of `{Self}`",
    label = "each item is a value or a `Result<_, StreamError>`",
    note = "errors of the application go before the stream: `async fn` and `Result<impl Stream<..>, E>`"
)]
pub trait StreamItem<T> {
    /// The value, or why there is none.
    ///
    /// # Errors
    ///
    /// [`StreamError`], which ends the stream.
    fn into_item(self) -> Result<T, StreamError>;
}

impl<T> StreamItem<T> for T {
    fn into_item(self) -> Result<T, StreamError> {
        Ok(self)
    }
}

impl<T> StreamItem<T> for Result<T, StreamError> {
    fn into_item(self) -> Self {
        self
    }
}

/// A stream that a method gives: any `Stream` of results that may be sent between threads.
///
/// `async fn watch(&self) -> Result<impl Stream<Item = Result<Event, StreamError>>, MethodError>` implements a
/// generated method that returns `impl Values<Event>`.
pub trait Values<T>: Stream<Item = Result<T, StreamError>> + Send {}

impl<T, S: Stream<Item = Result<T, StreamError>> + Send> Values<T> for S {}

/// A stream that a caller sends: any `Stream` of values, or of results, that needs nothing of its surroundings.
pub trait IntoValues<T>: Stream<Item: StreamItem<T>> + Send + 'static {}

impl<T, S: Stream<Item: StreamItem<T>> + Send + 'static> IntoValues<T> for S {}

/// Values already encoded.
pub(super) type Encoded<'a> = Pin<Box<dyn Stream<Item = Result<Bytes, StreamError>> + Send + 'a>>;

pub(super) fn encoded<'a, T, S>(values: S, encode: Encode<T>) -> Encoded<'a>
where
    T: 'a,
    S: Stream<Item: StreamItem<T>> + Send + 'a,
{
    Box::pin(values.map(move |item| Ok(encode(&item.into_item()?)?)))
}

/// Why not all of a stream was sent.
pub(super) enum Unsent {
    /// The stream itself failed; the other end has been told.
    Failed(StreamError),
    /// The call is over; its answer says why.
    Over,
}

/// Sends all `values` and ends the message. Those that are there together share frames; one that comes alone
/// leaves at once.
pub(super) async fn send_all(
    mut writer: ArgWriter,
    mut values: Encoded<'_>,
    scheme: &'static str,
) -> Result<(), Unsent> {
    let chunk_max = writer.conn().limits().chunk_max;
    let mut gathered = Gathered {
        chunks: BytesMut::new(),
        scheme,
        chunk_max,
    };
    loop {
        let step = std::future::poll_fn(|cx| gathered.poll_gather(&mut values, cx)).await;
        let chunks = gathered.chunks.split().freeze();
        match step {
            Step::Send => writer.send(chunks).await.map_err(over)?,
            Step::End => return writer.finish_with(chunks).await.map_err(over),
            Step::Fail(error) => {
                if !chunks.is_empty() {
                    writer.send(chunks).await.map_err(over)?;
                }
                writer.fail(error.to_handler_error());
                return Err(Unsent::Failed(error));
            }
        }
        // A stream that is never pending must not keep its thread to itself.
        tokio::task::consume_budget().await;
    }
}

pub(super) fn over(_: CallError) -> Unsent {
    Unsent::Over
}

/// Chunks that leave together.
struct Gathered {
    chunks: BytesMut,
    scheme: &'static str,
    chunk_max: usize,
}

enum Step {
    Send,
    End,
    Fail(StreamError),
}

impl Gathered {
    fn poll_gather(&mut self, values: &mut Encoded<'_>, cx: &mut Context<'_>) -> Poll<Step> {
        while self.chunks.len() < GATHERED_BYTES {
            match values.poll_next_unpin(cx) {
                Poll::Pending if self.chunks.is_empty() => return Poll::Pending,
                Poll::Pending => return Poll::Ready(Step::Send),
                Poll::Ready(None) => return Poll::Ready(Step::End),
                Poll::Ready(Some(value)) => {
                    if let Err(error) = value.and_then(|value| self.put(&value)) {
                        return Poll::Ready(Step::Fail(error));
                    }
                }
            }
        }
        Poll::Ready(Step::Send)
    }

    fn put(&mut self, value: &[u8]) -> Result<(), StreamError> {
        put_chunk(&mut self.chunks, value, self.chunk_max).map_err(|error| {
            let scheme = ArgScheme::from(self.scheme);
            SchemeError::new(scheme, Arg::Body, error).into()
        })
    }
}

/// Bytes after which chunks leave, whatever comes next: about half a frame.
const GATHERED_BYTES: usize = 32 * 1024;
