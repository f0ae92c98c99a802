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
use crate::limits::{INIT_HEADERS_FURTHER_BYTES_MAX, INIT_HEADERS_FURTHER_MAX};

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

    pub(super) const STANDARD: [&str; 5] =
        [HOST_PORT, PROCESS_NAME, LANGUAGE, LANGUAGE_VERSION, VERSION];
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

    /// Appends a header that is not one of the standard five. `false` leaves all as it was: the key is empty,
    /// standard or there already, or there are as many as are allowed.
    ///
    /// Source: spec/protocol/init.md, "further headers".
    pub fn push_further(&mut self, key: &str, value: &str) -> bool {
        let further = self.0.iter().filter(|(k, _)| !is_standard(k));
        let (count, bytes) = further.fold((0, 0), |(count, bytes), (k, v)| {
            (count + 1, bytes + k.len() + v.len())
        });
        let is_taken = !key.is_empty()
            && !is_standard(key)
            && self.get(key).is_none()
            && count < INIT_HEADERS_FURTHER_MAX
            && bytes + key.len() + value.len() <= INIT_HEADERS_FURTHER_BYTES_MAX;
        if is_taken {
            self.0.push((key.into(), value.into()));
        }
        is_taken
    }

    /// A copy of those that are not one of the standard five, as many as are allowed: the first that fit.
    pub(crate) fn further(&self) -> Self {
        let mut further = Self::default();
        for (key, value) in &self.0 {
            further.push_further(key, value);
        }
        further
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

fn is_standard(key: &str) -> bool {
    header::STANDARD.contains(&key)
}

/// Whether `host_port` says that the peer does not listen: empty, any port 0, or host `0.0.0.0`.
///
/// Source: spec/protocol/init.md, "ephemeral peers".
pub fn is_ephemeral(host_port: &str) -> bool {
    host_port.is_empty() || host_port.ends_with(":0") || host_port.starts_with("0.0.0.0:")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(count: usize, value: &str) -> InitHeaders {
        let header = |i: usize| (ByteString::from(format!("key-{i}")), value.into());
        InitHeaders((0..count).map(header).collect())
    }

    #[test]
    fn of_many_further_headers_the_first_that_fit_are_kept() {
        let kept = headers(16_000, "").further();
        assert_eq!(kept.0, headers(INIT_HEADERS_FURTHER_MAX, "").0);
        let kept = headers(8, &"v".repeat(1000)).further();
        assert_eq!(kept.0, headers(4, &"v".repeat(1000)).0);
    }

    #[test]
    fn standard_empty_and_repeated_keys_are_not_further_headers() {
        let mut headers = InitHeaders::default();
        for key in header::STANDARD.into_iter().chain([""]) {
            assert!(!headers.push_further(key, "x"), "{key:?}");
        }
        assert!(headers.push_further("shoe_size", "43"));
        assert!(!headers.push_further("shoe_size", "44"));
        assert_eq!(headers.get("shoe_size").map(|value| &**value), Some("43"));
    }
}
