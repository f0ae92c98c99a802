//! Members that stall: what they send and receive waits, their timers run.

use std::time::Duration;

use super::{Settings, Table, WARM_UP, defaults};
use crate::{Nanos, World};

/// Members at once, stalled for, free for, in milliseconds.
const CELLS: [(usize, u64, u64); 9] = [
    (1, 8_200, 1_000),
    (4, 8_200, 1_000),
    (16, 8_200, 1_000),
    (1, 16_400, 1_000),
    (4, 16_400, 1_000),
    (16, 16_400, 1_000),
    (32, 16_400, 1_000),
    (4, 32_800, 4_100),
    (32, 32_800, 4_100),
];

/// What memberlist, with Lifeguard, and foca, without, do in the cells where that is known.
const OTHERS: [&str; 9] = [
    "foca 0 / 0",
    "memberlist 4 / 0, foca 85 / 83",
    "foca 4579 / 4132",
    "foca 46 / 0",
    "foca 221 / 41",
    "memberlist 53 / 0, foca 4915 / 4039",
    "memberlist 29 / 0, foca 4692 / 3405",
    "foca 2521 / 2143",
    "foca 2611 / 1530",
];

pub(super) fn run(settings: &Settings) -> Table {
    let mut table = Table::new([
        "128 members, 120 s, each run",
        "false",
        "by healthy ones",
        "of slow ones",
        "others",
    ]);
    for ((slow, stalled_ms, free_ms), others) in CELLS.into_iter().zip(OTHERS) {
        let mut sums = [0; 3];
        for run in 0..settings.runs as u64 {
            let counts = stall(settings.seed + run, slow, stalled_ms, free_ms);
            sums.iter_mut()
                .zip(counts)
                .for_each(|(sum, count)| *sum += count);
        }
        let each = |count: u64| format!("{:.1}", count as f64 / settings.runs as f64);
        let [all, healthy, true_ones] = sums;
        table.row([
            format!(
                "{slow} slow, {:.1} s of {:.1} s",
                stalled_ms as f64 / 1e3,
                (stalled_ms + free_ms) as f64 / 1e3
            ),
            each(all),
            each(healthy),
            each(true_ones),
            others.to_owned(),
        ]);
    }
    table
}

/// Verdicts about healthy members; those of them by healthy members; verdicts about slow ones.
fn stall(seed: u64, slow: usize, stalled_ms: u64, free_ms: u64) -> [u64; 3] {
    let mut world = World::formed(128, seed, defaults);
    (0..slow).for_each(|member| world.afflict(member));
    world.run(WARM_UP);
    let end = world.now() + 120 * crate::SECOND;
    while world.now() < end {
        let until: Nanos = world.now() + stalled_ms * crate::MILLISECOND;
        (0..slow).for_each(|member| world.network.block(member, until));
        world.run(Duration::from_millis(stalled_ms + free_ms));
    }
    let observer = &world.observer;
    [
        observer.false_events,
        observer.false_events_among_healthy,
        observer.events_about_afflicted,
    ]
}
