//! When enough exit nodes have a registration to say so: an ad is answered by the quick, not by the slowest.
//!
//! Source: spec/hyperbahn/api.md, "ad".

use std::collections::{BTreeMap, BTreeSet};

use crate::host_port::HostPort;
use crate::routing::Mesh;

/// Which exits were asked to take some names, and which have.
#[derive(Debug)]
pub struct Quorum {
    names: BTreeMap<String, Votes>,
    unheard: BTreeSet<HostPort>,
    refusal: Option<String>,
}

#[derive(Debug, Default)]
struct Votes {
    needed: usize,
    taken: usize,
}

/// How many of a name's exits must have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needed {
    /// More than half of those that nobody doubts: enough that each later exit hears of it.
    Most,
    /// All that nobody doubts.
    All,
}

impl Quorum {
    /// Nobody has answered yet. `exits` are those of each name.
    pub fn new(exits: &BTreeMap<String, Vec<HostPort>>, mesh: &Mesh, needed: Needed) -> Self {
        let names = exits.iter().map(|(name, exits)| {
            let live = exits.iter().filter(|exit| !mesh.is_suspect(exit)).count();
            let needed = match needed {
                Needed::Most => live / 2 + 1,
                Needed::All => live.max(1),
            };
            (name.clone(), Votes { needed, taken: 0 })
        });
        Self {
            names: names.collect(),
            unheard: exits.values().flatten().cloned().collect(),
            refusal: None,
        }
    }

    /// `exit` has taken `names`, or said why it will not.
    pub fn handle_answer(
        &mut self,
        exit: &HostPort,
        names: impl IntoIterator<Item = String>,
        answer: Result<(), String>,
    ) {
        if !self.unheard.remove(exit) {
            return;
        }
        if let Err(refusal) = answer {
            self.refusal = Some(format!("{exit}: {refusal}"));
            return;
        }
        for name in names {
            if let Some(votes) = self.names.get_mut(&name) {
                votes.taken += 1;
            }
        }
    }

    /// Whether waiting longer is of no use: enough exits have each name, or all have answered.
    pub fn is_settled(&self) -> bool {
        let enough = self.names.values().all(|votes| votes.taken >= votes.needed);
        enough || self.unheard.is_empty()
    }

    /// The first name that no exit has taken, with the last reason heard.
    pub fn untaken(&self) -> Option<(&str, &str)> {
        let (name, _) = self.names.iter().find(|(_, votes)| votes.taken == 0)?;
        let reason = self.refusal.as_deref();
        Some((name, reason.unwrap_or("no exit has answered in time")))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use hyperbahn_ring::{Ring, Server};

    use super::*;
    use crate::routing::ExitConfig;

    fn at(n: usize) -> HostPort {
        HostPort::parse(&format!("10.0.0.{n}:21300")).unwrap()
    }

    fn mesh(routers: usize, suspects: &[usize]) -> Mesh {
        let ring = Ring::from_servers((1..=routers).map(|n| Server::new(at(n).as_str())));
        let suspects = suspects.iter().map(|n| at(*n).to_string()).collect();
        Mesh::alone(at(1), ExitConfig::default()).with_ring(Instant::now(), ring, suspects)
    }

    fn quorum(routers: usize, suspects: &[usize], needed: Needed) -> Quorum {
        let exits = BTreeMap::from([("a".to_owned(), (1..=routers).map(at).collect())]);
        Quorum::new(&exits, &mesh(routers, suspects), needed)
    }

    /// How many answers it takes until it is settled, when exits take it in turn.
    fn answers(mut quorum: Quorum) -> usize {
        for n in 1..=10 {
            quorum.handle_answer(&at(n), ["a".to_owned()], Ok(()));
            if quorum.is_settled() {
                return n;
            }
        }
        panic!("{quorum:?}");
    }

    #[test]
    fn more_than_half_of_the_live_exits_are_enough() {
        assert_eq!(answers(quorum(1, &[], Needed::Most)), 1);
        assert_eq!(answers(quorum(4, &[], Needed::Most)), 3);
        assert_eq!(answers(quorum(5, &[], Needed::Most)), 3);
        assert_eq!(answers(quorum(5, &[4, 5], Needed::Most)), 2);
    }

    #[test]
    fn for_a_withdrawal_all_live_exits_are_needed() {
        assert_eq!(answers(quorum(5, &[], Needed::All)), 5);
        assert_eq!(answers(quorum(5, &[5], Needed::All)), 4);
        assert_eq!(answers(quorum(2, &[1, 2], Needed::All)), 1);
    }

    #[test]
    fn once_all_have_answered_there_is_nothing_to_wait_for() {
        let mut quorum = quorum(3, &[], Needed::Most);
        quorum.handle_answer(&at(1), ["a".to_owned()], Ok(()));
        quorum.handle_answer(&at(1), ["a".to_owned()], Ok(()));
        assert!(!quorum.is_settled());
        for n in 2..=3 {
            quorum.handle_answer(&at(n), ["a".to_owned()], Err("full".into()));
        }
        assert!(quorum.is_settled());
        assert_eq!(quorum.untaken(), None);
    }

    #[test]
    fn a_name_that_nobody_takes_is_named_with_the_reason() {
        let mut quorum = quorum(1, &[], Needed::Most);
        assert_eq!(
            quorum.untaken(),
            Some(("a", "no exit has answered in time"))
        );
        quorum.handle_answer(&at(1), ["a".to_owned()], Err("no room".into()));
        assert_eq!(quorum.untaken(), Some(("a", "10.0.0.1:21300: no room")));
    }
}
