//! Where args are encoded: in a buffer that each thread uses again and again, and then, when they are short, in one
//! chunk of memory after the other, each cut into as many args as fit. Long ones keep their buffer until they are gone.
//!
//! Args are mostly short and soon sent, so that a chunk is there again by the time that it has been used up.

use std::cell::{Cell, RefCell};

use bytes::{Bytes, BytesMut};

use super::long::Long;

thread_local! {
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static CHUNK: Cell<BytesMut> = Cell::default();
    static LONG: RefCell<Long> = RefCell::default();
}

const CHUNK_SIZE: usize = 8 * 1024;
/// Longer args keep the buffer that they were written to.
const SHORT: usize = 1024;
/// Most args fit, so that they are not copied from one buffer to a larger one, over and over.
const ROOM_AT_FIRST: usize = 128;

/// Empty, with room; [`give`] makes args of what was put into it.
pub(super) fn take() -> Vec<u8> {
    let long = LONG.with_borrow_mut(Long::take);
    let mut buffer = long.unwrap_or_else(|| BUFFER.take());
    buffer.reserve(ROOM_AT_FIRST);
    buffer
}

/// The args.
pub(super) fn give(mut buffer: Vec<u8>) -> Bytes {
    if buffer.len() > SHORT {
        return LONG.with_borrow_mut(|long| long.give(buffer));
    }
    let mut chunk = CHUNK.take();
    if chunk.capacity() < buffer.len() {
        chunk.reserve(CHUNK_SIZE);
    }
    chunk.extend_from_slice(&buffer);
    let args = chunk.split().freeze();
    CHUNK.set(chunk);
    buffer.clear();
    if buffer.capacity() > 2 * SHORT {
        LONG.with_borrow_mut(|long| long.put_back(buffer));
    } else {
        BUFFER.set(buffer);
    }
    args
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(bytes: &[u8]) -> Bytes {
        let mut buffer = take();
        assert!(buffer.is_empty() && buffer.capacity() >= ROOM_AT_FIRST);
        buffer.extend_from_slice(bytes);
        give(buffer)
    }

    #[test]
    fn args_that_are_alive_together_stay_apart() {
        let args: Vec<Bytes> = (0..1000).map(|n| written(&[n as u8; 50])).collect();
        for (n, args) in args.iter().enumerate() {
            assert_eq!(args, &[n as u8; 50][..]);
        }
    }

    #[test]
    fn a_chunk_is_used_again_once_its_args_are_gone() {
        let begin = written(b"one").as_ptr() as usize;
        for _ in 0..1000 {
            let args = written(&[7; 50]);
            assert!((args.as_ptr() as usize).abs_diff(begin) < CHUNK_SIZE);
        }
    }

    #[test]
    fn long_args_take_their_buffer_along() {
        let long = written(&vec![7; 100_000]);
        assert_eq!(long, vec![7; 100_000]);
        assert!(take().capacity() < 2 * SHORT);
        assert_eq!(written(&[8; SHORT]), vec![8; SHORT]);
    }

    #[test]
    fn args_may_be_written_while_others_are() {
        let mut outer = take();
        outer.extend_from_slice(b"outer");
        assert_eq!(written(b"inner"), b"inner"[..]);
        outer.extend_from_slice(b", still");
        assert_eq!(give(outer), b"outer, still"[..]);
    }
}
