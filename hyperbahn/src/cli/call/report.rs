//! How a call went, for people and for programs.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tchannel_proto::message::ErrorCode;

use super::scheme::Shown;
use crate::cli::exit::Exit;

/// How a call went.
#[derive(Debug)]
pub(crate) struct Report {
    /// What came of it.
    pub(crate) outcome: Outcome,
    /// From the first byte out to the last byte in.
    pub(crate) elapsed: Duration,
    /// Who answered: the router, or the instance when it was called directly.
    pub(crate) peer: Option<String>,
}

/// What came of a call.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The service answered: well, or with a failure of its own.
    Answered {
        /// Whether the answer is not ok.
        failed: bool,
        /// What it says.
        shown: Shown,
    },
    /// The service answered with a stream, all of which has been shown.
    Streamed {
        /// How many values.
        values: u64,
        /// Application headers, by name.
        headers: Value,
    },
    /// An error frame came, or nothing that could be used.
    Failed {
        /// Its code.
        code: ErrorCode,
        /// What it says.
        message: String,
        /// What to do about it, if that is known.
        advice: Option<&'static str>,
    },
}

impl Report {
    /// The exit status.
    pub(crate) fn exit(&self) -> Exit {
        match &self.outcome {
            Outcome::Answered { failed: false, .. } | Outcome::Streamed { .. } => Exit::Success,
            Outcome::Answered { failed: true, .. } => Exit::Application,
            Outcome::Failed { code, .. } => Exit::System(*code),
        }
    }

    /// What goes to standard output when people read it.
    pub(crate) fn body(&self) -> Option<&Bytes> {
        match &self.outcome {
            Outcome::Answered { shown, .. } => Some(&shown.text),
            Outcome::Streamed { .. } | Outcome::Failed { .. } => None,
        }
    }

    /// What is not as it should be with the answer.
    pub(crate) fn notes(&self) -> &[String] {
        match &self.outcome {
            Outcome::Answered { shown, .. } => &shown.notes,
            Outcome::Streamed { .. } | Outcome::Failed { .. } => &[],
        }
    }

    /// What a person may do about it.
    pub(crate) fn advice(&self) -> Option<&'static str> {
        match &self.outcome {
            Outcome::Answered { .. } | Outcome::Streamed { .. } => None,
            Outcome::Failed { advice, .. } => *advice,
        }
    }

    /// What goes to standard output when a program reads it.
    pub(crate) fn json(&self) -> Value {
        let mut document = json!({
            "code": self.code(),
            "peer": self.peer,
            "elapsed_ms": self.elapsed.as_micros() as f64 / 1e3,
        });
        match &self.outcome {
            Outcome::Answered { shown, .. } => {
                document["body"] = shown.body.clone();
                document["headers"] = shown.headers.clone();
                if !shown.notes.is_empty() {
                    document["notes"] = json!(shown.notes);
                }
            }
            Outcome::Streamed { values, headers } => {
                document["values"] = json!(values);
                document["headers"] = headers.clone();
            }
            Outcome::Failed { message, .. } => document["message"] = json!(message),
        }
        document
    }

    fn code(&self) -> &'static str {
        match &self.outcome {
            Outcome::Answered { failed: false, .. } | Outcome::Streamed { .. } => "ok",
            Outcome::Answered { failed: true, .. } => "application-error",
            Outcome::Failed { code, .. } => code.name(),
        }
    }
}

/// The line after the body: code, time and peer.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())?;
        match &self.outcome {
            Outcome::Failed { message, .. } => write!(f, ": {message}")?,
            Outcome::Streamed { values: 1, .. } => f.write_str(": 1 value")?,
            Outcome::Streamed { values, .. } => write!(f, ": {values} values")?,
            Outcome::Answered { .. } => {}
        }
        write!(f, " ({:.1} ms", self.elapsed.as_secs_f64() * 1e3)?;
        match &self.peer {
            Some(peer) => write!(f, ", {peer})"),
            None => f.write_str(")"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(failed: bool) -> Report {
        Report {
            outcome: Outcome::Answered {
                failed,
                shown: Shown {
                    headers: json!({"h": "v"}),
                    body: json!({"a": 1}),
                    text: Bytes::from_static(b"{\"a\": 1}"),
                    notes: Vec::new(),
                    is_failure: false,
                },
            },
            elapsed: Duration::from_micros(1_250),
            peer: Some("127.0.0.1:21300".into()),
        }
    }

    fn declined() -> Report {
        Report {
            outcome: Outcome::Failed {
                code: ErrorCode::Declined,
                message: "no peer".into(),
                advice: None,
            },
            elapsed: Duration::from_millis(2),
            peer: None,
        }
    }

    #[test]
    fn the_line_has_code_time_and_peer() {
        assert_eq!(answered(false).to_string(), "ok (1.2 ms, 127.0.0.1:21300)");
        assert_eq!(
            answered(true).to_string(),
            "application-error (1.2 ms, 127.0.0.1:21300)"
        );
        assert_eq!(declined().to_string(), "declined: no peer (2.0 ms)");
    }

    #[test]
    fn the_document_has_what_a_program_asks_for() {
        assert_eq!(
            answered(false).json(),
            json!({
                "code": "ok", "peer": "127.0.0.1:21300", "elapsed_ms": 1.25,
                "body": {"a": 1}, "headers": {"h": "v"},
            })
        );
        assert_eq!(
            declined().json(),
            json!({"code": "declined", "peer": null, "elapsed_ms": 2.0, "message": "no peer"})
        );
    }

    #[test]
    fn the_exit_status_tells_what_came_of_it() {
        assert_eq!(answered(false).exit(), Exit::Success);
        assert_eq!(answered(true).exit(), Exit::Application);
        assert_eq!(declined().exit(), Exit::System(ErrorCode::Declined));
    }

    #[test]
    fn a_failure_has_no_body() {
        assert_eq!(answered(true).body().unwrap(), &b"{\"a\": 1}"[..]);
        assert_eq!(declined().body(), None);
    }
}
