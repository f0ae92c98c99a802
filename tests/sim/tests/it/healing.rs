//! Partitions, whole and in one direction, and what is left of them.

use std::time::Duration;

use hyperbahn_swim::Status;
use test_sim::seed;

use crate::{SECOND, converge, ring};

#[test]
fn two_halves_become_one_ring_again() {
    seed::each(6, |seed| {
        for size in [4, 10, 24] {
            let mut world = ring(size, seed);
            world.network.place(0..size / 2, 1);
            world.network.split(0, 1);
            world.run(60 * SECOND);
            assert!(
                world.wronged().len() == size,
                "each half has given up the other"
            );
            world.network.mend();
            converge(&mut world, 300 * SECOND);
        }
    });
}

#[test]
fn three_parts_become_one_ring_again() {
    seed::each(20, |seed| {
        let mut world = ring(12, seed);
        world.network.place(0..4, 1);
        world.network.place(4..8, 2);
        for (left, right) in [(0, 1), (0, 2), (1, 2)] {
            world.network.split(left, right);
        }
        world.run(90 * SECOND);
        world.network.mend();
        converge(&mut world, 600 * SECOND);
    });
}

#[test]
fn one_that_was_alone_comes_back() {
    seed::each(40, |seed| {
        let mut world = ring(6, seed);
        world.network.place([2], 1);
        world.network.split(0, 1);
        world.run(120 * SECOND);
        world.network.mend();
        converge(&mut world, 300 * SECOND);
    });
}

#[test]
fn a_short_cut_leaves_no_trace() {
    seed::each(60, |seed| {
        let mut world = ring(12, seed);
        world.network.place(0..6, 1);
        world.network.split(0, 1);
        world.run(2 * SECOND);
        world.network.mend();
        converge(&mut world, 20 * SECOND);
        assert!(world.observer.false_verdicts.is_empty());
    });
}

#[test]
fn a_cut_in_one_direction_ends_like_one_in_both() {
    seed::each(20, |seed| {
        let mut world = ring(12, seed);
        world.network.place(0..3, 1);
        world.network.cut(0, 1);
        world.run(60 * SECOND);
        world.network.mend();
        converge(&mut world, 300 * SECOND);
    });
}

#[test]
fn those_that_can_be_reached_by_a_detour_stay() {
    seed::each(20, |seed| {
        let mut world = ring(8, seed);
        world.network.place([0], 1);
        world.network.place([1], 2);
        world.network.split(1, 2);
        world.run(120 * SECOND);
        assert!(world.observer.false_verdicts.is_empty());
        for member in 0..8 {
            let node = world.member(member).expect("it runs");
            assert_eq!(node.count(Status::Alive), 8);
        }
    });
}

#[test]
fn a_link_that_comes_and_goes_leaves_no_trace_while_there_are_others() {
    seed::each(10, |seed| {
        let mut world = ring(8, seed);
        world.network.place([0], 1);
        world.network.place([1], 2);
        for round in 0..40 {
            world.network.split(1, 2);
            world.run(Duration::from_millis((seed * 331 + round * 97) % 3000));
            world.network.mend();
            world.run(Duration::from_millis((seed * 173 + round * 61) % 1000));
        }
        assert!(world.observer.false_verdicts.is_empty());
        converge(&mut world, 20 * SECOND);
    });
}

#[test]
fn halves_that_lose_each_other_again_and_again_end_up_as_one() {
    seed::each(10, |seed| {
        let mut world = ring(10, seed);
        world.network.place(0..5, 1);
        for round in 0..10 {
            world.network.split(0, 1);
            world.run(Duration::from_millis((seed * 331 + round * 1097) % 12_000));
            world.network.mend();
            world.run(Duration::from_millis((seed * 173 + round * 761) % 6_000));
        }
        converge(&mut world, 300 * SECOND);
    });
}
