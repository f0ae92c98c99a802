//! What is wrong with the args of one call.

use std::fmt;

use super::ArgScheme;

/// Bytes that are not what their arg scheme promises, or values that do not fit it.
///
/// When reading, the peer is at fault: a server answers bad request. When writing, the caller's
/// value cannot be expressed and nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{scheme} {arg}: {problem}")]
pub struct SchemeError {
    scheme: ArgScheme,
    arg: Arg,
    problem: String,
}

impl SchemeError {
    pub(crate) fn new(scheme: ArgScheme, arg: Arg, problem: impl fmt::Display) -> Self {
        let mut problem = problem.to_string();
        problem.truncate(problem.floor_char_boundary(MAX_PROBLEM_BYTES));
        Self {
            scheme,
            arg,
            problem,
        }
    }

    /// The scheme that was read or written.
    #[must_use]
    pub fn scheme(&self) -> &ArgScheme {
        &self.scheme
    }

    /// Which of the args it is.
    #[must_use]
    pub fn arg(&self) -> Arg {
        self.arg
    }
}

/// One of the args of a call.
///
/// Source: spec/protocol/call.md, "args".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Arg {
    /// arg2: the headers of most schemes.
    Headers,
    /// arg3: the body.
    Body,
}

impl fmt::Display for Arg {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Headers => "arg2",
            Self::Body => "arg3",
        })
    }
}

/// Room for the problem itself: parsers quote what they read, which may be the whole arg, and the
/// text must fit an error frame.
const MAX_PROBLEM_BYTES: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_scheme_arg_and_problem() {
        let error = SchemeError::new(ArgScheme::Thrift, Arg::Body, "field 3 is missing");
        assert_eq!(error.to_string(), "thrift arg3: field 3 is missing");
    }

    #[test]
    fn a_problem_that_quotes_the_whole_arg_is_cut_between_characters() {
        let error = SchemeError::new(ArgScheme::Json, Arg::Headers, "é".repeat(1 << 20) + "x");
        assert!(error.to_string().len() < 600);
        let odd = SchemeError::new(
            ArgScheme::Json,
            Arg::Headers,
            "x".to_owned() + &"é".repeat(1 << 20),
        );
        assert!(odd.to_string().ends_with('é'));
    }
}
