//! The membership checksum: one number that two members compare instead of their lists.
//!
//! Go and Node hash different texts of the same members, so their checksums never agree. A node takes over
//! the flavour of the ring it joins.
//!
//! Source: spec/ringpop/checksum.md, "text".

use std::io::Write;

use crate::status::{Standing, Status};
use tchannel_farmhash::fingerprint32;

/// How the text under the checksum is written.
///
/// Source: spec/ringpop/checksum.md, "text".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// As ringpop-go does: ordered by the whole line, with labels, `;` behind each line.
    Go,
    /// As ringpop-node does with `isCrossPlatform`: ordered by address, no labels, `;` between lines.
    Node,
}

/// What the checksum covers of a member.
#[derive(Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) address: &'a str,
    pub(crate) standing: Standing,
    pub(crate) label_checksum: i32,
}

/// The checksum of members that come ordered by address. Never 0, which Node takes for a missing field.
///
/// Source: spec/ringpop/checksum.md, "zero".
pub(crate) fn checksum<'a>(
    flavour: Flavour,
    members: impl Iterator<Item = Line<'a>> + Clone,
) -> u32 {
    let members = members.filter(|line| line.standing.status() != Status::Tombstone);
    let text = match flavour {
        Flavour::Node => joined(members, false),
        Flavour::Go if is_order_of_lines(members.clone()) => joined(members, true),
        Flavour::Go => sorted_by_line(members),
    };
    fingerprint32(&text).max(1)
}

/// The flavour in which these members have this checksum, or `None` when it is neither.
///
/// Source: spec/ringpop/checksum.md, "detection".
pub(crate) fn detect(members: &mut [Line<'_>], expected: u32) -> Option<Flavour> {
    members.sort_unstable_by_key(|line| line.address);
    [Flavour::Go, Flavour::Node]
        .into_iter()
        .find(|flavour| checksum(*flavour, members.iter().copied()) == expected)
}

/// Whether ordering by address is ordering by line: it is unless one address begins with another.
fn is_order_of_lines<'a>(members: impl Iterator<Item = Line<'a>> + Clone) -> bool {
    let next = members.clone().skip(1);
    members
        .zip(next)
        .all(|(line, next)| !next.address.starts_with(line.address))
}

fn joined<'a>(members: impl Iterator<Item = Line<'a>>, with_labels: bool) -> Vec<u8> {
    let mut text = Vec::with_capacity(members.size_hint().1.unwrap_or(0) * LINE_BYTES);
    for line in members {
        line.write(&mut text, with_labels);
        text.push(b';');
    }
    if !with_labels {
        text.pop();
    }
    text
}

fn sorted_by_line<'a>(members: impl Iterator<Item = Line<'a>>) -> Vec<u8> {
    let lines = members.map(|line| {
        let mut text = Vec::with_capacity(LINE_BYTES);
        line.write(&mut text, true);
        text
    });
    let mut lines: Vec<_> = lines.collect();
    lines.sort_unstable();
    let mut text = lines.join(&b';');
    text.push(b';');
    text
}

impl Line<'_> {
    fn write(&self, text: &mut Vec<u8>, with_labels: bool) {
        text.extend_from_slice(self.address.as_bytes());
        text.extend_from_slice(self.standing.status().as_str().as_bytes());
        decimal(text, self.standing.incarnation());
        if with_labels && self.label_checksum != 0 {
            write!(text, "#labels{}", self.label_checksum).expect("memory takes all bytes");
        }
    }
}

/// Digits of a number, without the machinery of formatting: it runs for every member at every change.
fn decimal(text: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text.extend_from_slice(&digits[first..]);
}

const LINE_BYTES: usize = 48;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{Flavour, Line, checksum, detect, sorted_by_line};
    use crate::status::{Standing, Status};

    fn lines<'a>(members: &[(&'a str, u64, Status)]) -> Vec<Line<'a>> {
        let line = |(address, incarnation, status): &(&'a str, u64, Status)| Line {
            address,
            standing: Standing::new(*incarnation, *status).expect("a small incarnation"),
            label_checksum: 0,
        };
        members.iter().map(line).collect()
    }

    #[test]
    fn nobody_is_left_out_but_tombstones() {
        let members = lines(&[("a:1", 1, Status::Leave), ("a:2", 2, Status::Tombstone)]);
        let without = checksum(Flavour::Node, members[..1].iter().copied());
        assert_eq!(checksum(Flavour::Node, members.iter().copied()), without);
    }

    #[test]
    fn a_checksum_of_neither_flavour_is_told_apart() {
        let mut members = lines(&[("a:2", 1, Status::Alive), ("a:1", 1, Status::Alive)]);
        assert_eq!(detect(&mut members, 7), None);
        for flavour in [Flavour::Go, Flavour::Node] {
            let sum = checksum(flavour, members.iter().copied());
            assert_eq!(detect(&mut members, sum), Some(flavour));
        }
    }

    proptest! {
        #[test]
        fn the_short_way_to_order_lines_agrees_with_the_long_one(
            ports in prop::collection::btree_map("[a-c]:[0-9]{1,3}|[a-c]:1[a-z]?", (0_u64..999, 0..5_usize), 0..9),
        ) {
            let ports: BTreeMap<String, (u64, usize)> = ports;
            let members = ports.iter().map(|(address, (incarnation, at))| Line {
                address,
                standing: Standing::new(*incarnation, Status::ALL[*at]).expect("small"),
                label_checksum: *incarnation as i32 - 500,
            });
            let visible = members.clone().filter(|line| line.standing.status() != Status::Tombstone);
            let mut long = sorted_by_line(visible.clone());
            if visible.count() == 0 {
                long.clear();
            }
            let sum = super::fingerprint32(&long).max(1);
            prop_assert_eq!(checksum(Flavour::Go, members), sum);
        }
    }
}
