//! What goes out: bodies with the changes of the moment, made once while nothing changes.

use bytes::Bytes;

use super::Node;
use crate::dissemination::Version;
use crate::status::Status;
use crate::wire::{self, Said, Sender};

/// Ping and answer of a node that has nothing to tell. Nearly all that it sends in a quiet ring.
pub(super) struct Quiet {
    checksum: u32,
    incarnation: u64,
    ping: Bytes,
    answer: Bytes,
}

impl Node {
    /// A ping, with all that is live. A suspect also hears the accusation, so that it can refute in its
    /// answer.
    pub(super) fn ping_body(&mut self, to: &str) -> (Bytes, Version) {
        let (mut changes, version) = self.dissemination.issue();
        self.add_accusation(&mut changes, to);
        if changes.is_empty() {
            return (self.quiet().ping.clone(), version);
        }
        let checksum = self.members.checksum();
        let body = wire::ping(self.sender(), checksum, &changes);
        (Bytes::from(body), version)
    }

    pub(super) fn ping_req_body(&mut self, target: &str) -> (Bytes, Version) {
        let (changes, version) = self.dissemination.issue();
        let checksum = self.members.checksum();
        let body = wire::ping_req(self.sender(), checksum, &changes, target);
        (Bytes::from(body), version)
    }

    /// A ping with these changes instead of those of the moment.
    pub(super) fn ping_with(&mut self, changes: &[u8]) -> Bytes {
        let checksum = self.members.checksum();
        Bytes::from(wire::ping(self.sender(), checksum, changes))
    }

    pub(super) fn ping_answer(&mut self, changes: &[u8]) -> Bytes {
        if changes.is_empty() {
            return self.quiet().answer.clone();
        }
        let checksum = self.members.checksum();
        Bytes::from(wire::ping_response(self.sender(), checksum, changes))
    }

    pub(super) fn join_body(&self) -> Bytes {
        let none = crate::Labels::new();
        let labels = self.labels.as_deref().unwrap_or(&none);
        Bytes::from(wire::join_request(self.sender(), labels))
    }

    pub(super) fn join_answer(&mut self) -> Bytes {
        let checksum = match self.is_aside() {
            // The list is not the one that the checksum is of.
            true => UNDECIDED,
            false => self.members.checksum(),
        };
        let membership = self.whole_membership();
        Bytes::from(wire::join_response(self.sender(), checksum, &membership))
    }

    /// Everybody we know, as joined elements that we vouch for; without this node while it stays aside.
    pub(super) fn whole_membership(&self) -> Vec<u8> {
        let source = Some((&*self.me, self.mine.incarnation()));
        let is_aside = self.is_aside();
        let listed = self.members.iter();
        let listed = listed.filter(|entry| !is_aside || entry.address != self.me);
        wire::list(listed.map(|entry| Said {
            address: &entry.address,
            standing: entry.standing,
            labels: self.members.labels(&entry.address).map(|labels| &**labels),
            source,
        }))
    }

    fn add_accusation(&self, changes: &mut Vec<u8>, to: &str) {
        if self.members.count(Status::Suspect) == 0 {
            return;
        }
        let standing = self.members.standing(to);
        let suspect = standing.filter(|known| known.status() == Status::Suspect);
        let Some(standing) = suspect.filter(|_| !self.dissemination.contains(to)) else {
            return;
        };
        let said = Said {
            address: to,
            standing,
            labels: self.members.labels(to).map(|labels| &**labels),
            source: Some((&self.me, self.mine.incarnation())),
        };
        if !changes.is_empty() {
            changes.push(b',');
        }
        changes.extend(said.json());
    }

    fn quiet(&mut self) -> &Quiet {
        let checksum = self.members.checksum();
        let incarnation = self.mine.incarnation();
        let is_current =
            |quiet: &Quiet| quiet.checksum == checksum && quiet.incarnation == incarnation;
        if !self.quiet.as_ref().is_some_and(is_current) {
            self.quiet = Some(Quiet {
                checksum,
                incarnation,
                ping: Bytes::from(wire::ping(self.sender(), checksum, b"")),
                answer: Bytes::from(wire::ping_response(self.sender(), checksum, b"")),
            });
        }
        self.quiet.as_ref().expect("made above")
    }

    fn sender(&self) -> Sender<'_> {
        Sender {
            app: &self.config.app,
            address: &self.me,
            incarnation: self.mine.incarnation(),
        }
    }
}

/// A membership checksum that says nothing.
///
/// Source: spec/ringpop/checksum.md, "zero".
const UNDECIDED: u32 = 0;
