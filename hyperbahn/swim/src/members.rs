//! The list of members, its rounds and its checksum.
//!
//! Ordered by address, so that the checksum and every walk over the members are the same on each run. A
//! member costs 28 bytes beside its address, which nodes of one process can share; labels are rare and stand
//! apart.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::checksum::{self, Flavour, Line};
use crate::event::Member;
use crate::labels::Labels;
use crate::rng::Rng;
use crate::status::{Standing, Status};

pub(crate) struct Members {
    list: Vec<Entry>,
    labels: BTreeMap<Arc<str>, Labelled>,
    counts: [usize; Status::ALL.len()],
    round: Round,
    flavour: Flavour,
    checksum: Option<u32>,
}

pub(crate) struct Entry {
    pub(crate) address: Arc<str>,
    pub(crate) standing: Standing,
}

struct Labelled {
    labels: Arc<Labels>,
    checksum: i32,
}

/// Where a member is in the list, or else where it belongs.
pub(crate) type Place = Result<usize, usize>;

/// A walk over the whole list in an order drawn as it goes; then another, in another order.
#[derive(Default)]
struct Round {
    /// Places in the list. Those before `next` have had their turn.
    order: Vec<u32>,
    next: usize,
}

impl Members {
    pub(crate) fn new(flavour: Flavour) -> Self {
        Self {
            list: Vec::new(),
            labels: BTreeMap::new(),
            counts: Default::default(),
            round: Round::default(),
            flavour,
            checksum: None,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> + Clone {
        self.list.iter()
    }

    pub(crate) fn get(&self, address: &str) -> Option<&Entry> {
        self.at(self.find(address, 0))
    }

    /// Where a member is, or belongs. `near` is a guess: whole memberships come in order, so the place after
    /// the last one is a good one.
    pub(crate) fn find(&self, address: &str, near: usize) -> Place {
        let compare = |entry: &Entry| (*entry.address).cmp(address);
        let follows = near == 0 || self.list.get(near - 1).map(compare) == Some(Ordering::Less);
        match self.list.get(near).map(compare) {
            Some(Ordering::Equal) => Ok(near),
            Some(Ordering::Greater) if follows => Err(near),
            None if follows && near == self.list.len() => Err(near),
            _ => self.list.binary_search_by(compare),
        }
    }

    pub(crate) fn at(&self, place: Place) -> Option<&Entry> {
        place.ok().map(|at| &self.list[at])
    }

    pub(crate) fn standing(&self, address: &str) -> Option<Standing> {
        self.get(address).map(|entry| entry.standing)
    }

    pub(crate) fn labels(&self, address: &str) -> Option<&Arc<Labels>> {
        // Most rings have none at all.
        (!self.labels.is_empty())
            .then(|| self.labels.get(address))?
            .map(|labelled| &labelled.labels)
    }

    /// What the owner is told about a member.
    pub(crate) fn member(&self, entry: &Entry) -> Member {
        Member {
            address: entry.address.clone(),
            status: entry.standing.status(),
            incarnation: entry.standing.incarnation(),
            labels: self.labels(&entry.address).cloned(),
        }
    }

    pub(crate) fn count(&self, status: Status) -> usize {
        self.counts[status as usize]
    }

    /// How many are pinged and own keys, this node included.
    pub(crate) fn count_in_ring(&self) -> usize {
        self.count(Status::Alive) + self.count(Status::Suspect)
    }

    /// Whether a claim about a member would be believed: it outranks what is known, or ties and its labels
    /// weigh more.
    ///
    /// Source: spec/ringpop/membership.md, "who overrides whom".
    pub(crate) fn is_overridden(
        &self,
        known: Option<&Entry>,
        standing: Standing,
        labels: Option<&Labels>,
    ) -> bool {
        match known {
            None => standing.status() != Status::Tombstone,
            Some(known) if known.standing == standing => {
                labels.map_or(0, Labels::checksum) > self.label_checksum(&known.address)
            }
            Some(known) => standing > known.standing,
        }
    }

    /// Writes down what the member at this place is. Returns what it was.
    pub(crate) fn set(
        &mut self,
        place: Place,
        address: &Arc<str>,
        standing: Standing,
        labels: Option<Arc<Labels>>,
    ) -> Option<Member> {
        self.checksum = None;
        self.counts[standing.status() as usize] += 1;
        let before = match place {
            Ok(at) => {
                let before = self.member(&self.list[at]);
                self.list[at].standing = standing;
                self.counts[before.status as usize] -= 1;
                Some(before)
            }
            Err(at) => {
                let address = address.clone();
                self.list.insert(at, Entry { address, standing });
                self.round.insert(at);
                None
            }
        };
        self.set_labels(address, labels);
        before
    }

    /// Forgets a member.
    pub(crate) fn remove(&mut self, address: &str) {
        let Ok(place) = self.find(address, 0) else {
            return;
        };
        self.checksum = None;
        self.labels.remove(address);
        let gone = self.list.remove(place);
        self.counts[gone.standing.status() as usize] -= 1;
        self.round.remove(place);
    }

    /// Makes room, so that a long list does not grow by doubling.
    pub(crate) fn reserve(&mut self, count: usize) {
        self.list.reserve_exact(count);
        self.round.order.reserve_exact(count);
    }

    /// The next member to probe: everybody pingable once, in an order drawn anew each round, without `me`.
    ///
    /// Source: spec/ringpop/membership.md, "rounds".
    pub(crate) fn next_in_round(&mut self, rng: &mut Rng, me: &str) -> Option<&Entry> {
        for _ in 0..2 * self.list.len() {
            let place = self.round.next(rng);
            let entry = &self.list[place];
            if entry.standing.status().is_in_ring() && *entry.address != *me {
                return Some(&self.list[place]);
            }
        }
        None
    }

    /// Up to `count` pingable members in random order, without `excluded`.
    pub(crate) fn pick(&self, count: usize, rng: &mut Rng, excluded: &[&str]) -> Vec<Arc<str>> {
        let is_eligible = |entry: &&Entry| {
            entry.standing.status().is_in_ring() && !excluded.contains(&&*entry.address)
        };
        let mut eligible: Vec<&Entry> = self.list.iter().filter(is_eligible).collect();
        let count = count.min(eligible.len());
        for place in 0..count {
            let drawn = place + rng.below(eligible.len() - place);
            eligible.swap(place, drawn);
        }
        eligible.truncate(count);
        eligible
            .into_iter()
            .map(|entry| entry.address.clone())
            .collect()
    }

    pub(crate) fn flavour(&self) -> Flavour {
        self.flavour
    }

    pub(crate) fn set_flavour(&mut self, flavour: Flavour) {
        self.flavour = flavour;
        self.checksum = None;
    }

    /// Of all members but tombstones; made anew only after a change.
    pub(crate) fn checksum(&mut self) -> u32 {
        if let Some(checksum) = self.checksum {
            return checksum;
        }
        let lines = self.list.iter().map(|entry| Line {
            address: &entry.address,
            standing: entry.standing,
            label_checksum: self.label_checksum(&entry.address),
        });
        let checksum = checksum::checksum(self.flavour, lines);
        self.checksum = Some(checksum);
        checksum
    }

    fn label_checksum(&self, address: &str) -> i32 {
        if self.labels.is_empty() {
            return 0;
        }
        self.labels
            .get(address)
            .map_or(0, |labelled| labelled.checksum)
    }

    fn set_labels(&mut self, address: &Arc<str>, labels: Option<Arc<Labels>>) {
        match labels {
            Some(labels) if !labels.is_empty() => {
                let checksum = labels.checksum();
                self.labels
                    .insert(address.clone(), Labelled { labels, checksum });
            }
            _ if self.labels.is_empty() => {}
            _ => {
                self.labels.remove(address);
            }
        }
    }
}

impl Round {
    /// The next place. Drawn from those that had no turn yet, so a newcomer's turn is as random as any.
    fn next(&mut self, rng: &mut Rng) -> usize {
        if self.next >= self.order.len() {
            self.next = 0;
        }
        let drawn = self.next + rng.below(self.order.len() - self.next);
        self.order.swap(self.next, drawn);
        self.next += 1;
        self.order[self.next - 1] as usize
    }

    fn insert(&mut self, place: usize) {
        // Before the first turn all places are the same, as when a whole membership comes in by joining.
        let is_new = self.next == 0;
        let place = if is_new { self.order.len() } else { place } as u32;
        if (place as usize) < self.order.len() {
            for other in &mut self.order {
                *other += u32::from(*other >= place);
            }
        }
        self.order.push(place);
    }

    fn remove(&mut self, place: usize) {
        let place = place as u32;
        let turn = self.order.iter().position(|other| *other == place);
        let turn = turn.expect("every place has a turn");
        self.order.remove(turn);
        if turn < self.next {
            self.next -= 1;
        }
        for other in &mut self.order {
            *other -= u32::from(*other > place);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::Members;
    use crate::checksum::Flavour;
    use crate::labels::Labels;
    use crate::rng::Rng;
    use crate::status::{Standing, Status};

    fn standing(incarnation: u64, status: Status) -> Standing {
        Standing::new(incarnation, status).expect("a small incarnation")
    }

    fn set(members: &mut Members, address: &str, standing: Standing, labels: Option<Labels>) {
        let place = members.find(address, 0);
        members.set(place, &Arc::from(address), standing, labels.map(Arc::new));
    }

    fn ring(size: usize) -> Members {
        let mut members = Members::new(Flavour::Go);
        for at in 0..size {
            set(
                &mut members,
                &format!("a:{at}"),
                standing(1, Status::Alive),
                None,
            );
        }
        members
    }

    fn round(members: &mut Members, rng: &mut Rng, size: usize) -> Vec<String> {
        let mut next = || {
            members
                .next_in_round(rng, "a:0")
                .map(|entry| entry.address.to_string())
        };
        (0..size)
            .map(|_| next().expect("somebody to probe"))
            .collect()
    }

    #[test]
    fn a_round_asks_everybody_once_and_the_next_in_another_order() {
        let (mut members, mut rng) = (ring(20), Rng::new(1));
        let rounds: Vec<_> = (0..10).map(|_| round(&mut members, &mut rng, 19)).collect();
        for round in &rounds {
            assert_eq!(round.iter().collect::<BTreeSet<_>>().len(), 19);
        }
        assert_eq!(rounds.iter().collect::<BTreeSet<_>>().len(), 10);
    }

    #[test]
    fn nobody_else_is_nobody() {
        let mut rng = Rng::new(1);
        assert!(ring(1).next_in_round(&mut rng, "a:0").is_none());
        assert!(
            Members::new(Flavour::Go)
                .next_in_round(&mut rng, "a:0")
                .is_none()
        );
    }

    #[test]
    fn those_who_are_gone_have_no_turn() {
        let (mut members, mut rng) = (ring(5), Rng::new(1));
        set(&mut members, "a:3", standing(1, Status::Faulty), None);
        set(&mut members, "a:4", standing(1, Status::Suspect), None);
        let seen: BTreeSet<_> = round(&mut members, &mut rng, 6).into_iter().collect();
        assert_eq!(Vec::from_iter(seen), ["a:1", "a:2", "a:4"]);
    }

    #[test]
    fn a_pick_leaves_out_whom_it_should() {
        let (members, mut rng) = (ring(6), Rng::new(1));
        let picked = members.pick(9, &mut rng, &["a:0", "a:2"]);
        let picked: BTreeSet<_> = picked.iter().map(|address| &**address).collect();
        assert_eq!(Vec::from_iter(picked), ["a:1", "a:3", "a:4", "a:5"]);
        assert_eq!(members.pick(2, &mut rng, &["a:0"]).len(), 2);
    }

    #[test]
    fn labels_break_a_tie_by_their_checksum() {
        let mut members = ring(1);
        let labels = |value: &str| Labels::from_iter([("hello", value)]);
        let (high, low) = (labels("world"), labels("goodbye"));
        let same = standing(1, Status::Alive);
        assert!(members.is_overridden(members.get("a:0"), same, Some(&high)));
        assert!(!members.is_overridden(members.get("a:0"), same, Some(&low)));
        set(&mut members, "a:0", same, Some(low));
        assert!(members.is_overridden(members.get("a:0"), same, None));
    }

    #[test]
    fn an_unknown_tombstone_is_no_news() {
        let members = ring(1);
        assert!(!members.is_overridden(None, standing(1, Status::Tombstone), None));
        assert!(members.is_overridden(None, standing(1, Status::Leave), None));
    }

    proptest! {
        #[test]
        fn a_guess_never_misleads(ports in prop::collection::btree_set(0..30_usize, 0..20), port in 0..30_usize, near in 0..25_usize) {
            let mut members = Members::new(Flavour::Go);
            for port in &ports {
                set(&mut members, &format!("a:{port:02}"), standing(1, Status::Alive), None);
            }
            let sorted: Vec<usize> = ports.into_iter().collect();
            let found = members.find(&format!("a:{port:02}"), near);
            prop_assert_eq!(found, sorted.binary_search(&port));
        }

        #[test]
        fn the_list_stays_ordered_and_the_counts_true(
            steps in prop::collection::vec((0..12_usize, 0..6_usize), 0..60), seed: u64,
        ) {
            let (mut members, mut rng) = (Members::new(Flavour::Node), Rng::new(seed));
            for (at, status) in steps {
                let address = format!("a:{at}");
                match Status::ALL.get(status) {
                    Some(status) => set(&mut members, &address, standing(1, *status), None),
                    None => members.remove(&address),
                }
                let in_ring = members.count_in_ring();
                let mut seen = BTreeSet::new();
                for _ in 0..3 * members.len() {
                    seen.extend(members.next_in_round(&mut rng, "").map(|entry| entry.address.clone()));
                }
                prop_assert_eq!(seen.len(), in_ring);
                prop_assert!(members.iter().map(|entry| &entry.address).is_sorted());
                let counted: usize = Status::ALL.map(|status| members.count(status)).iter().sum();
                prop_assert_eq!(counted, members.len());
            }
        }
    }
}
