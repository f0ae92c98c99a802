//! Members that stall: what they send and receive waits, their timers run.

use std::time::Duration;

use super::{Settings, Table, WARM_UP, defaults};
use crate::report::number;
use crate::{Nanos, World};

/// Members at once, stalled for, free for, in milliseconds; and what memberlist, with Lifeguard, and foca,
/// without, do where that is known.
const CELLS: [(usize, u64, u64, &str); 9] = [
    (1, 8_200, 1_000, "foca 0 / 0"),
    (4, 8_200, 1_000, "memberlist 4 / 0, foca 85 / 83"),
    (16, 8_200, 1_000, "foca 4579 / 4132"),
    (1, 16_400, 1_000, "foca 46 / 0"),
    (4, 16_400, 1_000, "foca 221 / 41"),
    (16, 16_400, 1_000, "memberlist 53 / 0, foca 4915 / 4039"),
    (32, 16_400, 1_000, "memberlist 29 / 0, foca 4692 / 3405"),
    (4, 32_800, 4_100, "foca 2521 / 2143"),
    (32, 32_800, 4_100, "foca 2611 / 1530"),
];

/// A few cells, one by one.
pub(super) fn run(settings: &Settings) -> Table {
    let mut table = Table::new([
        "128 members, 120 s, each run",
        "false",
        "by healthy ones",
        "of slow ones",
        "others",
    ]);
    for (slow, stalled_ms, free_ms, others) in CELLS {
        let sums = cell(settings, slow, stalled_ms, free_ms);
        let [all, healthy, true_ones] =
            sums.map(|sum| number(sum as f64 / settings.runs as f64, 1));
        let [stalled, whole] = [stalled_ms, stalled_ms + free_ms].map(|ms| ms as f64 / 1e3);
        let name = format!("{slow} slow, {stalled:.1} s of {whole:.1} s");
        table.row([&name, &all, &healthy, &true_ones, &others]);
    }
    table
}

/// All cells in which Lifeguard was measured, summed up.
pub(super) fn run_grid(settings: &Settings) -> Table {
    let mut sums = [0; 3];
    let mut runs = 0;
    for slow in [1, 4, 8, 12, 16, 20, 24, 28, 32] {
        for stalled_ms in [128, 512, 2_048, 8_192, 16_384, 32_768] {
            for free_ms in [1, 4, 16, 64, 256, 1_024, 4_096, 16_384] {
                let counts = cell(settings, slow, stalled_ms, free_ms);
                sums = std::array::from_fn(|at| sums[at] + counts[at]);
                runs += settings.runs;
            }
        }
    }
    let [all, healthy, true_ones] = sums;
    let scale = |full: f64| number(full * runs as f64 / 4_320.0, 1);
    let mut table = Table::new(["128 members, 120 s", "ours", "goal", "Lifeguard", "SWIM"]);
    table.row([&"runs", &runs, &"", &"", &""]);
    let name = "false, scaled to as many runs for others";
    table.row([
        &name,
        &all,
        &scale(500.0),
        &scale(5_193.0),
        &scale(339_002.0),
    ]);
    table.row([
        &"by healthy ones",
        &healthy,
        &"0",
        &scale(25.0),
        &scale(1_326.0),
    ]);
    table.row([&"of slow ones", &true_ones, &"", &"", &""]);
    table
}

/// The sums over all runs.
fn cell(settings: &Settings, slow: usize, stalled_ms: u64, free_ms: u64) -> [u64; 3] {
    let runs = 0..settings.runs as u64;
    runs.fold([0; 3], |sums, run| {
        let counts = stall(settings.seed + run, slow, stalled_ms, free_ms);
        std::array::from_fn(|at| sums[at] + counts[at])
    })
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
