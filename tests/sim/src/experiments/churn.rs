//! Members come and go all the time.

use std::time::Duration;

use super::{SECOND, Settings, Table, WARM_UP, defaults};
use crate::World;
use crate::report::number;

pub(super) fn run(settings: &Settings) -> Table {
    let mut world = World::formed(settings.size, settings.seed, defaults);
    let mut rng = fastrand::Rng::with_seed(settings.seed);
    world.run(WARM_UP);
    let pause = Duration::from_secs(60) / (settings.size.div_ceil(10) as u32);
    let before = world.traffic().1;
    let mut most = 0.0_f64;
    let mut restarts = 0;
    let mut passed = Duration::ZERO;
    while passed < settings.time {
        let running = world.running();
        let victim = running[rng.usize(..running.len())];
        match rng.bool() {
            true => world.crash(victim, true),
            false => world.evict(victim),
        }
        let sent = world.traffic().1;
        world.run(pause / 2);
        let skew = rng.i64(-3_600_000..3_600_000);
        if world.member(victim).is_none() {
            world.start(victim, skew);
            restarts += 1;
        }
        world.run(pause / 2);
        passed += pause;
        let rate = (world.traffic().1 - sent) as f64 / pause.as_secs_f64();
        most = most.max(rate / settings.size as f64);
    }
    let bytes = (world.traffic().1 - before) as f64;
    let converged = world.run_until(SECOND / 4, 300 * SECOND, World::has_converged);
    let wrong = world.observer.false_verdicts.len();
    let mean = number(
        bytes / settings.size as f64 / settings.time.as_secs_f64(),
        0,
    );
    let settled = converged.map_or(f64::INFINITY, |time| time.as_secs_f64());
    let mut table = Table::new(["", "ours", "goal", "others"]);
    table.row([&"restarts", &restarts, &"", &""]);
    table.row([&"lives believed faulty though alive", &wrong, &"0", &""]);
    table.row([&"bytes/s a member", &mean, &"", &""]);
    let others = "7 to 11 KB/s while 1 % crash";
    let name = "the same between two restarts, at most";
    table.row([&name, &number(most, 0), &"32 KB/s", &others]);
    let name = "seconds to one list afterwards";
    table.row([&name, &number(settled, 2), &"", &""]);
    table
}
