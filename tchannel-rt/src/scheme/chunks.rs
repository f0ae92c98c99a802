//! `chunk~4`: the values of a stream in arg3, one after another.
//!
//! ```text
//! length:4 value{length} length:4 value{length} ..
//! ```
//!
//! Frames end anywhere, within a length too. Source: spec/schemes/sthrift.md, "chunks".

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Cuts values out of arg3 as it arrives.
///
/// A value that came in one piece is a slice of it; one that did not is put together here, with memory
/// taken as its bytes come, never for what its length says.
#[derive(Debug)]
pub struct Chunks {
    max_bytes: usize,
    /// What came last and has not been cut yet.
    input: Bytes,
    /// The beginning of a length or of a value that `input` ended within.
    partial: BytesMut,
    /// The length of the value that comes next, once it is known.
    length: Option<usize>,
}

/// Why arg3 is no sequence of chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChunkError {
    /// A value is larger than its reader takes.
    #[error("a value of {length} bytes is over the limit of {limit}")]
    TooLong {
        /// What its length says, in bytes.
        length: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// arg3 ended within a length or a value.
    #[error("it ends inside a value")]
    EndsInside,
}

impl Chunks {
    /// Reads values of at most `max_bytes` bytes.
    #[must_use]
    pub fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            input: Bytes::new(),
            partial: BytesMut::new(),
            length: None,
        }
    }

    /// Takes in more of arg3, once [`cut`](Self::cut) has given `None`.
    pub fn push(&mut self, bytes: Bytes) {
        debug_assert!(self.input.is_empty(), "what came before is cut first");
        self.input = bytes;
    }

    /// The next value; `None` until more of arg3 has come.
    ///
    /// # Errors
    ///
    /// [`ChunkError::TooLong`] when the next value is larger than the limit; no more can be read then.
    pub fn cut(&mut self) -> Result<Option<Bytes>, ChunkError> {
        let length = match self.length {
            Some(length) => length,
            None => match self.take(LENGTH_BYTES) {
                Some(mut bytes) => self.note_length(bytes.get_u32())?,
                None => return Ok(None),
            },
        };
        let value = self.take(length);
        if value.is_some() {
            self.length = None;
        }
        Ok(value)
    }

    /// Bytes that are kept until the rest of their value has come.
    #[must_use]
    pub fn held(&self) -> usize {
        self.partial.len()
    }

    /// Says that arg3 is complete.
    ///
    /// # Errors
    ///
    /// [`ChunkError::EndsInside`] when the last value is not.
    pub fn finish(&self) -> Result<(), ChunkError> {
        if self.length.is_none() && self.partial.is_empty() {
            Ok(())
        } else {
            Err(ChunkError::EndsInside)
        }
    }

    fn note_length(&mut self, length: u32) -> Result<usize, ChunkError> {
        let limit = self.max_bytes;
        match usize::try_from(length) {
            Ok(length) if length <= limit => {
                self.length = Some(length);
                Ok(length)
            }
            _ => Err(ChunkError::TooLong {
                length: length as usize,
                limit,
            }),
        }
    }

    /// The next `wanted` bytes, once they are all there.
    fn take(&mut self, wanted: usize) -> Option<Bytes> {
        if self.partial.is_empty() && self.input.len() >= wanted {
            return Some(self.input.split_to(wanted));
        }
        let missing = wanted - self.partial.len();
        let more = self.input.split_to(missing.min(self.input.len()));
        self.partial.extend_from_slice(&more);
        (self.partial.len() == wanted).then(|| std::mem::take(&mut self.partial).freeze())
    }
}

/// Appends `value` to `out` as one chunk.
///
/// # Errors
///
/// [`ChunkError::TooLong`] when it is larger than `max_bytes` or than a length can say; nothing was appended.
pub fn put_chunk(out: &mut BytesMut, value: &[u8], max_bytes: usize) -> Result<(), ChunkError> {
    let limit = max_bytes.min(u32::MAX as usize);
    let length = value.len();
    if length > limit {
        return Err(ChunkError::TooLong { length, limit });
    }
    out.reserve(LENGTH_BYTES + length);
    out.put_u32(length as u32);
    out.put_slice(value);
    Ok(())
}

