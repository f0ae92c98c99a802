//! Where something can be dialled: `host:port`, kept letter for letter.
//!
//! Peers know each other by the text they announce, so `127.0.0.1:4040` and `localhost:4040` are two
//! addresses here, as they are for every deployed peer. An address that nobody can dial back is not
//! a [`HostPort`] at all. Source: spec/protocol/init.md, "ephemeral peers".

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Longest address accepted, in bytes.
pub const MAX_HOST_PORT_BYTES: usize = 255;

/// An address that can be dialled. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPort(Arc<str>);

impl HostPort {
    /// Takes `host:port` as it stands; the port is what follows the last colon.
    ///
    /// # Errors
    ///
    /// [`HostPortError`] when the text has no host or no port, or names no address that can be
    /// dialled, such as `0.0.0.0:0`.
    pub fn parse(text: &str) -> Result<Self, HostPortError> {
        let malformed = || HostPortError::Malformed {
            text: abbreviate(text),
        };
        if text.len() > MAX_HOST_PORT_BYTES || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(malformed());
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(malformed)?;
        let port: u16 = port.parse().map_err(|_| malformed())?;
        if port == 0 || is_wildcard(host) {
            return Err(HostPortError::Ephemeral {
                text: text.to_owned(),
            });
        }
        if host.is_empty() {
            return Err(malformed());
        }
        Ok(Self(text.into()))
    }

    /// The address as it was announced.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Octets and port, or `None` when the host is not a dotted quad.
    pub fn ipv4(&self) -> Option<(Ipv4Addr, u16)> {
        let (host, port) = self.0.rsplit_once(':')?;
        Some((host.parse().ok()?, port.parse().ok()?))
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostPortError {
    /// Not of the form `host:port`.
    #[error("{text:?} is not an address: write host:port with a port from 1 to 65535")]
    Malformed {
        /// What was given, shortened.
        text: String,
    },
    /// An address that stands for "I am not listening".
    #[error("{text} cannot be dialled: announce the address and port that this process listens on")]
    Ephemeral {
        /// What was given.
        text: String,
    },
}

fn is_wildcard(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse() == Ok(Ipv4Addr::UNSPECIFIED) || bare.parse() == Ok(Ipv6Addr::UNSPECIFIED)
}

/// The first characters of a text that goes into a message.
pub(crate) fn abbreviate(text: &str) -> String {
    const KEPT_CHARS: usize = 40;
    match text.char_indices().nth(KEPT_CHARS) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_spelling() {
        for text in [
            "127.0.0.1:1",
            "localhost:21300",
            "[::1]:65535",
            "a.b-c.example:80",
        ] {
            assert_eq!(
                HostPort::parse(text).map(|address| address.to_string()),
                Ok(text.to_owned())
            );
        }
    }

    #[test]
    fn addresses_that_nobody_can_dial_are_told_from_malformed_ones() {
        for text in [
            "0.0.0.0:0",
            "10.1.2.3:0",
            "0.0.0.0:4040",
            "[::]:4040",
            "0.0.0.0:4040",
        ] {
            let refused = HostPort::parse(text);
            assert!(
                matches!(refused, Err(HostPortError::Ephemeral { .. })),
                "{text}: {refused:?}"
            );
        }
        for text in [
            "",
            ":1",
            "host",
            "host:",
            "host:65536",
            "host:-1",
            "a b:1",
            "ä:1",
        ] {
            let refused = HostPort::parse(text);
            assert!(
                matches!(refused, Err(HostPortError::Malformed { .. })),
                "{text}: {refused:?}"
            );
        }
    }

    #[test]
    fn a_long_text_is_refused_and_shortened_in_the_message() {
        let message = HostPort::parse(&"x".repeat(300)).unwrap_err().to_string();
        assert!(message.len() < 150, "{message}");
    }

    #[test]
    fn only_a_dotted_quad_has_octets() {
        let octets = |text| HostPort::parse(text).unwrap().ipv4();
        assert_eq!(
            octets("127.0.0.1:21399"),
            Some((Ipv4Addr::LOCALHOST, 21399))
        );
        assert_eq!(octets("localhost:21399"), None);
        assert_eq!(octets("[::1]:21399"), None);
    }
}
