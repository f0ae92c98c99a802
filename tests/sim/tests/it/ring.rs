//! The hash ring as each member makes it from what it knows: one ring for all, once they agree on who is there.

use fastrand::Rng;
use hyperbahn_ring::{Ring, Server};
use hyperbahn_swim::{Change, Config, IDENTITY, Member, Node};
use test_sim::faults::trouble;
use test_sim::{World, seed};

use crate::{SECOND, converge};

#[test]
fn a_key_has_the_same_owners_at_every_member_once_they_agree() {
    seed::each(20, |seed| {
        let (mut world, mut rng) = named(seed);
        trouble(&mut world, &mut rng);
        converge(&mut world, 900 * SECOND);
        let running = world.running();
        let rings: Vec<Ring> = running
            .iter()
            .map(|one| ring_at(&mut world, *one))
            .collect();
        let first = &rings[0];
        assert_eq!(
            first.servers().len(),
            running.len(),
            "all who run, nobody else"
        );
        for ring in &rings {
            assert_eq!(ring, first);
            assert_eq!(ring.checksum(), first.checksum());
            assert_eq!(ring.replica_checksum(), first.replica_checksum());
        }
        for key in (0..20).map(|key| format!("key{key}")) {
            let owners = first.lookup_n(&key, 3);
            assert!(rings.iter().all(|ring| ring.lookup_n(&key, 3) == owners));
        }
    });
}

#[test]
fn a_ring_kept_up_by_what_members_tell_is_the_ring_of_all_they_know() {
    seed::each(20, |seed| {
        let (mut world, mut rng) = named(seed);
        let mut kept: Vec<Ring> = (0..world.size())
            .map(|member| ring_at(&mut world, member))
            .collect();
        world.told = Some(Vec::new());
        trouble(&mut world, &mut rng);
        for (member, changes) in world.told.take().expect("a list was there") {
            if begins(&changes, &world.address(member)) {
                kept[member] = Ring::default();
            }
            kept[member] = follow(&kept[member], &changes);
        }
        for member in world.running() {
            assert_eq!(kept[member], ring_at(&mut world, member), "at {member}");
        }
    });
}

/// A ring of members half of which own keys under another name than their address.
fn named(seed: u64) -> (World, Rng) {
    let name_half = |config: &mut Config| {
        let sum: u32 = config.address.bytes().map(u32::from).sum();
        if sum.is_multiple_of(2) {
            let name = format!("node of {}", config.address);
            config.labels.insert(IDENTITY, name);
        }
    };
    let mut rng = Rng::with_seed(seed);
    let mut world = World::starting(rng.usize(3..16), seed, name_half);
    converge(&mut world, 30 * SECOND);
    (world, rng)
}

fn ring_at(world: &mut World, member: usize) -> Ring {
    world
        .member(member)
        .map_or_else(Ring::default, |node| ring_of(node))
}

fn ring_of(node: &Node) -> Ring {
    let members = node.members().filter(|member| member.status.is_in_ring());
    Ring::from_servers(members.map(|member| server(&member)))
}

fn server(member: &Member) -> Server {
    Server::with_identity(member.address.clone(), member.ring_name())
}

/// Whether somebody tells of itself for the first time, and so begins.
fn begins(changes: &[Change], me: &str) -> bool {
    let is_me = |member: &Member| *member.address == *me;
    let mut changes = changes.iter();
    changes.any(|change| change.before.is_none() && change.after.as_ref().is_some_and(is_me))
}

/// The ring after a batch of changes.
fn follow(ring: &Ring, changes: &[Change]) -> Ring {
    let is_in_ring = |member: &&Member| member.status.is_in_ring();
    let before = changes.iter().filter_map(|change| change.before.as_ref());
    let after = changes.iter().filter_map(|change| change.after.as_ref());
    let gone = before.filter(is_in_ring).map(|member| &*member.address);
    ring.change(gone, after.filter(is_in_ring).map(server))
}
