//! What is known of the mesh at one moment.

use std::sync::Arc;

use hyperbahn_ring::{Ring, Server};
use hyperbahn_swim::{Member, Node};

/// Members and ring at one moment; never changes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Snapshot {
    /// Everybody who is known, this member included, by address.
    pub members: Vec<Member>,
    /// Who owns keys: those that are alive or suspect, under their identities. This member is on it from the
    /// moment it enters.
    pub ring: Ring,
    /// How many snapshots there were before.
    pub version: u64,
    /// Whether this member has entered and not left.
    pub is_member: bool,
}

impl Snapshot {
    /// What is known of one member.
    pub fn member(&self, address: &str) -> Option<&Member> {
        let place = self
            .members
            .binary_search_by(|member| (*member.address).cmp(address));
        place.ok().map(|place| &self.members[place])
    }

    /// Before anything has happened.
    pub(super) fn first(node: &Node) -> Self {
        Self {
            members: node.members().collect(),
            ring: Ring::default(),
            version: 0,
            is_member: false,
        }
    }

    /// After something has happened to the members at these addresses.
    pub(super) fn next(&self, node: &Node, changed: &[Arc<str>]) -> Self {
        Self {
            members: node.members().collect(),
            ring: self.next_ring(node, changed),
            version: self.version + 1,
            is_member: node.is_member(),
        }
    }

    fn next_ring(&self, node: &Node, changed: &[Arc<str>]) -> Ring {
        let mut removed = Vec::new();
        let mut added = Vec::new();
        for address in changed {
            let before = self.ring.get(address);
            let after = server(node, address);
            match after {
                Some(after) if before != Some(&after) => added.push(after),
                None if before.is_some() => removed.push(&**address),
                _ => {}
            }
        }
        match removed.is_empty() && added.is_empty() {
            true => self.ring.clone(),
            false => self.ring.change(removed, added),
        }
    }
}

/// A member as the ring has it, if it does.
fn server(node: &Node, address: &str) -> Option<Server> {
    let member = node.member(address)?;
    let is_inside = address != node.address() || node.is_member();
    (is_inside && member.status.is_in_ring())
        .then(|| Server::with_identity(member.address.clone(), member.ring_name()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hyperbahn_swim::{Config, Endpoint, IDENTITY, Node};

    use super::Snapshot;

    const ME: &str = "127.0.0.1:1";
    const OTHER: &str = "127.0.0.1:2";

    fn node() -> Node {
        let now = tokio::time::Instant::now().into_std();
        let mut config = Config::new(ME);
        config.labels.insert(IDENTITY, "first");
        Node::new(config, now, 1, 1)
    }

    fn told(node: &mut Node, status: &str) {
        let now = tokio::time::Instant::now().into_std();
        let change =
            format!(r#"{{"address":"{OTHER}","status":"{status}","incarnationNumber":7}}"#);
        let body = format!(r#"{{"checksum":1,"source":"{OTHER}","changes":[{change}]}}"#);
        let _ = node.handle_request(now, Endpoint::Ping, body.as_bytes());
    }

    fn servers(snapshot: &Snapshot) -> Vec<&str> {
        let servers = snapshot.ring.servers().iter();
        servers.map(|server| server.address()).collect()
    }

    #[test]
    fn a_member_is_on_the_ring_under_its_identity_once_it_has_entered() {
        let mut node = node();
        let before = Snapshot::first(&node);
        assert!(before.ring.servers().is_empty() && !before.is_member);
        assert!(before.member(ME).is_some() && before.member(OTHER).is_none());
        node.enter(tokio::time::Instant::now().into_std());
        let after = before.next(&node, &[Arc::from(ME)]);
        assert_eq!((after.version, after.is_member), (1, true));
        let me = after.ring.get(ME).expect("it has entered");
        assert_eq!(me.identity(), "first");
    }

    #[test]
    fn suspects_stay_on_the_ring_and_the_faulty_do_not() {
        let mut node = node();
        node.enter(tokio::time::Instant::now().into_std());
        let mut snapshot = Snapshot::first(&node).next(&node, &[Arc::from(ME)]);
        for (status, expected) in [
            ("alive", &[ME, OTHER][..]),
            ("suspect", &[ME, OTHER]),
            ("faulty", &[ME]),
        ] {
            told(&mut node, status);
            snapshot = snapshot.next(&node, &[Arc::from(OTHER)]);
            assert_eq!(servers(&snapshot), expected, "{status}");
            assert_eq!(snapshot.members.len(), 2);
        }
    }
}
