//! All points of a ring in their order, and how a change merges into it.

use std::fmt;

/// The points by position; where positions are equal, by address.
///
/// Positions stand apart from owners, so that a search touches as few cache lines as it can.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct Points {
    hashes: Vec<u32>,
    owners: Vec<u32>,
}

/// A position, and the place of its owner among the servers in order of address.
pub(crate) type Point = (u32, u32);

impl Points {
    /// The first point at `hash` or after it, around the end if need be. There must be one.
    pub(crate) fn at_or_after(&self, hash: u32) -> usize {
        let at = self.hashes.partition_point(|point| *point < hash);
        if at < self.hashes.len() { at } else { 0 }
    }

    /// The point clockwise from the one at `at`.
    pub(crate) fn after(&self, at: usize) -> usize {
        let next = at + 1;
        if next < self.hashes.len() { next } else { 0 }
    }

    /// The place of the owner of the point at `at`.
    pub(crate) fn owner(&self, at: usize) -> usize {
        self.owners[at] as usize
    }

    /// Every point, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Point> {
        let hashes = self.hashes.iter().copied();
        hashes.zip(self.owners.iter().copied())
    }

    /// These points under the new places of their owners, `None` for those that left, and `added` points.
    ///
    /// Owners that stay keep their order, so both sides are sorted and the rest is a merge.
    pub(crate) fn changed(&self, places: &[Option<u32>], mut added: Vec<Point>) -> Self {
        added.sort_unstable();
        let mut merged = Self::with_capacity(self.hashes.len() + added.len());
        let mut added = added.into_iter().peekable();
        for (hash, owner) in self.iter() {
            let Some(place) = places[owner as usize] else {
                continue;
            };
            while let Some(before) = added.next_if(|point| *point < (hash, place)) {
                merged.push(before);
            }
            merged.push((hash, place));
        }
        added.for_each(|point| merged.push(point));
        merged
    }

    fn with_capacity(count: usize) -> Self {
        Self {
            hashes: Vec::with_capacity(count),
            owners: Vec::with_capacity(count),
        }
    }

    fn push(&mut self, (hash, owner): Point) {
        self.hashes.push(hash);
        self.owners.push(owner);
    }
}

/// Their number only: they follow from the servers, and nobody reads a hundred thousand of them.
impl fmt::Debug for Points {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} points", self.hashes.len())
    }
}