const LENGTH_BYTES: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(values: &[&[u8]]) -> Bytes {
        let mut out = BytesMut::new();
        for value in values {
            put_chunk(&mut out, value, usize::MAX).expect("short values");
        }
        out.freeze()
    }

    /// All values of `arg3`, which arrives in pieces of `sizes`, the last of which repeats.
    fn read(mut arg3: Bytes, sizes: &[usize], max_bytes: usize) -> Result<Vec<Bytes>, ChunkError> {
        let mut chunks = Chunks::new(max_bytes);
        let mut values = Vec::new();
        let mut sizes = sizes.iter().copied();
        let mut size = 1;
        while !arg3.is_empty() {
            size = sizes.next().unwrap_or(size).clamp(1, arg3.len());
            chunks.push(arg3.split_to(size));
            while let Some(value) = chunks.cut()? {
                values.push(value);
            }
        }
        chunks.finish().map(|()| values)
    }

    #[test]
    fn a_chunk_is_a_length_of_four_bytes_and_the_value() {
        let expected = b"\x00\x00\x00\x02ab\x00\x00\x00\x00\x00\x00\x00\x01c";
        assert_eq!(written(&[b"ab", b"", b"c"]), expected[..]);
    }

    #[test]
    fn no_bytes_are_no_values() {
        assert_eq!(read(Bytes::new(), &[1], 10), Ok(vec![]));
    }

    #[test]
    fn a_value_in_one_piece_is_not_copied() {
        let arg3 = written(&[b"abc"]);
        let mut chunks = Chunks::new(3);
        chunks.push(arg3.clone());
        let value = chunks.cut().unwrap().unwrap();
        assert_eq!(value.as_ptr(), arg3[4..].as_ptr());
    }

    #[test]
    fn arg3_that_ends_inside_a_chunk_is_broken_and_what_came_before_is_not() {
        let arg3 = written(&[b"ab", b"cd"]);
        for end in 7..arg3.len() {
            let mut chunks = Chunks::new(10);
            chunks.push(arg3.slice(..end));
            assert_eq!(chunks.cut().unwrap().unwrap(), "ab");
            assert_eq!(chunks.cut(), Ok(None));
            assert_eq!(chunks.finish(), Err(ChunkError::EndsInside), "{end}");
        }
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_memory_is_taken() {
        let too_long = ChunkError::TooLong {
            length: u32::MAX as usize,
            limit: 1 << 20,
        };
        let refused = read(Bytes::from_static(&[0xff; 4]), &[4], 1 << 20);
        assert_eq!(refused, Err(too_long));
        let mut out = BytesMut::new();
        assert!(put_chunk(&mut out, b"abc", 2).is_err());
        assert!(out.is_empty());
    }

    #[test]
    fn memory_is_taken_as_a_value_comes_not_as_its_length_says() {
        let mut chunks = Chunks::new(usize::MAX);
        chunks.push(Bytes::from_static(b"\xff\xff\xff\xffabc"));
        assert_eq!(chunks.cut(), Ok(None));
        assert_eq!(chunks.held(), 3);
        assert!(chunks.partial.capacity() < 1024);
    }

    proptest! {
        #[test]
        fn values_come_back_wherever_frames_end(
            values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8),
            sizes in prop::collection::vec(1..50usize, 1..20),
        ) {
            let slices: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
            let read = read(written(&slices), &sizes, 40).unwrap();
            prop_assert_eq!(read, values);
        }

        #[test]
        fn no_bytes_make_reading_panic(bytes: Vec<u8>, sizes in prop::collection::vec(1..9usize, 1..9)) {
            let _ = read(bytes.into(), &sizes, 64);
        }
    }
}
