//! Rings under faults, from seeds: they converge, nobody who lives stays faulty, and a run can be repeated.
//!
//! `SIM_SEED=7 cargo test -p test-sim` runs one seed, `SIM_EFFORT=50` fifty times as many.

mod crash;
mod healing;
mod mesh;
mod mixture;
mod quiet;
mod ring;
mod rumours;
mod verdicts;

use std::time::Duration;

use hyperbahn_swim::Config;
use test_sim::World;

const SECOND: Duration = Duration::from_secs(1);

fn defaults(_: &mut Config) {}

/// A ring in which the news of the beginning has faded.
fn ring(size: usize, seed: u64) -> World {
    let mut world = World::formed(size, seed, defaults);
    world.run(10 * SECOND);
    world
}

/// Waits until all members agree, and no longer than this.
#[track_caller]
fn converge(world: &mut World, limit: Duration) {
    let converged = world.run_until(SECOND, limit, World::has_converged);
    assert!(
        converged.is_some(),
        "{} views of {} members, believed faulty: {:?}",
        world.views(),
        world.running().len(),
        world.wronged(),
    );
    assert!(world.wronged().is_empty());
}
