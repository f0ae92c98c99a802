//! A ring in which nothing happens.

use super::{Settings, Table, WARM_UP, defaults};
use crate::World;
use crate::report::cpu_seconds;

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
    let member_seconds = settings.size as f64 * settings.time.as_secs_f64();
    let mut table = Table::new(["", "ours", "others at one probe a second"]);
    let rate = |count: u64| format!("{:.1}", count as f64 / member_seconds);
    table.row(["messages/s a member".into(), rate(messages), "2.0".into()]);
    table.row(["bytes/s a member".into(), rate(bytes), "76 to 91".into()]);
    let mine = world.events - events;
    table.row(["events".into(), mine.to_string(), String::new()]);
    let speed = format!("{:.0}", mine as f64 / took);
    table.row([
        "events a CPU second".into(),
        speed,
        "foca 1.3 M at 1000, 0.4 M at 5000".into(),
    ]);
    table.row(["CPU seconds".into(), format!("{took:.1}"), String::new()]);
    let forming = format!("{:.1}", formed - start);
    table.row([
        "CPU seconds to let them join".into(),
        forming,
        String::new(),
    ]);
    let trace = format!("{:016x}", world.trace);
    table.row(["trace".into(), trace, String::new()]);
    table
}
