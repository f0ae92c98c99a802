//! How three args become frames and frames become args again.
//!
//! ```text
//! first frame   [head][arg1][arg2 ......]        more
//! continuation  [.. arg2][arg3 .........]        more
//! continuation  [.............. arg3]            last
//! ```
//!
//! Within a frame each chunk boundary ends the arg before it. The first chunk of a continuation goes on
//! with the arg that was open; when that had nothing left, the chunk is empty.
//!
//! Source: spec/protocol/fragments.md, "sending" and spec/protocol/fragments.md, "receiving".

mod reader;
mod writer;

use bytes::Bytes;

pub(crate) use reader::read_whole;
pub use reader::{FragmentError, FragmentReader, Received};
pub use writer::{FragmentWriter, Head, Progress};

/// What of arg2 and arg3 is at hand: a whole message, or one step of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// The next bytes of arg2.
    pub arg2: Bytes,
    /// Nothing of arg2 comes after them.
    pub arg2_end: bool,
    /// The next bytes of arg3. Empty while arg2 has not ended.
    pub arg3: Bytes,
    /// Nothing of arg3 comes after them: the message is complete.
    pub end: bool,
}

impl Body {
    /// A complete message.
    pub fn whole(arg2: impl Into<Bytes>, arg3: impl Into<Bytes>) -> Self {
        Self {
            arg2: arg2.into(),
            arg2_end: true,
            arg3: arg3.into(),
            end: true,
        }
    }

    /// Bytes at hand.
    pub fn len(&self) -> usize {
        self.arg2.len() + self.arg3.len()
    }

    /// Whether there is not a byte at hand.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
