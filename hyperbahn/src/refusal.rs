//! Why a call gets an error frame instead of an answer.

use std::fmt;

use tchannel_proto::message::ErrorCode;

/// What goes into the error frame. The message names the service, the cause and the router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What the caller may do next.
    pub code: ErrorCode,
    /// For people.
    pub message: String,
}

impl Refusal {
    /// A call that can never succeed as it is.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self {
            code: ErrorCode::BadRequest,
            message: message.into(),
        }
    }

    /// A call that was not begun and may be repeated.
    pub fn declined(message: impl Into<String>) -> Self {
        Self {
            code: ErrorCode::Declined,
            message: message.into(),
        }
    }

    /// Whether the same call can never succeed, at any time and at any router.
    pub fn is_permanent(&self) -> bool {
        self.code == ErrorCode::BadRequest
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}
