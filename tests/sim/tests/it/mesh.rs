//! Routers on a ring: where registrations are, before and after one of the routers dies.

use test_sim::{Found, Routers, seed};

use crate::SECOND;

/// A mesh in which every instance has advertised.
fn mesh(size: usize, seed: u64) -> Routers {
    let mut mesh = Routers::formed(size, 400, seed);
    mesh.run(70 * SECOND);
    assert!(mesh.is_whole());
    mesh
}

#[test]
fn placement_is_whole_again_after_one_router_after_another_dies() {
    seed::each(2, |seed| {
        let mut mesh = mesh(40, seed);
        for refuses in [true, false] {
            mesh.kill_one(refuses);
            assert!(!mesh.is_whole());
            // Two instances in three have not advertised again by then: it is the routers that hand over.
            mesh.run(20 * SECOND);
            assert!(mesh.is_whole());
        }
    });
}

#[test]
fn while_a_router_is_dead_and_not_known_to_be_every_call_finds_another_exit() {
    seed::each(2, |seed| {
        let mut mesh = mesh(30, seed);
        mesh.kill_one(false);
        let mut found = Found::default();
        for _ in 0..100 {
            mesh.run(SECOND / 10);
            mesh.find(100, &mut found);
        }
        assert!(found.turned > 0, "{found:?}");
        assert_eq!(found.lost, 0, "{found:?}");
    });
}

#[test]
fn what_a_router_sends_does_not_depend_on_how_many_there_are() {
    seed::each(1, |seed| {
        for size in [20, 60] {
            let mut mesh = mesh(size, seed);
            let before = mesh.told;
            mesh.run(60 * SECOND);
            // Each of 400 instances tells its ten exits, and each of those answers.
            let messages = mesh.told.messages - before.messages;
            assert!((7_000..=8_000).contains(&messages), "{messages} at {size}");
        }
    });
}
