//! The ring: an immutable value, from which a change makes another.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::point::Points;
use crate::walk::Walk;
use crate::{Server, checksum, fingerprint32};

/// A consistent hash ring of servers. Cheap to clone; clones share everything.
///
/// Two rings of the same servers are equal, and answer equally, however they came about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ring {
    /// By address, each address once.
    servers: Arc<[Server]>,
    points: Arc<Points>,
}

impl Ring {
    /// The ring of these servers. The last of several with one address counts.
    pub fn from_servers(servers: impl IntoIterator<Item = Server>) -> Self {
        Self::default().change([], servers)
    }

    /// The ring with `server` in it, in place of one with that address.
    pub fn add(&self, server: Server) -> Self {
        self.change([], [server])
    }

    /// The ring without the server at `address`, if there is one.
    pub fn remove(&self, address: &str) -> Self {
        self.change([address], [])
    }

    /// The ring without the servers at the addresses `removed`, then with those `added`, made in one step.
    ///
    /// Takes time in proportion to the whole ring, as does a single [`add`](Self::add): about a millisecond
    /// for a thousand servers. Gather what changes together.
    pub fn change<'a>(
        &self,
        removed: impl IntoIterator<Item = &'a str>,
        added: impl IntoIterator<Item = Server>,
    ) -> Self {
        let added: Vec<Server> = added.into_iter().collect();
        let mut next: BTreeMap<&str, &Server> = self
            .servers
            .iter()
            .map(|server| (server.address(), server))
            .collect();
        for address in removed {
            next.remove(address);
        }
        for server in &added {
            next.insert(server.address(), server);
        }

        let mut places = vec![None; self.servers.len()];
        let mut points = Vec::new();
        for (place, server) in (0..).zip(next.values()) {
            match self.place(server.address()) {
                Some(before) if self.servers[before] == **server => places[before] = Some(place),
                _ => points.extend(server.points().map(|hash| (hash, place))),
            }
        }
        Self {
            servers: next.into_values().cloned().collect(),
            points: Arc::new(self.points.changed(&places, points)),
        }
    }

    /// The owner of `key`; `None` on a ring without servers.
    ///
    /// Source: spec/ringpop/ring.md, "lookup".
    pub fn lookup(&self, key: &str) -> Option<&Server> {
        if self.servers.is_empty() {
            return None;
        }
        let at = self.points.at_or_after(fingerprint32(key.as_bytes()));
        Some(&self.servers[self.points.owner(at)])
    }

    /// The first `n` distinct servers from `key` on, the owner first; all of them if there are no more.
    ///
    /// Source: spec/ringpop/ring.md, "lookup".
    pub fn lookup_n(&self, key: &str, n: usize) -> Vec<&Server> {
        self.walk(key).take(n).collect()
    }

    /// Every server once, in the order in which its first point comes clockwise from `key`.
    ///
    /// Source: spec/ringpop/ring.md, "lookup".
    pub fn walk(&self, key: &str) -> Walk<'_> {
        let at = self.points.at_or_after(fingerprint32(key.as_bytes()));
        Walk::new(&self.servers, &self.points, at)
    }

    /// The servers, by address.
    pub fn servers(&self) -> &[Server] {
        &self.servers
    }

    /// The server at `address`, if it is on the ring.
    pub fn get(&self, address: &str) -> Option<&Server> {
        self.place(address).map(|place| &self.servers[place])
    }

    /// Equal on two members whose rings have the same identities. Computed anew at each call.
    ///
    /// Source: spec/ringpop/ring.md, "checksum".
    pub fn checksum(&self) -> u32 {
        checksum::of_identities(&self.servers)
    }

    /// Equal on two members whose rings have the same points with the same owners. Computed anew at each
    /// call, from some 30 bytes of text for each point.
    ///
    /// Source: spec/ringpop/ring.md, "checksum".
    pub fn replica_checksum(&self) -> u32 {
        checksum::of_points(&self.servers, &self.points)
    }

    fn place(&self, address: &str) -> Option<usize> {
        self.servers
            .binary_search_by(|server| server.address().cmp(address))
            .ok()
    }
}
