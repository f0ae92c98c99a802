//! What can go wrong in a ring, and a time in which it does, drawn by a seed.

use std::time::Duration;

use fastrand::Rng;
use hyperbahn_swim::Status;

use crate::{MILLISECOND, SECOND, World};

/// Makes something happen. Returns whether it could.
pub type Fault = fn(&mut World, &mut Rng) -> bool;

/// All of them by name.
pub const FAULTS: [(&str, Fault); 12] = [
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
    ("delay", |world, rng| {
        world.network.delay = rng.u64(1..800) * MILLISECOND;
        true
    }),
    ("flapping link", |world, rng| {
        world.network.place([rng.usize(..world.size())], 3);
        for _ in 0..rng.usize(1..10) {
            world.network.split(0, 3);
            world.run(Duration::from_millis(rng.u64(..3000)));
            world.network.mend();
            world.run(Duration::from_millis(rng.u64(..1000)));
        }
        true
    }),
    ("lossy member", |world, rng| {
        let member = rng.usize(..world.size());
        world.network.make_lossy(member, rng.f64(), rng.f64());
        true
    }),
    ("rumour", |world, rng| {
        let running = world.running();
        let ear = running[rng.usize(..running.len())];
        let hears = world.member(ear).is_some_and(|node| node.is_member());
        let about = rng.usize(..world.size());
        let known = world.address(about);
        let known = world.member(ear).and_then(|node| node.member(&known));
        if let Some(known) = known.as_ref().filter(|_| hears) {
            let status = Status::ALL[rng.usize(..Status::ALL.len())];
            let incarnation = (known.incarnation + 3).saturating_sub(rng.u64(..6));
            world.rumour(ear, about, status, incarnation);
        }
        known.is_some() && hears
    }),
    ("slow member", |world, rng| {
        strike(world, rng, |world, rng, member| {
            let until = world.now() + rng.u64(1..20) * SECOND;
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
        let seats = 0..world.size();
        let free: Vec<usize> = seats.filter(|seat| world.member(*seat).is_none()).collect();
        let member = rng.choice(free);
        if let Some(member) = member {
            world.start(member, rng.i64(-7_200_000..7_200_000));
        }
        member.is_some()
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

/// A time of faults, then calm. Returns how often each happened.
pub fn trouble(world: &mut World, rng: &mut Rng) -> [u32; FAULTS.len()] {
    let mut happened = [0; FAULTS.len()];
    for _ in 0..rng.usize(5..30) {
        let drawn = rng.usize(..FAULTS.len());
        let (_, fault) = FAULTS[drawn];
        happened[drawn] += u32::from(fault(world, rng));
        world.run(Duration::from_millis(rng.u64(..8000)));
        if rng.u8(..4) == 0 {
            world.network.mend();
        }
    }
    world.network.mend();
    world.run(Duration::from_secs(30));
    happened
}
