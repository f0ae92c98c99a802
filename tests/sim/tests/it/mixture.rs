//! Everything at once, drawn by the seed; then calm.

use std::cell::Cell;
use std::time::Duration;

use fastrand::Rng;
use test_sim::{World, seed};

use crate::{SECOND, converge, ring};

/// Makes something happen. Returns whether it could.
type Fault = fn(&mut World, &mut Rng) -> bool;

const FAULTS: [(&str, Fault); 8] = [
    ("loss", |world, rng| {
        world.network.loss = rng.f64() * 0.3;
        true
    }),
    ("partition", |world, rng| {
        let size = world.size();
        world.network.place(0..size, 0);
        world.network.place(0..rng.usize(1..size), 1);
        world.network.split(0, 1);
        true
    }),
    ("one-way cut", |world, rng| {
        let member = rng.usize(..world.size());
        world.network.place([member], 2);
        world.network.cut(rng.u8(0..3), rng.u8(0..3));
        true
    }),
    ("slow member", |world, rng| {
        strike(world, rng, |world, rng, member| {
            let until = world.now() + rng.u64(1..20) * test_sim::SECOND;
            world.network.block(member, until);
        })
    }),
    ("frozen member", |world, rng| {
        strike(world, rng, |world, rng, member| {
            world.freeze(member, Duration::from_secs(rng.u64(1..20)));
        })
    }),
    ("crash", |world, rng| {
        strike(world, rng, |world, rng, member| {
            world.crash(member, rng.bool())
        })
    }),
    ("eviction", |world, rng| {
        strike(world, rng, |world, _, member| world.evict(member))
    }),
    ("restart with a wrong clock", |world, rng| {
        let member = rng.usize(..world.size());
        let is_free = world.member(member).is_none();
        if is_free {
            world.start(member, rng.i64(-7_200_000..7_200_000));
        }
        is_free
    }),
];

/// Strikes a running member, if two others are left.
fn strike(world: &mut World, rng: &mut Rng, how: fn(&mut World, &mut Rng, usize)) -> bool {
    let running = world.running();
    let enough = running.len() > 2;
    if enough {
        let struck = running[rng.usize(..running.len())];
        how(world, rng, struck);
    }
    enough
}

#[test]
fn whatever_happened_the_ring_is_one_again_once_it_is_calm() {
    let happened = FAULTS.map(|_| Cell::new(0));
    seed::each(12, |seed| {
        let mut rng = Rng::with_seed(seed);
        let size = rng.usize(3..17);
        let mut world = ring(size, seed);
        for _ in 0..rng.usize(5..30) {
            let drawn = rng.usize(..FAULTS.len());
            let (_, fault) = FAULTS[drawn];
            happened[drawn].update(|count| count + u32::from(fault(&mut world, &mut rng)));
            world.run(Duration::from_millis(rng.u64(..8000)));
            if rng.u8(..4) == 0 {
                world.network.mend();
            }
        }
        world.network.mend();
        world.run(30 * SECOND);
        converge(&mut world, 900 * SECOND);
    });
    for ((name, _), count) in FAULTS.iter().zip(happened) {
        assert!(count.get() > 0 || seed::is_chosen(), "no seed drew: {name}");
    }
}
