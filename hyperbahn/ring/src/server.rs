//! A server, and where its points lie.

use std::fmt::Write;
use std::sync::Arc;

use crate::fingerprint32;

/// A member of the ring. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    address: Arc<str>,
    /// Only if it differs from the address.
    identity: Option<Arc<str>>,
}

impl Server {
    /// A server whose points come from its address, usually `host:port`.
    pub fn new(address: impl Into<Arc<str>>) -> Self {
        Self {
            address: address.into(),
            identity: None,
        }
    }

    /// A server whose points come from its identity, so that it keeps its keys under another address.
    ///
    /// An identity equal to the address counts as none.
    ///
    /// Source: spec/ringpop/ring.md, "points".
    pub fn with_identity(address: impl Into<Arc<str>>, identity: impl Into<Arc<str>>) -> Self {
        let (address, identity) = (address.into(), identity.into());
        let identity = (identity != address).then_some(identity);
        Self { address, identity }
    }

    /// Where it is reached; one ring has each address once.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What its points come from: the address, unless it was given another identity.
    pub fn identity(&self) -> &str {
        self.identity.as_ref().unwrap_or(&self.address)
    }

    /// The positions of its points, by index.
    ///
    /// Source: spec/ringpop/ring.md, "points".
    pub fn points(&self) -> [u32; REPLICA_POINTS] {
        let mut text = self.identity().to_owned();
        if self.identity.is_some() {
            text.push('#');
        }
        let name_bytes = text.len();
        std::array::from_fn(|index| {
            text.truncate(name_bytes);
            write!(text, "{index}").expect("a string takes all that is written");
            fingerprint32(text.as_bytes())
        })
    }
}

/// Points of each server on the ring.
///
/// Source: spec/ringpop/ring.md, "points".
pub const REPLICA_POINTS: usize = 100;

#[cfg(test)]
mod tests {
    use super::Server;

    #[test]
    fn an_identity_equal_to_the_address_counts_as_none() {
        let named = Server::with_identity("10.0.0.1:7000", "10.0.0.1:7000");
        assert_eq!(named, Server::new("10.0.0.1:7000"));
        assert_eq!(named.points(), Server::new("10.0.0.1:7000").points());
    }

    #[test]
    fn a_server_keeps_its_points_under_another_address() {
        let [here, there] = ["10.0.0.1:7000", "10.0.0.2:7000"]
            .map(|address| Server::with_identity(address, "alpha").points());
        assert_eq!(here, there);
    }
}
