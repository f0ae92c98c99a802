//! Frames to args: each frame yields the chunks it adds.
//!
//! Source: spec/protocol/fragments.md, "receiving".

use bytes::Bytes;

use super::Body;
use crate::checksum::{Checksum, RunningChecksum};
use crate::limits::ARG1_MAX;
use crate::message::Chunks;

/// Why a message can not be put together. It concerns this message only.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FragmentError {
    /// The bytes are not those that were sent.
    #[error("checksum mismatch: the frame says {expected:#010x}, its args give {actual:#010x}")]
    Checksum {
        /// What the frame says.
        expected: u32,
        /// What its args give.
        actual: u32,
    },
    /// Another checksum type than in the first frame.
    #[error("checksum type changed within a message from {first:#04x} to {now:#04x}")]
    ChecksumTypeChanged {
        /// That of the first frame.
        first: u8,
        /// That of this frame.
        now: u8,
    },
    /// The message ended early.
    #[error("message ended with {count} args, expected 3")]
    TooFewArgs {
        /// Args it had.
        count: u8,
    },
    /// A fourth arg.
    #[error("message has more than 3 args")]
    TooManyArgs,
    /// Arg1 over the limit.
    #[error("arg1 length {length} is larger than the limit {limit}")]
    Arg1TooLong {
        /// Its length so far, in bytes.
        length: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// A first frame without a chunk.
    #[error("call frame without args")]
    NoArgs,
}

/// What one frame adds to a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// Arg1, once, with the frame that ends it.
    pub arg1: Option<Bytes>,
    /// What the frame holds of arg2 and arg3.
    pub body: Body,
}

/// One message on its way in.
#[derive(Debug)]
pub struct FragmentReader {
    checksum: RunningChecksum,
    open: u8,
    arg1: Arg1,
    arg3_is_empty: bool,
    frames: u64,
}

#[derive(Debug)]
enum Arg1 {
    Partial(Bytes),
    Given,
}

impl FragmentReader {
    /// Before the first frame, which carries `checksum`.
    pub fn new(checksum: Checksum) -> Self {
        Self {
            checksum: RunningChecksum::new(checksum.checksum_type),
            open: 0,
            arg1: Arg1::Partial(Bytes::new()),
            arg3_is_empty: true,
            frames: 0,
        }
    }

    /// Takes in the next frame of the message; `more` is its "more fragments" flag.
    ///
    /// # Errors
    ///
    /// [`FragmentError`]; the message is lost, its neighbours are not.
    pub fn read(
        &mut self,
        more: bool,
        checksum: Checksum,
        chunks: Chunks,
    ) -> Result<Received, FragmentError> {
        self.read_apart(more, checksum, chunks, &[])
    }

    /// Takes in the next frame, of whose last chunk `apart` is kept elsewhere.
    pub(crate) fn read_apart(
        &mut self,
        more: bool,
        checksum: Checksum,
        chunks: Chunks,
        apart: &[u8],
    ) -> Result<Received, FragmentError> {
        self.check_type(checksum)?;
        self.read_chunks(0, more, checksum, chunks, apart)
    }

    /// Takes in the first frame of a call, whose first chunk is `arg1`, and `chunks` the others. What is received says
    /// nothing of an arg1 that ends in it.
    pub(crate) fn read_behind_arg1(
        &mut self,
        more: bool,
        checksum: Checksum,
        arg1: &[u8],
        chunks: Chunks,
        apart: &[u8],
    ) -> Result<Body, FragmentError> {
        check_arg1(arg1.len())?;
        self.checksum.update(arg1);
        self.open = 1;
        self.arg1 = match chunks.is_empty() {
            true => Arg1::Partial(Bytes::copy_from_slice(arg1)),
            false => Arg1::Given,
        };
        let received = self.read_chunks(1, more, checksum, chunks, apart)?;
        Ok(received.body)
    }

    /// Takes in the chunks of a frame, but for so many that have been taken in before.
    fn read_chunks(
        &mut self,
        before: usize,
        more: bool,
        checksum: Checksum,
        chunks: Chunks,
        apart: &[u8],
    ) -> Result<Received, FragmentError> {
        let mut received = Received::default();
        for (index, chunk) in chunks.into_iter().enumerate() {
            self.checksum.update(&chunk);
            self.place(before + index, chunk, &mut received)?;
        }
        if self.open == 0 {
            return Err(FragmentError::NoArgs);
        }
        if !apart.is_empty() {
            self.checksum.update(apart);
            self.arg3_is_empty = false;
        }
        verify(&self.checksum, checksum)?;
        self.frames += 1;
        received.body.arg2_end = self.open == 3;
        if !more {
            self.check_complete()?;
            received.body.end = true;
        }
        Ok(received)
    }

    /// Whether the next frame begins with more of arg3.
    pub(crate) fn is_in_arg3(&self) -> bool {
        self.open == 3
    }

    fn check_type(&self, checksum: Checksum) -> Result<(), FragmentError> {
        let running = self.checksum.checksum().checksum_type;
        if checksum.checksum_type == running {
            return Ok(());
        }
        let (first, now) = (running as u8, checksum.checksum_type as u8);
        Err(FragmentError::ChecksumTypeChanged { first, now })
    }

