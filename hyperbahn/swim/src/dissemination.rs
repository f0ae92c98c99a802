//! Which change goes out how often: every live change on every message, until it has gone out often enough.
//!
//! A change is written as JSON once, when it is recorded; a message copies it.
//!
//! Source: spec/ringpop/membership.md, "dissemination".

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::wire::Said;

#[derive(Default)]
pub(crate) struct Dissemination {
    changes: BTreeMap<Arc<str>, Live>,
    version: Version,
}

/// How recent a change is. A message remembers the newest one it carried.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(u64);

struct Live {
    json: Vec<u8>,
    source: Arc<str>,
    source_incarnation: u64,
    version: Version,
    sent: u32,
}

impl Dissemination {
    /// Passes a change on from now, in place of what was said about the member before.
    pub(crate) fn record(&mut self, address: &Arc<str>, source: &Arc<str>, said: Said<'_>) {
        self.version.0 += 1;
        let live = Live {
            json: said.json(),
            source: source.clone(),
            source_incarnation: said.source.map_or(0, |(_, incarnation)| incarnation),
            version: self.version,
            sent: 0,
        };
        self.changes.insert(address.clone(), live);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether there is something to say about this member.
    pub(crate) fn contains(&self, address: &str) -> bool {
        self.changes.contains_key(address)
    }

    /// The live changes, as joined elements of a list, and how recent they are.
    pub(crate) fn issue(&self) -> (Vec<u8>, Version) {
        (join(self.changes.values()), self.version)
    }

    /// A message with changes up to `version` has arrived: each has gone out once more. Newer ones, recorded
    /// since, do not age by it.
    pub(crate) fn arrived(&mut self, version: Version, limit: u32) {
        self.age(limit, |live| live.version <= version);
    }

    /// The live changes for an answer, but those that the caller itself brought. They count as gone out.
    pub(crate) fn issue_answer(&mut self, caller: &str, incarnation: u64, limit: u32) -> Vec<u8> {
        let is_news = |live: &Live| {
            caller.is_empty() || live.source_incarnation != incarnation || *live.source != *caller
        };
        let changes = join(self.changes.values().filter(|live| is_news(live)));
        self.age(limit, is_news);
        changes
    }

    fn age(&mut self, limit: u32, went_out: impl Fn(&Live) -> bool) {
        self.changes.retain(|_, live| {
            live.sent += u32::from(went_out(live));
            live.sent < limit
        });
    }
}

/// How often a change goes out while `others` members are pingable besides this node: the factor for each
/// digit.
///
/// Source: spec/ringpop/membership.md, "dissemination".
pub(crate) fn limit(factor: u32, others: usize) -> u32 {
    let mut digits = 0;
    let mut power = 1;
    while power < others + 1 {
        power = power.saturating_mul(10);
        digits += 1;
    }
    factor * digits
}

fn join<'a>(changes: impl Iterator<Item = &'a Live>) -> Vec<u8> {
    let mut joined = Vec::new();
    for live in changes {
        if !joined.is_empty() {
            joined.push(b',');
        }
        joined.extend_from_slice(&live.json);
    }
    joined
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Dissemination;
    use crate::status::{Standing, Status};
    use crate::wire::Said;

    fn record(dissemination: &mut Dissemination, address: &str, source: &str, incarnation: u64) {
        let said = Said {
            address,
            standing: Standing::new(incarnation, Status::Alive).expect("a small incarnation"),
            labels: None,
            source: Some((source, 3)),
        };
        dissemination.record(&Arc::from(address), &Arc::from(source), said);
    }

    fn has(changes: &[u8], word: &str) -> bool {
        String::from_utf8_lossy(changes).contains(word)
    }

    #[test]
    fn a_change_ends_once_it_went_out_often_enough() {
        let mut dissemination = Dissemination::default();
        record(&mut dissemination, "a:1", "b:1", 7);
        for _ in 0..3 {
            let (changes, version) = dissemination.issue();
            assert!(has(&changes, "a:1"));
            dissemination.arrived(version, 3);
        }
        assert!(dissemination.is_empty());
    }

    #[test]
    fn what_did_not_arrive_does_not_count() {
        let mut dissemination = Dissemination::default();
        record(&mut dissemination, "a:1", "b:1", 7);
        for _ in 0..10 {
            dissemination.issue();
        }
        assert!(!dissemination.is_empty());
    }

    #[test]
    fn a_newer_change_does_not_age_by_an_older_message() {
        let mut dissemination = Dissemination::default();
        record(&mut dissemination, "a:1", "b:1", 7);
        let (_, version) = dissemination.issue();
        record(&mut dissemination, "a:1", "b:1", 8);
        dissemination.arrived(version, 1);
        let (changes, _) = dissemination.issue();
        assert!(has(&changes, "\"incarnationNumber\":8"));
    }

    #[test]
    fn an_answer_leaves_out_what_the_caller_brought_in_this_life() {
        let mut dissemination = Dissemination::default();
        record(&mut dissemination, "a:1", "b:1", 7);
        record(&mut dissemination, "a:2", "c:1", 7);
        let changes = dissemination.issue_answer("b:1", 3, 9);
        assert!(!has(&changes, "a:1") && has(&changes, "a:2"));
        assert!(has(&dissemination.issue_answer("b:1", 4, 9), "a:1"));
    }
}
