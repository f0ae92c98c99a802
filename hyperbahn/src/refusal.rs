//! Why a call gets an error frame instead of an answer.

use std::fmt;

/// What goes into the error frame. The message names the service, the cause and the router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What the caller may do next.
    pub code: Code,
    /// For people.
    pub message: String,
}

/// The error codes that a router gives for reasons of its own.
///
/// Source: spec/protocol/errors.md, "codes".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The same call can never succeed.
    BadRequest,
    /// Not done, and safe to repeat elsewhere or later.
    Declined,
}

impl Refusal {
    /// A call that can never succeed as it is.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self {
            code: Code::BadRequest,
            message: message.into(),
        }
    }

    /// A call that was not begun and may be repeated.
    pub fn declined(message: impl Into<String>) -> Self {
        Self {
            code: Code::Declined,
            message: message.into(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = match self.code {
            Code::BadRequest => "bad request",
            Code::Declined => "declined",
        };
        write!(f, "{code}: {}", self.message)
    }
}
