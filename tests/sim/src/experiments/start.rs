//! All members start at once.

use super::{SECOND, Settings, Table, defaults};
use crate::World;
use crate::report::percentile;

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
    let mut table = Table::new(["", "ours", "others"]);
    let mut at = |share| format!("{:.2}", percentile(&mut times, share));
    let others = "1 to 4.5 at 100; Rapid 30, memberlist 45, foca 510 at 1000";
    table.row([
        "seconds until all know all, p50".into(),
        at(0.5),
        others.into(),
    ]);
    table.row(["worst".into(), at(1.0), String::new()]);
    table.row([
        "never in ten minutes".into(),
        never.to_string(),
        String::new(),
    ]);
    let each = bytes / settings.runs as f64;
    table.row([
        "bytes a member until then".into(),
        format!("{each:.0}"),
        String::new(),
    ]);
    table
}
