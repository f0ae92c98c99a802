//! A ring without faults, and what makes a simulation one.

use test_sim::{World, seed};

use crate::{SECOND, converge, defaults, ring};

#[test]
fn members_that_start_together_become_one_ring() {
    seed::each(12, |seed| {
        for size in [1, 2, 3, 5, 16, 40] {
            let mut world = World::starting(size, seed, defaults);
            converge(&mut world, 30 * SECOND);
        }
    });
}

#[test]
fn where_nothing_happens_nothing_is_believed_to_have_happened() {
    seed::each(6, |seed| {
        let mut world = ring(32, seed);
        world.run(60 * SECOND);
        assert_eq!(world.observer.suspicions, 0);
        assert_eq!(world.views(), 1);
    });
}

#[test]
fn a_quiet_ring_sends_ten_small_messages_a_second_and_member() {
    seed::each(1, |seed| {
        for size in [4, 64] {
            let mut world = ring(size, seed);
            world.run(20 * SECOND);
            let before = world.traffic();
            world.run(20 * SECOND);
            let after = world.traffic();
            let member_seconds = 20 * size as u64;
            let messages = (after.0 - before.0) / member_seconds;
            let bytes = (after.1 - before.1) / member_seconds;
            assert!(
                (9..=10).contains(&messages),
                "{messages} messages/s at {size}"
            );
            assert!(bytes < 1200, "{bytes} B/s at {size}");
        }
    });
}

#[test]
fn a_seed_repeats_a_run_event_by_event() {
    let run = |seed| {
        let mut world = ring(12, seed);
        world.network.loss = 0.2;
        world.run(30 * SECOND);
        world.crash(3, false);
        world.run(20 * SECOND);
        (world.events, world.trace)
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}
