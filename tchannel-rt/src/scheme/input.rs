//! Reading integers and strings off the front of an arg.

/// What is left of an arg.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn take(&mut self, wanted: usize) -> Result<&'a [u8], InputError> {
        let left = self.0.len();
        self.0
            .split_off(..wanted)
            .ok_or(InputError::EndsEarly { wanted, left })
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], InputError> {
        let (first, rest) = self.0.split_first_chunk().ok_or(InputError::EndsEarly {
            wanted: N,
            left: self.0.len(),
        })?;
        self.0 = rest;
        Ok(*first)
    }

    pub(super) fn u8(&mut self) -> Result<u8, InputError> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, InputError> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn text(&mut self, length: usize) -> Result<&'a str, InputError> {
        std::str::from_utf8(self.take(length)?).map_err(|_| InputError::NotUtf8)
    }

    /// A string under a length of two bytes.
    pub(super) fn text2(&mut self) -> Result<&'a str, InputError> {
        let length = self.u16()?;
        self.text(length.into())
    }

    pub(super) fn end(self) -> Result<(), InputError> {
        match self.0.len() {
            0 => Ok(()),
            bytes => Err(InputError::GoesOn { bytes }),
        }
    }
}

/// Why an arg could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum InputError {
    #[error("it ends early: {wanted} bytes wanted, {left} left")]
    EndsEarly { wanted: usize, left: usize },
    #[error("a string is not UTF-8")]
    NotUtf8,
    #[error("{bytes} bytes follow its end")]
    GoesOn { bytes: usize },
}
