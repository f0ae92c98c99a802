//! All members start at once.

use super::{SECOND, Settings, Table, defaults};
use crate::World;
use crate::report::{number, percentile};

pub(super) fn run(settings: &Settings) -> Table {
    let mut times = Vec::new();
    let mut never = 0;
    let mut bytes = 0.0;
    for run in 0..settings.runs as u64 {
        let mut world = World::starting(settings.size, settings.seed + run, defaults);
        match world.run_until(SECOND / 4, 600 * SECOND, World::has_converged) {
            Some(time) => times.push(time.as_secs_f64()),
            None => never += 1,
        }
        bytes += world.traffic().1 as f64 / settings.size as f64;
    }
    let each = bytes / settings.runs as f64;
    let mut at = |share| number(percentile(&mut times, share), 2);
    let (middle, worst) = (at(0.5), at(1.0));
    let mut table = Table::new(["", "ours", "goal", "others"]);
    let others = "Rapid 30, memberlist 45, foca 510 at 1000";
    table.row([&"seconds until all know all, p50", &middle, &"", &others]);
    let goal = "3 at 1000, 4 at 2000, 8 at 5000";
    table.row([&"worst", &worst, &goal, &""]);
    table.row([&"never in ten minutes", &never, &"0", &""]);
    let name = "bytes a member until then";
    table.row([&name, &number(each, 0), &"", &""]);
    table
}
