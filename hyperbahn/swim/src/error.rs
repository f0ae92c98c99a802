//! Why a request is refused. Nothing changed when it was, except where the variant says so.

use bytes::Bytes;
use serde::Serialize;

/// Why a node refused a request; sent back as an application error.
///
/// Source: spec/ringpop/membership.md, "refusals".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The node has not joined yet. The same request may succeed later.
    #[error("node is not ready to handle requests: try again once it has joined")]
    NotReady,
    /// The request comes from a ring of another name.
    #[error("app {theirs:?} is not the app of this ring, {ours:?}")]
    OtherApp {
        /// Name of their ring.
        theirs: String,
        /// Name of ours.
        ours: String,
    },
    /// A node wants to join itself: the address it gives is ours.
    #[error("{address} cannot join itself: give it the address of another member")]
    SelfJoin {
        /// The address.
        address: String,
    },
    /// The joiner does not say where it can be reached.
    #[error("source {source_address:?} is not of the form host:port")]
    BadSource {
        /// What it says instead.
        source_address: String,
    },
    /// The body is not what this endpoint reads.
    #[error("the body could not be read: {why}")]
    BadBody {
        /// What the parser says.
        why: String,
    },
    /// The body is longer than the node takes.
    #[error("a body of {size_bytes} bytes is over the limit of {limit_bytes}")]
    BodyTooLong {
        /// Its length.
        size_bytes: usize,
        /// The limit.
        limit_bytes: usize,
    },
    /// Too many pings on behalf of others are under way. The changes in the request were taken in.
    #[error("already pinging for {limit} others: ask another member")]
    TooManyHelps {
        /// The limit.
        limit: usize,
    },
    /// The node heard from nobody while it pinged for the caller, so it cannot tell whose fault the silence
    /// is. The changes in the request were taken in.
    #[error("{target} did not answer, but neither did anybody else: ask another member")]
    Deaf {
        /// The member that was to be pinged.
        target: String,
    },
    /// No key to look up was given.
    #[error("key is required: send {{\"key\":\"...\"}}")]
    NoKey,
}

impl Refusal {
    /// The word by which programs tell refusals apart: Ringpop's, where it has one.
    ///
    /// Source: spec/ringpop/membership.md, "refusals".
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotReady => "ringpop.not-ready",
            Self::OtherApp { .. } => "ringpop.invalid-join.app",
            Self::SelfJoin { .. } => "ringpop.self-join",
            Self::BadSource { .. } => "ringpop.invalid-join.source",
            Self::BadBody { .. } => "ringpop.bad-body",
            Self::BodyTooLong { .. } => "ringpop.body-too-long",
            Self::TooManyHelps { .. } => "ringpop.busy",
            Self::Deaf { .. } => "ringpop.deaf",
            Self::NoKey => "ringpop.argument-required",
        }
    }

    /// The body of the application error.
    pub(crate) fn body(&self) -> Bytes {
        #[derive(Serialize)]
        struct Body<'a> {
            #[serde(rename = "type")]
            kind: &'a str,
            message: &'a str,
        }
        let message = self.to_string();
        let body = Body {
            kind: self.kind(),
            message: &message,
        };
        Bytes::from(serde_json::to_vec(&body).expect("two strings are always JSON"))
    }
}

#[cfg(test)]
mod tests {
    use super::Refusal;

    #[test]
    fn the_body_has_a_word_for_programs_and_a_sentence_for_people() {
        let refusal = Refusal::OtherApp {
            theirs: "a".to_owned(),
            ours: "b".to_owned(),
        };
        let body: serde_json::Value = serde_json::from_slice(&refusal.body()).expect("JSON");
        assert_eq!(body["type"], "ringpop.invalid-join.app");
        assert_eq!(
            body["message"],
            r#"app "a" is not the app of this ring, "b""#
        );
    }
}
