//! What came of a call.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;

/// What a client tells about one command. Fields that do not apply are empty.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct Answer {
    /// A response came; of many calls, one to each and none mixed up.
    pub ok: bool,
    /// The code of the response: 0 or 1.
    pub code: Option<u8>,
    /// What kind of failure, if no response came.
    pub error: Option<String>,
    /// The text that came with a failure.
    pub message: Option<String>,
    /// Length of arg2, in bytes.
    pub arg2_len: Option<usize>,
    /// Length of arg3, in bytes.
    pub arg3_len: Option<usize>,
    /// arg3 in hexadecimal, when it is short or passed through a codec.
    pub arg3_hex: Option<String>,
    /// Whether arg2 and arg3 equal what was sent.
    pub same: Option<bool>,
    /// Application headers, of a call through a codec.
    pub headers: Option<BTreeMap<String, String>>,
    /// The body, of a call through a codec.
    pub body: Option<Json>,
    /// How many of many calls got a response.
    pub answered: usize,
    /// How many of many calls got none.
    pub failed: usize,
    /// How many of many calls got the response of another.
    pub mixed_up: usize,
    /// How many of many calls failed in which way.
    pub errors: BTreeMap<String, usize>,
    /// The instances that discovery found, as `host:port`.
    pub hosts: Vec<String>,
}

impl Answer {
    /// The value of an application header, of a call through a codec.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.as_ref()?.get(name).map(String::as_str)
    }

    /// Reads one line of a client program.
    ///
    /// # Panics
    ///
    /// When the line is not the answer that `peers/README.md` describes.
    pub(crate) fn parse(line: &str) -> (u64, Self) {
        let read = || -> Option<(u64, Self)> {
            let json: Json = serde_json::from_str(line).ok()?;
            let id = json["id"].as_u64()?;
            Some((id, serde_json::from_value(json).ok()?))
        };
        read().unwrap_or_else(|| panic!("a client said {line:?}"))
    }
}
