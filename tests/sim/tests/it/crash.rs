//! Members that die, leave, and come back.

use std::time::Duration;

use fastrand::Rng;
use test_sim::{World, seed};

use crate::{SECOND, converge, ring};

#[test]
fn a_crash_is_noticed_by_all_and_by_nobody_too_late() {
    seed::each(10, |seed| {
        for (refuses, limit) in [(true, 6), (false, 12)] {
            for size in [2, 3, 10, 40] {
                let mut world = ring(size, seed);
                world.crash(1, refuses);
                let noticed = |world: &mut World| {
                    let verdict = world.observer.verdict(1).expect("it crashed");
                    verdict.observers == size - 1
                };
                let time = world.run_until(SECOND / 10, limit * SECOND, noticed);
                assert!(
                    time.is_some(),
                    "{size} members: {:?}",
                    world.observer.verdict(1)
                );
                assert!(world.observer.false_verdicts.is_empty());
            }
        }
    });
}

#[test]
fn several_crashes_at_once_are_noticed_too() {
    seed::each(10, |seed| {
        let mut world = ring(30, seed);
        (0..10).for_each(|member| world.crash(member, false));
        world.run(60 * SECOND);
        for member in 0..10 {
            let verdict = world.observer.verdict(member).expect("it crashed");
            assert_eq!(verdict.observers, 20);
        }
        converge(&mut world, SECOND);
    });
}

#[test]
fn a_restart_is_back_at_once_even_with_an_older_clock() {
    seed::each(30, |seed| {
        for skew_ms in [0, 3_600_000, -3_600_000] {
            let mut world = ring(12, seed);
            world.crash(5, true);
            world.run(Duration::from_millis(100 + seed * 700));
            world.start(5, skew_ms);
            converge(&mut world, 20 * SECOND);
            assert!(world.observer.false_verdicts.is_empty());
        }
    });
}

#[test]
fn one_that_takes_itself_out_is_missed_by_nobody() {
    seed::each(40, |seed| {
        let mut world = ring(20, seed);
        world.evict(7);
        world.run(2 * SECOND);
        assert_eq!(world.observer.verdict(7).expect("it left").observers, 19);
        assert_eq!(world.observer.suspicions, 0);
        world.start(7, 0);
        converge(&mut world, 10 * SECOND);
    });
}

#[test]
fn a_rolling_restart_costs_nobody_else_the_ring() {
    seed::each(40, |seed| {
        let mut world = ring(9, seed);
        for member in 0..9 {
            world.evict(member);
            world.run(SECOND);
            world.start(member, 0);
            world.run(SECOND);
        }
        converge(&mut world, 20 * SECOND);
        assert!(world.observer.false_verdicts.is_empty());
    });
}

#[test]
fn flapping_members_end_up_as_they_are() {
    seed::each(60, |seed| {
        let mut world = ring(10, seed);
        for round in 0..8 {
            let member = round % 2;
            world.crash(member, round % 3 == 0);
            world.run(Duration::from_millis(500 * round as u64));
            world.start(member, 0);
            world.run(SECOND);
        }
        converge(&mut world, 60 * SECOND);
    });
}

#[test]
fn a_ring_of_three_hundred_notices_as_soon() {
    seed::each(2, |seed| {
        let mut world = ring(300, seed);
        world.crash(7, false);
        world.run(15 * SECOND);
        let verdict = world.observer.verdict(7).expect("it crashed");
        assert_eq!(verdict.observers, 299);
        assert!(world.observer.false_verdicts.is_empty());
    });
}

#[test]
fn members_that_come_and_go_all_the_time_take_nobody_along() {
    seed::each(20, |seed| {
        let mut rng = Rng::with_seed(seed);
        let mut world = ring(16, seed);
        for _ in 0..40 {
            let member = rng.usize(4..16);
            match world.member(member).is_some() {
                true if rng.bool() => world.crash(member, rng.bool()),
                true => world.evict(member),
                false => world.start(member, rng.i64(-3_600_000..3_600_000)),
            }
            world.run(Duration::from_millis(rng.u64(..1000)));
        }
        converge(&mut world, 60 * SECOND);
        let mut wronged = world.observer.false_verdicts.iter();
        assert!(
            wronged.all(|(member, _)| *member >= 4),
            "none of those that stayed"
        );
    });
}

#[test]
fn the_last_one_left_finds_out_that_it_is_alone() {
    seed::each(6, |seed| {
        for (refuses, limit) in [(true, 15), (false, 180)] {
            for size in [3, 4, 6] {
                let mut world = ring(size, seed);
                (1..size).for_each(|member| world.crash(member, refuses));
                converge(&mut world, limit * SECOND);
            }
        }
    });
}
