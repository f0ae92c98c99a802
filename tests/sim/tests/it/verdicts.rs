//! Nobody who lives is believed faulty: not for lost messages, not by those who are slow themselves.

use std::time::Duration;

use test_sim::seed;

use crate::{SECOND, converge, ring};

#[test]
fn a_tenth_of_all_messages_may_be_lost() {
    seed::each(6, |seed| {
        let mut world = ring(40, seed);
        world.network.loss = 0.1;
        world.run(120 * SECOND);
        assert!(world.observer.false_verdicts.is_empty());
        world.network.mend();
        converge(&mut world, 60 * SECOND);
    });
}

#[test]
fn who_was_wronged_at_a_quarter_lost_is_righted() {
    seed::each(10, |seed| {
        let mut world = ring(20, seed);
        world.network.loss = 0.25;
        world.run(120 * SECOND);
        assert!(world.observer.suspicions > 0, "the fault was there");
        world.network.mend();
        converge(&mut world, 60 * SECOND);
    });
}

#[test]
fn slow_members_blame_no_healthy_one() {
    seed::each(3, |seed| {
        for (slow, stalled) in [(1, 8), (6, 8), (6, 17)] {
            let mut world = ring(32, seed);
            (0..slow).for_each(|member| world.afflict(member));
            for _ in 0..4 {
                let until = world.now() + stalled * test_sim::SECOND;
                (0..slow).for_each(|member| world.network.block(member, until));
                world.run(Duration::from_secs(stalled + 1));
            }
            assert!(
                world.observer.events_about_afflicted > 0,
                "the fault was there"
            );
            assert_eq!(
                world.observer.false_events, 0,
                "{slow} slow for {stalled} s"
            );
            converge(&mut world, 60 * SECOND);
        }
    });
}

#[test]
fn a_frozen_process_blames_nobody_when_it_wakes() {
    seed::each(6, |seed| {
        for frozen in [1, 4, 20, 100] {
            let mut world = ring(16, seed);
            world.afflict(3);
            world.freeze(3, Duration::from_secs(frozen));
            world.run(Duration::from_secs(frozen + 20));
            assert_eq!(world.observer.false_events, 0, "after {frozen} s");
            converge(&mut world, 30 * SECOND);
        }
    });
}

#[test]
fn a_member_that_loses_most_messages_takes_nobody_along() {
    seed::each(6, |seed| {
        let mut world = ring(30, seed);
        world.afflict(4);
        world.network.make_lossy(4, 0.8, 0.8);
        world.run(120 * SECOND);
        assert_eq!(world.observer.false_events, 0);
        world.network.mend();
        converge(&mut world, 120 * SECOND);
    });
}
