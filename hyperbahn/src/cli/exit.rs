//! What the exit status of a command says.
//!
//! | status | meaning |
//! | --- | --- |
//! | 0 | success |
//! | 1 to 8 | the error frame with that code: timeout, cancelled, busy, declined, unexpected error, bad request, network error, unhealthy |
//! | 64 | the command line is wrong |
//! | 125 | the tool itself failed |
//! | 126 | the service answered that it failed |
//! | 127 | the protocol was broken |

use std::process::ExitCode;

use tchannel_proto::message::ErrorCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// As asked.
    Success,
    /// With an error frame, or what would have been one.
    System(ErrorCode),
    /// With a command line that makes no sense.
    Usage,
    /// For a reason that has nothing to do with the call.
    Tool,
    /// With a call res that is not ok, or an HTTP status that says as much.
    Application,
}

impl Exit {
    /// The exit status.
    pub(crate) fn status(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::System(ErrorCode::FatalProtocolError) => 127,
            Self::System(code) => code as u8,
            Self::Usage => 64,
            Self::Tool => 125,
            Self::Application => 126,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.status().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_has_a_status_of_its_own() {
        let codes = (0..=u8::MAX).filter_map(ErrorCode::from_byte);
        let system = codes.map(|code| Exit::System(code).status());
        assert_eq!(system.collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7, 8, 127]);
        let others = [Exit::Success, Exit::Usage, Exit::Tool, Exit::Application];
        assert_eq!(others.map(Exit::status), [0, 64, 125, 126]);
    }
}
