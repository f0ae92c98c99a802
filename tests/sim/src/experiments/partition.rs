//! Two halves that cannot hear each other for a minute.

use super::{SECOND, Settings, Table, WARM_UP, defaults};
use crate::World;
use crate::report::percentile;

pub(super) fn run(settings: &Settings) -> Table {
    let mut times = Vec::new();
    let mut never = 0;
    let mut bytes = 0.0;
    let mut wronged = 0;
    for run in 0..settings.runs as u64 {
        let mut world = World::formed(settings.size, settings.seed + run, defaults);
        world.run(WARM_UP);
        world.network.place(0..settings.size / 2, 1);
        world.network.split(0, 1);
        world.run(60 * SECOND);
        world.network.mend();
        let before = world.traffic().1;
        let healed = world.run_until(SECOND, 1800 * SECOND, World::has_converged);
        bytes += (world.traffic().1 - before) as f64 / settings.size as f64;
        match healed {
            Some(time) => times.push(time.as_secs_f64()),
            None => never += 1,
        }
        world.run(60 * SECOND);
        wronged += world.wronged().len();
    }
    let mut table = Table::new(["", "ours", "others"]);
    let mut at = |share| format!("{:.0}", percentile(&mut times, share));
    table.row([
        "seconds to one list, p50".into(),
        at(0.5),
        "31 to 95 at 100, 585 at 1000".into(),
    ]);
    table.row(["worst".into(), at(1.0), String::new()]);
    table.row([
        "never in half an hour".into(),
        never.to_string(),
        String::new(),
    ]);
    table.row([
        "still believed faulty a minute later".into(),
        wronged.to_string(),
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
