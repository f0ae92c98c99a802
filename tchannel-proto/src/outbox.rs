//! Bytes on their way out: small frames gathered in one buffer, large bodies kept as slices.
//!
//! The owner writes it to the socket as a [`Buf`], vectored where it can, so that many frames leave in one
//! system call and large args are never copied.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Chunks up to this many bytes are copied next to their neighbours; longer ones are sent from where they are.
pub(crate) const GATHER_MAX: usize = 4096;

/// What a buffer may keep for later once it has run empty.
const KEEP_CAPACITY: usize = 16 * 1024;

/// Frames waiting to be written.
#[derive(Debug, Default)]
pub struct Outbox {
    sealed: VecDeque<Bytes>,
    tail: BytesMut,
    sealed_len: usize,
}

impl Outbox {
    /// An empty outbox; allocates nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Bytes waiting.
    pub fn len(&self) -> usize {
        self.sealed_len + self.tail.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives back memory that a burst left behind. For when the connection falls idle.
    pub fn shrink(&mut self) {
        if self.is_empty() && self.tail.capacity() > KEEP_CAPACITY {
            self.tail = BytesMut::new();
            self.sealed = VecDeque::new();
        }
    }

    pub(crate) fn tail(&mut self) -> &mut BytesMut {
        &mut self.tail
    }

    /// Appends `size` bytes that `write` fills in.
    pub(crate) fn append(&mut self, size: usize, write: impl FnOnce(&mut [u8])) {
        let start = self.tail.len();
        self.tail.resize(start + size, 0);
        write(&mut self.tail[start..]);
    }

    /// Appends `bytes`, by copy or by reference, whichever is cheaper.
    pub fn put_bytes(&mut self, bytes: Bytes) {
        if bytes.len() <= GATHER_MAX {
            self.tail.put_slice(&bytes);
            return;
        }
        self.seal_tail();
        self.sealed_len += bytes.len();
        self.sealed.push_back(bytes);
    }

    fn seal_tail(&mut self) {
        if !self.tail.is_empty() {
            self.sealed_len += self.tail.len();
            self.sealed.push_back(self.tail.split().freeze());
        }
    }
}

impl Buf for Outbox {
    fn remaining(&self) -> usize {
        self.len()
    }

    fn chunk(&self) -> &[u8] {
        self.sealed.front().map_or(&self.tail, |bytes| bytes)
    }

    fn chunks_vectored<'a>(&'a self, dst: &mut [IoSlice<'a>]) -> usize {
        let parts = self
            .sealed
            .iter()
            .map(|bytes| &bytes[..])
            .chain([&self.tail[..]]);
        let mut count = 0;
        for (slot, part) in dst.iter_mut().zip(parts.filter(|part| !part.is_empty())) {
            *slot = IoSlice::new(part);
            count += 1;
        }
        count
    }

    fn advance(&mut self, mut count: usize) {
        while let Some(front) = self.sealed.front_mut() {
            if count < front.len() {
                front.advance(count);
                self.sealed_len -= count;
                return;
            }
            count -= front.len();
            self.sealed_len -= front.len();
            self.sealed.pop_front();
        }
        // Cleared, it begins anew where it lies; advanced to its end, it would have to be moved.
        if count == self.tail.len() {
            self.tail.clear();
        } else {
            self.tail.advance(count);
        }
    }
}
