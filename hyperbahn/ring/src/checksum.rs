//! Two numbers by which members see whether their rings agree.
//!
//! Source: spec/ringpop/ring.md, "checksum".

use std::fmt::Write;

use crate::point::Points;
use crate::{Server, fingerprint32};

/// The fingerprint of all identities, sorted, each once.
pub(crate) fn of_identities(servers: &[Server]) -> u32 {
    let mut identities: Vec<&str> = servers.iter().map(Server::identity).collect();
    identities.sort_unstable();
    identities.dedup();
    fingerprint32(identities.join(";").as_bytes())
}

/// The fingerprint of all points with their owners, in the order of the ring.
pub(crate) fn of_points(servers: &[Server], points: &Points) -> u32 {
    let mut text = String::new();
    for (hash, owner) in points.iter() {
        let address = servers[owner as usize].address();
        write!(text, "{hash}-{address};").expect("a string takes all that is written");
    }
    fingerprint32(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::of_identities;
    use crate::{Server, fingerprint32};

    #[test]
    fn an_identity_at_two_addresses_counts_once() {
        let servers =
            ["10.0.0.1:7000", "10.0.0.2:7000"].map(|at| Server::with_identity(at, "alpha"));
        assert_eq!(of_identities(&servers), fingerprint32(b"alpha"));
    }

    #[test]
    fn no_servers_have_the_checksum_of_the_empty_string() {
        assert_eq!(of_identities(&[]), fingerprint32(b""));
    }
}
