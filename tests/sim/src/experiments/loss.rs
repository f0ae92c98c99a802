//! Messages are lost, each with the same chance.

use super::{SECOND, Settings, Table, WARM_UP, defaults};
use crate::World;
use crate::report::{number, percentile};

pub(super) fn run(settings: &Settings) -> Table {
    let mut table = Table::new([
        "lost",
        "member-hours",
        "wronged",
        "goal for 10,000 hours",
        "an hour",
        "suspicions an hour",
        "messages/s",
        "bytes/s",
        "s to one list",
        "others, an hour",
    ]);
    let chosen = settings.loss.map(|loss| (loss, "", ""));
    for (loss, goal, others) in chosen.map_or(LEVELS.to_vec(), |one| vec![one]) {
        let sums = lose(settings, loss);
        let member_seconds = (settings.size * settings.runs) as f64 * settings.time.as_secs_f64();
        let hours = member_seconds / 3600.0;
        let a_second = |count: u64, digits| number(count as f64 / member_seconds, digits);
        let an_hour = |count: u64| number(count as f64 / hours, 4);
        table.row([
            &format!("{:.0} %", loss * 100.0),
            &number(hours, 0),
            &sums.wronged,
            &goal,
            &an_hour(sums.wronged),
            &an_hour(sums.suspicions),
            &a_second(sums.messages, 1),
            &a_second(sums.bytes, 0),
            &number(sums.slowest_healing, 0),
            &others,
        ]);
    }
    table
}

/// What is lost, how many lives may be wronged in 10,000 member-hours, and what others do.
const LEVELS: [(f64, &str, &str); 4] = [
    (0.01, "0", ""),
    (0.05, "0", "foca 0 to 0.006"),
    (0.10, "0", "memberlist 0, foca 1.2 to 17.8"),
    (0.25, "10", "memberlist 296, foca 263"),
];

/// What happened while messages were lost.
#[derive(Default)]
struct Sums {
    /// Lives believed faulty though alive.
    wronged: u64,
    suspicions: u64,
    messages: u64,
    bytes: u64,
    slowest_healing: f64,
}

fn lose(settings: &Settings, loss: f64) -> Sums {
    let mut sums = Sums::default();
    let mut healed = Vec::new();
    for run in 0..settings.runs as u64 {
        let mut world = World::formed(settings.size, settings.seed + run, defaults);
        world.run(WARM_UP);
        world.network.loss = loss;
        let before = world.traffic();
        world.run(settings.time);
        let after = world.traffic();
        sums.wronged += world.observer.false_verdicts.len() as u64;
        sums.suspicions += world.observer.suspicions;
        sums.messages += after.0 - before.0;
        sums.bytes += after.1 - before.1;
        world.network.mend();
        let time = world.run_until(SECOND, 600 * SECOND, World::has_converged);
        healed.push(time.map_or(f64::INFINITY, |time| time.as_secs_f64()));
    }
    sums.slowest_healing = percentile(&mut healed, 1.0);
    sums
}
