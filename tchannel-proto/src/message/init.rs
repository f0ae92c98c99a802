//! Init req and init res: who I am, and which version I speak.
//!
//! ```text
//! version:2 nh:2 (key~2 value~2){nh}
//! ```
//!
//! Source: spec/protocol/init.md, "init req".

use bytes::{BufMut, BytesMut};
use bytestring::ByteString;

use crate::cursor::{DecodeError, Reader, put_text2};

/// The header keys with a meaning.
pub mod header {
    /// Where the sender listens, or `0.0.0.0:0`.
    pub const HOST_PORT: &str = "host_port";
    /// What the sender calls its process.
    pub const PROCESS_NAME: &str = "process_name";
    /// The language of the implementation.
    pub const LANGUAGE: &str = "tchannel_language";
    /// The version of that language.
    pub const LANGUAGE_VERSION: &str = "tchannel_language_version";
    /// The version of the implementation.
    pub const VERSION: &str = "tchannel_version";
}

/// Either init frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Init {
    /// The version wanted (req) or used (res).
    pub version: u16,
    /// Headers in the order of the wire.
    pub headers: InitHeaders,
}

/// The headers of an init frame, in the order of the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InitHeaders(pub Vec<(ByteString, ByteString)>);

impl InitHeaders {
    /// The value of `key`, if it is there.
    pub fn get(&self, key: &str) -> Option<&ByteString> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    /// Appends a header.
    pub fn push(&mut self, key: &'static str, value: impl Into<ByteString>) {
        self.0.push((ByteString::from_static(key), value.into()));
    }

    /// The first key that appears twice or is empty, which a handshake must not have.
    ///
    /// Source: spec/protocol/init.md, "acceptor policy".
    pub fn irregular_key(&self) -> Option<DecodeError> {
        // Sorted, since a frame can hold some sixteen thousand keys and comparing each with each would not end.
        let mut keys: Vec<&ByteString> = self.0.iter().map(|(k, _)| k).collect();
        keys.sort_unstable_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
        if keys.first().is_some_and(|key| key.is_empty()) {
            return Some(DecodeError::EmptyKey);
        }
        let twice = keys.windows(2).find(|pair| pair[0] == pair[1])?;
        Some(DecodeError::DuplicateKey {
            key: twice[0].to_string(),
        })
    }
}

impl Init {
    pub(crate) fn decode(reader: &mut Reader) -> Result<Self, DecodeError> {
        let version = reader.u16("version")?;
        let count = reader.u16("header count")?;
        let mut headers = Vec::new();
        for _ in 0..count {
            headers.push((
                reader.text2("init header key")?,
                reader.text2("init header value")?,
            ));
        }
        Ok(Self {
            version,
            headers: InitHeaders(headers),
        })
    }

    pub(crate) fn encode(&self, out: &mut BytesMut) {
        out.put_u16(self.version);
        out.put_u16(self.headers.0.len().min(usize::from(u16::MAX)) as u16);
        for (key, value) in &self.headers.0 {
            put_text2(out, key.as_bytes());
            put_text2(out, value.as_bytes());
        }
    }
}

/// Whether `host_port` says that the peer does not listen: empty, any port 0, or host `0.0.0.0`.
///
/// Source: spec/protocol/init.md, "ephemeral peers".
pub fn is_ephemeral(host_port: &str) -> bool {
    host_port.is_empty() || host_port.ends_with(":0") || host_port.starts_with("0.0.0.0:")
}
