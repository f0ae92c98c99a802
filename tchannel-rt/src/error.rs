//! What can go wrong, sorted by what the caller may do next.

use std::fmt;
use std::time::Duration;

use tchannel_proto::{CallRefused, ErrorCode, Failure, RetryAdvice};

use crate::retry::Acted;
use crate::scheme::SchemeError;
use crate::stats::End;

/// A call that has no answer.
///
/// An answer that is an application error is not one of these; see
/// [`Response::is_ok`](crate::Response::is_ok).
#[derive(Clone, Debug)]
pub struct CallError {
    inner: Box<Inner>,
}

#[derive(Clone, Debug)]
struct Inner {
    code: ErrorCode,
    message: String,
    acted: Acted,
    /// Whether the peer said so, in an error frame.
    is_told: bool,
    is_refused: bool,
    target: String,
    peer: Option<String>,
    attempts: u32,
    elapsed: Duration,
}

impl CallError {
    pub(crate) fn new(code: ErrorCode, acted: Acted, message: impl Into<String>) -> Self {
        let inner = Inner {
            code,
            message: message.into(),
            acted,
            is_told: false,
            is_refused: false,
            target: String::new(),
            peer: None,
            attempts: 1,
            elapsed: Duration::ZERO,
        };
        Self {
            inner: Box::new(inner),
        }
    }

    /// Nothing has left, but the same arguments would not leave the next time either.
    pub(crate) fn unsendable(error: SchemeError) -> Self {
        Self::new(ErrorCode::BadRequest, Acted::No, error.to_string())
    }

    /// An error of a layer that has not let the call go on: nothing was sent, so it is safe to try again unless
    /// `code` says that it makes no sense.
    pub fn unsent(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::new(code, Acted::No, message)
    }

    /// An error of a layer that has given up on the answer, or does not like it: the call may have run.
    pub fn unanswered(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::new(code, Acted::Maybe, message)
    }

    /// The class of the error, as on the wire. Errors found at this end use the code that fits.
    ///
    /// Source: spec/protocol/errors.md, "codes".
    pub fn code(&self) -> ErrorCode {
        self.inner.code
    }

    /// What happened, for people: the peer's own words where it sent any.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// The peer that was asked last, if one was.
    pub fn peer(&self) -> Option<&str> {
        self.inner.peer.as_deref()
    }

    /// How often the call was tried.
    pub fn attempts(&self) -> u32 {
        self.inner.attempts
    }

    /// How long the call took, all attempts together.
    pub fn elapsed(&self) -> Duration {
        self.inner.elapsed
    }

    /// Whether the peer said so, in an error frame; otherwise it was found out at this end.
    pub fn is_from_peer(&self) -> bool {
        self.inner.is_told
    }

    /// Whether the peer's machine answered that nobody listens at the port. Nothing was sent.
    pub fn is_connection_refused(&self) -> bool {
        self.inner.is_refused
    }

    /// What may be done about it. A call of which no byte has left is always safe to send again.
    ///
    /// Source: spec/protocol/errors.md, "retry".
    pub fn retry_advice(&self) -> RetryAdvice {
        match (self.inner.acted, self.inner.code.retry_advice()) {
            (_, RetryAdvice::Never) => RetryAdvice::Never,
            (Acted::No, _) => RetryAdvice::Safe,
            (Acted::Maybe, advice) => advice,
        }
    }

    pub(crate) fn acted(&self) -> Acted {
        self.inner.acted
    }

    pub(crate) fn end(&self) -> End {
        if self.inner.is_told {
            End::SystemError(self.inner.code)
        } else {
            End::OperationalError(self.inner.code)
        }
    }

    pub(crate) fn at_peer(mut self, peer: &str) -> Self {
        self.inner.peer = Some(peer.to_owned());
        self
    }

    pub(crate) fn refused(mut self, is_refused: bool) -> Self {
        self.inner.is_refused = is_refused;
        self
    }

    pub(crate) fn finished(mut self, target: String, attempts: u32, elapsed: Duration) -> Self {
        self.inner.target = target;
        self.inner.attempts = attempts;
        self.inner.elapsed = elapsed;
        self
    }

    pub(crate) fn from_refusal(refusal: &CallRefused) -> Self {
        let code = match refusal {
            CallRefused::TooManyInFlight { .. } => ErrorCode::Busy,
            CallRefused::Arg1TooLong { .. } | CallRefused::FieldTooLong { .. } => {
                ErrorCode::BadRequest
            }
            _ => ErrorCode::NetworkError,
        };
        Self::new(code, Acted::No, refusal.to_string())
    }

    pub(crate) fn from_failure(failure: &Failure) -> Self {
        use Acted::{Maybe, No};
        match failure {
            Failure::Refused { code, message, .. } => {
                let mut error = Self::new(*code, acted_by(*code), message.to_string());
                error.inner.is_told = true;
                error
            }
            Failure::TimedOut => Self::new(ErrorCode::Timeout, Maybe, "no answer within the ttl"),
            Failure::Cancelled { why } => Self::new(ErrorCode::Cancelled, Maybe, why.to_string()),
            Failure::Args(error) => Self::new(
                ErrorCode::UnexpectedError,
                Maybe,
                format!("bad response: {error}"),
            ),
            Failure::Malformed(error) => Self::new(
                ErrorCode::UnexpectedError,
                Maybe,
                format!("bad response: {error}"),
            ),
            Failure::ConnectionLost { sent: false } => Self::new(
                ErrorCode::NetworkError,
                No,
                "the connection was lost before the call had left",
            ),
            Failure::ConnectionLost { sent: true } => Self::new(
                ErrorCode::NetworkError,
                Maybe,
                "the connection was lost while the call was in flight",
            ),
            other => Self::new(ErrorCode::UnexpectedError, Maybe, format!("{other:?}")),
        }
    }
}

fn acted_by(code: ErrorCode) -> Acted {
    if code.retry_advice() == RetryAdvice::Safe {
        Acted::No
    } else {
        Acted::Maybe
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner {
            code,
            message,
            target,
            peer,
            attempts,
            elapsed,
            ..
        } = &*self.inner;
        write!(f, "{code}: {message}")?;
        if !target.is_empty() {
            write!(f, " (calling {target}")?;
            if let Some(peer) = peer {
                write!(f, " at {peer}")?;
            }
            let tries = if *attempts == 1 { "try" } else { "tries" };
            write!(
                f,
                ", {attempts} {tries}, {:.1} ms)",
                elapsed.as_secs_f64() * 1e3
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for CallError {}

/// What can keep a channel from starting.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// The address can not be listened on.
    #[error("can not listen on {addr}: {source}; is another process using it?")]
    Listen {
        /// The address that was asked for.
        addr: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The channel was closed.
    #[error("the channel is closed; make a new one")]
    Closed,
    /// A host:port that is not one.
    #[error("{value:?} is not a host:port such as 127.0.0.1:21300")]
    BadHostPort {
        /// What was given.
        value: String,
    },
    /// The signals that end a service can not be watched.
    #[error("can not watch for SIGTERM and Ctrl-C: {source}")]
    Signals {
        /// What the system said.
        source: std::io::Error,
    },
    /// The list of routers can not be read.
    #[error(
        "can not read routers from {path}: {reason}; expected a JSON array of host:port strings"
    )]
    RouterFile {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}
