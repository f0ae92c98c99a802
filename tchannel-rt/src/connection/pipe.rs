//! A pipe within the process: bytes in order, no more than fit, and an end. It stands in for a socket.

use std::collections::VecDeque;
use std::io::{ErrorKind, IoSlice, IoSliceMut, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{BufMut, BytesMut};

/// Bytes that were written and not yet read, at most; as much as a socket commonly takes.
const CAPACITY: usize = 64 * 1024;

/// One direction; its ends share it.
#[derive(Clone, Default)]
pub(crate) struct Pipe(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    bytes: VecDeque<u8>,
    /// No byte is added any more.
    is_ended: bool,
    /// No byte is taken any more.
    is_unread: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl Pipe {
    /// Writes what fits; `WouldBlock` when nothing does.
    pub(super) fn try_write(&self, slices: &[IoSlice<'_>]) -> std::io::Result<usize> {
        let mut inner = self.lock();
        if inner.is_ended || inner.is_unread {
            return Err(ErrorKind::BrokenPipe.into());
        }
        let room = CAPACITY - inner.bytes.len();
        if room == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        let mut left = room;
        for slice in slices {
            let fits = left.min(slice.len());
            inner.bytes.extend(&slice[..fits]);
            left -= fits;
        }
        let reader = inner.reader.take();
        drop(inner);
        wake(reader);
        Ok(room - left)
    }

    /// Ready once something fits, or writing would fail.
    pub(super) fn poll_writable(&self, cx: &Context<'_>) -> Poll<()> {
        let mut inner = self.lock();
        if inner.bytes.len() < CAPACITY || inner.is_ended || inner.is_unread {
            return Poll::Ready(());
        }
        inner.writer = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Takes as much as `buffer` has room for, at least a byte and at most `limit`; zero at the end.
    pub(super) fn poll_read(
        &self,
        cx: &Context<'_>,
        buffer: &mut BytesMut,
        limit: usize,
    ) -> Poll<usize> {
        self.poll_take(cx, |bytes| {
            let room = limit.min(buffer.capacity() - buffer.len());
            let taken = bytes.len().min(room);
            let (first, second) = bytes.as_slices();
            let from_first = taken.min(first.len());
            buffer.put_slice(&first[..from_first]);
            buffer.put_slice(&second[..taken - from_first]);
            bytes.drain(..taken);
            taken
        })
    }

    /// The same into several places, one after the other.
    pub(super) fn poll_read_vectored(
        &self,
        cx: &Context<'_>,
        slices: &mut [IoSliceMut<'_>],
    ) -> Poll<usize> {
        self.poll_take(cx, |bytes| {
            let mut taken = 0;
            for slice in slices {
                let mut filled = 0;
                while filled < slice.len()
                    && let Ok(more @ 1..) = bytes.read(&mut slice[filled..])
                {
                    filled += more;
                }
                taken += filled;
            }
            taken
        })
    }

    /// What `take` takes of the bytes, at least one; zero at the end.
    fn poll_take(
        &self,
        cx: &Context<'_>,
        take: impl FnOnce(&mut VecDeque<u8>) -> usize,
    ) -> Poll<usize> {
        let mut inner = self.lock();
        if inner.bytes.is_empty() {
            if inner.is_ended || inner.is_unread {
                return Poll::Ready(0);
            }
            inner.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let taken = take(&mut inner.bytes);
        let writer = inner.writer.take();
        drop(inner);
        wake(writer);
        Poll::Ready(taken)
    }

    /// The writer's end: what was written can still be read.
    pub(super) fn end(&self) {
        self.lock().is_ended = true;
        self.wake_both();
    }

    /// The reader's end: what was written is lost.
    pub(super) fn stop_reading(&self) {
        let mut inner = self.lock();
        inner.is_unread = true;
        inner.bytes = VecDeque::new();
        drop(inner);
        self.wake_both();
    }

    fn wake_both(&self) {
        let mut inner = self.lock();
        let (reader, writer) = (inner.reader.take(), inner.writer.take());
        drop(inner);
        wake(reader);
        wake(writer);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pipe: &Pipe, room: usize) -> Poll<Vec<u8>> {
        let mut buffer = BytesMut::with_capacity(room);
        let polled = pipe.poll_read(&Context::from_waker(Waker::noop()), &mut buffer, usize::MAX);
        polled.map(|taken| {
            assert_eq!(taken, buffer.len());
            buffer.to_vec()
        })
    }

    fn write(pipe: &Pipe, parts: &[&[u8]]) -> Result<usize, ErrorKind> {
        let slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
        pipe.try_write(&slices).map_err(|error| error.kind())
    }

    #[test]
    fn bytes_come_out_in_the_order_and_number_they_went_in() {
        let pipe = Pipe::default();
        assert_eq!(write(&pipe, &[b"ab", b"", b"cde"]), Ok(5));
        assert_eq!(read(&pipe, 2), Poll::Ready(b"ab".to_vec()));
        assert_eq!(write(&pipe, &[b"f"]), Ok(1));
        assert_eq!(read(&pipe, 100), Poll::Ready(b"cdef".to_vec()));
        assert_eq!(read(&pipe, 100), Poll::Pending);
    }

    #[test]
    fn a_full_pipe_takes_nothing_until_it_is_read() {
        let pipe = Pipe::default();
        let most = vec![7; CAPACITY + 1];
        assert_eq!(write(&pipe, &[&most]), Ok(CAPACITY));
        assert_eq!(write(&pipe, &[b"more"]), Err(ErrorKind::WouldBlock));
        let cx = Context::from_waker(Waker::noop());
        assert!(pipe.poll_writable(&cx).is_pending());
        assert_eq!(read(&pipe, 3), Poll::Ready(vec![7; 3]));
        assert!(pipe.poll_writable(&cx).is_ready());
        assert_eq!(write(&pipe, &[b"more"]), Ok(3));
    }

    #[test]
    fn the_end_comes_after_what_was_written() {
        let pipe = Pipe::default();
        assert_eq!(write(&pipe, &[b"last"]), Ok(4));
        pipe.end();
        assert_eq!(write(&pipe, &[b"x"]), Err(ErrorKind::BrokenPipe));
        assert_eq!(read(&pipe, 100), Poll::Ready(b"last".to_vec()));
        assert_eq!(read(&pipe, 100), Poll::Ready(Vec::new()));
    }

    #[test]
    fn writing_fails_once_nobody_reads() {
        let pipe = Pipe::default();
        assert_eq!(write(&pipe, &[&vec![0; CAPACITY]]), Ok(CAPACITY));
        pipe.stop_reading();
        assert!(
            pipe.poll_writable(&Context::from_waker(Waker::noop()))
                .is_ready()
        );
        assert_eq!(write(&pipe, &[b"x"]), Err(ErrorKind::BrokenPipe));
    }
}
