//! Arg schemes: from args to values and back. Pure; sees neither tokio nor a connection.
//!
//! ```text
//!            arg2                          arg3
//! raw        bytes                         bytes
//! json       object of strings             any JSON
//! msgpack    map of strings                any MessagePack, structs as maps
//! http       method or status, headers     body
//! thrift     nh:2 (k~2 v~2){nh}            one struct, TBinaryProtocol
//! sthrift    the same                      values, TBinaryProtocol, each under its length
//! ```
//!
//! Every function that reads answers a [`SchemeError`] for bytes that do not fit; at a server it
//! becomes a bad request.

pub mod chunks;
mod error;
mod headers;
pub mod http;
mod input;
pub mod json;
mod long;
pub mod msgpack;
pub mod raw;
pub mod sthrift;
pub mod thrift;
mod written;

use std::fmt;

use bytestring::ByteString;
use serde::{Deserialize, Serialize};

pub use error::{Arg, SchemeError};
pub use headers::{Headers, MAX_HEADERS};

/// How the args of a call are encoded, as the transport header `as` names it.
///
/// Source: spec/protocol/headers.md, "transport headers".
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ArgScheme {
    /// Opaque bytes.
    Raw,
    /// JSON headers and body.
    Json,
    /// MessagePack headers and body.
    Msgpack,
    /// An HTTP exchange.
    Http,
    /// Thrift headers and one struct.
    Thrift,
    /// Thrift headers and a stream of values.
    Sthrift,
    /// A scheme this runtime carries without understanding it.
    Other(ByteString),
}

impl ArgScheme {
    /// The scheme's name on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Raw => "raw",
            Self::Json => "json",
            Self::Msgpack => "msgpack",
            Self::Http => "http",
            Self::Thrift => "thrift",
            Self::Sthrift => "sthrift",
            Self::Other(name) => name,
        }
    }

    /// The scheme of this name, of which only one that is not known need be looked at as text.
    pub(crate) fn from_bytes(name: &[u8]) -> Self {
        match name {
            b"raw" => Self::Raw,
            b"json" => Self::Json,
            b"msgpack" => Self::Msgpack,
            b"http" => Self::Http,
            b"thrift" => Self::Thrift,
            b"sthrift" => Self::Sthrift,
            other => Self::Other(String::from_utf8_lossy(other).as_ref().into()),
        }
    }
}

impl From<&str> for ArgScheme {
    fn from(name: &str) -> Self {
        Self::from_bytes(name.as_bytes())
    }
}

impl fmt::Display for ArgScheme {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The body of an application error under json and msgpack.
///
/// A field that the peer left out is read as the empty string; further fields are skipped.
///
/// Source: spec/schemes/json.md, "args".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorBody {
    /// What kind of error it is, for programs.
    #[serde(rename = "type")]
    pub kind: String,
    /// What happened, for people.
    pub message: String,
}

/// Nesting up to which json and msgpack args are read.
///
/// The depth of a value is the depth of the stack that reads it; this is `serde_json`'s bound.
const MAX_DEPTH: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_keeps_its_name_whether_known_or_not() {
        for name in [
            "raw", "json", "msgpack", "http", "thrift", "sthrift", "smoke",
        ] {
            assert_eq!(ArgScheme::from(name).as_str(), name);
        }
    }

    #[test]
    fn only_unknown_names_become_other() {
        assert_eq!(ArgScheme::from("thrift"), ArgScheme::Thrift);
        assert_eq!(ArgScheme::from("Thrift"), ArgScheme::Other("Thrift".into()));
    }
}
