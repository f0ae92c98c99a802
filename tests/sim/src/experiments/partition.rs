//! Two halves that cannot hear each other for a minute.

use super::{SECOND, Settings, Table, WARM_UP};
use crate::World;
use crate::report::{number, percentile};

pub(super) fn run(settings: &Settings) -> Table {
    let mut times = Vec::new();
    let mut never = 0;
    let mut bytes = 0.0;
    let mut wronged = 0;
    for run in 0..settings.runs as u64 {
        let heal = settings.heal;
        let mut world = World::formed(settings.size, settings.seed + run, move |config| {
            config.heal.period = heal.unwrap_or(config.heal.period);
        });
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
    let each = bytes / settings.runs as f64;
    let mut at = |share| number(percentile(&mut times, share), 0);
    let (middle, worst) = (at(0.5), at(1.0));
    let mut table = Table::new(["", "ours", "goal", "others"]);
    let others = "foca 31 to 95 at 100, 585 at 1000; Ringpop tries every 30 s";
    table.row([&"seconds to one list, p50", &middle, &"", &others]);
    table.row([&"worst", &worst, &"3 at 1000, 5 at 5000", &""]);
    table.row([&"never in half an hour", &never, &"0", &""]);
    table.row([&"believed faulty a minute later", &wronged, &"0", &""]);
    let name = "bytes a member until then";
    table.row([&name, &number(each, 0), &"four lists", &""]);
    table
}
