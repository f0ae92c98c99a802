//! Claims about members that are not true, or not any more: the dead stay dead and the living have the last
//! word, in a life after any that was spoken of.

use std::time::Duration;

use hyperbahn_swim::{Member, Status};
use test_sim::{World, seed};

use crate::{SECOND, converge, ring};

#[test]
fn a_suspect_whose_incarnation_rises_is_given_up_all_the_same() {
    seed::each(20, |seed| {
        let mut world = ring(12, seed);
        let before = known(&mut world, 0, 5).incarnation;
        world.crash(5, false);
        let is_suspected = |world: &mut World| {
            (0..5).any(|observer| known(world, observer, 5).status == Status::Suspect)
        };
        let suspected = world.run_until(SECOND / 10, 20 * SECOND, is_suspected);
        assert!(suspected.is_some());
        for rise in 1..=3 {
            world.rumour(0, 5, Status::Suspect, before + rise);
            world.run(Duration::from_millis(seed * 37 % 1500));
        }
        world.run(12 * SECOND);
        for observer in world.running() {
            let known = known(&mut world, observer, 5);
            assert_eq!(
                (known.status, known.incarnation),
                (Status::Faulty, before + 3),
                "at {observer}"
            );
        }
    });
}

#[test]
fn a_refutation_comes_after_whatever_was_said_however_far_ahead_of_the_clock() {
    seed::each(10, |seed| {
        for claimed in Status::ALL {
            let mut world = ring(8, seed);
            let ahead = known(&mut world, 5, 5).incarnation + 3_600_000;
            world.rumour((seed % 8) as usize, 5, claimed, ahead);
            world.run(SECOND);
            converge(&mut world, 10 * SECOND);
            assert_eq!(known(&mut world, 0, 5).incarnation, ahead + 1, "{claimed}");
        }
    });
}

#[test]
fn a_restart_with_an_older_clock_begins_a_later_life() {
    seed::each(10, |seed| {
        for (refuses, skew_ms) in [(true, -60_000), (false, -86_400_000)] {
            let mut world = ring(8, seed);
            let before = known(&mut world, 0, 3).incarnation;
            world.crash(3, refuses);
            world.run(Duration::from_millis(seed * 1300));
            world.start(3, skew_ms);
            converge(&mut world, 20 * SECOND);
            assert!(known(&mut world, 0, 3).incarnation > before);
        }
    });
}

#[test]
fn what_is_said_of_an_earlier_life_harms_nobody() {
    seed::each(20, |seed| {
        let mut world = ring(8, seed);
        let before = known(&mut world, 0, 3).incarnation;
        world.crash(3, true);
        world.run(Duration::from_millis(seed * 400));
        world.start(3, 0);
        converge(&mut world, 20 * SECOND);
        for claimed in [
            Status::Suspect,
            Status::Faulty,
            Status::Leave,
            Status::Tombstone,
        ] {
            world.rumour(1, 3, claimed, before);
        }
        world.run(SECOND);
        converge(&mut world, SECOND);
        assert!(world.observer.false_verdicts.is_empty());
    });
}

/// What one member knows about another.
#[track_caller]
fn known(world: &mut World, observer: usize, member: usize) -> Member {
    let address = world.address(member);
    let node = world.member(observer).expect("the observer runs");
    node.member(&address).expect("it is known")
}