    fn place(
        &mut self,
        index: usize,
        chunk: Bytes,
        received: &mut Received,
    ) -> Result<(), FragmentError> {
        let continues = index == 0 && self.open > 0;
        if !continues && !self.is_spurious_arg3(index) {
            self.open += 1;
        }
        match self.open {
            1 => self.extend_arg1(chunk)?,
            2 => {
                self.give_arg1(received);
                received.body.arg2 = chunk;
            }
            3 => {
                self.arg3_is_empty &= chunk.is_empty();
                received.body.arg3 = chunk;
            }
            _ => return Err(FragmentError::TooManyArgs),
        }
        Ok(())
    }

    // Deployed Python peers end arg3 by mistake when exactly two bytes are left behind arg2, and send the real
    // one as a fourth arg at the start of the next frame.
    fn is_spurious_arg3(&self, index: usize) -> bool {
        self.open == 3 && self.arg3_is_empty && index == 1 && self.frames > 0
    }

    fn extend_arg1(&mut self, chunk: Bytes) -> Result<(), FragmentError> {
        if let Arg1::Partial(arg1) = &mut self.arg1 {
            check_arg1(arg1.len() + chunk.len())?;
            // Nearly always whole in the first frame: then it stays the slice it is.
            *arg1 = if arg1.is_empty() {
                chunk
            } else {
                [&arg1[..], &chunk[..]].concat().into()
            };
        }
        Ok(())
    }

    fn give_arg1(&mut self, received: &mut Received) {
        if let Arg1::Partial(arg1) = std::mem::replace(&mut self.arg1, Arg1::Given) {
            received.arg1 = Some(arg1);
        }
    }

    fn check_complete(&self) -> Result<(), FragmentError> {
        if self.open < 3 {
            Err(FragmentError::TooFewArgs { count: self.open })
        } else {
            Ok(())
        }
    }
}

/// The args of a message of which all is in one frame, as it is for most: that needs nobody who goes on from frame to
/// frame.
///
/// # Errors
///
/// Those that a [`FragmentReader`] has for it.
pub(crate) fn read_whole(
    checksum: Checksum,
    arg1: &[u8],
    arg2: Bytes,
    arg3: Bytes,
) -> Result<Body, FragmentError> {
    check_arg1(arg1.len())?;
    let mut running = RunningChecksum::new(checksum.checksum_type);
    for arg in [arg1, &arg2, &arg3] {
        running.update(arg);
    }
    verify(&running, checksum)?;
    Ok(Body::whole(arg2, arg3))
}

fn verify(running: &RunningChecksum, checksum: Checksum) -> Result<(), FragmentError> {
    let actual = running.checksum().value;
    if actual == checksum.value {
        return Ok(());
    }
    Err(FragmentError::Checksum {
        expected: checksum.value,
        actual,
    })
}

fn check_arg1(length: usize) -> Result<(), FragmentError> {
    if length > ARG1_MAX {
        let limit = ARG1_MAX;
        return Err(FragmentError::Arg1TooLong { length, limit });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::ChecksumType;

    /// Reads the args both ways, under the right checksum and a wrong one.
    #[track_caller]
    fn check(checksum_type: ChecksumType, args: [&[u8]; 3]) {
        let mut running = RunningChecksum::new(checksum_type);
        args.iter().for_each(|arg| running.update(arg));
        let right = running.checksum();
        let wrong = Checksum {
            value: !right.value,
            ..right
        };
        for checksum in [right, wrong] {
            let chunks = Chunks::from_slices(args);
            let mut reader = FragmentReader::new(checksum);
            let received = reader.read(false, checksum, chunks.clone());
            let [arg1, arg2, arg3] = chunks.into_array().expect("three chunks");
            let whole = read_whole(checksum, &arg1, arg2, arg3);
            assert_eq!(whole, received.map(|received| received.body));
        }
    }

    #[test]
    fn a_message_of_one_frame_is_read_as_it_is_by_a_reader_of_many() {
        use ChecksumType::{Crc32, Crc32c, Farmhash, None};
        for checksum_type in [None, Crc32, Farmhash, Crc32c] {
            check(checksum_type, [b"", b"", b""]);
            check(checksum_type, [b"method", b"", b"cde"]);
            check(checksum_type, [b"method", b"ab", b""]);
            check(checksum_type, [&[b'm'; ARG1_MAX + 1], b"ab", b"cde"]);
        }
    }

    #[test]
    fn chunks_are_taken_apart_only_if_they_are_exactly_so_many() {
        let chunks = Chunks::from_slices([&b"a"[..], b"", b"bc"]);
        assert_eq!(chunks.clone().into_array::<2>(), Err(chunks.clone()));
        assert_eq!(chunks.clone().into_array::<4>(), Err(chunks.clone()));
        let apart = ["a", "", "bc"].map(Bytes::from);
        assert_eq!(chunks.into_array(), Ok(apart));
    }
}
