//! Why a stream has ended before its end.

use std::fmt;

use tchannel_proto::{ErrorCode, RetryAdvice};

use super::super::{MethodError, SystemError};
use crate::error::CallError;
use crate::handler::HandlerError;
use crate::scheme::SchemeError;

/// Why a stream of values has ended before its end, or shall.
///
/// Whoever reads a stream gets one; whoever sends a stream gives one, where `System` says which error frame
/// to end an answer with. Exceptions are none of these: a method throws before its first value.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StreamError {
    /// An error frame: the other end gave up, and says why.
    System(SystemError),
    /// The rest did not come.
    Transport(CallError),
    /// What came is not what the interface at this end says.
    Malformed(SchemeError),
}

impl StreamError {
    /// An error frame of this class.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::System(SystemError::new(code, message))
    }

    /// Failed half-way, for any reason that has words: `.map_err(StreamError::unexpected)`.
    pub fn unexpected(reason: impl fmt::Display) -> Self {
        Self::new(ErrorCode::UnexpectedError, reason.to_string())
    }

    /// The error class on the wire, if there is one.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::System(error) => Some(error.code),
            Self::Transport(error) => Some(error.code()),
            Self::Malformed(_) => None,
        }
    }

    /// What a caller may do about it. Values may have come before; whether they may come twice is for the
    /// caller to know.
    ///
    /// Source: spec/protocol/errors.md, "retry".
    pub fn retry_advice(&self) -> RetryAdvice {
        MethodError::<std::convert::Infallible>::from(self.clone()).retry_advice()
    }

    pub(super) fn to_handler_error(&self) -> HandlerError {
        match self {
            Self::System(error) => HandlerError::new(error.code, &error.message),
            Self::Transport(error) => HandlerError::from(error.clone()),
            Self::Malformed(error) => HandlerError::unexpected(error.to_string()),
        }
    }
}

impl From<CallError> for StreamError {
    fn from(error: CallError) -> Self {
        Self::from(MethodError::<std::convert::Infallible>::from(error))
    }
}

impl From<SchemeError> for StreamError {
    fn from(error: SchemeError) -> Self {
        Self::Malformed(error)
    }
}

impl From<HandlerError> for StreamError {
    fn from(error: HandlerError) -> Self {
        let (code, message) = error.wire();
        Self::new(code, message)
    }
}

/// What a callee throws is an unexpected error of whoever calls it.
impl<E: fmt::Debug> From<MethodError<E>> for StreamError {
    fn from(error: MethodError<E>) -> Self {
        match error {
            MethodError::System(error) => Self::System(error),
            MethodError::Transport(error) => Self::Transport(error),
            MethodError::Malformed(error) => Self::Malformed(error),
            thrown @ (MethodError::Exception(_) | MethodError::Undeclared) => {
                Self::unexpected(thrown)
            }
        }
    }
}

impl<E> From<StreamError> for MethodError<E> {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::System(error) => Self::System(error),
            StreamError::Transport(error) => Self::Transport(error),
            StreamError::Malformed(error) => Self::Malformed(error),
        }
    }
}

impl fmt::Display for StreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        MethodError::<std::convert::Infallible>::from(self.clone()).fmt(f)
    }
}

impl std::error::Error for StreamError {}
