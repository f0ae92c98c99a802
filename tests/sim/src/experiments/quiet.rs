//! A ring in which nothing happens.

use super::{Settings, Table, WARM_UP, defaults};
use crate::World;
use crate::report::{cpu_seconds, number};

pub(super) fn run(settings: &Settings) -> Table {
    let start = cpu_seconds();
    let mut world = World::formed(settings.size, settings.seed, defaults);
    let formed = cpu_seconds();
    world.run(WARM_UP);
    let warm = cpu_seconds();
    let (messages, bytes) = world.traffic();
    let events = world.events;
    world.run(settings.time);
    let took = cpu_seconds() - warm;
    let (messages, bytes) = (world.traffic().0 - messages, world.traffic().1 - bytes);
    let events = world.events - events;
    let member_seconds = settings.size as f64 * settings.time.as_secs_f64();
    let rate = |count: u64| number(count as f64 / member_seconds, 1);
    let rounds = member_seconds / 0.2;

    let others = "others, at one probe a second";
    let mut table = Table::new(["", "ours", "goal", others]);
    table.row([&"messages/s a member", &rate(messages), &"", &"2.0"]);
    table.row([&"bytes/s a member", &rate(bytes), &"300", &"76 to 91"]);
    let speed = number(events as f64 / took, 0);
    let others = "foca 1.3 M at 1000, 0.4 M at 5000";
    table.row([&"events/s of CPU time", &speed, &"1 M at 1000", &others]);
    let round = number(took / rounds * 1e6, 2);
    let others = "foca 3.9 to 22.7";
    table.row([
        &"µs of CPU a probe, simulator included",
        &round,
        &"4",
        &others,
    ]);
    let joining = number(formed - start, 1);
    table.row([&"CPU seconds, joining", &joining, &"", &""]);
    let all = number(cpu_seconds() - start, 1);
    table.row([&"CPU seconds, all", &all, &"30 for 60 s of 5000", &""]);
    let trace = format!("{:016x}", world.trace);
    table.row([&"trace", &trace, &"the same each time", &""]);
    table
}
