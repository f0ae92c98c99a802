//! How a method can fail: by what it declares, by an error frame, or without an answer.

use std::convert::Infallible;
use std::fmt;

use tchannel_proto::{ErrorCode, RetryAdvice};

use crate::error::CallError;
use crate::handler::HandlerError;
use crate::scheme::SchemeError;
use crate::scheme::thrift::Unreadable;
use crate::stats::End;

/// Why a method has no result. `E` is what it declares to throw.
///
/// A client gets one; a server gives one, where `System` says which error frame to answer with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum MethodError<E = Infallible> {
    /// The application answered with an exception that the method declares.
    Exception(E),
    /// The application answered with an exception that this end does not know.
    Undeclared,
    /// An error frame: overloaded, refused, failed half-way and so on.
    System(SystemError),
    /// No answer came, or the call could not be sent.
    Transport(CallError),
    /// The answer is not what the interface at this end says.
    Malformed(SchemeError),
}

impl<E> MethodError<E> {
    /// Overloaded, not started; the caller may try another instance.
    pub fn busy(message: impl Into<String>) -> Self {
        Self::system(ErrorCode::Busy, message)
    }

    /// Refused, not started; the caller may try another instance.
    pub fn declined(message: impl Into<String>) -> Self {
        Self::system(ErrorCode::Declined, message)
    }

    /// The request can never succeed.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::system(ErrorCode::BadRequest, message)
    }

    /// Failed half-way, for any reason that has words: `.map_err(MethodError::unexpected)`.
    pub fn unexpected(reason: impl fmt::Display) -> Self {
        Self::system(ErrorCode::UnexpectedError, reason.to_string())
    }

    fn system(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::System(SystemError::new(code, message))
    }

    /// What a caller may do about it. An answer of the application, be it an exception or something that
    /// can not be read, is never a reason to ask again.
    ///
    /// Source: spec/protocol/errors.md, "retry".
    pub fn retry_advice(&self) -> RetryAdvice {
        match self {
            Self::Exception(_) | Self::Undeclared | Self::Malformed(_) => RetryAdvice::Never,
            Self::System(error) => match &error.call {
                Some(call) => call.retry_advice(),
                None => error.code.retry_advice(),
            },
            Self::Transport(error) => error.retry_advice(),
        }
    }

    /// The error class on the wire, unless the application answered.
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Exception(_) | Self::Undeclared | Self::Malformed(_) => None,
            Self::System(error) => Some(error.code),
            Self::Transport(error) => Some(error.code()),
        }
    }

    pub(super) fn into_handler_error(self) -> Result<E, HandlerError> {
        Err(match self {
            Self::Exception(thrown) => return Ok(thrown),
            Self::System(error) => HandlerError::new(error.code, error.message),
            Self::Transport(error) => HandlerError::from(error),
            Self::Undeclared => HandlerError::unexpected("a callee threw what is not declared"),
            Self::Malformed(error) => HandlerError::unexpected(error.to_string()),
        })
    }
}

/// An error frame: one that came, or one to answer with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SystemError {
    /// Its class. Source: spec/protocol/errors.md, "codes".
    pub code: ErrorCode,
    /// What happened, for people.
    pub message: String,
    /// The call it ended, at the caller.
    pub call: Option<CallError>,
}

impl SystemError {
    pub(super) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            call: None,
        }
    }
}

impl<E> From<CallError> for MethodError<E> {
    fn from(error: CallError) -> Self {
        match error.end() {
            End::SystemError(code) => Self::System(SystemError {
                code,
                message: error.message().to_owned(),
                call: Some(error),
            }),
            _ => Self::Transport(error),
        }
    }
}

impl<E> From<HandlerError> for MethodError<E> {
    fn from(error: HandlerError) -> Self {
        let (code, message) = error.wire();
        Self::system(code, message)
    }
}

impl<E> From<Unreadable> for MethodError<E> {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Undeclared => Self::Undeclared,
            Unreadable::Scheme(error) => Self::Malformed(error),
        }
    }
}

impl<E: fmt::Debug> fmt::Display for MethodError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exception(thrown) => write!(f, "the method threw {thrown:?}"),
            Self::Undeclared => Unreadable::Undeclared.fmt(f),
            Self::System(error) => match &error.call {
                Some(call) => call.fmt(f),
                None => write!(f, "{}: {}", error.code, error.message),
            },
            Self::Transport(error) => error.fmt(f),
            Self::Malformed(error) => write!(f, "the answer can not be read: {error}"),
        }
    }
}

impl<E: fmt::Debug> std::error::Error for MethodError<E> {}
